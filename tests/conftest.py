"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def faces_data() -> Path:
    """The folder of labelled development faces. Not part of the project, so its tests skip without it."""
    folder = Path(
        os.environ.get("CONSENTRY_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")
    )
    if not (folder / "faces-lfw-dev").is_dir():
        pytest.skip("no labelled faces on this machine: set CONSENTRY_TEST_DATA to a folder that has them")
    return folder
