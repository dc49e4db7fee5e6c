"""Who checked my face: asked for with a passphrase, and shown once."""

from __future__ import annotations

from datetime import datetime

from fastapi import Response

from consentry.checks.mine import MyChecks
from consentry.dashboard.visit import Route, Visit, go
from consentry.dashboard.words import SEEN_BY
from consentry.enrolment.people import Person
from consentry.kernel.errors import BadRequest, NotFound
from consentry.vault.custody import VaultState
from consentry.vault.passphrase import Passphrase

PER_PAGE = 50


def ask(visit: Visit) -> Response:
    """Ask who reads, and for her proof."""
    if visit.problem is None and visit.state is not VaultState.UNLOCKED:
        return go("/start" if visit.state is VaultState.ABSENT else "/unlock")
    return _page(visit)


def show(visit: Visit) -> Response:
    """Show the checks that were about her, newest first."""
    person = _person(visit)
    _prove(visit, person)
    found = visit.services.my_checks(person.subject, before=_before(visit), limit=PER_PAGE)
    return _page(visit, found=found, person=person)


def _prove(visit: Visit, person: Person) -> None:
    given = visit.form.text("passphrase")
    if given == "":
        return  # older ones, within minutes: whether she has proved herself is asked below anyway
    if person.has_own_passphrase:
        visit.services.own_passphrases.prove(person.subject, Passphrase(given))
    else:
        visit.services.custody.unlock(Passphrase(given))


def _page(visit: Visit, *, found: MyChecks | None = None, person: Person | None = None) -> Response:
    people = visit.services.people.all() if visit.state is VaultState.UNLOCKED else ()
    return visit.page(
        "my_checks.html",
        people=people,
        kept_days=visit.services.my_checks.kept_days,
        seen_by=SEEN_BY,
        found=found,
        person=person,
        sent={"subject": visit.form.text("subject")},
    )


def _person(visit: Visit) -> Person:
    subject = visit.form.text("subject")
    for person in visit.services.people.all():
        if person.subject == subject:
            return person
    raise NotFound("Choose who you are: that protection has ended.")


def _before(visit: Visit) -> datetime | None:
    text = visit.form.text("before")
    if text == "":
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as cause:
        raise BadRequest("That is no moment to go on from.") from cause


ROUTES = (
    Route(method="GET", path="/my-checks", answer=ask),
    Route(method="POST", path="/my-checks", answer=show, again=ask),
)
