"""The laws, and the decision that follows from them. Pure, total, deterministic (docs/adr/0007).

    findings ─┐
    intent   ─┼─> each law gives rulings ─> the strictest verdict, with the reasons for it
    request  ─┘

Every law only adds rulings and the verdict is their maximum, so a further finding can never loosen
a decision: that holds by construction, and tests/properties/test_decision.py tries to break it. The
one thing that loosens is `actor`.

`settle_before_search` answers whatever can be answered without knowing who is enrolled. A revealing
request always ends there, whoever is in the picture, so that neither the answer nor its timing
tells whether a face is enrolled.
"""

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
    MatchLevel,
    PersonPresence,
    SearchState,
)
from consentry.consent.request import Request
from consentry.kernel.ids import SubjectId
from consentry.kernel.taxonomy import (
    Assessment,
    IntentCategory,
    Mode,
    Obligation,
    PrivateReason,
    PublicReason,
    Purpose,
    SubjectPolicy,
    Verdict,
)

POLICY_VERSION = "consentry-policy@1"
"""Changes with every change of a law. Part of each receipt."""


_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ruling:
    """What one law says about one finding. `is_gap`: something could not be examined."""

    law: Law
    verdict: Verdict = Verdict.ALLOW
    reason: PublicReason | None = None
    private: PrivateReason | None = None
    obligation: Obligation | None = None
    subject: SubjectId | None = None
    is_gap: bool = False


_NOTHING_FOUND = _Ruling(law=Law.NONE)

_SEARCH_GAPS: Mapping[SearchState, PrivateReason] = {
    SearchState.LOCKED: PrivateReason.LOCKED,
    SearchState.INCOMPLETE: PrivateReason.INDEX_INCOMPLETE,
    SearchState.FAILED: PrivateReason.SEARCH_FAILED,
}


def settle_before_search(
    findings: Findings, intent: Assessment, request: Request
) -> Decision | None:
    """Decide what can be decided without knowing who is enrolled.

    That is laws 1 and 2, and whatever could not be read.

    Args:
        findings: Matches and the state of the search play no part: they may be absent.
        intent: What the prompt asks for.
        request: The circumstances.

    Returns:
        The decision, final; None when it depends on who is in the picture, so that a search is
        needed.
    """
    rulings = list(_rulings_before_search(findings, intent, request))
    is_refused = any(ruling.verdict is Verdict.REFUSE for ruling in rulings)
    if is_refused or _is_revealing(intent, request):
        return _combine(rulings)
    return None


def decide(
    findings: Findings,
    intent: Assessment,
    request: Request,
    policies: Mapping[SubjectId, SubjectPolicy],
) -> Decision:
    """Decide a check. Total: every combination of arguments has an answer.

    Args:
        findings: All pictures and the outcome of the search.
        intent: What the prompt asks for.
        request: The circumstances.
        policies: What each matched subject chose to protect. A subject who is missing here protects
            every edit.

    Returns:
        What `settle_before_search` returns when that settles it, else the decision of all laws.
    """
    settled = settle_before_search(findings, intent, request)
    if settled is not None:
        return settled
    return _combine(
        [
            *_rulings_before_search(findings, intent, request),
            *_rulings_on_search(findings, request),
            *_rulings_on_subjects(findings, intent, request, policies),
        ]
    )


def _rulings_before_search(
    findings: Findings, intent: Assessment, request: Request
) -> Iterator[_Ruling]:
    if _is_revealing(intent, request):
        if intent.has_age_cue or request.declares_minor:
            yield _Ruling(law=Law.MINORS, verdict=Verdict.REFUSE, reason=PublicReason.MINOR)
        yield from _rulings_on_revealing(findings, intent)
    yield from _rulings_on_prompt(findings, intent, request)
    for image in findings.images:
        yield from _rulings_on_image(image, request)


def _rulings_on_revealing(findings: Findings, intent: Assessment) -> Iterator[_Ruling]:
    """Law 2, the same for everybody: a real person, or one who cannot be ruled out, is refused."""
    evidence = {found for image in findings.images for found in _evidence_of_person(image)}
    if intent.refers_to_person:
        evidence.add(PrivateReason.PERSON_IN_TEXT)
    for private in evidence:
        yield _Ruling(
            law=Law.REVEALING,
            verdict=Verdict.REFUSE,
            reason=PublicReason.REVEALING_REAL_PERSON,
            private=private,
        )
    yield _Ruling(law=Law.REVEALING, obligation=Obligation.CHECK_OUTPUT)


