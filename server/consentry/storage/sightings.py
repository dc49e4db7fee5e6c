"""Sightings: sealed boxes beside the receipts, of which nobody can tell whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from sqlmodel import Session, col, delete, insert, select

from consentry.checks.sightings import StoredSighting
from consentry.kernel.ids import CheckId
from consentry.storage.database import Database
from consentry.storage.tables import SightingRow
from consentry.vault.lids import SealedBox


class SqlSightingStore:
    """`consentry.checks.sightings.SightingStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace(self, check: CheckId, boxes: Sequence[SealedBox]) -> None:
        """Put boxes in the place of those of a check; nothing when they have been swept."""
        with self._database.writing() as session:
            of_check = col(SightingRow.check_id) == check
            at = session.exec(select(SightingRow.issued_at).where(of_check)).first()
            if at is not None:
                session.execute(delete(SightingRow).where(of_check))
                insert_sightings(session, check, at, boxes)

    def newest(self, limit: int, before: datetime | None) -> Sequence[StoredSighting]:
        """Return those of at most ``limit`` checks before a moment, newest first."""
        if limit < 0:
            raise ValueError("a limit is not negative")
        order = (col(SightingRow.issued_at).desc(), col(SightingRow.check_id))
        checks = select(SightingRow.check_id).where(col(SightingRow.part) == 0)
        if before is not None:
            checks = checks.where(col(SightingRow.issued_at) < before)
        row = SightingRow
        statement = (
            select(row.check_id, row.issued_at, row.box)
            .where(col(row.check_id).in_(checks.order_by(*order).limit(limit)))
            .order_by(*order, col(row.part))
        )
        with self._database.reading() as session:
            found = session.exec(statement).all()
        return tuple(
            StoredSighting(CheckId(check), at, tuple(SealedBox(box) for _, _, box in parts))
            for (check, at), parts in groupby(found, itemgetter(0, 1))
        )

    def sweep(self, *, before: datetime) -> int:
        """Remove those of checks before a moment, and return how many boxes it was.

        Not searched for afterwards, as what is erased is: without her key they are noise.
        """
        lapsed = col(SightingRow.issued_at) < before
        with self._database.reading() as session:
            if session.exec(select(SightingRow.check_id).where(lapsed).limit(1)).first() is None:
                return 0
        with self._database.writing() as session:
            return int(session.connection().execute(delete(SightingRow).where(lapsed)).rowcount)


def insert_sightings(
    session: Session, check: CheckId, at: datetime, boxes: Sequence[SealedBox]
) -> None:
    """Insert the boxes of a check, in the transaction that keeps its receipt."""
    if boxes:
        session.execute(
            insert(SightingRow),
            [
                {"check_id": check, "part": part, "issued_at": at, "box": box}
                for part, box in enumerate(boxes)
            ],
        )
