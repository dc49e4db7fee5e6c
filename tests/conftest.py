"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from consentry.inference.build import build_models

pytest.register_assert_rewrite("contracts")


@pytest.fixture(scope="session")
def faces_data() -> Path:
    """The folder of labelled development faces. Not part of the project, so its tests skip without it."""
    folder = Path(
        os.environ.get("CONSENTRY_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")
    )
    if not (folder / "faces-lfw-dev").is_dir():
        pytest.skip(
            "no labelled faces on this machine: set CONSENTRY_TEST_DATA to a folder that has them"
        )
    return folder


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The folder of built model files; built here if it is not there yet."""
    folder = Path(
        os.environ.get("CONSENTRY_TEST_MODELS", Path.home() / ".cache" / "consentry" / "models")
    )
    build_models(folder, lambda _name, _done: None)
    return folder
