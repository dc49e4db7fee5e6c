"""Who is meant by a form, and proof in the same form that she is there herself."""

from __future__ import annotations

from fastapi import Response

from consentry.dashboard.visit import Visit, go
from consentry.enrolment.people import Person
from consentry.kernel.errors import NotFound
from consentry.vault.custody import VaultState
from consentry.vault.passphrase import Passphrase


def elsewhere(visit: Visit) -> Response | None:
    """Return where to go first from a page that is of use only while unlocked; None to go on.

    A form that is shown again goes on: its problem says what to do, and what was typed stays.
    """
    if visit.problem is not None or visit.state is VaultState.UNLOCKED:
        return None
    return go("/start" if visit.state is VaultState.ABSENT else "/unlock")


def people_here(visit: Visit) -> tuple[Person, ...]:
    """Return everybody enrolled; nobody while locked, because a page is of no use without names."""
    return visit.services.people.all() if visit.state is VaultState.UNLOCKED else ()


def person_of(visit: Visit, field: str = "subject") -> Person:
    """Return whom a field of the form names.

    Raises:
        NotFound: If nobody is enrolled by that identifier.
    """
    subject = visit.form.text(field)
    for person in visit.services.people.all():
        if person.subject == subject:
            return person
    raise NotFound("Choose who is meant: that protection has ended.")


def prove(visit: Visit, person: Person) -> None:
    """Prove by the form's passphrase that she is there: her own if she has one, else the home's.

    Raises:
        WrongPassphrase, TooManyRequests: If it is not the one, or too many were not.
        VaultAbsent, VaultLocked: If her key is not in memory.
        Overloaded: If the machine lacks the memory for Argon2id now.
    """
    passphrase = Passphrase(visit.form.text("passphrase"))
    if person.has_own_passphrase:
        visit.services.own_passphrases.prove(person.subject, passphrase)
    else:
        visit.services.custody.unlock(passphrase)
