"""The tables. Migrations make them; this is what they are like now (a test compares the two).

Nothing here says who anybody is: names and templates are sealed, identifiers are random, and there
is no picture, prompt or digest of either. Times are whole microseconds since 1970, UTC.

This module must not use ``from __future__ import annotations``: SQLModel reads the annotations.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, CheckConstraint, Dialect, Index, LargeBinary, TypeDecorator
from sqlmodel import Field, SQLModel

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_microseconds(moment: datetime) -> int:
    """Return a moment as microseconds since 1970, UTC.

    Raises:
        ValueError: If ``moment`` has no time zone, so that nobody can say when it is.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment is stored with its time zone, or not at all")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(stored: int) -> datetime:
    """Return the moment, aware, in UTC."""
    return _EPOCH + timedelta(microseconds=stored)


class UtcMoment(TypeDecorator[datetime]):
    """An aware datetime, stored as an integer. SQLite's own would lose the time zone."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """Turn a moment into what is stored."""
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """Turn what is stored into a moment."""
        return None if value is None else from_microseconds(value)


class StateRow(SQLModel, table=True):
    """One row: how far the templates have come. Written in the transaction that changes them."""

    __tablename__ = "state"
    __table_args__ = (CheckConstraint("id = 1", name="only_one_state"),)

    id: int = Field(primary_key=True)
    revision: int
    # Removals up to this revision are not listed in `tombstones` any more.
    forgotten_up_to: int


class SubjectRow(SQLModel, table=True):
    """An enrolled person."""

    __tablename__ = "subjects"

    subject: str = Field(primary_key=True)
    wrapped_key: bytes = Field(sa_type=LargeBinary)
    sealed_name: bytes = Field(sa_type=LargeBinary)
    policy: str
    enrolled_at: datetime = Field(sa_type=UtcMoment)
    own_passphrase: bytes | None = Field(sa_type=LargeBinary, nullable=True)
    has_shared: bool = Field(default=False, sa_column_kwargs={"server_default": "0"})


class BackupKeyRow(SQLModel, table=True):
    """What opens a person's section in backups; in no backup itself."""

    __tablename__ = "backup_keys"

    subject: str = Field(primary_key=True, foreign_key="subjects.subject")
    key: bytes = Field(sa_type=LargeBinary)


class TemplateRow(SQLModel, table=True):
    """A sealed template. AUTOINCREMENT, so that a row number is never used twice."""

    __tablename__ = "templates"
    __table_args__ = (
        Index("templates_by_subject", "subject"),
        Index("templates_by_model", "model"),
        Index("templates_by_revision", "revision"),
        {"sqlite_autoincrement": True},
    )

    row: int | None = Field(default=None, primary_key=True)
    subject: str = Field(foreign_key="subjects.subject")
    template: str = Field(unique=True)
    model: str
    sealed: bytes = Field(sa_type=LargeBinary)
    revision: int


class TombstoneRow(SQLModel, table=True):
    """A template that is gone: its number and when, so that every index in memory drops it too."""

    __tablename__ = "tombstones"
    __table_args__ = (Index("tombstones_by_revision", "revision"),)

    row: int = Field(primary_key=True)
    revision: int


class ErasureRow(SQLModel, table=True):
    """A change whose old bytes have not been seen to be gone yet; finished at the next start."""

    __tablename__ = "erasures"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True)


class ReceiptRow(SQLModel, table=True):
    """A signed verdict. ``reasons`` are joined by spaces; ``leaf`` is its index in the log."""

    __tablename__ = "receipts"
    __table_args__ = (
        Index("receipts_by_time", "issued_at"),
        Index("receipts_by_leaf", "leaf"),
    )

    check_id: str = Field(primary_key=True)
    issued_at: datetime = Field(sa_type=UtcMoment)
    verdict: str
    reasons: str
    jws: str
    caller: str | None
    leaf: int | None


class SightingRow(SQLModel, table=True):
    """What those may read of a check who were seen in it. Nobody else can tell whether it is anybody's."""

    __tablename__ = "sightings"
    __table_args__ = (Index("sightings_by_time", "issued_at"), {"sqlite_with_rowid": False})

    check_id: str = Field(primary_key=True)
    part: int = Field(primary_key=True)
    issued_at: datetime = Field(sa_type=UtcMoment)
    box: bytes = Field(sa_type=LargeBinary)


class VaultHeaderRow(SQLModel, table=True):
    """One row: what the passphrase opens."""

    __tablename__ = "vault_header"
    __table_args__ = (CheckConstraint("id = 1", name="only_one_header"),)

    id: int = Field(primary_key=True)
    header: bytes = Field(sa_type=LargeBinary)


class TokenRow(SQLModel, table=True):
    """A bearer token: only the digest of its secret. ``scopes`` are sorted and joined by spaces."""

    __tablename__ = "tokens"

    token: str = Field(primary_key=True)
    name: str
    digest: bytes = Field(sa_type=LargeBinary, unique=True)
    scopes: str
    created_at: datetime = Field(sa_type=UtcMoment)
    last_used_day: str | None
    expires_at: datetime | None = Field(sa_type=UtcMoment, nullable=True)


class ApiKeyRow(SQLModel, table=True):
    """An API key of a platform. ``scopes`` are sorted and joined by spaces."""

    __tablename__ = "api_keys"

    key: str = Field(primary_key=True)
    name: str
    platform: str
    scopes: str
    faces_per_hour: int
    faces_per_day: int
    created_at: datetime = Field(sa_type=UtcMoment)
    last_used_day: str | None
    expires_at: datetime | None = Field(sa_type=UtcMoment, nullable=True)


class ApiKeySecretRow(SQLModel, table=True):
    """A secret of an API key: only its digest. Two while a rotation overlaps."""

    __tablename__ = "api_key_secrets"
    __table_args__ = (Index("api_key_secrets_by_key", "key"),)

    digest: bytes = Field(sa_type=LargeBinary, primary_key=True)
    key: str = Field(foreign_key="api_keys.key")
    made_at: datetime = Field(sa_type=UtcMoment)
    ends_at: datetime | None = Field(sa_type=UtcMoment, nullable=True)


class ProbeSpendingRow(SQLModel, table=True):
    """How many faces a key had searched for in one hour (since 1970, UTC); today's only."""

    __tablename__ = "probe_spending"

    key: str = Field(primary_key=True)
    hour: int = Field(primary_key=True)
    faces: int
