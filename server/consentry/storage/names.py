"""Protected names, and contests: what else there is to know of the enrolled before each check."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from consentry.enrolment.ports import StoredAlias, StoredContest
from consentry.grants.ports import FeedKind
from consentry.kernel.errors import NotFound
from consentry.kernel.ids import AliasId, ContestId, SubjectId
from consentry.storage.consent_tables import AliasRow, ContestRow
from consentry.storage.database import Database
from consentry.storage.failures import translated
from consentry.storage.feed import tell
from consentry.storage.grants import require_enrolled
from consentry.storage.subjects import advance
from consentry.storage.tables import from_microseconds

# Asked before every check, so through a bare cursor: an ORM session costs ten times as much.
_ALIASES = "SELECT alias, subject, sealed, added_at FROM aliases ORDER BY added_at, alias"
_CONTESTS = (
    "SELECT contest, claimant, respondent, opened_at FROM contests ORDER BY opened_at, contest"
)

_NO_NAME = "There is no such name (any more)."


class SqlAliasStore:
    """`consentry.enrolment.ports.AliasStore` in SQLite. Every change advances the revision."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, alias: StoredAlias) -> None:
        """Keep a sealed name."""
        with self._database.writing() as session:
            require_enrolled(session, alias.subject)
            advance(session)
            insert_names(session, [alias], [])
            tell(session, FeedKind.POLICY_CHANGED, alias.added_at)

    def replace(self, alias: AliasId, sealed: bytes) -> None:
        """Keep what is newly known of a name in place of what was."""
        with self._database.erasing() as erasure:
            row = erasure.session.get(AliasRow, alias)
            if row is None:
                raise NotFound(_NO_NAME)
            advance(erasure.session)
            erasure.forget(row.sealed, kept=sealed)
            row.sealed = sealed

    def remove(self, alias: AliasId, *, at: datetime) -> None:
        """Forget a name, to the last byte."""
        with self._database.erasing() as erasure:
            row = erasure.session.get(AliasRow, alias)
            if row is None:
                raise NotFound(_NO_NAME)
            advance(erasure.session)
            erasure.forget(row.sealed)
            erasure.session.delete(row)
            tell(erasure.session, FeedKind.POLICY_CHANGED, at)

    def all(self) -> tuple[StoredAlias, ...]:
        """Return every sealed name, oldest first."""
        with translated(self._database.path):
            rows = self._database.held().execute(_ALIASES).fetchall()
        return tuple(
            StoredAlias(
                alias=AliasId(alias),
                subject=SubjectId(subject),
                sealed=sealed,
                added_at=from_microseconds(added_at),
            )
            for alias, subject, sealed, added_at in rows
        )


class SqlContestStore:
    """`consentry.enrolment.ports.ContestStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, contest: StoredContest) -> None:
        """Keep a contest."""
        with self._database.writing() as session:
            require_enrolled(session, contest.claimant)
            require_enrolled(session, contest.respondent)
            insert_names(session, [], [contest])
            tell(session, FeedKind.POLICY_CHANGED, contest.opened_at)

    def close(self, contest: ContestId, *, at: datetime) -> None:
        """Forget a contest: it is settled."""
        with self._database.writing() as session:
            row = session.get(ContestRow, contest)
            if row is None:
                raise NotFound("There is no such contest (any more).")
            session.delete(row)
            tell(session, FeedKind.POLICY_CHANGED, at)

    def all(self) -> tuple[StoredContest, ...]:
        """Return every open contest, oldest first."""
        with translated(self._database.path):
            rows = self._database.held().execute(_CONTESTS).fetchall()
        return tuple(
            StoredContest(
                contest=ContestId(contest),
                claimant=SubjectId(claimant),
                respondent=SubjectId(respondent),
                opened_at=from_microseconds(opened_at),
            )
            for contest, claimant, respondent, opened_at in rows
        )


def insert_names(
    session: Session, aliases: Sequence[StoredAlias], contests: Sequence[StoredContest]
) -> None:
    """Insert protected names and contests in the given transaction."""
    for alias in aliases:
        session.add(
            AliasRow(
                alias=alias.alias,
                subject=alias.subject,
                sealed=alias.sealed,
                added_at=alias.added_at,
            )
        )
    for contest in contests:
        session.add(
            ContestRow(
                contest=contest.contest,
                claimant=contest.claimant,
                respondent=contest.respondent,
                opened_at=contest.opened_at,
            )
        )
