"""Consent to one request, or to a session with a studio: what alone unlocks a revealing use.

    announce ──cooling-off──> issue (one use, minutes)          she begins it, here
                              open_session (listed pictures, swimwear and underwear)

Nobody can ask for a revealing token: she begins it herself. Where a cooling-off time is set, an
intimate consent is announced first and can be made only after it, so that somebody who stands
behind her does not get it in one go; taking back is never delayed (docs/grants.md).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from consentry.grants.format import (
    SALT_BYTES,
    TokenClaims,
    TokenSigner,
    picture_digest,
    words_digest,
)
from consentry.grants.grants import checked_platform, checked_region
from consentry.grants.ports import (
    ConsentTokenStore,
    IntentReader,
    Presence,
    StoredConsentToken,
    SubjectKeys,
)
from consentry.grants.secrets import TokenKind, TokenSecret, open_secret, seal_secret
from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest, Conflict
from consentry.kernel.ids import (
    ConsentTokenId,
    Random,
    SubjectId,
    new_consent_token_id,
)
from consentry.kernel.taxonomy import Assessment, IntentCategory, Purpose

MAX_LIFETIME_S = 300
MAX_SESSION_USES = 50
MAX_SESSION_DAYS = 30
MAX_SESSION_PICTURES = 200
MAX_PICTURES = 16
SHA256_BYTES = 32
ANNOUNCEMENT_HOLDS_S = 24 * 3600
"""How long after its cooling-off time an announcement may be followed by the consent itself."""

SESSION_CATEGORIES = frozenset({IntentCategory.SWIMWEAR, IntentCategory.UNDERWEAR})


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTerms:
    """What one token is for.

    Attributes:
        platform: Who alone may use it.
        purpose: What it must be said to be for.
        region: What must be stated; None when nothing may be.
        categories: What she agrees that the words ask for. They must be what the words are found to
            ask for, so that nobody agrees to more than she has understood.
        prompt, context: The very words: the newest turn, and the earlier ones, oldest first.
        digests: SHA-256 of the very files, 32 bytes each, in the order in which they will be sent:
            the pictures themselves need not travel to be consented to.
        lifetime_s: 1 to `MAX_LIFETIME_S`.
    """

    platform: str
    purpose: Purpose
    region: str | None
    categories: frozenset[IntentCategory]
    prompt: str | None
    context: tuple[str, ...]
    digests: tuple[bytes, ...]
    lifetime_s: int = MAX_LIFETIME_S


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTerms:
    """What a session is for: a studio's work on listed pictures of hers, in swimwear or underwear.

    Attributes:
        platform, purpose, region: As in `TokenTerms`.
        categories: Of `SESSION_CATEGORIES`.
        digests: SHA-256 of the files, 32 bytes each; any of them may be sent, nothing else.
        max_uses: 1 to `MAX_SESSION_USES`.
        lifetime_days: 1 to `MAX_SESSION_DAYS`.
    """

    platform: str
    purpose: Purpose
    region: str | None
    categories: frozenset[IntentCategory]
    digests: tuple[bytes, ...]
    max_uses: int
    lifetime_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A token, to be handed to the platform. The server keeps what it cannot be used without."""

    token: ConsentTokenId
    jws: str
    valid_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenInfo:
    """A token as its subject sees it."""

    token: ConsentTokenId
    kind: TokenKind
    categories: frozenset[IntentCategory]
    uses_left: int
    issued_at: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When an announced consent may be given. UTC; the end is excluded."""

    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class TokenDesk:
    """Issue, list and revoke consent tokens. Safe to share between threads: the store decides.

    Attributes:
        intimate_delay_s: Cooling-off time before an intimate consent; 0 for none.
    """

    store: ConsentTokenStore
    keys: SubjectKeys
    signer: TokenSigner
    presence: Presence
    intent: IntentReader
    clock: Clock
    intimate_delay_s: float = 0.0
    random: Random = os.urandom

    def attest_adult(self, subject: SubjectId) -> None:
        """Keep that a subject declares to be 18 or older. Nothing revealing is unlocked without.

        Raises:
            Forbidden: If she has not just proved herself.
            NotFound: If nobody is enrolled by that identifier.
        """
        self.presence(subject)
        self.store.attest_adult(subject, self.clock.now())

    def is_attested_adult(self, subject: SubjectId) -> bool:
        """Say whether a subject has declared to be 18 or older."""
        return self.store.declarations(subject).adult_at is not None

    def announce_intimate(self, subject: SubjectId) -> datetime:
        """Begin the cooling-off time before an intimate consent; one that runs is not begun anew.

        Returns:
            From when she may give it. Announcing gives nothing by itself.

        Raises:
            Forbidden: If she has not just proved herself.
            NotFound: If nobody is enrolled by that identifier.
        """
        self.presence(subject)
        now = self.clock.now()
        begun = self.store.declarations(subject).announced_at
        if begun is None or now >= self._announcement_ends(begun):
            begun = now
            self.store.announce(subject, now)
        return begun + timedelta(seconds=self.intimate_delay_s)

    def window(self, subject: SubjectId) -> Window | None:
        """Return when an announced consent may be given; None when none is announced (any more)."""
        begun = self.store.declarations(subject).announced_at
        if begun is None or self.clock.now() >= self._announcement_ends(begun):
            return None
        return Window(
            begins_at=begun + timedelta(seconds=self.intimate_delay_s),
            ends_at=self._announcement_ends(begun),
        )

    def take_back_announcement(self, subject: SubjectId) -> None:
        """Forget an announcement. Needs no proof: it only ever takes something away.

        Raises:
            NotFound: If nobody is enrolled by that identifier.
        """
        self.store.announce(subject, None)

    def issue(self, subject: SubjectId, terms: TokenTerms) -> IssuedToken:
        """Make a token for one request: these words, these pictures, one use, minutes.

        Raises:
            Forbidden: If the subject has not just proved herself.
            BadRequest: If the terms are out of range, the words ask for something else than she
                agreed to, cannot be read, or speak of a minor.
            Conflict: If it is intimate, and she has not declared to be 18, or the cooling-off time
                is not over.
            NotFound: If nobody is enrolled by that identifier.
            VaultAbsent, VaultLocked: If her key is not in memory.
            StorageFull: If the disk is full. Nothing was kept.
        """
        self.presence(subject)
        assessment = self.intent.assess(terms.prompt, terms.context)
        _require_understood(assessment, terms.categories)
        if not 1 <= terms.lifetime_s <= MAX_LIFETIME_S:
            raise BadRequest(f"A token lives 1 to {MAX_LIFETIME_S} seconds.")
        _require_pictures(terms.digests, MAX_PICTURES)
        is_intimate = terms.purpose is Purpose.INTIMATE or assessment.category.is_revealing
        return self._made(
            subject,
            terms.digests,
            (terms.prompt, terms.context),
            platform=terms.platform,
            purpose=terms.purpose,
            region=terms.region,
            categories=frozenset({assessment.category}),
            uses=1,
            lifetime=timedelta(seconds=terms.lifetime_s),
            announced_at=self._announcement_of(subject) if is_intimate else None,
        )

    def open_session(self, subject: SubjectId, terms: SessionTerms) -> IssuedToken:
        """Make a session grant: listed pictures, several uses, days; revocable at once.

        Raises:
            Forbidden: If the subject has not just proved herself.
            BadRequest: If the terms are out of range.
            Conflict: If she has not declared to be 18, or the cooling-off time is not over.
            NotFound: If nobody is enrolled by that identifier.
            VaultAbsent, VaultLocked: If her key is not in memory.
            StorageFull: If the disk is full. Nothing was kept.
        """
        self.presence(subject)
        if not terms.categories or not terms.categories <= SESSION_CATEGORIES:
            raise BadRequest("A session is for swimwear and underwear only.")
        if not 1 <= terms.max_uses <= MAX_SESSION_USES:
            raise BadRequest(f"A session is for 1 to {MAX_SESSION_USES} uses.")
        if not 1 <= terms.lifetime_days <= MAX_SESSION_DAYS:
            raise BadRequest(f"A session lasts 1 to {MAX_SESSION_DAYS} days.")
        _require_pictures(terms.digests, MAX_SESSION_PICTURES)
        return self._made(
            subject,
            terms.digests,
            None,
            platform=terms.platform,
            purpose=terms.purpose,
            region=terms.region,
            categories=terms.categories,
            uses=terms.max_uses,
            lifetime=timedelta(days=terms.lifetime_days),
            announced_at=self._announcement_of(subject),
        )

    def revoke(self, token: ConsentTokenId) -> None:
        """Take a token or a session back. Needs no proof; no check relies on it afterwards.

        Raises:
            NotFound: If there is none.
        """
        self.store.remove(token, at=self.clock.now())

    def list(self, subject: SubjectId) -> tuple[TokenInfo, ...]:
        """Return a subject's tokens, oldest first, until they are swept.

        Raises:
            VaultAbsent, VaultLocked: If her key is not in memory.
            NotFound: If nobody is enrolled by that identifier.
        """
        key = self.keys.open(subject)
        found = []
        for stored in self.store.of(subject):
            secret = open_secret(stored.sealed, key=key, subject=subject, token=stored.token)
            found.append(
                TokenInfo(
                    token=stored.token,
                    kind=secret.kind,
                    categories=secret.categories,
                    uses_left=stored.uses_left,
                    issued_at=stored.issued_at,
                    valid_until=stored.valid_until,
                )
            )
        return tuple(found)

    def _announcement_of(self, subject: SubjectId) -> datetime | None:
        """Return the announcement that an intimate consent may follow now; None where none is asked."""
        declared = self.store.declarations(subject)
        if declared.adult_at is None:
            raise Conflict(
                "Consent to a revealing use is given only by somebody who has declared to be 18 or "
                "older. Declare it first."
            )
        if self.intimate_delay_s <= 0:
            return None
        now = self.clock.now()
        begun = declared.announced_at
        if begun is None or now >= self._announcement_ends(begun):
            raise Conflict(
                "Consent to a revealing use is announced first, and given after a cooling-off time."
            )
        if now < begun + timedelta(seconds=self.intimate_delay_s):
            raise Conflict("The cooling-off time is not over yet. Nothing was given.")
        return begun

    def _announcement_ends(self, begun: datetime) -> datetime:
        return begun + timedelta(seconds=self.intimate_delay_s + ANNOUNCEMENT_HOLDS_S)

    def _made(  # noqa: PLR0913 -- the claims of a token, each named
        self,
        subject: SubjectId,
        digests: Sequence[bytes],
        words: tuple[str | None, tuple[str, ...]] | None,
        *,
        platform: str,
        purpose: Purpose,
        region: str | None,
        categories: frozenset[IntentCategory],
        uses: int,
        lifetime: timedelta,
        announced_at: datetime | None,
    ) -> IssuedToken:
        salt = self.random(SALT_BYTES)
        now = self.clock.now()
        claims = TokenClaims(
            token=new_consent_token_id(self.random),
            platform=checked_platform(platform),
            purpose=purpose,
            region=None if region is None else checked_region(region),
            words=None if words is None else words_digest(salt, *words),
            images=tuple(picture_digest(salt, digest) for digest in digests),
            issued_at=now,
            valid_until=now + lifetime,
        )
        secret = TokenSecret(
            salt=salt,
            kind=TokenKind.SESSION if words is None else TokenKind.SINGLE,
            categories=categories,
            is_adult=self.is_attested_adult(subject),
            valid_until=claims.valid_until,
        )
        self.store.add(
            StoredConsentToken(
                token=claims.token,
                subject=subject,
                sealed=seal_secret(
                    secret,
                    key=self.keys.open(subject),
                    subject=subject,
                    token=claims.token,
                    random=self.random,
                ),
                uses_left=uses,
                issued_at=now,
                valid_until=claims.valid_until,
            ),
            # One announcement, one consent, also of two that come at once.
            announced_at=announced_at,
        )
        return IssuedToken(
            token=claims.token, jws=self.signer.sign(claims), valid_until=claims.valid_until
        )


def _require_understood(found: Assessment, agreed: Collection[IntentCategory]) -> None:
    if found.has_age_cue:
        raise BadRequest("These words speak of a minor. Nothing unlocks that.")
    if not found.is_readable:
        raise BadRequest("These words cannot be read, so nobody can say what they ask for.")
    if found.category not in agreed:
        raise BadRequest(
            f"These words ask for {found.category.value}, which is not what was agreed to."
        )


def _require_pictures(digests: Sequence[bytes], most: int) -> None:
    if not 1 <= len(digests) <= most:
        raise BadRequest(f"A token is for 1 to {most} pictures; {len(digests)} were given.")
    if any(len(digest) != SHA256_BYTES for digest in digests):
        raise BadRequest("A picture is named by the SHA-256 of its file: 32 bytes.")
