"""A decision as a value.

`consentry.consent.decide` makes it, `consentry.consent.explanation` tells it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from consentry.kernel.ids import ConsentTokenId, GrantId, SubjectId
from consentry.kernel.taxonomy import Obligation, PrivateReason, PublicReason, Verdict


class Law(IntEnum):
    """The law that decided, by its number in docs/architecture.md.

    `NONE`: no law had anything against it.
    """

    NONE = 0
    MINORS = 1
    REVEALING = 2
    CONTESTED = 3
    ENROLLED = 4
    POSSIBLE_MATCH = 5
    NAMED = 6
    TIGHTENING = 7
    ERRORS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What may be done, and why.

    Attributes:
        verdict: What may be done.
        reasons: What a platform, a receipt and a log may see.
        private_reasons: For the subject's own eyes.
        obligations: What the caller must still do with an `allow`.
        law: The strictest law that led to the verdict. Private: it tells a match from a possible
            match.
        subjects: Private: the enrolled subjects whose faces or names are there, sorted. Nobody by a
            possible match alone.
        relies_on: Private: the grants and tokens without which it would be stricter, sorted. Each
            must be used up in the same transaction that keeps the receipt.
        may_ask: Private: the one subject who alone could lift a `needs_consent`, and may be asked;
            None when there is nobody, or not surely one.
        checked: False when something could not be examined: an unreadable picture or prompt, a
            failed detector or search. In `ACT` mode that refuses, but for a prompt in an uncovered
            language where no person can be in a picture. In `INFORM` mode the verdict covers only
            the rest: show "not checked", never "all clear".
    """

    verdict: Verdict
    reasons: tuple[PublicReason, ...]
    private_reasons: tuple[PrivateReason, ...]
    obligations: tuple[Obligation, ...]
    law: Law
    subjects: tuple[SubjectId, ...]
    checked: bool
    relies_on: tuple[GrantId | ConsentTokenId, ...] = ()
    may_ask: SubjectId | None = None

    @classmethod
    def of_public_part(
        cls,
        *,
        verdict: Verdict,
        reasons: tuple[PublicReason, ...],
        obligations: tuple[Obligation, ...],
        checked: bool,
        subjects: tuple[SubjectId, ...] = (),
    ) -> Decision:
        """Return a decision of which only the public part is known, or may be told.

        Who is there may be known all the same, from elsewhere: then it is given.
        """
        return cls(
            verdict=verdict,
            reasons=reasons,
            private_reasons=(),
            obligations=obligations,
            law=Law.NONE,
            subjects=subjects,
            checked=checked,
        )