def _rulings_on_prompt(
    findings: Findings, intent: Assessment, request: Request
) -> Iterator[_Ruling]:
    """Law 2e: a prompt that cannot be read may ask for anything, so it may not touch a person."""
    if intent.is_readable:
        return
    may_concern_person = any(True for image in findings.images for _ in _evidence_of_person(image))
    # A revealing word in a text of which the rest is unread: whom it is about cannot be told.
    if may_concern_person or _is_revealing(intent, request):
        yield _gap(
            Law.REVEALING, PublicReason.UNREADABLE, PrivateReason.LANGUAGE_NOT_COVERED, request
        )
    else:
        yield _Ruling(
            law=Law.REVEALING,
            private=PrivateReason.LANGUAGE_NOT_COVERED,
            obligation=Obligation.CHECK_OUTPUT,
            is_gap=True,
        )


def _rulings_on_image(image: ImageFinding, request: Request) -> Iterator[_Ruling]:
    """Law 8 for one picture: what could not be decoded or searched for faces."""
    if not image.readable:
        yield _gap(Law.ERRORS, PublicReason.UNREADABLE, PrivateReason.UNDECODABLE_IMAGE, request)
    if not image.faces_checked:
        yield _gap(Law.ERRORS, PublicReason.ERROR, PrivateReason.DETECTOR_UNAVAILABLE, request)


def _rulings_on_search(findings: Findings, request: Request) -> Iterator[_Ruling]:
    """Law 8 for the search: a face that was not searched for may be anybody's."""
    faces = tuple(_faces(findings))
    gap = _SEARCH_GAPS.get(findings.search)
    if gap is not None and faces:
        yield _gap(Law.ERRORS, PublicReason.ERROR, gap, request)
    if findings.search is SearchState.NOT_SEARCHED and any(face.identifiable for face in faces):
        yield _gap(Law.ERRORS, PublicReason.ERROR, PrivateReason.SEARCH_FAILED, request)


def _rulings_on_subjects(
    findings: Findings,
    intent: Assessment,
    request: Request,
    policies: Mapping[SubjectId, SubjectPolicy],
) -> Iterator[_Ruling]:
    """Laws 4 and 5. Each match is judged by itself, so that one cannot cover for another."""
    for face in _faces(findings):
        if not face.identifiable:
            yield _Ruling(law=Law.NONE, private=PrivateReason.FACE_UNIDENTIFIABLE)
            continue
        for match in face.matches:
            is_sure = match.level is not MatchLevel.POSSIBLE
            subject = match.subject if is_sure else None
            policy = policies.get(match.subject, SubjectPolicy.EVERY_EDIT)
            if match.subject == request.actor:
                yield _Ruling(law=Law.NONE, private=PrivateReason.SELF_EDIT, subject=subject)
                continue
            needs_consent = _covers(policy, intent, request)
            yield _Ruling(
                law=Law.ENROLLED if is_sure else Law.POSSIBLE_MATCH,
                verdict=Verdict.NEEDS_CONSENT if needs_consent else Verdict.ALLOW,
                reason=PublicReason.CONSENT_REQUIRED if needs_consent else None,
                private=PrivateReason.SUBJECT_PRESENT if is_sure else PrivateReason.POSSIBLE_MATCH,
                subject=subject,
            )


def _evidence_of_person(image: ImageFinding) -> Iterator[PrivateReason]:
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


def _is_revealing(intent: Assessment, request: Request) -> bool:
    return intent.category.is_revealing or request.purpose is Purpose.INTIMATE


def _covers(policy: SubjectPolicy, intent: Assessment, request: Request) -> bool:
    """Whether what a subject protects includes what is asked.

    Revealing requests were settled before.
    """
    match policy:
        case SubjectPolicy.EVERY_EDIT:
            return True
        case SubjectPolicy.INTIMATE_AND_IMPERSONATING:
            return intent.category in {
                IntentCategory.FACE_SWAP,
                IntentCategory.IMPERSONATION,
            } or request.purpose in {Purpose.FACE_SWAP, Purpose.IMPERSONATION}


def _gap(law: Law, reason: PublicReason, private: PrivateReason, request: Request) -> _Ruling:
    """Something could not be examined: at a door that refuses, in a feed it is shown."""
    verdict = Verdict.REFUSE if request.mode is Mode.ACT else Verdict.ALLOW
    return _Ruling(law=law, verdict=verdict, reason=reason, private=private, is_gap=True)


def _faces(findings: Findings) -> Iterator[FaceFinding]:
    return (face for image in findings.images for face in image.faces)


def _in_order(vocabulary: type[_E], found: Iterable[_E | None]) -> tuple[_E, ...]:
    """Sort by the order of the vocabulary, so that the order of the evidence leaves no trace."""
    present = set(found)
    return tuple(each for each in vocabulary if each in present)


def _combine(rulings: Iterable[_Ruling]) -> Decision:
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
    )
