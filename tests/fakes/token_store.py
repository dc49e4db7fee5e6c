"""Bearer tokens kept in memory: the fake at accounts' port."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from consentry.accounts.ports import StoredToken
from consentry.kernel.errors import Conflict, NotFound
from consentry.kernel.ids import TokenId


class MemoryTokenStore:
    def __init__(self) -> None:
        self.rows: dict[TokenId, StoredToken] = {}

    def add(self, token: StoredToken) -> None:
        if token.token in self.rows or self.find_by_digest(token.digest) is not None:
            raise Conflict("There is such a token already.")
        self.rows[token.token] = token

    def find_by_digest(self, digest: bytes) -> StoredToken | None:
        return next((row for row in self.rows.values() if row.digest == digest), None)

    def list(self) -> list[StoredToken]:
        return sorted(self.rows.values(), key=lambda row: row.created_at)

    def remove(self, token: TokenId) -> None:
        if self.rows.pop(token, None) is None:
            raise NotFound("There is no such token.")

    def touch(self, token: TokenId, day: date) -> None:
        if token in self.rows:
            self.rows[token] = replace(self.rows[token], last_used_day=day)
