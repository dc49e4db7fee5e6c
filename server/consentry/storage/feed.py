"""What platforms are told: that something changed. Never whose it was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, delete, func, insert, select

from consentry.grants.ports import FeedEntry, FeedKind
from consentry.kernel.ids import CheckId
from consentry.storage.consent_tables import AnswerRow, ConsentUseRow, FeedRow
from consentry.storage.database import Database


class SqlFeed:
    """`consentry.grants.ports.Feed` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self, cursor: int, limit: int) -> Sequence[FeedEntry]:
        """Return at most ``limit`` entries after a cursor, oldest first."""
        if limit < 0:
            raise ValueError("a limit is not negative")
        statement = (
            select(FeedRow)
            .where(col(FeedRow.cursor) > cursor)
            .order_by(col(FeedRow.cursor))
            .limit(limit)
        )
        with self._database.reading() as session:
            return tuple(
                FeedEntry(
                    cursor=row.cursor or 0,
                    kind=FeedKind(row.kind),
                    hour=row.hour,
                    check=None if row.check_id is None else CheckId(row.check_id),
                )
                for row in session.exec(statement).all()
            )

    def latest(self) -> int:
        """Return the newest cursor; 0 when nothing has happened yet."""
        with self._database.reading() as session:
            return session.exec(select(func.max(FeedRow.cursor))).one() or 0


def tell(session: Session, kind: FeedKind, at: datetime, authorities: Sequence[str] = ()) -> None:
    """Add what happened to the feed, in the transaction in which it happens.

    Args:
        session: Of that transaction.
        kind: What happens.
        at: When; told to the hour only, so that two events are harder to tie together.
        authorities: Grants and tokens that end by it. Each receipt that relied on one gets a line
            of its own, so that a platform finds its own among them; without any there is one line.
            What is kept beside those receipts goes.
    """
    hour = at.replace(minute=0, second=0, microsecond=0)
    checks: Sequence[str | None] = ()
    if authorities:
        used = col(ConsentUseRow.authority).in_(authorities)
        relied = select(ConsentUseRow.check_id).where(used).distinct()
        checks = session.exec(relied).all()
        # What is kept beside them would let a result, or a retry, pass as if nothing had ended.
        session.execute(delete(AnswerRow).where(col(AnswerRow.check_id).in_(relied)))
        session.execute(delete(ConsentUseRow).where(used))
    rows = [{"kind": kind.value, "hour": hour, "check_id": each} for each in checks or (None,)]
    session.execute(insert(FeedRow), rows)
