"""Saying yes, and taking it back: questions, grants, tokens, sessions, and a passphrase of one's own.

Every form that gives something asks for the passphrase itself: her own if she has one, else the home's.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from fastapi import Response

from consentry.consent.authority import Grant
from consentry.dashboard.presence import elsewhere, people_here, person_of, prove
from consentry.dashboard.visit import Route, Visit, go
from consentry.dashboard.words import (
    CATEGORIES,
    GRANTED_PURPOSES,
    LIFETIMES,
    NOTICES,
    PERIODS,
)
from consentry.enrolment.people import Person
from consentry.grants.grants import GrantTerms
from consentry.grants.requests import BlockedAsker, PendingRequest
from consentry.grants.tokens import (
    MAX_LIFETIME_S,
    MAX_SESSION_DAYS,
    MAX_SESSION_USES,
    SESSION_CATEGORIES,
    SessionTerms,
    TokenInfo,
    TokenTerms,
)
from consentry.kernel.errors import BadRequest, NotFound
from consentry.kernel.ids import ConsentRequestId, ConsentTokenId, GrantId, SubjectId
from consentry.kernel.taxonomy import IntentCategory, Purpose
from consentry.vault.passphrase import MIN_CHARACTERS, Passphrase

_REGION_CHARS = 2
_CATEGORY_OF = {
    Purpose.FACE_SWAP: IntentCategory.FACE_SWAP,
    Purpose.IMPERSONATION: IntentCategory.IMPERSONATION,
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, with its pictures as a page can show them."""

    person: Person
    question: PendingRequest
    pictures: tuple[str, ...]


def show_consents(visit: Visit) -> Response:
    """Show what waits for an answer, and all that has been agreed to."""
    if (way := elsewhere(visit)) is not None:
        return way
    people = people_here(visit)
    return visit.page(
        "consents.html",
        people={person.subject: person for person in people},
        questions=_questions(visit, people),
        grants=_grants(visit, people),
        tokens=_tokens(visit, people),
        blocked=_blocked(visit, people),
        contested=visit.services.contests.contested(),
        lifetimes=LIFETIMES,
        notice=NOTICES.get(visit.query.get("done", "")),
    )


def approve(visit: Visit) -> Response:
    """Say yes to one question, once."""
    request = ConsentRequestId(visit.form.text("request"))
    people = visit.services.people.all()
    asked = next((q for q in _questions(visit, people) if q.question.request == request), None)
    if asked is None:
        raise NotFound("There is no such question, or it has been answered or has lapsed.")
    prove(visit, asked.person)
    lifetime_s = _number(visit, "lifetime_s", 1, MAX_LIFETIME_S)
    visit.services.consent_requests.approve(request, lifetime_s=lifetime_s)
    return go("/consents?done=approved")


def decline(visit: Visit) -> Response:
    """Say no to one question."""
    visit.services.consent_requests.decline(ConsentRequestId(visit.form.text("request")))
    return go("/consents?done=declined")


def block(visit: Visit) -> Response:
    """Say no, and never hear from this asker again."""
    visit.services.consent_requests.block_asker(ConsentRequestId(visit.form.text("request")))
    return go("/consents?done=blocked")


def unblock(visit: Visit) -> Response:
    """Let an asker ask again."""
    subject = SubjectId(visit.form.text("subject"))
    visit.services.consent_requests.unblock(subject, _number(visit, "number", 1, 2**31))
    return go("/consents?done=unblocked")


def show_give(visit: Visit) -> Response:
    """Ask what she agrees to."""
    return _form_page(visit, "give.html", purposes=GRANTED_PURPOSES, periods=PERIODS)


