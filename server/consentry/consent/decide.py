"""The laws, and the decision that follows from them. Pure, total, deterministic (docs/adr/0007).

    findings  ─┐
    intent    ─┤
    request   ─┼─> each law gives rulings ─> the strictest verdict, with the reasons for it
    policies  ─┤
    authority ─┘

Every law only adds rulings and the verdict is their maximum, so a further finding can never loosen
a decision: that holds by construction, and tests/properties/ tries to break it. What loosens is
`actor`, a grant, and a token: each turns the rulings on its own subject into "she agrees", and
leaves the rulings on everybody else alone.

`settle_before_search` answers whatever can be answered without knowing who is enrolled. A revealing
request ends there, whoever is in the picture, so that neither the answer nor its timing tells
whether a face is enrolled: unless it comes with a token that its subject made for exactly these
words and pictures (docs/adr/0016-grants-and-tokens.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from consentry.consent.authority import Authority, Grant, Permit
from consentry.consent.decision import Decision, Law
from consentry.consent.findings import (
    FaceFinding,
    Findings,
    ImageFinding,
    MatchLevel,
    NamesState,
    PersonPresence,
    SearchState,
)
from consentry.consent.jurisdiction import rules_for
from consentry.consent.request import Request
from consentry.kernel.ids import ConsentTokenId, GrantId, SubjectId
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

POLICY_VERSION = "consentry-policy@2"
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
    relies_on: GrantId | ConsentTokenId | None = None
    may_be_asked: bool = False
    is_gap: bool = False


_NOTHING_FOUND = _Ruling(law=Law.NONE)

_SEARCH_GAPS: Mapping[SearchState, PrivateReason] = {
    SearchState.LOCKED: PrivateReason.LOCKED,
    SearchState.INCOMPLETE: PrivateReason.INDEX_INCOMPLETE,
    SearchState.FAILED: PrivateReason.SEARCH_FAILED,
}

_COVERABLE = frozenset(
    {
        PrivateReason.FACE_IN_PICTURE,
        PrivateReason.PERSON_IN_PICTURE,
        PrivateReason.PERSON_IN_TEXT,
        PrivateReason.NAMED,
    }
)
"""Evidence of a person that a token answers for. What was not examined, no token answers for."""


def settle_before_search(
    findings: Findings,
    intent: Assessment,
    request: Request,
    authority: Authority,
    now: datetime,
) -> Decision | None:
    """Decide what can be decided without knowing who is in the pictures.

    That is laws 1 and 2, and whatever could not be read.

    Args:
        findings: Matches and the state of the search play no part: they may be absent.
        intent: What the prompt asks for.
        request: The circumstances.
        authority: Only a token for a revealing use plays a part.
        now: UTC.

    Returns:
        The decision, final; None when it depends on who is in the picture, so that a search is
        needed.
    """
    rulings = list(_rulings_before_search(findings, intent, request))
    is_revealing = _is_revealing(intent, request)
    is_refused = any(ruling.verdict is Verdict.REFUSE for ruling in rulings)
    if is_revealing and is_refused and _permits(findings, intent, request, authority, now):
        still_refused = any(
            ruling.verdict is Verdict.REFUSE and ruling.private not in _COVERABLE
            for ruling in rulings
        )
        return _combine(rulings) if still_refused else None
    return _combine(rulings) if is_refused or is_revealing else None


def depends_on_persons(intent: Assessment, request: Request) -> bool:
    """Whether it matters if a picture without a face shows a person: law 2b, and 2e for the unread."""
    return _is_revealing(intent, request) or not intent.is_readable


def decide(
    findings: Findings,
    intent: Assessment,
    request: Request,
    policies: Mapping[SubjectId, SubjectPolicy],
    authority: Authority,
    now: datetime,
) -> Decision:
    """Decide a check. Total: every combination of arguments has an answer.

    Args:
        findings: All pictures and the outcome of the search.
        intent: What the prompt asks for.
        request: The circumstances.
        policies: What each matched subject chose to protect. A subject who is missing here protects
            every edit.
        authority: What has been agreed to, and whose identity is contested.
        now: UTC.

    Returns:
        What `settle_before_search` returns when that settles it, else the decision of all laws.
    """
    settled = settle_before_search(findings, intent, request, authority, now)
    if settled is not None:
        return settled
    if _is_revealing(intent, request):
        return _decide_with_token(findings, intent, request, authority, now)
    return _combine(
        [
            *_rulings_before_search(findings, intent, request),
            *_rulings_on_search(findings, request),
            *_rulings_on_subjects(findings, intent, request, _Yes(policies, authority, now)),
        ]
    )


def _decide_with_token(
    findings: Findings,
    intent: Assessment,
    request: Request,
    authority: Authority,
    now: datetime,
) -> Decision:
    """Law 2 with a token. When it does not unlock, the answer is the one without a token."""
    rulings = list(_rulings_before_search(findings, intent, request))
    for permit in _permits(findings, intent, request, authority, now):
        if not _shows_only(permit.subject, findings):
            continue
        rest = [ruling for ruling in rulings if ruling.private not in _COVERABLE]
        agreed = _Ruling(
            law=Law.REVEALING,
            private=PrivateReason.TOKEN_USED,
            subject=permit.subject,
            relies_on=permit.token,
        )
        return _combine([*rest, agreed])
    return _combine([*rulings, _Ruling(law=Law.NONE, private=PrivateReason.TOKEN_NOT_VALID)])


def _permits(
    findings: Findings,
    intent: Assessment,
    request: Request,
    authority: Authority,
    now: datetime,
) -> tuple[Permit, ...]:
    """Return the tokens that might unlock a revealing request, could their subject be recognised."""
    if request.mode is not Mode.ACT or request.declares_minor or intent.has_age_cue:
        return ()
    if not findings.consents_read or not any(True for _ in _faces(findings)):
        return ()
    return tuple(
        permit
        for permit in authority.permits
        if _holds(permit, intent, request, now)
        and permit.is_attested_adult
        and permit.subject not in authority.contested
        and set(findings.named) <= {permit.subject}
    )


def _holds(permit: Permit, intent: Assessment, request: Request, now: datetime) -> bool:
    return (
        permit.valid_from <= now < permit.valid_until
        and permit.platform == request.platform
        and permit.region == request.region
        and permit.purpose is request.purpose
        and intent.category in permit.categories
    )


def _shows_only(subject: SubjectId, findings: Findings) -> bool:
    """Whether every person in every picture is surely this subject, and can be nobody else."""
    return findings.search is SearchState.COMPLETE and all(
        image.faces and all(_is_surely(subject, face) for face in image.faces)
        for image in findings.images
        if image.faces or image.person is not PersonPresence.ABSENT
    )


def _is_surely(subject: SubjectId, face: FaceFinding) -> bool:
    return bool(face.matches) and all(
        match.subject == subject and match.level is MatchLevel.UNLOCK for match in face.matches
    )


@dataclass(frozen=True, slots=True)
class _Yes:
    """What each subject protects and has agreed to."""

    policies: Mapping[SubjectId, SubjectPolicy]
    authority: Authority
    now: datetime

    def needs_consent(
        self, subject: SubjectId, intent: Assessment, request: Request
    ) -> PrivateReason | None:
        """Return why a use of her needs consent, or None when she does not protect it."""
        policy = self.policies.get(subject, SubjectPolicy.EVERY_EDIT)
        if _covers(policy, intent, request):
            return PrivateReason.SUBJECT_PRESENT
        if request.purpose in rules_for(request.region).asks_for:
            return PrivateReason.REGION_TIGHTENED
        return None

    def agreed(
        self, subject: SubjectId, intent: Assessment, request: Request
    ) -> GrantId | ConsentTokenId | None:
        """Return the grant or token by which she has agreed, the least costly first."""
        for grant in sorted(self.authority.grants, key=_cost):
            if grant.subject == subject and _grants(grant, intent, request, self.now):
                return grant.grant
        for permit in self.authority.permits:
            if permit.subject == subject and _holds(permit, intent, request, self.now):
                return permit.token
        return None


def _cost(grant: Grant) -> tuple[bool, str]:
    """A grant for any number of uses is used before one that is counted."""
    return (grant.uses_left is not None, grant.grant)


def _grants(grant: Grant, intent: Assessment, request: Request, now: datetime) -> bool:
    return (
        grant.valid_from <= now
        and (grant.valid_until is None or now < grant.valid_until)
        and (grant.uses_left is None or grant.uses_left > 0)
        and request.purpose in grant.purposes
        and intent.category in grant.categories
        and grant.platform in {None, request.platform}
        and (grant.regions is None or request.region in grant.regions)
    )


def _rulings_before_search(
    findings: Findings, intent: Assessment, request: Request
) -> Iterator[_Ruling]:
    if _is_revealing(intent, request):
        if intent.has_age_cue or request.declares_minor:
            yield _Ruling(law=Law.MINORS, verdict=Verdict.REFUSE, reason=PublicReason.MINOR)
        yield from _rulings_on_revealing(findings, intent)
    yield from _rulings_on_prompt(findings, intent, request)
    yield from _rulings_on_names(findings, intent, request)
    if not findings.intent_read:
        yield _gap(Law.ERRORS, PublicReason.ERROR, PrivateReason.INTENT_NOT_READ, request)
    if not findings.consents_read:
        yield _gap(Law.ERRORS, PublicReason.ERROR, PrivateReason.CONSENTS_NOT_READ, request)
    if findings.token_fails:
        yield _Ruling(law=Law.NONE, private=PrivateReason.TOKEN_NOT_VALID)
    for image in findings.images:
        yield from _rulings_on_image(image, request)


def _rulings_on_revealing(findings: Findings, intent: Assessment) -> Iterator[_Ruling]:
    """Law 2, the same for everybody: a real person, or one who cannot be ruled out, is refused."""
    evidence = {found for image in findings.images for found in _evidence_of_person(image)}
    if intent.refers_to_person:
        evidence.add(PrivateReason.PERSON_IN_TEXT)
    if findings.named:
        evidence.add(PrivateReason.NAMED)
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


def _rulings_on_names(
    findings: Findings, intent: Assessment, request: Request
) -> Iterator[_Ruling]:
    """Law 8 for law 6: words that were not compared may name somebody who is protected."""
    match findings.names:
        case NamesState.CHECKED:
            is_in_doubt = False
        case NamesState.LOCKED:
            # Everyday words that speak of nobody in particular name nobody.
            is_in_doubt = intent.refers_to_person or _is_revealing(intent, request)
        case NamesState.FAILED:
            is_in_doubt = True
    if is_in_doubt and intent.has_text:
        yield _gap(Law.ERRORS, PublicReason.ERROR, PrivateReason.NAMES_NOT_CHECKED, request)


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
    findings: Findings, intent: Assessment, request: Request, yes: _Yes
) -> Iterator[_Ruling]:
    """Laws 3 to 7. Each match is judged by itself, so that one cannot cover for another."""
    for face in _faces(findings):
        if not face.identifiable:
            yield _Ruling(law=Law.NONE, private=PrivateReason.FACE_UNIDENTIFIABLE)
            continue
        for match in face.matches:
            if match.level is MatchLevel.POSSIBLE:
                yield from _rulings_on_possible(match.subject, intent, request, yes)
            else:
                yield from _rulings_on_present(match.subject, Law.ENROLLED, intent, request, yes)
    for subject in findings.named:
        yield _Ruling(law=Law.NONE, private=PrivateReason.NAMED, subject=subject)
        yield from _rulings_on_present(subject, Law.NAMED, intent, request, yes)


def _rulings_on_possible(
    subject: SubjectId, intent: Assessment, request: Request, yes: _Yes
) -> Iterator[_Ruling]:
    """Law 5. Nobody is named, nobody is asked; but a yes of hers counts if it is she."""
    is_she = subject not in yes.authority.contested and subject == request.actor
    if is_she:
        yield _Ruling(law=Law.NONE, private=PrivateReason.SELF_EDIT)
        return
    needs_consent = yes.needs_consent(subject, intent, request) is not None
    yield _Ruling(
        law=Law.POSSIBLE_MATCH,
        verdict=Verdict.NEEDS_CONSENT if needs_consent else Verdict.ALLOW,
        reason=PublicReason.CONSENT_REQUIRED if needs_consent else None,
        private=PrivateReason.POSSIBLE_MATCH,
    )


def _rulings_on_present(
    subject: SubjectId, law: Law, intent: Assessment, request: Request, yes: _Yes
) -> Iterator[_Ruling]:
    """Laws 3, 4, 6 and 7 for a subject who is there, by her face or by her name."""
    is_contested = subject in yes.authority.contested
    if subject == request.actor and not is_contested:
        yield _Ruling(law=Law.NONE, private=PrivateReason.SELF_EDIT, subject=subject)
        return
    why = yes.needs_consent(subject, intent, request)
    if law is Law.ENROLLED:
        yield _Ruling(law=law, private=PrivateReason.SUBJECT_PRESENT, subject=subject)
    if is_contested:
        yield _Ruling(law=Law.CONTESTED, private=PrivateReason.CONTESTED, subject=subject)
    if why is None:
        return
    agreed = None if is_contested else yes.agreed(subject, intent, request)
    if agreed is not None:
        yield _Ruling(law=law, private=PrivateReason.GRANTED, subject=subject, relies_on=agreed)
        return
    yield _Ruling(
        law=Law.CONTESTED if is_contested else law,
        verdict=Verdict.NEEDS_CONSENT,
        reason=PublicReason.CONSENT_REQUIRED,
        private=PrivateReason.REGION_TIGHTENED if why is PrivateReason.REGION_TIGHTENED else None,
        subject=subject,
        # Only a sure match is ever asked: a name in the words proves nothing about the picture.
        may_be_asked=law is Law.ENROLLED and not is_contested,
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


def _who_may_be_asked(missing: Iterable[_Ruling]) -> SubjectId | None:
    """Return the one subject whose yes is all that is missing, or None."""
    rulings = tuple(missing)
    asked = {ruling.subject for ruling in rulings}
    return asked.pop() if len(asked) == 1 and all(r.may_be_asked for r in rulings) else None
