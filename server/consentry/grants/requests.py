"""Being asked: a platform's question, her answer, and what the asker may learn of it.

    check ──needs_consent, one sure match──> ask ──> request id for the asker
                                              └──> what is asked, sealed to her, 24 hours at most
    she: approve once | decline | block the asker ──> the sealed pictures are destroyed
    asker: poll(request id) ──> pending | approved, with a token | declined | expired

Never for a revealing use, and never on a possible match: then nobody is asked and nothing is kept.
An asker whom she has blocked gets an identifier like any other, and it lapses unanswered.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypedDict

from consentry.grants.format import (
    SALT_BYTES,
    TokenClaims,
    TokenSigner,
    picture_digest,
    words_digest,
)
from consentry.grants.ports import (
    Presence,
    RequestState,
    RequestStore,
    Room,
    StoredBlock,
    StoredConsentToken,
    StoredRequest,
    SubjectKeys,
)
from consentry.grants.secrets import TokenKind, TokenSecret, seal_secret
from consentry.grants.tokens import MAX_LIFETIME_S
from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest, NotFound
from consentry.kernel.ids import (
    ConsentRequestId,
    Random,
    SubjectId,
    new_consent_request_id,
    new_consent_token_id,
)
from consentry.kernel.platforms import folded_platform
from consentry.kernel.taxonomy import IntentCategory, Purpose
from consentry.vault.envelope import SealedText, seal_text, unseal_text
from consentry.vault.keys import DataKey, derive

REQUEST_HOURS = 24
MAX_PENDING = 20
"""Of one subject at a time: a flood of questions is not shown, and takes no room."""
MAX_PENDING_OF_ONE_PLATFORM = 10
"""Of one subject at a time: no platform takes the room of all others, however many keys it has."""
MAX_PENDING_OF_ONE_CALLER = 10
"""The same for whoever may name a platform with each question."""
MAX_OF_ONE_ASKER = 5
"""Shown to one subject within a day and not agreed to: who is told no does not ask until it is a yes."""

_ROOM = Room(
    of_asker=MAX_OF_ONE_ASKER,
    of_platform=MAX_PENDING_OF_ONE_PLATFORM,
    of_caller=MAX_PENDING_OF_ONE_CALLER,
    of_all=MAX_PENDING,
)
_INFO_ASKER = b"consentry/v1/subject/asker"
_INFO_PLATFORM = b"consentry/v1/subject/platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a check would need her consent for.

    Attributes:
        subject: Who is surely in the pictures.
        caller: Who asks, as this server knows it; only it may poll.
        platform: As it names itself; the token will be for it alone.
        asker: The end user behind it, as it refers to him; None when it does not say.
        purpose, region, category: Of the check.
        prompt, context: The words.
        pictures: Reduced, for her to look at. JPEG.
        digests: SHA-256 of each file as it was sent, in order.
    """

    subject: SubjectId
    caller: str
    platform: str
    asker: str | None = field(repr=False)
    purpose: Purpose
    region: str | None
    category: IntentCategory
    prompt: str | None = field(repr=False)
    context: tuple[str, ...] = field(repr=False)
    pictures: tuple[bytes, ...] = field(repr=False)
    digests: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRequest:
    """A question as she sees it."""

    request: ConsentRequestId
    subject: SubjectId
    platform: str
    asker: str | None
    purpose: Purpose
    region: str | None
    category: IntentCategory
    prompt: str | None
    context: tuple[str, ...]
    pictures: tuple[bytes, ...] = field(repr=False)
    asked_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedAsker:
    """Somebody whom she does not want to hear from."""

    number: int
    platform: str
    asker: str | None
    blocked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestStatus:
    """All that an asker learns. ``token`` is there once she has approved, until it lapses."""

    state: RequestState
    token: str | None = field(default=None, repr=False)


_EXPIRED = RequestStatus(state=RequestState.EXPIRED)