def give(visit: Visit) -> Response:
    """Give a grant."""
    person = person_of(visit)
    purposes = frozenset(
        choice for choice in Purpose if visit.form.text(f"purpose_{choice.value}") != ""
    )
    if not purposes:
        raise BadRequest("Choose at least one thing that you agree to.")
    uses, days = visit.form.text("max_uses").strip(), visit.form.text("days")
    terms = GrantTerms(
        purposes=purposes,
        platform=visit.form.text("platform").strip() or None,
        regions=None if (region := _region(visit)) is None else frozenset({region}),
        categories=frozenset({IntentCategory.NONE})
        | {_CATEGORY_OF[each] for each in purposes if each in _CATEGORY_OF},
        valid_from=None,
        valid_until=None
        if days == ""
        else visit.services.grants.clock.now() + timedelta(days=_number(visit, "days", 1, 3650)),
        max_uses=None if uses == "" else _number(visit, "max_uses", 1, 1_000_000),
    )
    prove(visit, person)
    visit.services.grants.create(person.subject, terms)
    return go("/consents?done=given")


def take_back_grant(visit: Visit) -> Response:
    """Take a grant back. Asks for nothing: a no needs no proof."""
    visit.services.grants.revoke(GrantId(visit.form.text("grant")))
    return go("/consents?done=taken")


def show_token(visit: Visit) -> Response:
    """Ask for the one request that a token is for."""
    return _form_page(visit, "token.html", categories=CATEGORIES, delay_s=_delay_s(visit))


def issue_token(visit: Visit) -> Response:
    """Issue a token, and show it this once."""
    person = person_of(visit)
    category = _category(visit)
    terms = TokenTerms(
        platform=visit.form.text("platform").strip(),
        purpose=Purpose.EDIT,
        region=_region(visit),
        categories=frozenset({category}),
        prompt=visit.form.text("prompt").replace("\r\n", "\n") or None,
        context=(),
        digests=_digests(visit),
    )
    prove(visit, person)
    _declare_if_said(visit, person)
    issued = visit.services.consent_tokens.issue(person.subject, terms)
    return visit.page("issued.html", issued=issued, is_session=False)


def show_session(visit: Visit) -> Response:
    """Ask for a studio's work."""
    return _form_page(
        visit,
        "session.html",
        categories=[each for each in CATEGORIES if each.value in SESSION_CATEGORIES],
        max_uses=MAX_SESSION_USES,
        max_days=MAX_SESSION_DAYS,
        delay_s=_delay_s(visit),
    )


def open_session(visit: Visit) -> Response:
    """Open a session, and show its token this once."""
    person = person_of(visit)
    terms = SessionTerms(
        platform=visit.form.text("platform").strip(),
        purpose=Purpose.EDIT,
        region=_region(visit),
        categories=frozenset(
            each for each in SESSION_CATEGORIES if visit.form.text(f"category_{each.value}") != ""
        ),
        digests=_digests(visit),
        max_uses=_number(visit, "max_uses", 1, MAX_SESSION_USES),
        lifetime_days=_number(visit, "days", 1, MAX_SESSION_DAYS),
    )
    prove(visit, person)
    _declare_if_said(visit, person)
    issued = visit.services.consent_tokens.open_session(person.subject, terms)
    return visit.page("issued.html", issued=issued, is_session=True)


def take_back_token(visit: Visit) -> Response:
    """Take a token or a session back."""
    visit.services.consent_tokens.revoke(ConsentTokenId(visit.form.text("token")))
    return go("/consents?done=taken")


def announce(visit: Visit) -> Response:
    """Begin the cooling-off time."""
    person = person_of(visit)
    prove(visit, person)
    visit.services.consent_tokens.announce_intimate(person.subject)
    return go("/consents?done=announced")


def show_own_passphrase(visit: Visit) -> Response:
    """Ask for a passphrase of one's own."""
    return _form_page(visit, "own_passphrase.html", min_characters=MIN_CHARACTERS)


def set_own_passphrase(visit: Visit) -> Response:
    """Set a passphrase of one's own, or another one."""
    person = person_of(visit)
    new = visit.form.text("new_passphrase")
    if new != visit.form.text("repeated"):
        raise BadRequest("The two passphrases are not the same. Type both again.")
    known = Passphrase(visit.form.text("passphrase"))
    if not person.has_own_passphrase:
        visit.services.custody.unlock(known)
    visit.services.own_passphrases.set(
        person.subject, Passphrase(new), old=known if person.has_own_passphrase else None
    )
    return go("/consents?done=own")


