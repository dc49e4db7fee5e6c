"""Tables of the transparency log, and of what this installation witnesses for others.

This module must not use ``from __future__ import annotations``: SQLModel reads the annotations.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary
from sqlmodel import Field, SQLModel

from consentry.storage.tables import UtcMoment


class LogStateRow(SQLModel, table=True):
    """One row: which log it is, and all that appending to it needs.

    ``frontier`` is the right edge of the tree; ``versions`` the entry that announced versions last;
    ``superseded`` the SHA-256 of a signed head that this log has renounced.
    """

    __tablename__ = "log_state"
    __table_args__ = (CheckConstraint("id = 1", name="only_one_log"),)

    id: int = Field(primary_key=True)
    origin: str
    size: int
    frontier: bytes = Field(sa_type=LargeBinary)
    versions: bytes | None = Field(sa_type=LargeBinary, nullable=True)
    superseded: bytes | None = Field(sa_type=LargeBinary, nullable=True)


class LogLeafRow(SQLModel, table=True):
    """An entry. Never changed, never removed."""

    __tablename__ = "log_leaves"

    leaf: int = Field(primary_key=True)
    entry: bytes = Field(sa_type=LargeBinary)


class LogNodeRow(SQLModel, table=True):
    """A hash of a tile of level 1 or above; those of level 0 are hashes of entries."""

    __tablename__ = "log_nodes"
    __table_args__ = ({"sqlite_with_rowid": False},)

    level: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    hash: bytes = Field(sa_type=LargeBinary)


class LogOpeningRow(SQLModel, table=True):
    """What opens the commitments of an entry. Erased, the entry is about nobody any more."""

    __tablename__ = "log_openings"
    __table_args__ = (Index("log_openings_by_subject", "subject"),)

    leaf: int = Field(primary_key=True)
    salt: bytes = Field(sa_type=LargeBinary)
    opened: str
    subject: str | None


class LogWaitingRow(SQLModel, table=True):
    """A change of an enrolment that comes into the log with the next batch, in random order."""

    __tablename__ = "log_waiting"
    __table_args__ = (Index("log_waiting_by_subject", "subject"), {"sqlite_autoincrement": True})

    number: int | None = Field(default=None, primary_key=True)
    entry: bytes = Field(sa_type=LargeBinary)
    salt: bytes | None = Field(sa_type=LargeBinary, nullable=True)
    opened: str | None
    subject: str | None


class LogCheckpointRow(SQLModel, table=True):
    """A head of the log that was signed. ``is_published``: enough witnesses have cosigned it."""

    __tablename__ = "log_checkpoints"

    origin: str = Field(primary_key=True)
    size: int = Field(primary_key=True)
    note: str
    is_published: bool


class WitnessedRow(SQLModel, table=True):
    """The last head of somebody else's log that this installation cosigned."""

    __tablename__ = "witnessed"

    origin: str = Field(primary_key=True)
    size: int
    note: str
    stamped_at: datetime = Field(sa_type=UtcMoment)
