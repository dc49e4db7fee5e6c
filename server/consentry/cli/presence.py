"""Whose yes it is, and proof that she is there herself: before every command that gives or loosens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.terminal import is_interactive
from consentry.kernel.errors import BadRequest

if TYPE_CHECKING:
    from consentry.cli.answers import SubjectAnswer
    from consentry.cli.companion import Companion
    from consentry.cli.invocation import Invocation
    from consentry.cli.passphrase import PassphraseSource
    from consentry.vault.passphrase import Passphrase

Whose = Annotated[
    str | None,
    typer.Option(
        "--subject",
        metavar="NAME_OR_ID",
        help="Whose it is; may be left out where one person is enrolled.",
        show_default=False,
    ),
]

OwnPassphraseFd = Annotated[
    int | None,
    typer.Option(
        "--own-passphrase-fd",
        metavar="N",
        min=0,
        help="Read her own passphrase, if she has one, from this open file descriptor.",
        show_default=False,
    ),
]


@dataclass(slots=True)
class Presence:
    """Opens the home at most once in a command, and proves that she is there.

    Attributes:
        line: To the API.
        invocation: The run.
        fd: Where the home's passphrase may be read.
        own_fd: Where her own may be read.
    """

    line: Companion
    invocation: Invocation
    fd: int | None
    own_fd: int | None = None
    _is_open: bool = False
    _is_fresh: bool = False

    def open(self) -> None:
        """Unlock, if that has not been done.

        Raises:
            BadRequest: If it is locked, no passphrase is given and nobody can be asked.
            Problem: If the passphrase does not open it.
        """
        if self._is_open:
            return
        from consentry.cli import calls
        from consentry.cli.people import open_vault
        from consentry.vault.custody import VaultState

        source = self.invocation.passphrase(self.fd)
        was_open = calls.vault(self.line).state is VaultState.UNLOCKED
        open_vault(self.line, source, may_create=False)
        self._is_open, self._is_fresh = True, source.is_given or not was_open

    def refresh(self) -> None:
        """Give the home's passphrase anew, if it has not just been given.

        Raises:
            BadRequest, Problem: As `open`.
        """
        from consentry.cli import calls

        self.open()
        if not self._is_fresh:
            source = self.invocation.passphrase(self.fd)
            calls.unlock(self.line, source.required("The home's passphrase: "))
            self._is_fresh = True

    def person(self, who: str | None) -> SubjectAnswer:
        """Return whom a command is about: who was named, or the one who is enrolled.

        Raises:
            BadRequest: If nobody was named, and not exactly one is enrolled; or if nobody is
                enrolled under that name.
        """
        from consentry.cli import calls
        from consentry.enrolment.people import comparable

        people = calls.subjects(self.line).subjects
        if who is None and len(people) == 1:
            return people[0]
        if who is None:
            raise BadRequest(
                "Say whose it is: --subject NAME. `consentry subjects` shows who there is."
            )
        for each in people:
            if who == each.subject or comparable(who) == comparable(each.name or ""):
                return each
        raise BadRequest("Nobody is enrolled here under that name or identifier.")

    def prove(self, who: str | None) -> str:
        """Prove that she is there now, and return her identifier.

        Her own passphrase is asked for if she has one, else the home's.

        Raises:
            BadRequest, Problem: As `open` and `person`.
        """
        from consentry.cli import consent_calls

        self.open()
        person = self.person(who)
        if person.has_own_passphrase:
            consent_calls.prove(
                self.line, person.subject, own_passphrase(self.invocation, self.own_fd)
            )
        else:
            self.refresh()
        return person.subject


def own_passphrase(invocation: Invocation, fd: int | None) -> Passphrase:
    """Return somebody's own passphrase, from the descriptor or the terminal.

    Raises:
        BadRequest: If none is given and nobody can be asked.
    """
    found = _source(invocation, fd).given_or_asked("Her own passphrase: ")
    if found is None:
        raise BadRequest(
            "This needs her own passphrase. Run this at a terminal to be asked for it, or give it "
            "through --own-passphrase-fd N."
        )
    return found


def new_own_passphrase(invocation: Invocation, fd: int | None, option: str) -> Passphrase:
    """Return a passphrase that shall be somebody's own: asked for twice at a terminal.

    Raises:
        BadRequest: If none is given and nobody can be asked, or the two differ.
        WeakPassphrase: If it protects nothing.
    """
    if fd is None and not is_interactive():
        raise BadRequest(
            "This needs the new passphrase. Run this at a terminal to be asked for it, or give it "
            f"through {option} N."
        )
    return _source(invocation, fd).new()


def _source(invocation: Invocation, fd: int | None) -> PassphraseSource:
    from consentry.cli.passphrase import PassphraseSource

    # CONSENTRY_PASSPHRASE is the home's: everybody there may know it.
    return PassphraseSource(invocation.settings.model_copy(update={"passphrase": None}), fd)
