"""Bearer tokens, as digests: who reads this table can use none of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlmodel import col, delete, select, update

from consentry.accounts.ports import StoredToken
from consentry.kernel.errors import NotFound
from consentry.kernel.ids import TokenId
from consentry.storage.database import Database
from consentry.storage.tables import TokenRow


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
        with self._database.reading() as session:
            row = session.exec(select(TokenRow).where(TokenRow.digest == digest)).first()
            return None if row is None else _token(row)

    def list(self) -> Sequence[StoredToken]:
        """Return all tokens, oldest first."""
        statement = select(TokenRow).order_by(col(TokenRow.created_at), col(TokenRow.token))
        with self._database.reading() as session:
            return tuple(_token(row) for row in session.exec(statement).all())

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


def _token(row: TokenRow) -> StoredToken:
    return StoredToken(
        token=TokenId(row.token),
        name=row.name,
        digest=row.digest,
        scopes=frozenset(row.scopes.split()),
        created_at=row.created_at,
        last_used_day=None if row.last_used_day is None else date.fromisoformat(row.last_used_day),
        expires_at=row.expires_at,
    )
