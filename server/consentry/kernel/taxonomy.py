"""The closed vocabularies of a decision. Each value is part of the wire format: never rename one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What may be done. Ordered by strictness: refuse > needs_consent > allow."""

    ALLOW = "allow"
    NEEDS_CONSENT = "needs_consent"
    REFUSE = "refuse"

    @property
    def strictness(self) -> int:
        """0, 1 or 2: a larger number permits less. The values themselves sort as text, not by strictness."""
        match self:
            case Verdict.ALLOW:
                return 0
            case Verdict.NEEDS_CONSENT:
                return 1
            case Verdict.REFUSE:
                return 2


class Mode(StrEnum):
    """Why a check is made: `ACT` stands at a door that can stop something, `INFORM` only tells the person."""

    ACT = "act"
    INFORM = "inform"


class PublicReason(StrEnum):
    """All that a platform, a receipt or a clear log field ever sees."""

    REVEALING_REAL_PERSON = "revealing_real_person"
    MINOR = "minor"
    CONSENT_REQUIRED = "consent_required"
    UNREADABLE = "unreadable"
    ERROR = "error"


class PrivateReason(StrEnum):
    """For the subject and her own explanations only; never leaves the server and her own eyes."""

    SUBJECT_PRESENT = "subject_present"
    POSSIBLE_MATCH = "possible_match"
    SELF_EDIT = "self_edit"
    LOCKED = "locked"
    INDEX_INCOMPLETE = "index_incomplete"
    SEARCH_FAILED = "search_failed"
    FACE_UNIDENTIFIABLE = "face_unidentifiable"
    FACE_IN_PICTURE = "face_in_picture"
    PERSON_IN_PICTURE = "person_in_picture"
    PICTURE_NOT_CLEARED = "picture_not_cleared"
    PERSON_IN_TEXT = "person_in_text"
    DETECTOR_UNAVAILABLE = "detector_unavailable"
    LANGUAGE_NOT_COVERED = "language_not_covered"
    UNDECODABLE_IMAGE = "undecodable_image"
    CONTESTED = "contested"
    NAMED = "named"
    NAMES_NOT_CHECKED = "names_not_checked"
    GRANTED = "granted"
    TOKEN_USED = "token_used"  # noqa: S105 -- the name of a reason, not a secret
    TOKEN_NOT_VALID = "token_not_valid"  # noqa: S105 -- the name of a reason, not a secret
    REGION_TIGHTENED = "region_tightened"
    CONSENTS_NOT_READ = "consents_not_read"
    INTENT_NOT_READ = "intent_not_read"
    MORE_EXPOSED = "more_exposed"
    APPEARS = "appears"


class Obligation(StrEnum):
    """What the caller must still do with an `allow`."""

    CHECK_OUTPUT = "check_output"


class IntentCategory(StrEnum):
    """What a prompt asks for. Everything from `NUDE` to `BODY_EXAGGERATION` is revealing or sexual."""

    NUDE = "nude"
    UNDERWEAR = "underwear"
    SWIMWEAR = "swimwear"
    TRANSPARENT = "transparent"
    MINIMAL = "minimal"
    SEXUAL_POSE = "sexual_pose"
    BODY_EXAGGERATION = "body_exaggeration"
    FACE_SWAP = "face_swap"
    IMPERSONATION = "impersonation"
    NONE = "none"

    @property
    def is_revealing(self) -> bool:
        """Whether laws 1 and 2 apply."""
        return self not in {
            IntentCategory.FACE_SWAP,
            IntentCategory.IMPERSONATION,
            IntentCategory.NONE,
        }


class Purpose(StrEnum):
    """What a caller says the picture is for. A declaration can only make a verdict stricter."""

    EDIT = "edit"
    INTIMATE = "intimate"
    FACE_SWAP = "face_swap"
    IMPERSONATION = "impersonation"
    TRAINING = "training"
    VIDEO = "video"


class SubjectPolicy(StrEnum):
    """What an enrolled person chose to protect (law 4)."""

    EVERY_EDIT = "every_edit"
    INTIMATE_AND_IMPERSONATING = "intimate_and_impersonating"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the text as it was sent: ``text[start:end]``, and the rule that it set off."""

    start: int
    end: int
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What a prompt or a conversation asks for.

    Attributes:
        category: The strictest category that was found.
        spans: Where, in the text as sent; empty when nothing was found.
        language: BCP 47 tag, or ``und`` when there is no text or it cannot be told.
        is_readable: False when the text is in a language, script or disguise that the engine does not cover.
        has_text: False when there was no prompt at all.
        has_age_cue: The text speaks of a minor, whatever age it claims elsewhere.
        refers_to_person: The text refers to a specific person: a name, a handle, an office, "this girl", "her".
    """

    category: IntentCategory
    spans: tuple[Span, ...]
    language: str
    is_readable: bool
    has_text: bool
    has_age_cue: bool
    refers_to_person: bool
