from __future__ import annotations

from pathlib import Path

from consentry.settings import Settings

DOC = Path(__file__).parents[2] / "docs" / "configuration.md"


def _row(name: str) -> str:
    field = Settings.model_fields[name]
    limits = [
        f"{word} {getattr(m, attr)}"
        for m in field.metadata
        for attr, word in (("ge", "from"), ("le", "to"))
        if hasattr(m, attr)
    ]
    default = "see below" if field.default_factory else f"`{field.default}`"
    return f"| `CONSENTRY_{name.upper()}` | {default} | {' '.join(limits) or '-'} | {field.description} |"


def test_every_setting_is_documented_with_its_default_and_range():
    rows = [line for line in DOC.read_text().splitlines() if line.startswith("| `CONSENTRY_")]

    assert rows == [_row(name) for name in Settings.model_fields]
