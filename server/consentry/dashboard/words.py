"""What the pages call things: plain words for closed vocabularies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from consentry.checks.sightings import How
from consentry.enrolment.aliases import AliasKind, AliasProof
from consentry.kernel.taxonomy import IntentCategory, PublicReason, Purpose, SubjectPolicy, Verdict


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several things to choose from."""

    value: str
    label: str
    meaning: str


@dataclass(frozen=True, slots=True)
class VerdictWords:
    """A verdict for people: never told by colour alone."""

    name: str
    symbol: str


VERDICTS: Mapping[Verdict, VerdictWords] = {
    Verdict.ALLOW: VerdictWords("Allowed", "tick"),
    Verdict.NEEDS_CONSENT: VerdictWords("Ask first", "question"),
    Verdict.REFUSE: VerdictWords("Refused", "cross"),
}

REASONS: Mapping[PublicReason, str] = {
    PublicReason.REVEALING_REAL_PERSON: "revealing picture of a real person",
    PublicReason.MINOR: "sign of a minor",
    PublicReason.CONSENT_REQUIRED: "consent required",
    PublicReason.UNREADABLE: "could not be read",
    PublicReason.ERROR: "could not be checked",
}

POLICIES: tuple[Choice, ...] = (
    Choice(
        SubjectPolicy.EVERY_EDIT,
        "Every edit of me",
        "Whoever wants to change a picture with your face in it has to ask: a new background, a cartoon, "
        "an advert, a face swap.",
    ),
    Choice(
        SubjectPolicy.INTIMATE_AND_IMPERSONATING,
        "Only intimate and impersonating uses",
        "Everyday edits are let through. Swapping your face, or passing somebody off as you, is not.",
    ),
)

PURPOSES: tuple[Choice, ...] = (
    Choice(Purpose.EDIT, "Change the picture", ""),
    Choice(Purpose.FACE_SWAP, "Swap a face", ""),
    Choice(Purpose.IMPERSONATION, "Pass as a person in it", ""),
    Choice(Purpose.INTIMATE, "Make something intimate", ""),
    Choice(Purpose.VIDEO, "Make a video", ""),
    Choice(Purpose.TRAINING, "Train a model", ""),
)

SEEN_BY: Mapping[How, str] = {
    How.FACE: "your face",
    How.NAME: "your name",
    How.POSSIBLE: "a face like yours, perhaps somebody else's",
}

GRANTED_PURPOSES: tuple[Choice, ...] = (
    Choice(Purpose.EDIT, "Change the picture", "A new background, a cartoon, an advert."),
    Choice(
        Purpose.FACE_SWAP,
        "Swap a face",
        "Put your face on another picture, or another face on yours.",
    ),
    Choice(
        Purpose.IMPERSONATION, "Pass as you", "Make something that seems to be said or done by you."
    ),
    Choice(Purpose.VIDEO, "Make a video", ""),
    Choice(Purpose.TRAINING, "Train a model", ""),
)
"""What a standing yes can be given to: nothing intimate."""

CATEGORIES: tuple[Choice, ...] = (
    Choice(IntentCategory.NONE, "An everyday edit", ""),
    Choice(IntentCategory.SWIMWEAR, "Swimwear", ""),
    Choice(IntentCategory.UNDERWEAR, "Underwear", ""),
    Choice(IntentCategory.MINIMAL, "Minimal clothes", ""),
    Choice(IntentCategory.TRANSPARENT, "Transparent or wet clothes", ""),
    Choice(IntentCategory.NUDE, "Nudity", ""),
    Choice(IntentCategory.SEXUAL_POSE, "A sexual pose", ""),
    Choice(IntentCategory.BODY_EXAGGERATION, "An exaggerated body", ""),
    Choice(IntentCategory.FACE_SWAP, "A face swap", ""),
    Choice(IntentCategory.IMPERSONATION, "Passing as you", ""),
)

LIFETIMES: tuple[Choice, ...] = (
    Choice("60", "1 minute", ""),
    Choice("120", "2 minutes", ""),
    Choice("300", "5 minutes", ""),
)

