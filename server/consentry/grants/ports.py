"""What grants ask of others. Implementations pass ``tests/contracts/consent_store.py``.

Every method that changes something is one transaction, and has reached the disk when it returns.
Nothing here says in the clear what was agreed to, with whom or about what: terms, names of
platforms, words and pictures are sealed under the subject's data key, so that destroying the key
destroys them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from consentry.kernel.ids import (
    CheckId,
    ConsentRequestId,
    ConsentTokenId,
    GrantId,
    SubjectId,
)
from consentry.kernel.taxonomy import Assessment
from consentry.vault.keys import DataKey


class SubjectKeys(Protocol):
    """Data keys of the enrolled (`consentry.enrolment.keys.SubjectKeyRing`)."""

    def open(self, subject: SubjectId) -> DataKey:
        """Return a subject's data key.

        Raises:
            NotFound: If nobody is enrolled by that identifier.
            VaultAbsent, VaultLocked: If the keys are not in memory.
        """


class Presence(Protocol):
    """Proof that a subject is there herself (`consentry.enrolment.people.VerifyActor`)."""

    def __call__(self, subject: SubjectId) -> SubjectId:
        """Return ``subject`` when she has just proved herself.

        Raises:
            Forbidden: Otherwise.
        """


class IntentReader(Protocol):
    """Says what words ask for (`consentry.intent.engine.IntentEngine`)."""

    def assess(self, prompt: str | None, context: tuple[str, ...] = ()) -> Assessment:
        """Say what a prompt asks for, given the turns before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredGrant:
    """A grant as the store holds it.

    Attributes:
        grant: Opaque identifier.
        subject: Who gave it.
        sealed: Its terms, sealed under her data key.
        uses_left: None for any number. In the clear, because it is counted down by whoever checks.
        given_at: UTC.
        ends_at: UTC, None when it is open; only so that it can be swept.
    """

    grant: GrantId
    subject: SubjectId
    sealed: bytes = field(repr=False)
    uses_left: int | None
    given_at: datetime
    ends_at: datetime | None


