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

from collections.abc import Iterator, Mapping
from datetime import datetime

from consentry.consent.authority import Authority, Permit
from consentry.consent.decision import Decision, Law
from consentry.consent.findings import (
    FaceFinding,
    Findings,
    MatchLevel,
    NamesState,
    PersonPresence,
    SearchState,
)
from consentry.consent.request import Request
from consentry.consent.rulings import (
    Ruling,
    combine,
    evidence_of_person,
    faces_of,
    gap,
    is_revealing,
    rulings_on_image,
    rulings_on_search,
)
from consentry.consent.yes import Yes, holds
from consentry.kernel.ids import SubjectId
from consentry.kernel.taxonomy import (
    Assessment,
    Mode,
    Obligation,
    PrivateReason,
    PublicReason,
    SubjectPolicy,
    Verdict,
)

POLICY_VERSION = "consentry-policy@3"
"""Changes with every change of a law. Part of each receipt."""


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
    may_reveal = is_revealing(intent, request)
    is_refused = any(ruling.verdict is Verdict.REFUSE for ruling in rulings)
    if may_reveal and is_refused and _permits(findings, intent, request, authority, now):
        still_refused = any(
            ruling.verdict is Verdict.REFUSE and ruling.private not in _COVERABLE
            for ruling in rulings
        )
        return combine(rulings) if still_refused else None
    return combine(rulings) if is_refused or may_reveal else None


