"""The tables of what people have agreed to, been asked, and are called; see `tables` for the rest.

What was agreed to, with whom and about what is sealed under the subject's data key. In the clear is
what every process must count, compare or sweep: identifiers, numbers of uses, and times.

This module must not use ``from __future__ import annotations``: SQLModel reads the annotations.
"""

from datetime import datetime

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

from consentry.storage.tables import UtcMoment


class GrantRow(SQLModel, table=True):
    """A standing consent."""

    __tablename__ = "grants"
    __table_args__ = (Index("grants_by_subject", "subject"),)

    grant_id: str = Field(primary_key=True)
    subject: str = Field(foreign_key="subjects.subject")
    sealed: bytes = Field(sa_type=LargeBinary)
    uses_left: int | None
    given_at: datetime = Field(sa_type=UtcMoment)
    ends_at: datetime | None = Field(sa_type=UtcMoment, nullable=True)


class ConsentTokenRow(SQLModel, table=True):
    """What the server alone knows of a consent token; what it is worth is sealed."""

    __tablename__ = "consent_tokens"
    __table_args__ = (Index("consent_tokens_by_subject", "subject"),)

    token: str = Field(primary_key=True)
    subject: str = Field(foreign_key="subjects.subject")
    sealed: bytes = Field(sa_type=LargeBinary)
    uses_left: int
    issued_at: datetime = Field(sa_type=UtcMoment)
    valid_until: datetime = Field(sa_type=UtcMoment)


class ConsentUseRow(SQLModel, table=True):
    """A receipt that relied on a grant or a token, so that its revocation can be told."""

    __tablename__ = "consent_uses"
    __table_args__ = (Index("consent_uses_by_authority", "authority"),)

    number: int | None = Field(default=None, primary_key=True)
    authority: str
    check_id: str


class ConsentRequestRow(SQLModel, table=True):
    """A question to a subject. ``sealed`` goes when she answers, at the latest when it lapses."""

    __tablename__ = "consent_requests"
    __table_args__ = (Index("consent_requests_by_subject", "subject"),)

    request: str = Field(primary_key=True)
    subject: str = Field(foreign_key="subjects.subject")
    caller: bytes = Field(sa_type=LargeBinary)
    platform: bytes = Field(sa_type=LargeBinary)
    asker: bytes = Field(sa_type=LargeBinary)
    sealed: bytes | None = Field(sa_type=LargeBinary, nullable=True)
    state: str
    jws: str | None
    asked_at: datetime = Field(sa_type=UtcMoment)
    ends_at: datetime = Field(sa_type=UtcMoment)


class BlockedAskerRow(SQLModel, table=True):
    """Somebody whom a subject does not want to hear from."""

    __tablename__ = "blocked_askers"
    __table_args__ = (Index("blocked_askers_once", "subject", "asker", unique=True),)

    number: int | None = Field(default=None, primary_key=True)
    subject: str = Field(foreign_key="subjects.subject")
    asker: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)
    blocked_at: datetime = Field(sa_type=UtcMoment)


class DeclarationRow(SQLModel, table=True):
    """What a subject has declared about herself."""

    __tablename__ = "declarations"

    subject: str = Field(primary_key=True, foreign_key="subjects.subject")
    adult_at: datetime | None = Field(sa_type=UtcMoment, nullable=True)
    announced_at: datetime | None = Field(sa_type=UtcMoment, nullable=True)


class AliasRow(SQLModel, table=True):
    """A protected name."""

    __tablename__ = "aliases"
    __table_args__ = (Index("aliases_by_subject", "subject"),)

    alias: str = Field(primary_key=True)
    subject: str = Field(foreign_key="subjects.subject")
    sealed: bytes = Field(sa_type=LargeBinary)
    added_at: datetime = Field(sa_type=UtcMoment)


class ContestRow(SQLModel, table=True):
    """Two subjects who claim one face."""

    __tablename__ = "contests"

    contest: str = Field(primary_key=True)
    claimant: str = Field(foreign_key="subjects.subject")
    respondent: str = Field(foreign_key="subjects.subject")
    opened_at: datetime = Field(sa_type=UtcMoment)


class AnswerRow(SQLModel, table=True):
    """What is kept beside a receipt for a retry or a result, sealed under what the caller alone has."""

    __tablename__ = "answers"
    __table_args__ = (Index("answers_by_end", "ends_at"),)

    place: bytes = Field(sa_type=LargeBinary, primary_key=True)
    check_id: str
    sealed: bytes = Field(sa_type=LargeBinary)
    ends_at: datetime = Field(sa_type=UtcMoment)


class FeedRow(SQLModel, table=True):
    """Something changed. Says what and in which hour, never whose it was."""

    __tablename__ = "feed"
    __table_args__ = ({"sqlite_autoincrement": True},)

    cursor: int | None = Field(default=None, primary_key=True)
    kind: str
    hour: datetime = Field(sa_type=UtcMoment)
    check_id: str | None
