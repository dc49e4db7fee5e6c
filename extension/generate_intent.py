# ruff: noqa: INP001 -- a script beside the extension, not a module of a package
"""Write what the browser's intent engine reads: ``python extension/generate_intent.py``.

The words and rules are the server's own (server/consentry/intent), without the lexicons' examples; beside them the
tables of Unicode that JavaScript lacks, from Python's. One file a script, so that a browser loads what turns up.

    core.json       rules, names, scripts, characters, thresholds of the classifier
    ngrams.bin      its weights, the server's own file
    <SCRIPT>.json   the lexicons of one script
    entities.json   HTML's named characters
    version.json    of the engine whose words and rules these are
"""

from __future__ import annotations

import dataclasses
import html
import html.entities
import json
import unicodedata
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from consentry.intent import normalise, tokens
from consentry.intent.engine import ENGINE_VERSION
from consentry.intent.lexicon import languages
from consentry.intent.ngrams import THRESHOLDS

FOLDER = Path(__file__).parent / "src" / "domain" / "intent" / "data"
WEIGHTS = "ngrams.bin"
_INTENT = resources.files("consentry.intent")
_LEFT_OUT = {"name", "version", "reviewed_by_native_speaker", "revealing", "harmless", "comment"}
_LAST_OF_PLANE_0 = 0xFFFF
_IGNORED = {"Cf", "Cc", "Mn", "Me", "Sk"}

Json = Any


def _read(name: str) -> Json:
    return json.loads((_INTENT / name).read_text(encoding="utf-8"))


def _characters() -> Iterator[str]:
    return map(chr, range(0x80, 0x110000))


def _letters() -> str:
    """Letters that Unicode names after a Latin one, where decomposition does not come to the same."""
    found: list[str] = []
    for char in _characters():
        name = normalise._LETTER_NAME.search(unicodedata.name(char, ""))  # noqa: SLF001 -- the same rule, not one like it
        if name is None:
            continue
        folded = unicodedata.normalize("NFKC", char).casefold()
        plain = [
            part
            for part in unicodedata.normalize("NFD", folded)
            if unicodedata.category(part) not in _IGNORED
        ]
        if "".join(plain) != name[1].lower():
            found += (char, name[1].lower())
    return "".join(found)


def _ranges(codes: Iterable[int]) -> str:
    """Write code points as the inside of a character class."""
    runs: list[list[int]] = []
    for code in codes:
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "".join(
        f"\\u{first:04x}" if first == last else f"\\u{first:04x}-\\u{last:04x}"
        for first, last in runs
    )


def _core(scripts: list[str]) -> Json:
    composition = _read("composition.json")
    names = _read("names.json")
    for file in (composition, names):
        del file["comment"]
    return {
        "characters": {
            "letters": _letters(),
            "folds": {
                char: char.casefold() for char in _characters() if char.casefold() != char.lower()
            },
            "combining": _ranges(
                code for code in range(_LAST_OF_PLANE_0) if unicodedata.combining(chr(code))
            ),
        },
        "scripts": tokens._SCRIPTS,  # noqa: SLF001 -- the same table, not a copy
        "written": scripts,
        "composition": composition,
        "names": names,
        "thresholds": dataclasses.asdict(THRESHOLDS),
    }


def _entities() -> Json:
    return {
        "named": html.entities.html5,
        "numbered": html._invalid_charrefs,  # type: ignore[attr-defined]  # noqa: SLF001 -- the table that `html.unescape` reads
        "invalid": sorted(html._invalid_codepoints),  # type: ignore[attr-defined]  # noqa: SLF001 -- the same
    }


def files() -> dict[str, str]:
    """Return file name to content, of all but the weights."""
    by_script: dict[str, list[Json]] = {}
    for language in languages():
        rows = _read(f"lexicons/{language}.json")
        kept = {key: value for key, value in rows.items() if key not in _LEFT_OUT}
        by_script.setdefault(rows["script"], []).append(kept)
    contents: dict[str, Json] = {
        "version": {"engine": ENGINE_VERSION},
        "core": _core(sorted(by_script)),
        "entities": _entities(),
        **by_script,
    }
    return {
        f"{name}.json": json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
        for name, content in contents.items()
    }


def main() -> None:
    """Write the files, and remove those of scripts that are no more."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    written = files()
    for old in FOLDER.glob("*.json"):
        if old.name not in written:
            old.unlink()
    for name, content in written.items():
        (FOLDER / name).write_text(content, encoding="utf-8")
    (FOLDER / WEIGHTS).write_bytes((_INTENT / WEIGHTS).read_bytes())


if __name__ == "__main__":
    main()
