"""The output rule: may what a generator has made be delivered? Pure, total, deterministic.

    exposed more than what went in, with a person in it        refuse
    an enrolled face that was not in what went in              needs her consent; refuse if revealing
    anything that could not be examined                        refuse

What was asked for has been judged already, and allowed. This looks only at what the result adds to
it, so a harmless prompt excuses nothing (docs/adr/0023-output-rule.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from consentry.consent.decision import Decision, Law
from consentry.consent.findings import FaceFinding, Findings, ImageFinding, MatchLevel
from consentry.consent.findings import PersonPresence as Person
from consentry.consent.request import Request
from consentry.consent.rulings import (
    Ruling,
    combine,
    gap,
    is_revealing,
    rulings_on_image,
    rulings_on_search,
)
from consentry.consent.yes import Yes
from consentry.kernel.ids import SubjectId
from consentry.kernel.taxonomy import Assessment, PrivateReason, PublicReason, Verdict


class Exposure(StrEnum):
    """How exposed a result is beside what it was made from."""

    STEADY = "steady"
    RISEN = "risen"
    """By as much as ordinary edits do not raise it."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePicture:
    """One result.

    Attributes:
        image: What was found in it. A possible match of a face that was in an input as well is
            left out: it was judged there.
        exposure: Beside all inputs; without an input, beside nothing.
    """

    image: ImageFinding
    exposure: Exposure


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the check of the request has settled.

    Attributes:
        settled: Subjects who were in the inputs, or were named, in a request that was allowed.
        unlocked: The subject whose own token allowed a revealing request; None when none did.
    """

    settled: frozenset[SubjectId] = frozenset()
    unlocked: SubjectId | None = None


NO_GROUND = Ground()
"""Nothing is known of the request."""


def decide_output(
    made: Sequence[MadePicture],
    findings: Findings,
    ground: Ground,
    asked: tuple[Assessment, Request],
    yes: Yes,
) -> Decision:
    """Decide whether results may be delivered. Total: every combination of arguments has an answer.

    Args:
        made: The results.
        findings: The search over their faces, and whether consents were read; its pictures are
            those of ``made``.
        ground: What the request was allowed on.
        asked: What the words ask for, and the circumstances.
        yes: What the matched subjects have agreed to.

    Returns:
        `ALLOW`: deliver. Anything else: withhold. Nobody is ever asked about a result.
    """
    _, request = asked
    rulings = [ruling for each in made for ruling in _rulings_on_exposure(each, ground, asked)]
    for each in made:
        rulings += rulings_on_image(each.image, request)
        for face in each.image.faces:
            rulings += _rulings_on_face(face, ground, asked, yes)
    rulings += rulings_on_search(findings, request)
    if not findings.intent_read:
        rulings.append(gap(Law.ERRORS, PublicReason.ERROR, PrivateReason.INTENT_NOT_READ, request))
    if not findings.consents_read:
        rulings.append(
            gap(Law.ERRORS, PublicReason.ERROR, PrivateReason.CONSENTS_NOT_READ, request)
        )
    return combine(rulings)


def _rulings_on_exposure(
    made: MadePicture, ground: Ground, asked: tuple[Assessment, Request]
) -> Iterator[Ruling]:
    intent, request = asked
    image = made.image
    if image.person is Person.ABSENT and not image.faces:
        return
    match made.exposure:
        case Exposure.STEADY:
            return
        case Exposure.UNKNOWN:
            yield gap(Law.ERRORS, PublicReason.ERROR, PrivateReason.DETECTOR_UNAVAILABLE, request)
        case Exposure.RISEN if ground.unlocked is not None and _shows_only(ground.unlocked, image):
            yield Ruling(
                law=Law.REVEALING, private=PrivateReason.TOKEN_USED, subject=ground.unlocked
            )
        case Exposure.RISEN if image.person is Person.UNKNOWN and not image.faces:
            yield gap(Law.ERRORS, PublicReason.ERROR, PrivateReason.PICTURE_NOT_CLEARED, request)
        case Exposure.RISEN:
            yield _revealing(PrivateReason.MORE_EXPOSED)
            if intent.has_age_cue or request.declares_minor:
                yield Ruling(law=Law.MINORS, verdict=Verdict.REFUSE, reason=PublicReason.MINOR)


def _rulings_on_face(
    face: FaceFinding, ground: Ground, asked: tuple[Assessment, Request], yes: Yes
) -> Iterator[Ruling]:
    """Judge each match by itself. Whoever appears from nowhere is impersonated, so any policy covers it."""
    intent, request = asked
    if not face.identifiable:
        yield Ruling(law=Law.NONE, private=PrivateReason.FACE_UNIDENTIFIABLE)
        return
    for match in face.matches:
        subject, is_sure = match.subject, match.level is not MatchLevel.POSSIBLE
        named = subject if is_sure else None  # nobody is named on a possible match
        if subject in ground.settled:
            continue
        if is_revealing(intent, request):
            # The same answer as for a result that is more exposed: it does not tell who is enrolled.
            yield _revealing(PrivateReason.APPEARS, named)
        elif subject == request.actor and subject not in yes.authority.contested:
            yield Ruling(law=Law.NONE, private=PrivateReason.SELF_EDIT, subject=named)
        else:
            yield _ruling_on_newcomer(subject, asked, yes, is_sure=is_sure)


def _ruling_on_newcomer(
    subject: SubjectId, asked: tuple[Assessment, Request], yes: Yes, *, is_sure: bool
) -> Ruling:
    is_contested = subject in yes.authority.contested
    agreed = None if is_contested else yes.agreed(subject, *asked)
    if agreed is not None and is_sure:
        return Ruling(
            law=Law.ENROLLED, private=PrivateReason.GRANTED, subject=subject, relies_on=agreed
        )
    law = Law.CONTESTED if is_contested else Law.ENROLLED
    return Ruling(
        law=law if is_sure else Law.POSSIBLE_MATCH,
        verdict=Verdict.NEEDS_CONSENT,
        reason=PublicReason.CONSENT_REQUIRED,
        private=PrivateReason.APPEARS if is_sure else PrivateReason.POSSIBLE_MATCH,
        subject=subject if is_sure else None,
    )


def _revealing(private: PrivateReason, subject: SubjectId | None = None) -> Ruling:
    return Ruling(
        law=Law.REVEALING,
        verdict=Verdict.REFUSE,
        reason=PublicReason.REVEALING_REAL_PERSON,
        private=private,
        subject=subject,
    )


def _shows_only(subject: SubjectId, image: ImageFinding) -> bool:
    """Whether every face in a result is surely this subject, and there is one."""
    return bool(image.faces) and all(
        face.matches
        and all(
            match.subject == subject and match.level is MatchLevel.UNLOCK for match in face.matches
        )
        for face in image.faces
    )
