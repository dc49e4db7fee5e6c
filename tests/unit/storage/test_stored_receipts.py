"""Receipts in SQLite keep the contract of every receipt store."""

from __future__ import annotations

from datetime import datetime

import pytest
from consentry.storage.receipts import SqlReceiptStore
from contracts.receipt_store import ReceiptStoreContract, draft
from fakes.logs import log_of


class TestSqlReceiptStore(ReceiptStoreContract):
    def make(self):
        database = self.request.getfixturevalue("database")
        return SqlReceiptStore(database, log_of(database))


def test_a_moment_without_a_time_zone_is_refused(database):
    nowhere = datetime(2026, 11, 21, 12, 0)  # noqa: DTZ001 -- that is the point

    with pytest.raises(Exception, match="time zone"):
        SqlReceiptStore(database, log_of(database)).add(draft(1, nowhere))


def test_a_negative_limit_is_refused(database):
    with pytest.raises(ValueError, match="negative"):
        SqlReceiptStore(database, log_of(database)).newest(-1, None)
