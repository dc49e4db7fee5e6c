"""Two people who claim one face: saying so, and settling it."""

from __future__ import annotations

from fastapi import Response

from consentry.dashboard.presence import elsewhere, person_of
from consentry.dashboard.protection import show_protection
from consentry.dashboard.visit import Route, Visit, go
from consentry.enrolment.people import Person
from consentry.kernel.errors import NotFound
from consentry.kernel.ids import ContestId
from consentry.vault.passphrase import Passphrase


def show_open(visit: Visit) -> Response:
    """Ask who claims whose face."""
    if (way := elsewhere(visit)) is not None:
        return way
    return visit.page("contest.html", people=visit.services.people.all(), sent=visit.form.fields)


def open_contest(visit: Visit) -> Response:
    """Say that a face is another's. Asks for no passphrase: it only tightens."""
    claimant, respondent = person_of(visit, "claimant"), person_of(visit, "respondent")
    visit.services.contests.open(claimant.subject, respondent.subject)
    return go("/protection?done=contested")


def settle(visit: Visit) -> Response:
    """End a contest with both enrolments left as they are, when both have proved themselves."""
    contest = ContestId(visit.form.text("contest"))
    people = {person.subject: person for person in visit.services.people.all()}
    found = next((each for each in visit.services.contests.all() if each.contest == contest), None)
    if found is None or not {found.claimant, found.respondent} <= people.keys():
        raise NotFound("That contest has ended already.")
    _prove_both(visit, people[found.claimant], people[found.respondent])
    visit.services.contests.settle(contest)
    return go("/protection?done=settled")


def _prove_both(visit: Visit, claimant: Person, respondent: Person) -> None:
    """Prove each by her own passphrase; the home's is asked for once, for whoever has none."""
    if not (claimant.has_own_passphrase and respondent.has_own_passphrase):
        visit.services.custody.unlock(Passphrase(visit.form.text("passphrase")))
    for person, field in (
        (claimant, "claimant_passphrase"),
        (respondent, "respondent_passphrase"),
    ):
        if person.has_own_passphrase:
            own = Passphrase(visit.form.text(field))
            visit.services.own_passphrases.prove(person.subject, own)


ROUTES = (
    Route(method="GET", path="/protection/contest", answer=show_open),
    Route(method="POST", path="/protection/contest", answer=open_contest, again=show_open),
    Route(method="POST", path="/protection/contest/settle", answer=settle, again=show_protection),
)
