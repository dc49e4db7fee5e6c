"""`alias`, `contest`, `policy`, `own-passphrase`: who you are here, and what you protect."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson, PassphraseFd
from consentry.cli.people import PolicyChoice, unlock_if_possible
from consentry.cli.presence import (
    OwnPassphraseFd,
    Presence,
    Whose,
    new_own_passphrase,
    own_passphrase,
)
from consentry.cli.terminal import note, say, say_document, say_table

aliases = typer.Typer(help="Names, handles and offices that count as you.", no_args_is_help=True)
contests = typer.Typer(help="Two people who claim one face.", no_args_is_help=True)
policies = typer.Typer(help="What you protect.", no_args_is_help=True)
own_passphrases = typer.Typer(
    help="A passphrase of your own, where several people share a home.", no_args_is_help=True
)


class NameKind(StrEnum):
    """`AliasKind`, without the engines that come along with it."""

    NAME = "name"
    HANDLE = "handle"
    OFFICE = "office"


AliasArgument = Annotated[str, typer.Argument(metavar="ID", help="As `alias list` shows it.")]


@aliases.command("add")
def add_alias(
    context: typer.Context,
    *,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The name, handle or office.")],
    kind: Annotated[NameKind, typer.Option(help="What sort of name it is.")] = NameKind.NAME,
    subject: Whose = None,
    as_json: AsJson = False,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Protect a name: whoever asks about it asks about you. The next check goes by it."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        presence = Presence(line, invocation, passphrase_fd)
        presence.open()
        who = presence.person(subject).subject
        added = consent_calls.add_alias(line, who, text, kind.value)
    if as_json:
        say_document(added.document())
        return
    say(f"Protected: {added.text} ({added.alias})")
    if kind is NameKind.HANDLE:
        note(f"To prove that it is yours, post this under it: {added.code}")


@aliases.command("list")
def list_aliases(
    context: typer.Context, *, as_json: AsJson = False, passphrase_fd: PassphraseFd = None
) -> None:
    """Show every protected name."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        Presence(line, invocation, passphrase_fd).open()
        answer = consent_calls.aliases(line)
    if as_json:
        say_document(answer.document())
        return
    if not answer.aliases:
        say("No name is protected.")
        return
    say_table(
        ("name", "kind", "identifier", "whose", "proof", "code to post"),
        [
            (each.text, each.kind, each.alias, each.subject, each.proof, each.code)
            for each in answer.aliases
        ],
    )