class GrantStore(Protocol):
    """Durable grants."""

    def add(self, grant: StoredGrant) -> None:
        """Keep a grant.

        Raises:
            NotFound: If the subject is not enrolled (any more).
            StorageFull: If the disk is full. Nothing was kept.
        """

    def of(self, subjects: Collection[SubjectId]) -> tuple[StoredGrant, ...]:
        """Return the grants of these subjects, oldest first."""

    def remove(self, grant: GrantId, *, at: datetime) -> None:
        """Forget a grant, and tell the feed which receipts relied on it.

        When this returns, no check can rely on it any more, and no byte of its terms is left.

        Raises:
            NotFound: If there is none.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredConsentToken:
    """What the server alone knows of a token.

    Attributes:
        token: The ``jti``.
        subject: Who made it.
        sealed: What it is worth, sealed under her data key (`consentry.grants.secrets`): whoever can
            write into the store, and has the signing key too, still makes no token of hers.
        uses_left: 0 once it is used up.
        issued_at, valid_until: UTC.
    """

    token: ConsentTokenId
    subject: SubjectId
    sealed: bytes = field(repr=False)
    uses_left: int
    issued_at: datetime
    valid_until: datetime


class ConsentTokenStore(Protocol):
    """Durable consent tokens, and what each subject has declared about herself."""

    def add(self, token: StoredConsentToken, *, announced_at: datetime | None = None) -> None:
        """Keep a token, and use up the announcement that it was made by, or neither.

        Args:
            token: What is kept.
            announced_at: Of its subject's announcement; None for a token that needs none.

        Raises:
            Conflict: If that announcement was used up or taken back meanwhile. Nothing was kept.
            NotFound: If the subject is not enrolled (any more).
            StorageFull: If the disk is full. Nothing was kept.
        """

    def get(self, token: ConsentTokenId) -> StoredConsentToken | None:
        """Return a token, also one that is used up or has lapsed; None when there is none."""

    def of(self, subject: SubjectId) -> tuple[StoredConsentToken, ...]:
        """Return a subject's tokens, oldest first."""

    def remove(self, token: ConsentTokenId, *, at: datetime) -> None:
        """Forget a token, and tell the feed which receipts relied on it.

        Raises:
            NotFound: If there is none.
        """

    def declarations(self, subject: SubjectId) -> Declarations:
        """Return what a subject has declared; nothing when she has declared nothing."""

    def attest_adult(self, subject: SubjectId, at: datetime) -> None:
        """Keep that a subject has declared to be 18 or older.

        Raises:
            NotFound: If the subject is not enrolled (any more).
        """

    def announce(self, subject: SubjectId, at: datetime | None) -> None:
        """Keep when a subject announced an intimate consent; None takes it back.

        Raises:
            NotFound: If the subject is not enrolled (any more).
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """What a subject has declared about herself. UTC; None when she has not."""

    adult_at: datetime | None = None
    announced_at: datetime | None = None


class RequestState(StrEnum):
    """Where a consent request stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequest:
    """A consent request as the store holds it.

    Attributes:
        request: Opaque; all that the asker is given.
        subject: Whom it is put to.
        caller: SHA-256 of who asked, so that nobody else can poll.
        platform: Keyed digest of the platform's folded name under the subject's data key.
        asker: Keyed digest of platform and end user under the subject's data key.
        sealed: What is asked, with reduced pictures, sealed under her data key. None once it is
            answered or has lapsed, and for a request that she is never shown.
        state: Where it stands.
        jws: The token, once approved.
        asked_at, ends_at: UTC.
    """

    request: ConsentRequestId
    subject: SubjectId
    caller: bytes = field(repr=False)
    platform: bytes = field(repr=False)
    asker: bytes = field(repr=False)
    sealed: bytes | None = field(repr=False)
    state: RequestState
    jws: str | None = field(repr=False)
    asked_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many questions one subject is shown at most.

    Attributes:
        of_asker: Of one asker, pending or declined and not lapsed yet.
        of_platform: Of one platform at a time, whichever of its keys it asks with.
        of_caller: Of one caller at a time, whatever platforms it names.
        of_all: At a time.
    """

    of_asker: int
    of_platform: int
    of_caller: int
    of_all: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlock:
    """An asker whom a subject does not want to hear from again.

    Attributes:
        number: Of the row.
        subject: Whose wish it is.
        asker: Keyed digest under her data key.
        sealed: Who it is, as the platform said, sealed for her.
        blocked_at: UTC.
    """

    number: int
    subject: SubjectId
    asker: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    blocked_at: datetime


class RequestStore(Protocol):
    """Durable consent requests."""

    def add(self, request: StoredRequest, room: Room) -> None:
        """Keep a request; without what is sealed of it when she is not shown it.

        She is not when she has blocked the asker, or there is no room. Of any number that come at
        once, no more are shown than there is room for.

        Raises:
            NotFound: If the subject is not enrolled (any more).
            StorageFull: If the disk is full. Nothing was kept.
        """

    def get(self, request: ConsentRequestId) -> StoredRequest | None:
        """Return a request, or None."""

    def pending(self, subject: SubjectId, *, now: datetime) -> tuple[StoredRequest, ...]:
        """Return what a subject has been shown and not answered, oldest first."""

    def approve(
        self, request: ConsentRequestId, token: StoredConsentToken, jws: str, *, now: datetime
    ) -> None:
        """Keep a yes and the token that it made, and destroy the sealed pictures.

        Raises:
            NotFound: If it is not pending any more. No token was kept.
        """

    def decline(
        self, request: ConsentRequestId, block: StoredBlock | None, *, now: datetime
    ) -> None:
        """Keep a no, and a block if there is one, and destroy the sealed pictures.

        Raises:
            NotFound: If it is not pending any more.
        """

    def blocks(self, subject: SubjectId) -> tuple[StoredBlock, ...]:
        """Return whom a subject has blocked, oldest first."""

    def unblock(self, subject: SubjectId, number: int) -> None:
        """Forget a block.

        Raises:
            NotFound: If she has none of that number.
        """

    def sweep(self, *, now: datetime) -> int:
        """Destroy what has lapsed: pictures, requests, tokens, answers. Returns how many rows."""


class FeedKind(StrEnum):
    """What a platform is told happened. Part of the wire format: never rename one."""

    REVOKED = "revoked"
    POLICY_CHANGED = "policy_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One line of the feed. It says that something changed, never whose it was.

    Attributes:
        cursor: Rising; ask for what comes after the last one that was seen.
        kind: What happened.
        hour: When, to the hour, UTC.
        check: The receipt that relied on what was revoked; None when no receipt did.
    """

    cursor: int
    kind: FeedKind
    hour: datetime
    check: CheckId | None


class Feed(Protocol):
    """Durable changes that platforms have to know of."""

    def since(self, cursor: int, limit: int) -> Sequence[FeedEntry]:
        """Return at most ``limit`` entries after a cursor (0: from the beginning), oldest first."""

    def latest(self) -> int:
        """Return the newest cursor; 0 when nothing has happened yet."""
