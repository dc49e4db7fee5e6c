"""`enrol`, `subjects`, `revoke`, `erase`: becoming protected, seeing who is, and ceasing to be."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.erasures import hand_over, require_writable
from consentry.cli.exits import ExitCode
from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson, PassphraseFd, Yes
from consentry.cli.problems import Problem
from consentry.cli.terminal import confirm, is_interactive, note, say, say_document, say_table
from consentry.kernel.errors import BadRequest, VaultExists
from consentry.kernel.taxonomy import SubjectPolicy

if TYPE_CHECKING:
    from consentry.cli.companion import Companion
    from consentry.cli.passphrase import PassphraseSource
    from consentry.vault.passphrase import Passphrase


ErasureReceipt = Annotated[
    Path | None,
    typer.Option(
        "--receipt",
        metavar="FILE",
        help="Write the signed receipt of it to this file; without it, it is printed.",
        show_default=False,
    ),
]


_KEPT = (
    "Kept, sealed by your passphrase until you end it: a description of the face as numbers, and the name. "
    "No photo. All of it, and for how long: consentry privacy inventory"
)


class PolicyChoice(StrEnum):
    """`SubjectPolicy`, as it is typed at a terminal."""

    EVERY_EDIT = "every-edit"
    INTIMATE_AND_IMPERSONATING = "intimate-and-impersonating"

    @property
    def policy(self) -> SubjectPolicy:
        """The same, as the rest of Consentry knows it."""
        match self:
            case PolicyChoice.EVERY_EDIT:
                return SubjectPolicy.EVERY_EDIT
            case PolicyChoice.INTIMATE_AND_IMPERSONATING:
                return SubjectPolicy.INTIMATE_AND_IMPERSONATING


def enrol(  # noqa: PLR0913 -- one argument for each option of the command
    context: typer.Context,
    *,
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO...", help="Photos of one person; more is better.")
    ],
    subject: Annotated[
        str, typer.Option(metavar="NAME", help="A name for you to know her by; sealed.")
    ] = "me",
    policy: Annotated[
        PolicyChoice | None,
        typer.Option(
            help="What is protected: every-edit of her (as long as nothing else is said), or only "
            "intimate-and-impersonating uses.",
            show_default=False,
        ),
    ] = None,
    own: Annotated[
        bool,
        typer.Option(
            "--own-passphrase",
            help="Ask her for a passphrase of her own: in a home that several people share it is "
            "set now or never, and without it she cannot say yes to anything.",
        ),
    ] = False,
    own_passphrase_fd: Annotated[
        int | None,
        typer.Option(
            "--own-passphrase-fd",
            metavar="N",
            min=0,
            help="Read it from this open file descriptor.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Protect a face. The first time this makes the vault, with a passphrase that nobody can recover."""
    from consentry.cli import calls
    from consentry.cli.pictures import read_pictures
    from consentry.cli.presence import new_own_passphrase

    invocation = Invocation.of(context)
    pictures = read_pictures(photos, max_bytes=invocation.settings.max_image_bytes)
    note(_KEPT)
    with invocation.line() as line:
        open_vault(line, invocation.passphrase(passphrase_fd), may_create=True)
        first = None
        if own or own_passphrase_fd is not None:
            first = new_own_passphrase(invocation, own_passphrase_fd, "--own-passphrase-fd")
        enrolled = calls.enrol(
            line,
            pictures,
            name=subject,
            policy=None if policy is None else policy.policy,
            own_passphrase=first,
        )
        people = calls.subjects(line).subjects
    if len(people) > 1 and not all(each.has_own_passphrase for each in people):
        note(
            "Several people share this home, and not each has a passphrase of her own: who has none "
            "is protected, and cannot say yes to anything. It is set with the enrolment "
            "(--own-passphrase); to have one, end the enrolment and enrol again."
        )
    if as_json:
        say_document(enrolled.document())
        return
    word = "Enrolled" if enrolled.is_new else "Added to"
    say(f"{word} {enrolled.name}: {enrolled.templates_total} protected reference(s).")
    say("From now on, pictures of that face are recognised in checks.")