@aliases.command("verify")
def verify_alias(
    context: typer.Context,
    *,
    alias: AliasArgument,
    posted: Annotated[
        str | None,
        typer.Option(
            help="What you read under the handle; its code must be in it. Nothing is fetched. Left "
            "out: you have looked at the name or office yourself.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Keep how it was established that a name is hers."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        Presence(line, invocation, passphrase_fd).open()
        proved = consent_calls.verify_alias(line, alias, posted)
    if as_json:
        say_document(proved.document())
        return
    say(f"{proved.text}: {proved.proof}")


@aliases.command("remove")
def remove_alias(
    context: typer.Context,
    *,
    alias: AliasArgument,
    passphrase_fd: PassphraseFd = None,
    own_passphrase_fd: OwnPassphraseFd = None,
) -> None:
    """Protect a name no longer. Needs proof that it is you."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        presence = Presence(line, invocation, passphrase_fd, own_passphrase_fd)
        presence.open()
        known = consent_calls.aliases(line).aliases
        whose = next((each.subject for each in known if each.alias == alias), None)
        if whose is not None:
            presence.prove(whose)
        consent_calls.remove_alias(line, alias)
    say("Removed.")


@contests.command("open")
def open_contest(
    context: typer.Context,
    *,
    claimant: Annotated[str, typer.Argument(metavar="CLAIMANT", help="Who claims the face.")],
    respondent: Annotated[
        str, typer.Argument(metavar="RESPONDENT", help="As whose it is enrolled.")
    ],
    as_json: AsJson = False,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Say that a face is another's. Until it is settled no yes of either counts."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        unlock_if_possible(line, invocation.passphrase(passphrase_fd))
        opened = consent_calls.open_contest(line, claimant, respondent)
    if as_json:
        say_document(opened.document())
        return
    say(f"Opened: {opened.contest}")


@contests.command("list")
def list_contests(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show every contest that is not settled."""
    from consentry.cli import consent_calls

    with Invocation.of(context).line() as line:
        answer = consent_calls.contests(line)
    if as_json:
        say_document(answer.document())
        return
    if not answer.contests:
        say("No face is contested.")
        return
    say_table(
        ("identifier", "claimant", "respondent", "since"),
        [
            (each.contest, each.claimant, each.respondent, f"{each.opened_at:%Y-%m-%d}")
            for each in answer.contests
        ],
    )


@contests.command("resolve")
def settle_contest(
    context: typer.Context,
    *,
    contest: Annotated[str, typer.Argument(metavar="ID", help="As `contest list` shows it.")],
    passphrase_fd: PassphraseFd = None,
) -> None:
    """End a contest, both enrolments left as they are (twins, or a mistake).

    To decide it against one of the two, revoke that enrolment: the contest ends with it. Whoever of
    the two has a passphrase of her own gives it first, with `own-passphrase prove`.
    """
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        Presence(line, invocation, passphrase_fd).refresh()
        consent_calls.settle_contest(line, contest)
    say("Settled.")


@policies.command("show")
def show_policies(
    context: typer.Context, *, as_json: AsJson = False, passphrase_fd: PassphraseFd = None
) -> None:
    """Show who protects what: the same as `subjects`."""
    from consentry.cli.people import subjects

    subjects(context, as_json=as_json, passphrase_fd=passphrase_fd)


@policies.command("set")
def set_policy(
    context: typer.Context,
    *,
    policy: Annotated[
        PolicyChoice,
        typer.Argument(metavar="POLICY", help="every-edit, or intimate-and-impersonating."),
    ],
    subject: Whose = None,
    passphrase_fd: PassphraseFd = None,
    own_passphrase_fd: OwnPassphraseFd = None,
) -> None:
    """Choose anew what is protected. Protecting less needs proof that it is you."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        presence = Presence(line, invocation, passphrase_fd, own_passphrase_fd)
        presence.open()
        is_more = policy is PolicyChoice.EVERY_EDIT
        who = presence.person(subject).subject if is_more else presence.prove(subject)
        consent_calls.set_policy(line, who, policy.policy)
    say("Chosen. The next check goes by it.")


@own_passphrases.command("set")
def set_own_passphrase(
    context: typer.Context,
    *,
    subject: Whose = None,
    passphrase_fd: PassphraseFd = None,
    own_passphrase_fd: OwnPassphraseFd = None,
    new_fd: Annotated[
        int | None,
        typer.Option(
            "--new-passphrase-fd",
            metavar="N",
            min=0,
            help="Read the new one from this open file descriptor.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Set a passphrase of your own: from then on it, and no other, proves that it is you.

    The first needs the home's passphrase, and that you have always been the only one here: who
    shares a home sets it while being enrolled. Each later one needs the one before. It cannot be
    reset: ending your enrolment is the way out.
    """
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        presence = Presence(line, invocation, passphrase_fd)
        presence.open()
        person = presence.person(subject)
        old = None
        if person.has_own_passphrase:
            old = own_passphrase(invocation, own_passphrase_fd)
        else:
            presence.refresh()
        new = new_own_passphrase(invocation, new_fd, "--new-passphrase-fd")
        consent_calls.set_own_passphrase(line, person.subject, new, old=old)
    say("Set. Nobody can recover it.")


@own_passphrases.command("prove")
def prove_own_passphrase(
    context: typer.Context,
    *,
    subject: Whose = None,
    passphrase_fd: PassphraseFd = None,
    own_passphrase_fd: OwnPassphraseFd = None,
) -> None:
    """Prove that it is you, for five minutes, to the companion that runs."""
    from consentry.cli import calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        calls.require_server(line, "Without one each command asks by itself.")
        Presence(line, invocation, passphrase_fd, own_passphrase_fd).prove(subject)
    say("Proved, for five minutes.")
