"""`request`: what you are asked, and your answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson, PassphraseFd
from consentry.cli.presence import OwnPassphraseFd, Presence
from consentry.cli.terminal import say, say_document, say_table

if TYPE_CHECKING:
    from consentry.cli.companion import Companion

requests = typer.Typer(help="What platforms ask you, and your answers.", no_args_is_help=True)

RequestArgument = Annotated[str, typer.Argument(metavar="ID", help="As `request list` shows it.")]


@requests.command("list")
def list_requests(
    context: typer.Context, *, as_json: AsJson = False, passphrase_fd: PassphraseFd = None
) -> None:
    """Show what you are asked. The pictures are in the dashboard."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        Presence(line, invocation, passphrase_fd).open()
        answer = consent_calls.requests(line)
    if as_json:
        say_document(answer.document())
        return
    if not answer.requests:
        say("Nobody asks anything.")
        return
    for each in answer.requests:
        say(f"{each.request_id}")
        say(f"  asked of   {each.subject}, until {each.ends_at.astimezone():%Y-%m-%d %H:%M}")
        say(f"  by         {each.platform}" + (f", user {each.asker}" if each.asker else ""))
        say(f"  for        {each.purpose}, {each.region or 'no region stated'}")
        say(f"  understood as {each.category}; {each.pictures} picture(s)")
        for turn in each.context:
            say(f"  earlier    {turn}")
        say(f"  the words  {each.prompt or '(none)'}")


@requests.command("approve")
def approve_request(
    context: typer.Context,
    *,
    request: RequestArgument,
    lifetime_s: Annotated[
        int, typer.Option(min=1, max=300, help="Seconds that the yes holds.")
    ] = 300,
    passphrase_fd: PassphraseFd = None,
    own_passphrase_fd: OwnPassphraseFd = None,
) -> None:
    """Say yes once, to these words and pictures. Needs proof that it is you."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        presence = Presence(line, invocation, passphrase_fd, own_passphrase_fd)
        presence.open()
        who = _asked(line, request)
        if who is not None:
            presence.prove(who)
        consent_calls.approve(line, request, lifetime_s=lifetime_s)
    say("Approved, once.")


@requests.command("decline")
def decline_request(context: typer.Context, *, request: RequestArgument) -> None:
    """Say no. A no needs no passphrase."""
    from consentry.cli import consent_calls

    with Invocation.of(context).line() as line:
        consent_calls.decline(line, request)
    say("Declined.")


@requests.command("block")
def block_asker(
    context: typer.Context, *, request: RequestArgument, passphrase_fd: PassphraseFd = None
) -> None:
    """Say no, and never hear from this asker again. He is not told."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        Presence(line, invocation, passphrase_fd).open()
        consent_calls.block(line, request)
    say("Declined, and blocked.")


@requests.command("blocked")
def list_blocked(
    context: typer.Context, *, as_json: AsJson = False, passphrase_fd: PassphraseFd = None
) -> None:
    """Show whom you have blocked."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        Presence(line, invocation, passphrase_fd).open()
        answer = consent_calls.blocked(line)
    if as_json:
        say_document(answer.document())
        return
    if not answer.askers:
        say("Nobody is blocked.")
        return
    say_table(
        ("number", "by", "platform", "user", "since"),
        [
            (
                str(each.number),
                each.subject,
                each.platform,
                each.asker or "(not said)",
                f"{each.blocked_at.astimezone():%Y-%m-%d}",
            )
            for each in answer.askers
        ],
    )


@requests.command("unblock")
def unblock_asker(
    context: typer.Context,
    *,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="As `request blocked` shows it.")],
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Let an asker ask again."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        Presence(line, invocation, passphrase_fd).open()
        consent_calls.unblock(line, number)
    say("Unblocked.")


def _asked(line: Companion, request: str) -> str | None:
    from consentry.cli import consent_calls

    found = consent_calls.requests(line).requests
    return next((each.subject for each in found if each.request_id == request), None)
