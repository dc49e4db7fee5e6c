"""`platform`: which platforms may ask this companion, and how much."""

from __future__ import annotations

from typing import Annotated

import typer

from consentry.accounts.budgets import ProbeQuota
from consentry.accounts.keys import DEFAULT_QUOTA, MAX_FACES, MAX_OVERLAP_HOURS
from consentry.accounts.principals import PLATFORM_SCOPES, Scope
from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson
from consentry.cli.terminal import note, say, say_document, say_table

platforms = typer.Typer(help="API keys of platforms, with their budgets.", no_args_is_help=True)

KeyArgument = Annotated[str, typer.Argument(metavar="ID", help="As `platform list` shows it.")]


@platforms.command("add")
def add_platform(  # noqa: PLR0913 -- one argument for each option of the command
    context: typer.Context,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call it.")],
    platform: Annotated[
        str,
        typer.Option("--platform", help="Whom it speaks for; goes into every receipt and grant."),
    ],
    scopes: Annotated[
        list[Scope] | None,
        typer.Option(
            "--scope",
            help="What it may do; repeat for several. All that a platform can, when left out.",
            show_default=False,
        ),
    ] = None,
    per_hour: Annotated[
        int, typer.Option(min=1, max=MAX_FACES, help="Faces that it may have searched an hour.")
    ] = DEFAULT_QUOTA.per_hour,
    per_day: Annotated[
        int, typer.Option(min=1, max=MAX_FACES, help="Faces that it may have searched a day.")
    ] = DEFAULT_QUOTA.per_day,
    days: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=3650,
            help="How long it holds; until revoked when left out.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key for a platform. It is shown once and kept only as a digest."""
    from consentry.cli import calls

    with Invocation.of(context).line() as line:
        made = calls.make_key(
            line,
            calls.KeyWish(
                name=name,
                platform=platform,
                scopes=scopes or sorted(PLATFORM_SCOPES),
                quota=ProbeQuota(per_hour=per_hour, per_day=per_day),
                days=days,
            ),
        )
    if as_json:
        say_document(made.document())
        return
    say(made.secret)
    note(
        f"This is the only time it is shown. {made.platform} may: {', '.join(made.scopes)}; "
        f"{made.faces_per_hour} faces an hour, {made.faces_per_day} a day."
    )


@platforms.command("list")
def list_platforms(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show the keys of all platforms; never their secrets."""
    from consentry.cli import calls

    with Invocation.of(context).line() as line:
        answer = calls.keys(line)
    if as_json:
        say_document(answer.document())
        return
    if not answer.keys:
        say("No platform has a key.")
        return
    say_table(
        ("name", "platform", "identifier", "may", "faces an hour/day", "last used", "ends"),
        [
            (
                key.name,
                key.platform,
                key.key,
                ", ".join(key.scopes),
                f"{key.faces_per_hour}/{key.faces_per_day}",
                "never" if key.last_used_day is None else key.last_used_day.isoformat(),
                "when revoked" if key.expires_at is None else f"{key.expires_at:%Y-%m-%d}",
            )
            for key in answer.keys
        ],
    )


@platforms.command("rotate")
def rotate_platform(
    context: typer.Context,
    *,
    key: KeyArgument,
    overlap_hours: Annotated[
        int,
        typer.Option(min=0, max=MAX_OVERLAP_HOURS, help="How long the old secret holds, too."),
    ] = 24,
    as_json: AsJson = False,
) -> None:
    """Give a key a new secret. The old one holds for the overlap, then no more."""
    from consentry.cli import calls

    with Invocation.of(context).line() as line:
        rotated = calls.rotate_key(line, key, overlap_hours=overlap_hours)
    if as_json:
        say_document(rotated.document())
        return
    say(rotated.secret)
    note("This is the only time it is shown.")


@platforms.command("revoke")
def revoke_platform(context: typer.Context, *, key: KeyArgument) -> None:
    """Take a platform's key back: the very next request with it is refused."""
    from consentry.cli import calls

    with Invocation.of(context).line() as line:
        calls.revoke_key(line, key)
    say("Revoked.")
