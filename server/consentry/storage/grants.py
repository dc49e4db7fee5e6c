"""Grants, and what ends with a subject: everything that she has agreed to, been asked, is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, delete, or_, select

from consentry.grants.ports import FeedKind, StoredGrant
from consentry.kernel.errors import NotFound
from consentry.kernel.ids import GrantId, SubjectId
from consentry.storage.consent_tables import (
    AliasRow,
    BlockedAskerRow,
    ConsentRequestRow,
    ConsentTokenRow,
    ContestRow,
    DeclarationRow,
    GrantRow,
)
from consentry.storage.database import Database, Erasure
from consentry.storage.failures import translated
from consentry.storage.feed import tell
from consentry.storage.tables import SubjectRow, from_microseconds

_GRANTS = (
    "SELECT grant_id, subject, sealed, uses_left, given_at, ends_at FROM grants "
    "WHERE subject IN ({}) ORDER BY given_at, grant_id"
)
GONE = "There is nobody enrolled by that identifier (any more)."


class SqlGrantStore:
    """`consentry.grants.ports.GrantStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, grant: StoredGrant) -> None:
        """Keep a grant."""
        with self._database.writing() as session:
            require_enrolled(session, grant.subject)
            session.add(
                GrantRow(
                    grant_id=grant.grant,
                    subject=grant.subject,
                    sealed=grant.sealed,
                    uses_left=grant.uses_left,
                    given_at=grant.given_at,
                    ends_at=grant.ends_at,
                )
            )

    def of(self, subjects: Collection[SubjectId]) -> tuple[StoredGrant, ...]:
        """Return the grants of these subjects, oldest first."""
        if not subjects:
            return ()
        # Asked in the middle of checks, so through a bare cursor: an ORM session costs ten times as
        # much. Only question marks are put into the statement.
        marks = ", ".join("?" * len(subjects))
        with translated(self._database.path):
            rows = self._database.held().execute(_GRANTS.format(marks), tuple(subjects)).fetchall()
        return tuple(
            StoredGrant(
                grant=GrantId(grant),
                subject=SubjectId(subject),
                sealed=sealed,
                uses_left=uses_left,
                given_at=from_microseconds(given_at),
                ends_at=None if ends_at is None else from_microseconds(ends_at),
            )
            for grant, subject, sealed, uses_left, given_at, ends_at in rows
        )

    def remove(self, grant: GrantId, *, at: datetime) -> None:
        """Forget a grant, and tell the feed which receipts relied on it."""
        with self._database.erasing() as erasure:
            row = erasure.session.get(GrantRow, grant)
            if row is None:
                raise NotFound("There is no such grant (any more).")
            erasure.forget(row.sealed)
            tell(erasure.session, FeedKind.REVOKED, at, [row.grant_id])
            erasure.session.delete(row)


def require_enrolled(session: Session, subject: SubjectId) -> None:
    """Pass when a subject is enrolled.

    Raises:
        NotFound: If she is not (any more).
    """
    if session.get(SubjectRow, subject) is None:
        raise NotFound(GONE)


def erase_consents(erasure: Erasure, subject: str, at: datetime) -> Counter[str]:
    """Destroy everything that a subject has agreed to, been asked or is called; tell the feed.

    Returns:
        How many of each it was, by what the table is called.
    """
    session = erasure.session
    grants = session.exec(select(GrantRow).where(GrantRow.subject == subject)).all()
    tokens = session.exec(select(ConsentTokenRow).where(ConsentTokenRow.subject == subject)).all()
    requests = session.exec(
        select(ConsentRequestRow).where(ConsentRequestRow.subject == subject)
    ).all()
    blocks = session.exec(select(BlockedAskerRow).where(BlockedAskerRow.subject == subject)).all()
    aliases = session.exec(select(AliasRow).where(AliasRow.subject == subject)).all()
    erasure.forget(*(row.sealed for row in grants))
    erasure.forget(*(row.sealed for row in blocks))
    erasure.forget(*(row.sealed for row in aliases))
    erasure.forget(*(row.sealed for row in tokens))
    erasure.forget(*(row.sealed for row in requests if row.sealed is not None))
    authorities = [*(row.grant_id for row in grants), *(row.token for row in tokens)]
    # In every case one line: whether she had agreed to anything is nobody's business.
    tell(session, FeedKind.REVOKED, at, authorities)
    counts = Counter[str]()
    for table in (
        GrantRow,
        ConsentTokenRow,
        ConsentRequestRow,
        BlockedAskerRow,
        AliasRow,
        DeclarationRow,
    ):
        of_hers = delete(table).where(col(table.subject) == subject)
        counts[str(table.__tablename__)] = session.connection().execute(of_hers).rowcount
    settled = delete(ContestRow).where(
        or_(col(ContestRow.claimant) == subject, col(ContestRow.respondent) == subject)
    )
    counts["contests"] = session.connection().execute(settled).rowcount
    return counts
