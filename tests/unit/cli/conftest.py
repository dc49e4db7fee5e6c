from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.terminal import PASSPHRASE, Terminal, opened


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own, and no passphrase from the developer's shell."""
    folder = tmp_path / "data"
    monkeypatch.setenv("CONSENTRY_HOME", str(folder))
    monkeypatch.setenv("CONSENTRY_MODELS_DIR", str(tmp_path / "models"))
    for name in ("PASSPHRASE", "PORT", "LOG_LEVEL"):
        monkeypatch.delenv(f"CONSENTRY_{name}", raising=False)
    return folder


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    with opened(tmp_path, capsys) as found:
        yield found


@pytest.fixture
def enrolled(terminal: Terminal) -> Terminal:
    """With one person enrolled, and the vault locked again as after any command without a server."""
    left = terminal.run("enrol", terminal.picture((200, 0, 0)), passphrase=PASSPHRASE)
    assert left.code == 0, left.err
    terminal.home.custody.lock()
    return terminal
