"""Tokens in SQLite keep the contract of every token store."""

from __future__ import annotations

from consentry.storage.tokens import SqlTokenStore
from contracts.token_store import TokenStoreContract


class TestSqlTokenStore(TokenStoreContract):
    def make(self):
        return SqlTokenStore(self.request.getfixturevalue("database"))