@dataclass(frozen=True, slots=True)
class RequestDesk:
    """Ask, answer and poll. Safe to share between threads: the store decides."""

    store: RequestStore
    keys: SubjectKeys
    signer: TokenSigner
    presence: Presence
    clock: Clock
    random: Random = os.urandom

    def ask(self, question: Question) -> ConsentRequestId:
        """Put a question to a subject, and return what the asker may poll.

        A blocked asker, one who asks again and again, and one question too many are worked on alike,
        but she is not shown them.

        Raises:
            VaultAbsent, VaultLocked: If her key is not in memory (any more).
            NotFound: If she is not enrolled (any more).
            StorageFull: If the disk is full. Nothing was kept.
        """
        now = self.clock.now()
        key = self.keys.open(question.subject)
        request = new_consent_request_id(self.random)
        sealed = seal_text(
            _written(question),
            key=key,
            subject=question.subject,
            label=_label(request),
            random=self.random,
        )
        self.store.add(
            StoredRequest(
                request=request,
                subject=question.subject,
                caller=_caller_digest(question.caller),
                platform=_platform_digest(key, question.platform),
                asker=_asker_digest(key, question.platform, question.asker),
                sealed=sealed,
                state=RequestState.PENDING,
                jws=None,
                asked_at=now,
                ends_at=now + timedelta(hours=REQUEST_HOURS),
            ),
            _ROOM,
        )
        return request

    def pending(self, subject: SubjectId) -> tuple[PendingRequest, ...]:
        """Return what a subject is asked and has not answered, oldest first.

        Raises:
            VaultAbsent, VaultLocked: If her key is not in memory.
            NotFound: If nobody is enrolled by that identifier.
        """
        key = self.keys.open(subject)
        waiting = self.store.pending(subject, now=self.clock.now())
        return tuple(_shown(stored, _opened(stored, key)) for stored in waiting)

    def whom(self, request: ConsentRequestId) -> SubjectId:
        """Return who is asked.

        Raises:
            NotFound: If it is not pending (any more).
        """
        return self._waiting(request).subject

    def approve(self, request: ConsentRequestId, *, lifetime_s: int = MAX_LIFETIME_S) -> None:
        """Say yes once: the asker may poll a token for these words and pictures, and one use.

        Raises:
            Forbidden: If the subject has not just proved herself.
            BadRequest: If the lifetime is out of range.
            VaultAbsent, VaultLocked: If her key is not in memory.
            NotFound: If it is not pending (any more).
        """
        if not 1 <= lifetime_s <= MAX_LIFETIME_S:
            raise BadRequest(f"A token lives 1 to {MAX_LIFETIME_S} seconds.")
        stored = self._waiting(request)
        self.presence(stored.subject)
        key = self.keys.open(stored.subject)
        asked = _opened(stored, key)
        now = self.clock.now()
        salt = self.random(SALT_BYTES)
        claims = TokenClaims(
            token=new_consent_token_id(self.random),
            platform=asked["platform"],
            purpose=Purpose(asked["purpose"]),
            region=asked["region"],
            words=words_digest(salt, asked["prompt"], asked["context"]),
            images=tuple(picture_digest(salt, _bytes(each)) for each in asked["digests"]),
            issued_at=now,
            valid_until=now + timedelta(seconds=lifetime_s),
        )
        secret = TokenSecret(
            salt=salt,
            kind=TokenKind.SINGLE,
            categories=frozenset({IntentCategory(asked["category"])}),
            is_adult=False,  # a question is never about a revealing use
            valid_until=claims.valid_until,
        )
        token = StoredConsentToken(
            token=claims.token,
            subject=stored.subject,
            sealed=seal_secret(
                secret, key=key, subject=stored.subject, token=claims.token, random=self.random
            ),
            uses_left=1,
            issued_at=now,
            valid_until=claims.valid_until,
        )
        self.store.approve(request, token, self.signer.sign(claims), now=now)

    def decline(self, request: ConsentRequestId) -> None:
        """Say no, also while the vault is locked. A no needs no proof.

        Raises:
            NotFound: If it is not pending (any more).
        """
        self.store.decline(request, None, now=self.clock.now())

    def block_asker(self, request: ConsentRequestId) -> None:
        """Say no, and never hear from this asker again. He is not told.

        Raises:
            VaultAbsent, VaultLocked: If her key is not in memory: who it is, is sealed.
            NotFound: If it is not pending (any more).
        """
        stored = self._waiting(request)
        key = self.keys.open(stored.subject)
        asked = _opened(stored, key)
        now = self.clock.now()
        who = json.dumps(_Asker(platform=asked["platform"], asker=asked["asker"]))
        sealed = seal_text(
            who, key=key, subject=stored.subject, label="blocked asker", random=self.random
        )
        block = StoredBlock(
            number=0, subject=stored.subject, asker=stored.asker, sealed=sealed, blocked_at=now
        )
        self.store.decline(request, block, now=now)

    def blocked(self, subject: SubjectId) -> tuple[BlockedAsker, ...]:
        """Return whom a subject has blocked, oldest first.

        Raises:
            VaultAbsent, VaultLocked: If her key is not in memory.
            NotFound: If nobody is enrolled by that identifier.
        """
        key = self.keys.open(subject)
        found = []
        for stored in self.store.blocks(subject):
            text = unseal_text(
                SealedText(stored.sealed), key=key, subject=subject, label="blocked asker"
            )
            who: _Asker = json.loads(text)
            found.append(
                BlockedAsker(
                    number=stored.number,
                    platform=who["platform"],
                    asker=who["asker"],
                    blocked_at=stored.blocked_at,
                )
            )
        return tuple(found)

    def unblock(self, subject: SubjectId, number: int) -> None:
        """Let an asker ask again.

        Raises:
            NotFound: If she has not blocked anybody under that number.
        """
        self.store.unblock(subject, number)

    def poll(self, request: ConsentRequestId, *, caller: str) -> RequestStatus:
        """Return where a request stands. An unknown one, and somebody else's, have expired."""
        stored = self.store.get(request)
        now = self.clock.now()
        if stored is None or not hmac.compare_digest(stored.caller, _caller_digest(caller)):
            return _EXPIRED
        if now >= stored.ends_at:
            return _EXPIRED
        if stored.state is not RequestState.APPROVED or stored.jws is None:
            return RequestStatus(state=stored.state)
        claims = self.signer.verify(stored.jws)
        if claims is None or now >= claims.valid_until:
            return _EXPIRED
        return RequestStatus(state=stored.state, token=stored.jws)

    def sweep(self) -> int:
        """Destroy what has lapsed, and return how many rows it was. For a timer, every minute."""
        return self.store.sweep(now=self.clock.now())

    def _waiting(self, request: ConsentRequestId) -> StoredRequest:
        stored = self.store.get(request)
        if stored is None or stored.sealed is None or stored.ends_at <= self.clock.now():
            raise NotFound("There is no such request, or it has been answered or has lapsed.")
        return stored