PERIODS: tuple[Choice, ...] = (
    Choice("1", "A day", ""),
    Choice("7", "A week", ""),
    Choice("30", "30 days", ""),
    Choice("365", "A year", ""),
    Choice("", "Until I take it back", ""),
)

ALIAS_KINDS: tuple[Choice, ...] = (
    Choice(AliasKind.NAME, "A name", "As people write it: first and last name, or a stage name."),
    Choice(AliasKind.HANDLE, "A handle", "What you are called on a platform, with or without @."),
    Choice(AliasKind.OFFICE, "An office or a role", "For example: the mayor of your town."),
)

ALIAS_PROOFS: Mapping[AliasProof, str] = {
    AliasProof.OWN_WORD: "by your own word",
    AliasProof.POSTED_CODE: "proved by a posted code",
    AliasProof.OPERATOR: "looked at by whoever runs this",
}

NOTICES: Mapping[str, str] = {
    "created": "Your passphrase is set. Keep it somewhere safe: nobody can recover it.",
    "enrolled": "Done. The very next check knows this face.",
    "restored": "The backup is restored and unlocked.",
    "approved": "Approved, once. The platform can go on for as long as you said.",
    "declined": "Declined. The copies of its pictures are destroyed.",
    "blocked": "Declined, and blocked. They are not told.",
    "unblocked": "They can ask you again.",
    "given": "Done. The very next check goes by it.",
    "taken": "Taken back. The very next check does not rely on it.",
    "announced": "Announced. You can give the consent itself when the cooling-off time is over, within a day of that.",
    "more": "Done. From the very next check on every edit of that face is asked about.",
    "less": "Done. From the very next check on only intimate and impersonating uses are protected.",
    "named": "Done. From the very next check on that name counts as the person herself.",
    "proved": "Kept.",
    "unnamed": "Done. That name counts as nobody any more, and it is destroyed.",
    "contested": "Opened. Until it is settled, no yes of either counts.",
    "settled": "Settled. Each one's yes counts again.",
    "own": "Set. From now on this passphrase, and no other, proves that it is you.",
    "passphrase": "The passphrase is changed. The old one opens nothing here any more; backups made before still "
    "open with the old one.",
}
"""What a page may say at its top, by the word after ``?done=``. Nothing else is ever shown from a URL."""

ERASE_PHRASE = "delete everything"

CAMERA_WORDS: Mapping[str, str] = {
    "none": "No face is to be seen yet. Look into the camera.",
    "several": "More than one face is to be seen. Only you, please.",
    "good": "Good. Hold still and take the photo.",
}


def moment(when: datetime) -> str:
    """Write a moment in this machine's own time zone, for example ``21 November 2026, 22:42``."""
    return f"{when.astimezone():%-d %B %Y, %H:%M}"


def minutes(seconds: float) -> str:
    """Write a span of time roughly, for example ``15 minutes``."""
    whole = max(1, round(seconds / 60))
    return "1 minute" if whole == 1 else f"{whole} minutes"


def sentence(text: str) -> str:
    """Write a message as a sentence: a capital at its start and a full stop at its end."""
    text = text.strip()
    if text and text[-1] not in ".!?":
        text += "."
    return text[:1].upper() + text[1:]


def policy(value: SubjectPolicy) -> str:
    """Name a policy."""
    return next(choice.label for choice in POLICIES if choice.value == value)


def purpose(value: Purpose) -> str:
    """Name a purpose."""
    return next(choice.label for choice in PURPOSES if choice.value == value)


def category(value: IntentCategory) -> str:
    """Name what words ask for."""
    return next(choice.label for choice in CATEGORIES if choice.value == value)


def verdict(value: Verdict) -> VerdictWords:
    """Name a verdict."""
    return VERDICTS[value]


def reason(value: PublicReason) -> str:
    """Name a public reason."""
    return REASONS[value]


FORMATS: Mapping[str, Callable[..., object]] = {
    "moment": moment,
    "minutes": minutes,
    "sentence": sentence,
    "policy": policy,
    "purpose": purpose,
    "category": category,
    "verdict": verdict,
    "reason": reason,
}
"""Filters of the templates."""
