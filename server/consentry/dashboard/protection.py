"""What is protected: every edit or only some, names that count as a person, and who contests whose face."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Response

from consentry.dashboard.presence import elsewhere, people_here, person_of, prove
from consentry.dashboard.visit import Route, Visit, go
from consentry.dashboard.words import ALIAS_KINDS, ALIAS_PROOFS, NOTICES, POLICIES
from consentry.enrolment.aliases import Alias
from consentry.enrolment.people import Person
from consentry.kernel.errors import BadRequest
from consentry.kernel.taxonomy import SubjectPolicy


def show_protection(visit: Visit) -> Response:
    """Show what each person protects, under which names, and which faces are contested."""
    if (way := elsewhere(visit)) is not None:
        return way
    people = people_here(visit)
    return visit.page(
        "protection.html",
        people=people,
        by_subject={person.subject: person for person in people},
        policies={choice.value: choice for choice in POLICIES},
        names=_names(visit, people),
        kinds={choice.value: choice.label for choice in ALIAS_KINDS},
        proofs=ALIAS_PROOFS,
        contests=visit.services.contests.all() if people else (),
        notice=NOTICES.get(visit.query.get("done", "")),
    )


def choose_policy(visit: Visit) -> Response:
    """Protect more, for the asking; or less, with her passphrase in the same form."""
    person = person_of(visit)
    try:
        policy = SubjectPolicy(visit.form.text("policy"))
    except ValueError as cause:
        raise BadRequest("Choose what you want to protect.") from cause
    is_more = policy is SubjectPolicy.EVERY_EDIT
    if not is_more:
        prove(visit, person)
    visit.services.set_policy(person.subject, policy)
    return go("/protection?done=more" if is_more else "/protection?done=less")


def _names(visit: Visit, people: Sequence[Person]) -> list[tuple[Person, Alias, str]]:
    """Return every protected name, with whose it is and what is posted under it to prove it."""
    aliases = visit.services.aliases
    return [
        (person, alias, aliases.code(alias.alias))
        for person in people
        for alias in aliases.list(person.subject)
    ]


ROUTES = (
    Route(method="GET", path="/protection", answer=show_protection),
    Route(method="POST", path="/protection/policy", answer=choose_policy, again=show_protection),
)
