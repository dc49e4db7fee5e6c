"""Fixtures for all tests."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fakes.home import TestHome
from consentry.inference.build import build_models

pytest.register_assert_rewrite("contracts")


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """A command that runs inside a test sets the log up for its process; the next test starts anew."""
    log = logging.getLogger("consentry")
    before = log.level, log.propagate, list(log.handlers)
    yield
    log.setLevel(before[0])
    log.propagate, log.handlers = before[1], before[2]


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


@pytest.fixture
def home(tmp_path: Path) -> Iterator[TestHome]:
    """A home with a new, unlocked vault."""
    from fakes.home import TestHome

    opened = TestHome(tmp_path / "home").create()
    yield opened
    opened.close()