def _form_page(visit: Visit, template: str, **values: object) -> Response:
    if (way := elsewhere(visit)) is not None:
        return way
    people = visit.services.people.all()
    if not people:
        return go("/enrol")
    return visit.page(
        template,
        people=people,
        sent=visit.form.fields,
        is_adult={
            each.subject: visit.services.consent_tokens.is_attested_adult(each.subject)
            for each in people
        },
        **values,
    )


def _questions(visit: Visit, people: Sequence[Person]) -> list[_Asked]:
    return [
        _Asked(person, question, tuple(map(_data_url, question.pictures)))
        for person in people
        for question in visit.services.consent_requests.pending(person.subject)
    ]


def _grants(visit: Visit, people: Sequence[Person]) -> list[Grant]:
    return [grant for person in people for grant in visit.services.grants.list(person.subject)]


def _tokens(visit: Visit, people: Sequence[Person]) -> list[tuple[Person, TokenInfo]]:
    now = visit.services.consent_tokens.clock.now()
    return [
        (person, token)
        for person in people
        for token in visit.services.consent_tokens.list(person.subject)
        if token.uses_left > 0 and now < token.valid_until
    ]


def _blocked(visit: Visit, people: Sequence[Person]) -> list[tuple[Person, BlockedAsker]]:
    return [
        (person, asker)
        for person in people
        for asker in visit.services.consent_requests.blocked(person.subject)
    ]


def _declare_if_said(visit: Visit, person: Person) -> None:
    if visit.form.text("adult") != "":
        visit.services.consent_tokens.attest_adult(person.subject)


def _delay_s(visit: Visit) -> float:
    return visit.services.consent_tokens.intimate_delay_s


def _digests(visit: Visit) -> tuple[bytes, ...]:
    return tuple(hashlib.sha256(each).digest() for each in visit.form.files("pictures"))


def _category(visit: Visit) -> IntentCategory:
    try:
        return IntentCategory(visit.form.text("category"))
    except ValueError as cause:
        raise BadRequest("Choose what the words ask for.") from cause


def _region(visit: Visit) -> str | None:
    region = visit.form.text("region").strip().upper()
    if not region:
        return None
    if len(region) != _REGION_CHARS or not region.isascii() or not region.isalpha():
        raise BadRequest("A country has two letters, for example DE, or leave it empty.")
    return region


def _number(visit: Visit, name: str, least: int, most: int) -> int:
    text = visit.form.text(name).strip()
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise BadRequest(f"That is a whole number from {least} to {most}.")
    return int(text)


def _data_url(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


ROUTES = (
    Route(method="GET", path="/consents", answer=show_consents),
    Route(method="POST", path="/consents/approve", answer=approve, again=show_consents),
    Route(method="POST", path="/consents/decline", answer=decline, again=show_consents),
    Route(method="POST", path="/consents/block", answer=block, again=show_consents),
    Route(method="POST", path="/consents/unblock", answer=unblock, again=show_consents),
    Route(method="GET", path="/consents/give", answer=show_give),
    Route(method="POST", path="/consents/give", answer=give, again=show_give),
    Route(method="POST", path="/consents/take-back", answer=take_back_grant, again=show_consents),
    Route(method="GET", path="/consents/token", answer=show_token),
    Route(method="POST", path="/consents/token", answer=issue_token, again=show_token),
    Route(method="GET", path="/consents/session", answer=show_session),
    Route(method="POST", path="/consents/session", answer=open_session, again=show_session),
    Route(method="POST", path="/consents/end", answer=take_back_token, again=show_consents),
    Route(method="POST", path="/consents/announce", answer=announce, again=show_token),
    Route(method="GET", path="/own-passphrase", answer=show_own_passphrase),
    Route(
        method="POST", path="/own-passphrase", answer=set_own_passphrase, again=show_own_passphrase
    ),
)
