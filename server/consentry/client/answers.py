"""What a platform is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from consentry.client.receipts import Salts
from consentry.kernel.errors import ConsentryError
from consentry.kernel.taxonomy import Obligation, PublicReason, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswer:
    """A verdict whose receipt was verified.

    Attributes:
        check: Identifier; reads the same answer again.
        verdict: What may be done.
        reasons: Why not.
        obligations: What must still be done before delivery, with an `allow`.
        receipt: The signed verdict (compact JWS). Keep it, with the salts, beside what was checked.
        salts: What opens the receipt's commitments; None when the answer is read again.
        request: The consent request that was opened, with `needs_consent`; None when nobody can be
            asked.
    """

    check: str
    verdict: Verdict
    reasons: tuple[PublicReason, ...]
    obligations: tuple[Obligation, ...]
    receipt: str = field(repr=False)
    salts: Salts | None = field(repr=False)
    request: str | None = None

    @property
    def is_allowed(self) -> bool:
        """Whether it may be done, once the obligations are met."""
        return self.verdict is Verdict.ALLOW

    @property
    def must_check_output(self) -> bool:
        """Whether the result must be checked before it is delivered."""
        return Obligation.CHECK_OUTPUT in self.obligations


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """The answer to one question of several, or the error in its place."""

    answer: CheckAnswer | None
    error: ConsentryError | None

    def require(self) -> CheckAnswer:
        """Return the answer.

        Raises:
            ConsentryError: The error in its place.
        """
        if self.answer is None:
            raise self.error or ValueError("a result has an answer or an error")
        return self.answer


class ConsentState(StrEnum):
    """How far a consent request has come. Declined, blocked and never asked are not told apart."""

    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentStatus:
    """A consent request.

    Attributes:
        state: How far it has come.
        token: With `APPROVED`: show it with the very same question, within five minutes, once.
    """

    state: ConsentState
    token: str | None = field(repr=False)


class ChangeKind(StrEnum):
    """What has changed."""

    REVOKED = "revoked"
    """Consent was taken back. With a check: what that check allowed must stop."""
    POLICY_CHANGED = "policy_changed"
    """The rules have changed: verdicts of before may not be relied on for anything new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change.

    Attributes:
        kind: What has changed.
        hour: When, to the hour.
        check: The check of yours that it is about; None when it is about none in particular.
    """

    kind: ChangeKind
    hour: datetime
    check: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What has changed since a cursor.

    Attributes:
        changes: Oldest first.
        cursor: Where to go on from next time. Opaque.
        has_more: Whether there is more at once.
    """

    changes: tuple[Change, ...]
    cursor: str
    has_more: bool
