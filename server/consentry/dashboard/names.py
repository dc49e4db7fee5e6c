"""Protected names: adding one, keeping a proof of it, and protecting it no longer."""

from __future__ import annotations

from fastapi import Response

from consentry.dashboard.presence import elsewhere, person_of, prove
from consentry.dashboard.protection import show_protection
from consentry.dashboard.visit import Route, Visit, go
from consentry.dashboard.words import ALIAS_KINDS
from consentry.enrolment.aliases import AliasKind, AliasProof
from consentry.enrolment.names import MAX_ALIAS_CHARS
from consentry.kernel.errors import BadRequest
from consentry.kernel.ids import AliasId


def show_add(visit: Visit) -> Response:
    """Ask which name counts as whom."""
    if (way := elsewhere(visit)) is not None:
        return way
    people = visit.services.people.all()
    if not people and visit.problem is None:
        return go("/enrol")
    return visit.page(
        "name.html",
        people=people,
        kinds=ALIAS_KINDS,
        max_chars=MAX_ALIAS_CHARS,
        sent=visit.form.fields,
    )


def add(visit: Visit) -> Response:
    """Protect a name. Asks for no passphrase: it only protects more."""
    person = person_of(visit)
    try:
        kind = AliasKind(visit.form.text("kind"))
    except ValueError as cause:
        raise BadRequest("Choose what sort of name it is.") from cause
    visit.services.aliases.add(person.subject, visit.form.text("text"), kind, AliasProof.OWN_WORD)
    return go("/protection?done=named")


def keep_proof(visit: Visit) -> Response:
    """Keep how it was established that a name is hers: what was posted, or that it was looked at."""
    alias = AliasId(visit.form.text("alias"))
    if visit.form.text("proof") == AliasProof.OPERATOR:
        visit.services.aliases.review(alias)
    else:
        visit.services.aliases.verify(alias, visit.form.text("posted"))
    return go("/protection?done=proved")


def remove(visit: Visit) -> Response:
    """Protect a name no longer, with her passphrase in the same form."""
    prove(visit, person_of(visit))
    visit.services.aliases.remove(AliasId(visit.form.text("alias")))
    return go("/protection?done=unnamed")


ROUTES = (
    Route(method="GET", path="/protection/name", answer=show_add),
    Route(method="POST", path="/protection/name", answer=add, again=show_add),
    Route(method="POST", path="/protection/name/proof", answer=keep_proof, again=show_protection),
    Route(method="POST", path="/protection/name/remove", answer=remove, again=show_protection),
)
