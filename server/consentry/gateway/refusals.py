"""Why a request is not carried out, before a dialect puts it into its own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from consentry.kernel.errors import (
    BadRequest,
    BodyTooLarge,
    ConsentryError,
    Forbidden,
    HeadersTooLarge,
    ImageError,
    MethodNotAllowed,
    NotFound,
    Overloaded,
    RequestTimedOut,
    TooManyRequests,
    Unauthenticated,
    Unreachable,
    UnsupportedMediaType,
    UpstreamTimedOut,
)
from consentry.kernel.taxonomy import PublicReason


class Stage(StrEnum):
    """Where on the way it was refused."""

    INPUT = "input"
    OUTPUT = "output"


class Kind(StrEnum):
    """What sort of refusal it is: each dialect has words for all of them."""

    BLOCKED = "blocked"
    """A verdict: ``reasons`` says which."""
    UNREADABLE = "unreadable"
    """A picture or another medium that cannot be examined, so that it cannot pass."""
    MALFORMED = "malformed"
    """A request that cannot be read with certainty."""
    TOO_LARGE = "too_large"
    CLOSED = "closed"
    """No such route, or one that nobody looks after here."""
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    TOO_SLOW = "too_slow"
    OVERLOADED = "overloaded"
    TOO_MANY = "too_many"
    """The platform's budget of faces is used up."""
    UPSTREAM_FAILED = "upstream_failed"
    UPSTREAM_TIMED_OUT = "upstream_timed_out"
    ERROR = "error"
    """Something of ours failed; nothing passes unexamined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One refusal.

    Attributes:
        reasons: Public reasons; empty but for `BLOCKED`.
        message: For whoever called; holds no content of the request.
    """

    kind: Kind
    stage: Stage = Stage.INPUT
    reasons: tuple[PublicReason, ...] = ()
    message: str = ""


# The first that fits: subclasses before their parents.
_KINDS: tuple[tuple[type[ConsentryError], Kind], ...] = (
    (ImageError, Kind.UNREADABLE),
    (BodyTooLarge, Kind.TOO_LARGE),
    (HeadersTooLarge, Kind.TOO_LARGE),
    (NotFound, Kind.CLOSED),
    (MethodNotAllowed, Kind.CLOSED),
    (Unauthenticated, Kind.UNAUTHENTICATED),
    (Forbidden, Kind.FORBIDDEN),
    (RequestTimedOut, Kind.TOO_SLOW),
    (UnsupportedMediaType, Kind.UNREADABLE),
    (BadRequest, Kind.MALFORMED),
    (Overloaded, Kind.OVERLOADED),
    (TooManyRequests, Kind.TOO_MANY),
    (UpstreamTimedOut, Kind.UPSTREAM_TIMED_OUT),
    (Unreachable, Kind.UPSTREAM_FAILED),
)
_OURS = "The request could not be examined, so it was not carried out. Try again later."
# What can be wrong with an answer, other than that the generator did not do as expected.
_OF_ANSWERS = frozenset(
    {
        Kind.UNREADABLE,
        Kind.OVERLOADED,
        Kind.TOO_MANY,
        Kind.UPSTREAM_FAILED,
        Kind.UPSTREAM_TIMED_OUT,
        Kind.ERROR,
    }
)


def refusal_of(error: ConsentryError, stage: Stage = Stage.INPUT) -> Refusal:
    """Say what an error means for whoever called. What broke on our side is not told."""
    kind = next((kind for each, kind in _KINDS if isinstance(error, each)), Kind.ERROR)
    if stage is Stage.OUTPUT and kind not in _OF_ANSWERS:
        kind = Kind.UPSTREAM_FAILED
    return Refusal(kind=kind, stage=stage, message=_OURS if kind is Kind.ERROR else str(error))


def refusal_for(reasons: Sequence[PublicReason], stage: Stage) -> Refusal:
    """Say what a verdict means for whoever called: of what broke on our side, only that it did."""
    if set(reasons) == {PublicReason.UNREADABLE}:
        return Refusal(
            kind=Kind.UNREADABLE,
            stage=stage,
            reasons=tuple(reasons),
            message="A picture or the prompt could not be examined, so the request was not carried out.",
        )
    if set(reasons) <= {PublicReason.ERROR}:
        return Refusal(kind=Kind.ERROR, stage=stage, message=_OURS)
    return Refusal(kind=Kind.BLOCKED, stage=stage, reasons=tuple(reasons))
