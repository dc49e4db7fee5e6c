"""Bearer tokens, as digests: who reads this table can use none of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlmodel import col, delete, update

from consentry.accounts.ports import StoredToken
from consentry.kernel.errors import NotFound
from consentry.kernel.ids import TokenId
from consentry.storage.database import Database
from consentry.storage.failures import translated
from consentry.storage.tables import TokenRow, from_microseconds

# Asked before every request: an ORM session would add a millisecond to each.
_TOKENS = "SELECT token, name, digest, scopes, created_at, last_used_day, expires_at FROM tokens {}"
_BY_DIGEST = _TOKENS.format("WHERE digest = ?")
_OLDEST_FIRST = _TOKENS.format("ORDER BY created_at, token")

_TokenColumns = tuple[str, str, bytes, str, int, str | None, int | None]


class SqlTokenStore:
    """`consentry.accounts.ports.TokenStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token: StoredToken) -> None:
        """Keep a token."""
        with self._database.writing() as session:
            session.add(
                TokenRow(
                    token=token.token,
                    name=token.name,
                    digest=token.digest,
                    scopes=" ".join(sorted(token.scopes)),
                    created_at=token.created_at,
                    last_used_day=None
                    if token.last_used_day is None
                    else token.last_used_day.isoformat(),
                    expires_at=token.expires_at,
                )
            )

    def find_by_digest(self, digest: bytes) -> StoredToken | None:
        """Return the token whose digest it is, or None."""
        found = self._read(_BY_DIGEST, (digest,))
        return found[0] if found else None

    def list(self) -> Sequence[StoredToken]:
        """Return all tokens, oldest first."""
        return self._read(_OLDEST_FIRST, ())

    def remove(self, token: TokenId) -> None:
        """Forget a token."""
        with self._database.writing() as session:
            statement = delete(TokenRow).where(col(TokenRow.token) == token)
            if session.execute(statement.returning(col(TokenRow.token))).first() is None:
                raise NotFound("There is no token by that identifier (any more).")

    def touch(self, token: TokenId, day: date) -> None:
        """Note the day of use."""
        with self._database.writing() as session:
            session.execute(
                update(TokenRow)
                .where(col(TokenRow.token) == token)
                .values(last_used_day=day.isoformat())
            )

    def _read(self, query: str, values: tuple[bytes, ...]) -> tuple[StoredToken, ...]:
        with translated(self._database.path):
            rows: list[_TokenColumns] = self._database.held().execute(query, values).fetchall()
        return tuple(map(_token, rows))


def _token(row: _TokenColumns) -> StoredToken:
    token, name, digest, scopes, created_at, last_used_day, expires_at = row
    return StoredToken(
        token=TokenId(token),
        name=name,
        digest=digest,
        scopes=frozenset(scopes.split()),
        created_at=from_microseconds(created_at),
        last_used_day=None if last_used_day is None else date.fromisoformat(last_used_day),
        expires_at=None if expires_at is None else from_microseconds(expires_at),
    )
