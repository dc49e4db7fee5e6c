"""A decision in plain English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from consentry.consent.decision import Decision
from consentry.kernel.taxonomy import Obligation, PrivateReason, PublicReason, Verdict


class Audience(StrEnum):
    """Who reads an explanation.

    Only the subject ever reads a private reason: not a platform, not the asker behind it, and not
    an auditor, who sees what a receipt shows.
    """

    SUBJECT = "subject"
    PLATFORM = "platform"
    AUDITOR = "auditor"


_VERDICTS: Mapping[Verdict, str] = {
    Verdict.ALLOW: "This may be done.",
    Verdict.NEEDS_CONSENT: "This may be done only with consent.",
    Verdict.REFUSE: "This must not be done.",
}

_PUBLIC: Mapping[PublicReason, str] = {
    PublicReason.REVEALING_REAL_PERSON: (
        "It asks for a revealing or sexual picture, and a real person is, or may be, concerned."
    ),
    PublicReason.MINOR: (
        "It asks for a revealing or sexual picture, and there is a sign of a minor."
    ),
    PublicReason.CONSENT_REQUIRED: (
        "Somebody who may be in the picture decides about uses like this one."
    ),
    PublicReason.UNREADABLE: "A picture, or the text, could not be read.",
    PublicReason.ERROR: "Part of the check could not be made.",
}

_PRIVATE: Mapping[PrivateReason, str] = {
    PrivateReason.SUBJECT_PRESENT: "An enrolled face is in the picture.",
    PrivateReason.POSSIBLE_MATCH: (
        "A face may be an enrolled one, but not surely enough to name anybody."
    ),
    PrivateReason.SELF_EDIT: "The person who asks has just proved that the face is her own.",
    PrivateReason.LOCKED: (
        "The vault is locked, so faces could not be compared. Unlock it and check again."
    ),
    PrivateReason.INDEX_INCOMPLETE: "Not all enrolled faces could be compared.",
    PrivateReason.SEARCH_FAILED: "Faces could not be compared with the enrolled ones.",
    PrivateReason.FACE_UNIDENTIFIABLE: "A face is too small or too unclear to be compared.",
    PrivateReason.FACE_IN_PICTURE: "There is a face in a picture; drawn faces count.",
    PrivateReason.PERSON_IN_PICTURE: "There is a person in a picture.",
    PrivateReason.PICTURE_NOT_CLEARED: (
        "No face was found, but whether a person is in the picture cannot be told."
    ),
    PrivateReason.PERSON_IN_TEXT: "The text speaks of a specific person.",
    PrivateReason.DETECTOR_UNAVAILABLE: "The face detector was not available.",
    PrivateReason.LANGUAGE_NOT_COVERED: (
        "The text is in a language, a script or a disguise that is not covered."
    ),
    PrivateReason.UNDECODABLE_IMAGE: "A picture could not be decoded.",
    PrivateReason.CONTESTED: (
        "Two people claim this face, so nobody's consent counts until that is settled."
    ),
    PrivateReason.NAMED: "A protected name is in the text; it counts as the person herself.",
    PrivateReason.NAMES_NOT_CHECKED: "The text could not be compared with the protected names.",
    PrivateReason.GRANTED: "She has agreed to uses like this one.",
    PrivateReason.TOKEN_USED: "She has made a token for exactly this request.",
    PrivateReason.TOKEN_NOT_VALID: (
        "A token was shown that does not hold here: it may be used, expired, revoked or made for "
        "something else, or the faces are not surely hers."
    ),
    PrivateReason.REGION_TIGHTENED: (
        "The rules of the region, or of every region where none was stated, ask for her consent."
    ),
    PrivateReason.INTENT_NOT_READ: "What the text asks for could not be found out.",
    PrivateReason.CONSENTS_NOT_READ: "What has been agreed to could not be read.",
    PrivateReason.MORE_EXPOSED: (
        "The result is more exposed than what it was made from, and there is a person in it."
    ),
    PrivateReason.APPEARS: (
        "An enrolled face is in the result that was not in what it was made from."
    ),
}

_OBLIGATIONS: Mapping[Obligation, str] = {
    Obligation.CHECK_OUTPUT: "The result must be checked before it is delivered.",
}

_NOT_CHECKED = "Not everything was checked, so this is not an all-clear."


def explain_public(
    verdict: Verdict, reasons: Sequence[PublicReason], obligations: Sequence[Obligation]
) -> str:
    """Explain what a receipt shows in plain English: all that a platform or an auditor is told."""
    sentences = [_VERDICTS[verdict]]
    sentences += [_PUBLIC[reason] for reason in reasons]
    sentences += [_OBLIGATIONS[obligation] for obligation in obligations]
    return " ".join(sentences)


def explain(decision: Decision, audience: Audience) -> str:
    """Explain a decision in plain English.

    Args:
        decision: What was decided.
        audience: A platform and an auditor are told the verdict, public reasons and obligations
            only, so that two decisions that differ in private matters alone read the same.

    Returns:
        One or more sentences, separated by spaces.
    """
    sentences = [explain_public(decision.verdict, decision.reasons, decision.obligations)]
    if not decision.checked and decision.verdict is not Verdict.REFUSE:
        sentences.append(_NOT_CHECKED)
    match audience:
        case Audience.SUBJECT:
            sentences += [_PRIVATE[reason] for reason in decision.private_reasons]
        case Audience.PLATFORM | Audience.AUDITOR:
            pass
    return " ".join(sentences)
