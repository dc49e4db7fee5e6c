"""The vault header in SQLite, and the fake that other tests use, keep one contract."""

from __future__ import annotations

from consentry.storage.vault_header import SqlHeaderStore
from contracts.header_store import NEW, OLD, HeaderStoreContract
from fakes.header_store import MemoryHeaderStore


class TestSqlHeaderStore(HeaderStoreContract):
    def make(self):
        return SqlHeaderStore(self.request.getfixturevalue("database"))


class TestMemoryHeaderStore(HeaderStoreContract):
    def make(self):
        return MemoryHeaderStore()


def test_no_byte_of_a_replaced_header_is_left_in_the_files(database, path):
    headers = SqlHeaderStore(database)
    headers.create(OLD)
    headers.replace(OLD, NEW)

    left = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"header one" not in left
    assert b"header two" in left
