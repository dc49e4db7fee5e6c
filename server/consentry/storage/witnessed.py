"""What this installation has cosigned of others' logs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlmodel import Session, select

from consentry.storage.database import Database
from consentry.storage.log_tables import WitnessedRow
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.ports import Witnessed


class SqlWitnessMemory:
    """`consentry.transparency.ports.WitnessMemory` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def turn(self) -> Iterator[SqlWitnessTurn]:
        """Hold the write lock while the block runs: of two requests one sees what the other kept."""
        with self._database.writing() as session:
            yield SqlWitnessTurn(session)

    def last(self, origin_hash: str) -> Witnessed | None:
        """Return what was cosigned last of a log, by the SHA-256 of its origin, in hex."""
        with self._database.reading() as session:
            for row in session.exec(select(WitnessedRow)).all():
                if hashlib.sha256(row.origin.encode()).hexdigest() == origin_hash:
                    return _witnessed(row)
        return None


@dataclass(frozen=True, slots=True)
class SqlWitnessTurn:
    """`consentry.transparency.ports.WitnessTurn`."""

    session: Session

    def last(self, origin: str) -> Witnessed | None:
        """Return what was cosigned last of a log; None for nothing."""
        row = self.session.get(WitnessedRow, origin)
        return None if row is None else _witnessed(row)

    def keep(self, witnessed: Witnessed) -> None:
        """Replace it."""
        checkpoint = witnessed.signed.checkpoint
        self.session.merge(
            WitnessedRow(
                origin=checkpoint.origin,
                size=checkpoint.size,
                note=str(witnessed.signed),
                stamped_at=witnessed.stamped_at,
            )
        )


def _witnessed(row: WitnessedRow) -> Witnessed:
    return Witnessed(signed=SignedCheckpoint.parse(row.note), stamped_at=row.stamped_at)