class _Asked(TypedDict):
    """A question as it is sealed."""

    platform: str
    asker: str | None
    purpose: str
    region: str | None
    category: str
    prompt: str | None
    context: list[str]
    pictures: list[str]
    digests: list[str]


class _Asker(TypedDict):
    """A blocked asker as he is sealed."""

    platform: str
    asker: str | None


def _written(question: Question) -> str:
    # A lone surrogate from a careless client must not stop the check: JSON escapes it.
    return json.dumps(
        _Asked(
            platform=question.platform,
            asker=question.asker,
            purpose=question.purpose.value,
            region=question.region,
            category=question.category.value,
            prompt=question.prompt,
            context=list(question.context),
            pictures=_texts(question.pictures),
            digests=_texts(question.digests),
        )
    )


def _opened(stored: StoredRequest, key: DataKey) -> _Asked:
    sealed = SealedText(stored.sealed or b"")
    text = unseal_text(sealed, key=key, subject=stored.subject, label=_label(stored.request))
    asked: _Asked = json.loads(text)
    return asked


def _shown(stored: StoredRequest, asked: _Asked) -> PendingRequest:
    return PendingRequest(
        request=stored.request,
        subject=stored.subject,
        platform=asked["platform"],
        asker=asked["asker"],
        purpose=Purpose(asked["purpose"]),
        region=asked["region"],
        category=IntentCategory(asked["category"]),
        prompt=asked["prompt"],
        context=tuple(asked["context"]),
        pictures=tuple(map(_bytes, asked["pictures"])),
        asked_at=stored.asked_at,
        ends_at=stored.ends_at,
    )


def _asker_digest(key: DataKey, platform: str, asker: str | None) -> bytes:
    """Return what an asker is known by. Under her own key: nobody can tell that two have blocked him."""
    who = json.dumps([platform, asker])
    return hmac.digest(derive(key.secret, _INFO_ASKER), who.encode(), "sha256")


def _platform_digest(key: DataKey, platform: str) -> bytes:
    """Return what a platform is known by, under her own key too."""
    name = folded_platform(platform).encode("utf-8", "surrogatepass")
    return hmac.digest(derive(key.secret, _INFO_PLATFORM), name, "sha256")


def _caller_digest(caller: str) -> bytes:
    return hashlib.sha256(caller.encode("utf-8", "surrogatepass")).digest()


def _label(request: ConsentRequestId) -> str:
    return f"consent request {request}"


def _texts(values: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(each).decode("ascii") for each in values]


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
