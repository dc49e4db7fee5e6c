"""The browser's engine works with the server's numbers."""

from __future__ import annotations

import runpy
from pathlib import Path

EXTENSION = Path(__file__).parents[2] / "extension"


def test_the_data_of_the_engine_are_current() -> None:
    generator = runpy.run_path(str(EXTENSION / "generate_engine.py"))

    assert (EXTENSION / "src" / "engine" / "engine.json").read_text() == generator["content"]()
