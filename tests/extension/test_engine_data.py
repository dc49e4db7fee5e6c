"""The browser works with the server's numbers, and decides as the server does."""

from __future__ import annotations

import runpy
from pathlib import Path

EXTENSION = Path(__file__).parents[2] / "extension"
VECTORS = Path(__file__).parents[1] / "vectors"


def test_the_data_of_the_engine_are_current() -> None:
    generator = runpy.run_path(str(EXTENSION / "generate_engine.py"))

    found = {file: file.read_text() for file in generator["files"]()}
    assert found == generator["files"]()


def test_the_decisions_that_the_browser_must_match_are_the_servers() -> None:
    generator = runpy.run_path(str(VECTORS / "make_decisions_v1.py"))

    assert (VECTORS / "decisions_v1.json").read_text() == generator["content"]()


def test_the_names_that_the_browser_must_find_are_the_servers() -> None:
    generator = runpy.run_path(str(VECTORS / "make_names_v1.py"))

    assert (VECTORS / "names_v1.json").read_text() == generator["content"]()
