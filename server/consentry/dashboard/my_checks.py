"""Who checked my face: asked for with a passphrase, and shown once."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import Response

from consentry.checks.digests import MyDigests
from consentry.checks.mine import MyChecks
from consentry.dashboard.presence import elsewhere, people_here, person_of, prove
from consentry.dashboard.visit import Route, Visit
from consentry.dashboard.words import SEEN_BY
from consentry.enrolment.people import Person
from consentry.kernel.errors import BadRequest

PER_PAGE = 50
# Moments are told to the second, and "before" leaves out the moment itself.
_A_SECOND = timedelta(seconds=1)


def ask(visit: Visit) -> Response:
    """Ask who reads, and for her proof."""
    if (way := elsewhere(visit)) is not None:
        return way
    return _page(visit)


def show(visit: Visit) -> Response:
    """Show the checks that were about her, newest first."""
    person = person_of(visit)
    # Empty for older ones, within minutes: whether she has proved herself is asked below anyway.
    if visit.form.text("passphrase") != "":
        prove(visit, person)
    read = visit.services.my_checks
    if visit.form.text("each") != "":
        found = read(person.subject, before=_before(visit), limit=PER_PAGE)
        return _page(visit, found=found, person=person)
    told = read.digests(person.subject, before=_before(visit), limit=PER_PAGE)
    return _page(visit, told=told, person=person)


def _page(
    visit: Visit,
    *,
    found: MyChecks | None = None,
    told: MyDigests | None = None,
    person: Person | None = None,
) -> Response:
    people = people_here(visit)
    return visit.page(
        "my_checks.html",
        people=people,
        kept_days=visit.services.my_checks.kept_days,
        seen_by=SEEN_BY,
        a_second=_A_SECOND,
        found=found,
        told=told,
        person=person,
        is_first=visit.form.text("before") == "",
        sent={"subject": visit.form.text("subject")},
    )


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