def subjects(
    context: typer.Context, *, as_json: AsJson = False, passphrase_fd: PassphraseFd = None
) -> None:
    """Show who is enrolled. Names need the passphrase; without it only identifiers are shown."""
    from consentry.cli import calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        unlock_if_possible(line, invocation.passphrase(passphrase_fd))
        answer = calls.subjects(line)
    if as_json:
        say_document(answer.document())
        return
    if not answer.subjects:
        say("Nobody is enrolled here. Begin with: consentry enrol PHOTO")
        return
    say_table(
        ("name", "identifier", "protects", "since", "references"),
        [
            (
                person.name or "(locked)",
                person.subject,
                person.policy.value.replace("_", " "),
                f"{person.enrolled_at:%Y-%m-%d}",
                str(sum(person.templates.values())),
            )
            for person in answer.subjects
        ],
    )


def revoke(
    context: typer.Context,
    *,
    who: Annotated[
        str | None,
        typer.Argument(metavar="NAME_OR_ID", help="Whose protection ends.", show_default=False),
    ] = None,
    everybody: Annotated[
        bool,
        typer.Option(
            "--all", help="Everybody enrolled here, and the vault with them: the same as `erase`."
        ),
    ] = False,
    yes: Yes = False,
    receipt: ErasureReceipt = None,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """End a protection. Her key, name and references are destroyed; by identifier it needs no passphrase."""
    from consentry.cli import calls

    if (who is None) != everybody:
        raise BadRequest("Say whose protection ends: a name, an identifier, or --all.")
    if who is None:
        erase(context, yes=yes, receipt=receipt)
        return
    require_writable(receipt)
    _require_meant(f"End the protection of {who}? It cannot be undone.", yes=yes)
    invocation = Invocation.of(context)
    with invocation.line() as line:
        if not who.startswith("sub_"):
            open_vault(line, invocation.passphrase(passphrase_fd), may_create=False)
        revoked = calls.revoke(line, who)
    say("Revoked. Her key is destroyed, and no check recognises her any more.")
    say("Backups: write the key file anew (consentry backup keys), and destroy older ones.")
    hand_over(revoked.document(), receipt)


def erase(context: typer.Context, *, yes: Yes = False, receipt: ErasureReceipt = None) -> None:
    """Destroy every enrolment and the passphrase's vault. Needs no passphrase: it may be forgotten."""
    from consentry.cli import calls

    require_writable(receipt)
    _require_meant(
        "Destroy every enrolment in this data folder, and its vault? It cannot be undone.", yes=yes
    )
    with Invocation.of(context).line() as line:
        erased = calls.revoke_everybody(line)
    say(f"Erased: {erased.subjects} protected before, none now.")
    hand_over(erased.document(), receipt)


def open_vault(line: Companion, source: PassphraseSource, *, may_create: bool) -> None:
    """Make sure that the vault is there and unlocked.

    Raises:
        BadRequest: If a passphrase is needed, and none is given and nobody can be asked.
        Problem: If the passphrase does not open it.
    """
    from consentry.cli import calls
    from consentry.vault.custody import VaultState

    match calls.vault(line).state:
        case VaultState.UNLOCKED:
            if source.is_given:
                calls.unlock(line, source.required())
        case VaultState.LOCKED:
            calls.unlock(line, source.required())
        case VaultState.ABSENT:
            if may_create:
                _create_vault(line, source.new())


def _create_vault(line: Companion, passphrase: Passphrase) -> None:
    from consentry.cli import calls

    try:
        calls.create_vault(line, passphrase)
    except Problem as problem:
        if problem.code != VaultExists.code:
            raise
        # Another process was first. The vault opens if it was the same person, with the same passphrase.
        calls.unlock(line, passphrase)


def unlock_if_possible(line: Companion, source: PassphraseSource) -> None:
    """Unlock a locked vault if there is a passphrase to be had.

    Raises:
        Problem: If the passphrase does not open it.
    """
    from consentry.cli import calls
    from consentry.vault.custody import VaultState

    if calls.vault(line).state is VaultState.LOCKED:
        passphrase = source.given_or_asked()
        if passphrase is not None:
            calls.unlock(line, passphrase)


def _require_meant(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not is_interactive():
        raise BadRequest(
            "This cannot be undone, and nobody can be asked here. Add --yes if it is meant."
        )
    if not confirm(question):
        note("Nothing was changed.")
        raise typer.Exit(ExitCode.BAD_INPUT)
