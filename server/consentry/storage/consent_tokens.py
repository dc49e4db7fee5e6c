"""Consent tokens as the server knows them, and what subjects have declared about themselves."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from consentry.grants.ports import Declarations, FeedKind, StoredConsentToken
from consentry.kernel.errors import Conflict, NotFound
from consentry.kernel.ids import ConsentTokenId, SubjectId
from consentry.storage.consent_tables import ConsentTokenRow, DeclarationRow
from consentry.storage.database import Database
from consentry.storage.feed import tell
from consentry.storage.grants import require_enrolled


class SqlConsentTokenStore:
    """`consentry.grants.ports.ConsentTokenStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token: StoredConsentToken, *, announced_at: datetime | None = None) -> None:
        """Keep a token, and use up the announcement that it was made by, or neither."""
        with self._database.writing() as session:
            if announced_at is not None:
                declaration = _declaration(session, token.subject)
                if declaration.announced_at != announced_at:
                    raise Conflict("This announcement has been used up or taken back.")
                declaration.announced_at = None
            insert_token(session, token)

    def get(self, token: ConsentTokenId) -> StoredConsentToken | None:
        """Return a token, also one that is used up or has lapsed; None when there is none."""
        with self._database.reading() as session:
            row = session.get(ConsentTokenRow, token)
            return None if row is None else _token(row)

    def of(self, subject: SubjectId) -> tuple[StoredConsentToken, ...]:
        """Return a subject's tokens, oldest first."""
        statement = (
            select(ConsentTokenRow)
            .where(ConsentTokenRow.subject == subject)
            .order_by(col(ConsentTokenRow.issued_at), col(ConsentTokenRow.token))
        )
        with self._database.reading() as session:
            return tuple(_token(row) for row in session.exec(statement).all())

    def remove(self, token: ConsentTokenId, *, at: datetime) -> None:
        """Forget a token, and tell the feed which receipts relied on it."""
        with self._database.erasing() as erasure:
            row = erasure.session.get(ConsentTokenRow, token)
            if row is None:
                raise NotFound("There is no such token (any more).")
            erasure.forget(row.sealed)
            tell(erasure.session, FeedKind.REVOKED, at, [row.token])
            erasure.session.delete(row)

    def declarations(self, subject: SubjectId) -> Declarations:
        """Return what a subject has declared; nothing when she has declared nothing."""
        with self._database.reading() as session:
            row = session.get(DeclarationRow, subject)
            if row is None:
                return Declarations()
            return Declarations(adult_at=row.adult_at, announced_at=row.announced_at)

    def attest_adult(self, subject: SubjectId, at: datetime) -> None:
        """Keep that a subject has declared to be 18 or older."""
        with self._database.writing() as session:
            _declaration(session, subject).adult_at = at

    def announce(self, subject: SubjectId, at: datetime | None) -> None:
        """Keep when a subject announced an intimate consent; None takes it back."""
        with self._database.writing() as session:
            _declaration(session, subject).announced_at = at


def insert_token(session: Session, token: StoredConsentToken) -> None:
    """Insert a token in the given transaction.

    Raises:
        NotFound: If the subject is not enrolled (any more).
    """
    require_enrolled(session, token.subject)
    session.add(
        ConsentTokenRow(
            token=token.token,
            subject=token.subject,
            sealed=token.sealed,
            uses_left=token.uses_left,
            issued_at=token.issued_at,
            valid_until=token.valid_until,
        )
    )


def _declaration(session: Session, subject: SubjectId) -> DeclarationRow:
    require_enrolled(session, subject)
    row = session.get(DeclarationRow, subject)
    if row is None:
        row = DeclarationRow(subject=subject, adult_at=None, announced_at=None)
        session.add(row)
    return row


def _token(row: ConsentTokenRow) -> StoredConsentToken:
    return StoredConsentToken(
        token=ConsentTokenId(row.token),
        subject=SubjectId(row.subject),
        sealed=row.sealed,
        uses_left=row.uses_left,
        issued_at=row.issued_at,
        valid_until=row.valid_until,
    )
