"""Protected names, and contests: what else there is to know of the enrolled before each check."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, func, select

from consentry.enrolment.ports import StoredAlias, StoredContest
from consentry.grants.ports import FeedKind
from consentry.kernel.errors import NotFound
from consentry.kernel.ids import AliasId, ContestId, SubjectId
from consentry.storage.consent_tables import AliasRow, ContestRow
from consentry.storage.database import Database
from consentry.storage.feed import tell
from consentry.storage.grants import require_enrolled
from consentry.storage.subjects import advance


class SqlAliasStore:
    """`consentry.enrolment.ports.AliasStore` in SQLite. Every change advances the revision."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, alias: StoredAlias) -> None:
        """Keep a sealed name."""
        with self._database.writing() as session:
            require_enrolled(session, alias.subject)
            advance(session)
            session.add(
                AliasRow(
                    alias=alias.alias,
                    subject=alias.subject,
                    sealed=alias.sealed,
                    added_at=alias.added_at,
                )
            )
            tell(session, FeedKind.POLICY_CHANGED, alias.added_at)

    def remove(self, alias: AliasId, *, at: datetime) -> None:
        """Forget a name, to the last byte."""
        with self._database.erasing() as erasure:
            row = erasure.session.get(AliasRow, alias)
            if row is None:
                raise NotFound("There is no such name (any more).")
            advance(erasure.session)
            erasure.forget(row.sealed)
            erasure.session.delete(row)
            tell(erasure.session, FeedKind.POLICY_CHANGED, at)

    def all(self) -> tuple[StoredAlias, ...]:
        """Return every sealed name, oldest first."""
        statement = select(AliasRow).order_by(col(AliasRow.added_at), col(AliasRow.alias))
        with self._database.reading() as session:
            return tuple(
                StoredAlias(
                    alias=AliasId(row.alias),
                    subject=SubjectId(row.subject),
                    sealed=row.sealed,
                    added_at=row.added_at,
                )
                for row in session.exec(statement).all()
            )

    def count(self) -> int:
        """Return how many names there are."""
        with self._database.reading() as session:
            return session.exec(select(func.count()).select_from(AliasRow)).one()


class SqlContestStore:
    """`consentry.enrolment.ports.ContestStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, contest: StoredContest) -> None:
        """Keep a contest."""
        with self._database.writing() as session:
            require_enrolled(session, contest.claimant)
            require_enrolled(session, contest.respondent)
            session.add(
                ContestRow(
                    contest=contest.contest,
                    claimant=contest.claimant,
                    respondent=contest.respondent,
                    opened_at=contest.opened_at,
                )
            )
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
        statement = select(ContestRow).order_by(col(ContestRow.opened_at), col(ContestRow.contest))
        with self._database.reading() as session:
            return tuple(
                StoredContest(
                    contest=ContestId(row.contest),
                    claimant=SubjectId(row.claimant),
                    respondent=SubjectId(row.respondent),
                    opened_at=row.opened_at,
                )
                for row in session.exec(statement).all()
            )
