"""`grant`: standing consent to everyday uses."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson, PassphraseFd
from consentry.cli.presence import OwnPassphraseFd, Presence, Whose
from consentry.cli.terminal import say, say_document, say_table
from consentry.kernel.taxonomy import IntentCategory, Purpose

grants = typer.Typer(help="Standing consent to everyday uses.", no_args_is_help=True)


@grants.command("add")
def add_grant(  # noqa: PLR0913 -- one argument for each option of the command
    context: typer.Context,
    *,
    purposes: Annotated[
        list[Purpose], typer.Option("--purpose", help="What it is for; repeat for several.")
    ],
    subject: Whose = None,
    platform: Annotated[
        str | None,
        typer.Option(
            help="The one platform that may use it; any when left out.", show_default=False
        ),
    ] = None,
    regions: Annotated[
        list[str] | None,
        typer.Option(
            "--region",
            help="ISO 3166 code where it holds; repeat for several. Everywhere when left out.",
            show_default=False,
        ),
    ] = None,
    categories: Annotated[
        list[IntentCategory] | None,
        typer.Option(
            "--category",
            help="What the words may ask for: none (an everyday edit, as long as nothing else is "
            "said), face_swap, impersonation. Nothing revealing is for a grant.",
            show_default=False,
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=3650,
            help="How long it holds; until taken back when left out.",
            show_default=False,
        ),
    ] = None,
    max_uses: Annotated[
        int | None,
        typer.Option(min=1, help="How often; any number when left out.", show_default=False),
    ] = None,
    as_json: AsJson = False,
    passphrase_fd: PassphraseFd = None,
    own_passphrase_fd: OwnPassphraseFd = None,
) -> None:
    """Say yes to everyday uses; the next check goes by it. Needs proof that it is you."""
    from consentry.cli import consent_calls
    from consentry.kernel.clock import SystemClock

    until = None if days is None else SystemClock().now() + timedelta(days=days)
    invocation = Invocation.of(context)
    with invocation.line() as line:
        who = Presence(line, invocation, passphrase_fd, own_passphrase_fd).prove(subject)
        given = consent_calls.give_grant(
            line,
            consent_calls.GrantWish(
                subject=who,
                purposes=purposes,
                platform=platform,
                regions=regions or None,
                categories=categories or [IntentCategory.NONE],
                valid_from=None,
                valid_until=until,
                max_uses=max_uses,
            ),
        )
    if as_json:
        say_document(given.document())
        return
    say(
        f"Given: {given.grant}. Take it back at any time with: consentry grant revoke {given.grant}"
    )


@grants.command("list")
def list_grants(
    context: typer.Context, *, as_json: AsJson = False, passphrase_fd: PassphraseFd = None
) -> None:
    """Show every standing yes."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        Presence(line, invocation, passphrase_fd).open()
        answer = consent_calls.grants(line)
    if as_json:
        say_document(answer.document())
        return
    if not answer.grants:
        say("Nothing has been agreed to.")
        return
    say_table(
        ("identifier", "whose", "for", "by", "where", "until", "uses left"),
        [
            (
                each.grant,
                each.subject,
                ", ".join(each.purposes),
                each.platform or "any platform",
                "everywhere" if each.regions is None else ", ".join(each.regions),
                _until(each.valid_until),
                "any number" if each.uses_left is None else str(each.uses_left),
            )
            for each in answer.grants
        ],
    )


@grants.command("export")
def export_grants(context: typer.Context, *, passphrase_fd: PassphraseFd = None) -> None:
    """Print every standing yes as a consent record of ISO/IEC TS 27560: one JSON object."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        Presence(line, invocation, passphrase_fd).open()
        answer = consent_calls.consent_records(line)
    say_document(answer.document())


@grants.command("revoke")
def revoke_grant(
    context: typer.Context,
    *,
    grant: Annotated[str, typer.Argument(metavar="ID", help="As `grant list` shows it.")],
) -> None:
    """Take a yes back: the next check does not rely on it. Needs no passphrase; nobody is told."""
    from consentry.cli import consent_calls

    with Invocation.of(context).line() as line:
        consent_calls.revoke_grant(line, grant)
    say("Taken back.")


def _until(moment: datetime | None) -> str:
    return "taken back" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"
