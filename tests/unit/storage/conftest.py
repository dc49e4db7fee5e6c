"""A database of its own for every test, closed afterwards."""

from __future__ import annotations

import consentry.storage.consent_tables
import consentry.storage.log_tables  # noqa: F401 -- its tables belong to the schema
import pytest
from consentry.storage.database import Database


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home" / "consentry.db"


@pytest.fixture
def database(path):
    opened = Database.open(path, busy_timeout_s=5)
    yield opened
    opened.close()