def depends_on_persons(intent: Assessment, request: Request) -> bool:
    """Whether it matters if a picture without a face shows a person: law 2b, and 2e for the unread."""
    return is_revealing(intent, request) or not intent.is_readable


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
    if is_revealing(intent, request):
        return _decide_with_token(findings, intent, request, authority, now)
    return combine(
        [
            *_rulings_before_search(findings, intent, request),
            *rulings_on_search(findings, request),
            *_rulings_on_subjects(findings, intent, request, Yes(policies, authority, now)),
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
        agreed = Ruling(
            law=Law.REVEALING,
            private=PrivateReason.TOKEN_USED,
            subject=permit.subject,
            relies_on=permit.token,
        )
        return combine([*rest, agreed])
    return combine([*rulings, Ruling(law=Law.NONE, private=PrivateReason.TOKEN_NOT_VALID)])


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
    if not findings.consents_read or not any(True for _ in faces_of(findings)):
        return ()
    return tuple(
        permit
        for permit in authority.permits
        if holds(permit, intent, request, now)
        and permit.is_attested_adult
        and permit.subject not in authority.contested
        and set(findings.named) <= {permit.subject}
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


def _rulings_before_search(
    findings: Findings, intent: Assessment, request: Request
) -> Iterator[Ruling]:
    if is_revealing(intent, request):
        if intent.has_age_cue or request.declares_minor:
            yield Ruling(law=Law.MINORS, verdict=Verdict.REFUSE, reason=PublicReason.MINOR)
        yield from _rulings_on_revealing(findings, intent)
    yield from _rulings_on_prompt(findings, intent, request)
    yield from _rulings_on_names(findings, intent, request)
    if not findings.intent_read:
        yield gap(Law.ERRORS, PublicReason.ERROR, PrivateReason.INTENT_NOT_READ, request)
    if not findings.consents_read:
        yield gap(Law.ERRORS, PublicReason.ERROR, PrivateReason.CONSENTS_NOT_READ, request)
    if findings.token_fails:
        yield Ruling(law=Law.NONE, private=PrivateReason.TOKEN_NOT_VALID)
    for image in findings.images:
        yield from rulings_on_image(image, request)


def _rulings_on_revealing(findings: Findings, intent: Assessment) -> Iterator[Ruling]:
    """Law 2, the same for everybody: a real person, or one who cannot be ruled out, is refused."""
    evidence = {found for image in findings.images for found in evidence_of_person(image)}
    if intent.refers_to_person:
        evidence.add(PrivateReason.PERSON_IN_TEXT)
    if findings.named:
        evidence.add(PrivateReason.NAMED)
    for private in evidence:
        yield Ruling(
            law=Law.REVEALING,
            verdict=Verdict.REFUSE,
            reason=PublicReason.REVEALING_REAL_PERSON,
            private=private,
        )
    yield Ruling(law=Law.REVEALING, obligation=Obligation.CHECK_OUTPUT)


def _rulings_on_prompt(
    findings: Findings, intent: Assessment, request: Request
) -> Iterator[Ruling]:
    """Law 2e: a prompt that cannot be read may ask for anything, so it may not touch a person."""
    if intent.is_readable:
        return
    may_concern_person = any(True for image in findings.images for _ in evidence_of_person(image))
    # A revealing word in a text of which the rest is unread: whom it is about cannot be told.
    if may_concern_person or is_revealing(intent, request):
        yield gap(
            Law.REVEALING, PublicReason.UNREADABLE, PrivateReason.LANGUAGE_NOT_COVERED, request
        )
    else:
        yield Ruling(
            law=Law.REVEALING,
            private=PrivateReason.LANGUAGE_NOT_COVERED,
            obligation=Obligation.CHECK_OUTPUT,
            is_gap=True,
        )


def _rulings_on_names(findings: Findings, intent: Assessment, request: Request) -> Iterator[Ruling]:
    """Law 8 for law 6: words that were not compared may name somebody who is protected."""
    match findings.names:
        case NamesState.CHECKED:
            is_in_doubt = False
        case NamesState.LOCKED:
            # Everyday words that speak of nobody in particular name nobody.
            is_in_doubt = intent.refers_to_person or is_revealing(intent, request)
        case NamesState.FAILED:
            is_in_doubt = True
    if is_in_doubt and intent.has_text:
        yield gap(Law.ERRORS, PublicReason.ERROR, PrivateReason.NAMES_NOT_CHECKED, request)


def _rulings_on_subjects(
    findings: Findings, intent: Assessment, request: Request, yes: Yes
) -> Iterator[Ruling]:
    """Laws 3 to 7. Each match is judged by itself, so that one cannot cover for another."""
    for face in faces_of(findings):
        if not face.identifiable:
            yield Ruling(law=Law.NONE, private=PrivateReason.FACE_UNIDENTIFIABLE)
            continue
        for match in face.matches:
            if match.level is MatchLevel.POSSIBLE:
                yield from _rulings_on_possible(match.subject, intent, request, yes)
            else:
                yield from _rulings_on_present(match.subject, Law.ENROLLED, intent, request, yes)
    for subject in findings.named:
        yield Ruling(law=Law.NONE, private=PrivateReason.NAMED, subject=subject)
        yield from _rulings_on_present(subject, Law.NAMED, intent, request, yes)


def _rulings_on_possible(
    subject: SubjectId, intent: Assessment, request: Request, yes: Yes
) -> Iterator[Ruling]:
    """Law 5. Nobody is named, nobody is asked; but a yes of hers counts if it is she."""
    is_she = subject not in yes.authority.contested and subject == request.actor
    if is_she:
        yield Ruling(law=Law.NONE, private=PrivateReason.SELF_EDIT)
        return
    needs_consent = yes.needs_consent(subject, intent, request) is not None
    yield Ruling(
        law=Law.POSSIBLE_MATCH,
        verdict=Verdict.NEEDS_CONSENT if needs_consent else Verdict.ALLOW,
        reason=PublicReason.CONSENT_REQUIRED if needs_consent else None,
        private=PrivateReason.POSSIBLE_MATCH,
    )


def _rulings_on_present(
    subject: SubjectId, law: Law, intent: Assessment, request: Request, yes: Yes
) -> Iterator[Ruling]:
    """Laws 3, 4, 6 and 7 for a subject who is there, by her face or by her name."""
    is_contested = subject in yes.authority.contested
    if subject == request.actor and not is_contested:
        yield Ruling(law=Law.NONE, private=PrivateReason.SELF_EDIT, subject=subject)
        return
    why = yes.needs_consent(subject, intent, request)
    if law is Law.ENROLLED:
        yield Ruling(law=law, private=PrivateReason.SUBJECT_PRESENT, subject=subject)
    if is_contested:
        yield Ruling(law=Law.CONTESTED, private=PrivateReason.CONTESTED, subject=subject)
    if why is None:
        return
    agreed = None if is_contested else yes.agreed(subject, intent, request)
    if agreed is not None:
        yield Ruling(law=law, private=PrivateReason.GRANTED, subject=subject, relies_on=agreed)
        return
    yield Ruling(
        law=Law.CONTESTED if is_contested else law,
        verdict=Verdict.NEEDS_CONSENT,
        reason=PublicReason.CONSENT_REQUIRED,
        private=PrivateReason.REGION_TIGHTENED if why is PrivateReason.REGION_TIGHTENED else None,
        subject=subject,
        # Only a sure match is ever asked: a name in the words proves nothing about the picture.
        may_be_asked=law is Law.ENROLLED and not is_contested,
    )
