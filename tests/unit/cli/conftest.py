from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own, and no passphrase from the developer's shell."""
    folder = tmp_path / "home"
    monkeypatch.setenv("CONSENTRY_HOME", str(folder))
    monkeypatch.setenv("CONSENTRY_MODELS_DIR", str(tmp_path / "models"))
    for name in ("PASSPHRASE", "PORT", "LOG_LEVEL"):
        monkeypatch.delenv(f"CONSENTRY_{name}", raising=False)
    return folder
