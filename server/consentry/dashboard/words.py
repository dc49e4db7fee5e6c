"""What the pages call things: plain words for closed vocabularies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from consentry.kernel.taxonomy import PublicReason, Purpose, SubjectPolicy, Verdict


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

NOTICES: Mapping[str, str] = {
    "created": "Your passphrase is set. Keep it somewhere safe: nobody can recover it.",
    "enrolled": "Done. The very next check knows this face.",
    "revoked": "Done. That protection has ended, and its key and templates are destroyed.",
    "erased": "Done. Everybody's faces, names and keys are destroyed. No check can find them any more.",
    "restored": "The backup is restored and unlocked.",
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
    "verdict": verdict,
    "reason": reason,
}
"""Filters of the templates."""
