"""What a law says about one finding, and how all that is said becomes one decision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from consentry.consent.decision import Decision, Law
from consentry.consent.findings import (
    FaceFinding,
    Findings,
    ImageFinding,
    PersonPresence,
    SearchState,
)
from consentry.consent.request import Request
from consentry.kernel.ids import ConsentTokenId, GrantId, SubjectId
from consentry.kernel.taxonomy import (
    Assessment,
    Mode,
    Obligation,
    PrivateReason,
    PublicReason,
    Purpose,
    Verdict,
)

_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What one law says about one finding. `is_gap`: something could not be examined."""

    law: Law
    verdict: Verdict = Verdict.ALLOW
    reason: PublicReason | None = None
    private: PrivateReason | None = None
    obligation: Obligation | None = None
    subject: SubjectId | None = None
    relies_on: GrantId | ConsentTokenId | None = None
    may_be_asked: bool = False
    is_gap: bool = False


_NOTHING_FOUND = Ruling(law=Law.NONE)

_SEARCH_GAPS: Mapping[SearchState, PrivateReason] = {
    SearchState.LOCKED: PrivateReason.LOCKED,
    SearchState.INCOMPLETE: PrivateReason.INDEX_INCOMPLETE,
    SearchState.FAILED: PrivateReason.SEARCH_FAILED,
}


def rulings_on_image(image: ImageFinding, request: Request) -> Iterator[Ruling]:
    """Law 8 for one picture: what could not be decoded or searched for faces."""
    if not image.readable:
        yield gap(Law.ERRORS, PublicReason.UNREADABLE, PrivateReason.UNDECODABLE_IMAGE, request)
    if not image.faces_checked:
        yield gap(Law.ERRORS, PublicReason.ERROR, PrivateReason.DETECTOR_UNAVAILABLE, request)


def rulings_on_search(findings: Findings, request: Request) -> Iterator[Ruling]:
    """Law 8 for the search: a face that was not searched for may be anybody's."""
    faces = tuple(faces_of(findings))
    why = _SEARCH_GAPS.get(findings.search)
    if why is not None and faces:
        yield gap(Law.ERRORS, PublicReason.ERROR, why, request)
    if findings.search is SearchState.NOT_SEARCHED and any(face.identifiable for face in faces):
        yield gap(Law.ERRORS, PublicReason.ERROR, PrivateReason.SEARCH_FAILED, request)


def evidence_of_person(image: ImageFinding) -> Iterator[PrivateReason]:
    """Say why a person is, or may be, in a picture. What was not examined counts as a person."""
    if image.faces:
        yield PrivateReason.FACE_IN_PICTURE
    if not image.readable:
        yield PrivateReason.UNDECODABLE_IMAGE
    if not image.faces_checked:
        yield PrivateReason.DETECTOR_UNAVAILABLE
    if image.person is PersonPresence.PRESENT:
        yield PrivateReason.PERSON_IN_PICTURE
    if image.person is PersonPresence.UNKNOWN and not image.faces:
        yield PrivateReason.PICTURE_NOT_CLEARED


def is_revealing(intent: Assessment, request: Request) -> bool:
    """Whether laws 1 and 2 apply, by the words or by what the caller declares."""
    return intent.category.is_revealing or request.purpose is Purpose.INTIMATE


def gap(law: Law, reason: PublicReason, private: PrivateReason, request: Request) -> Ruling:
    """Something could not be examined: at a door that refuses, in a feed it is shown."""
    verdict = Verdict.REFUSE if request.mode is Mode.ACT else Verdict.ALLOW
    return Ruling(law=law, verdict=verdict, reason=reason, private=private, is_gap=True)


def faces_of(findings: Findings) -> Iterator[FaceFinding]:
    """Return every face of every picture."""
    return (face for image in findings.images for face in image.faces)


def _in_order(vocabulary: type[_E], found: Iterable[_E | None]) -> tuple[_E, ...]:
    """Sort by the order of the vocabulary, so that the order of the evidence leaves no trace."""
    present = set(found)
    return tuple(each for each in vocabulary if each in present)


def combine(rulings: Iterable[Ruling]) -> Decision:
    """Take the strictest verdict and the reasons of all rulings for it; gaps are always told."""
    all_rulings = (*rulings, _NOTHING_FOUND)
    verdict = max((ruling.verdict for ruling in all_rulings), key=lambda each: each.strictness)
    telling = [ruling for ruling in all_rulings if ruling.verdict is verdict or ruling.is_gap]
    laws = [
        ruling.law
        for ruling in all_rulings
        if ruling.verdict is verdict
        and (ruling.reason is not None or ruling.obligation is not None)
    ]
    obligations = {ruling.obligation for ruling in all_rulings}
    return Decision(
        verdict=verdict,
        reasons=_in_order(PublicReason, {ruling.reason for ruling in telling}),
        private_reasons=_in_order(PrivateReason, {ruling.private for ruling in all_rulings}),
        obligations=_in_order(Obligation, obligations if verdict is Verdict.ALLOW else set()),
        law=min(laws, default=Law.NONE),
        subjects=tuple(sorted({each.subject for each in all_rulings if each.subject is not None})),
        checked=not any(ruling.is_gap for ruling in all_rulings),
        relies_on=tuple(
            sorted(
                {each.relies_on for each in all_rulings if each.relies_on is not None}
                if verdict is Verdict.ALLOW
                else ()
            )
        ),
        may_ask=_who_may_be_asked(ruling for ruling in all_rulings if ruling.verdict is verdict)
        if verdict is Verdict.NEEDS_CONSENT
        else None,
    )


def _who_may_be_asked(missing: Iterable[Ruling]) -> SubjectId | None:
    """Return the one subject whose yes is all that is missing, or None."""
    rulings = tuple(missing)
    asked = {ruling.subject for ruling in rulings}
    return asked.pop() if len(asked) == 1 and all(r.may_be_asked for r in rulings) else None
