"""What the enrolled have said yes to: grants, and tokens that were shown. Terms only, no I/O.

    Grant   a standing yes to everyday purposes, given by one subject to one platform or to all
    Permit  a token that was shown with this check: its signature, pictures and words hold

Neither ever widens by itself: whatever is not named in it is not permitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from consentry.kernel.ids import ConsentTokenId, GrantId, SubjectId
from consentry.kernel.taxonomy import IntentCategory, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A standing yes of one subject. Law 2 knows no grants: it never covers a revealing use.

    Attributes:
        grant: Its identifier.
        subject: Who gave it.
        purposes: What the caller may say that the picture is for.
        platform: The one platform that may use it; None for any that says who it is, or does not.
        regions: ISO 3166 codes in which it holds; None for everywhere. A region that is not stated
            is in no list.
        categories: What the words may ask for: no revealing category.
        valid_from, valid_until: UTC; the end is excluded, None is open.
        uses_left: How often it may still be used; None for any number.
    """

    grant: GrantId
    subject: SubjectId
    purposes: frozenset[Purpose]
    platform: str | None
    regions: frozenset[str] | None
    categories: frozenset[IntentCategory]
    valid_from: datetime
    valid_until: datetime | None
    uses_left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """A consent token of one subject that was shown with a check.

    Whoever makes one has verified the signature, and that the pictures and words of the check are
    those that the token is bound to (`consentry.grants.permits`).

    Attributes:
        token: Its identifier.
        subject: Who gave it.
        purpose: What the caller must say that the picture is for.
        platform: Who alone may use it.
        region: The region that must be stated; None when none may be stated.
        categories: What the words may ask for; may be revealing.
        valid_from, valid_until: UTC; the end is excluded.
        is_attested_adult: Whether the subject has declared that she is 18 or older.
    """

    token: ConsentTokenId
    subject: SubjectId
    purpose: Purpose
    platform: str
    region: str | None
    categories: frozenset[IntentCategory]
    valid_from: datetime
    valid_until: datetime
    is_attested_adult: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """All that speaks for a yes in one check, and all that speaks against anybody's yes.

    Attributes:
        grants: Of the subjects who may be in the pictures; of others they play no part.
        permits: Tokens that were shown.
        contested: Subjects whose identity another claims too (law 3).
    """

    grants: tuple[Grant, ...] = ()
    permits: tuple[Permit, ...] = ()
    contested: frozenset[SubjectId] = frozenset()


NO_AUTHORITY = Authority()
"""Nobody has said yes to anything."""
