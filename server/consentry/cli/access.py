"""`token` and `pair`: who else may ask this companion."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from consentry.accounts.principals import AUDITOR_SCOPES, Scope
from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson
from consentry.cli.terminal import note, say, say_document, say_table
from consentry.kernel.errors import BadRequest


class Role(StrEnum):
    """Who a token is for."""

    AUDITOR = "auditor"


tokens = typer.Typer(help="Bearer tokens for scripts and extensions.", no_args_is_help=True)


@tokens.command("issue")
def issue_token(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call it.")],
    scopes: Annotated[
        list[Scope] | None,
        typer.Option("--scope", help="What it may do; repeat for several.", show_default=False),
    ] = None,
    role: Annotated[
        Role | None,
        typer.Option(
            help="In place of --scope: all that somebody of that role needs.", show_default=False
        ),
    ] = None,
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
    """Make a token. It is shown once and kept only as a digest."""
    from consentry.cli import calls

    if (scopes is None) == (role is None):
        raise BadRequest("Say what it may do: --scope, or --role.")
    may = sorted(AUDITOR_SCOPES) if role is Role.AUDITOR else scopes or []
    with Invocation.of(context).line() as line:
        issued = calls.issue_token(line, name=name, scopes=may, days=days)
    if as_json:
        say_document(issued.document())
        return
    say(issued.secret)
    note(f"This is the only time it is shown. It may: {', '.join(issued.scopes)}")


@tokens.command("list")
def list_tokens(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show all tokens; never their secrets."""
    from consentry.cli import calls

    with Invocation.of(context).line() as line:
        answer = calls.tokens(line)
    if as_json:
        say_document(answer.document())
        return
    if not answer.tokens:
        say("There are no tokens.")
        return
    say_table(
        ("name", "identifier", "may", "made", "last used", "ends"),
        [
            (
                token.name,
                token.token,
                ", ".join(token.scopes),
                f"{token.created_at:%Y-%m-%d}",
                "never" if token.last_used_day is None else token.last_used_day.isoformat(),
                "when revoked" if token.expires_at is None else f"{token.expires_at:%Y-%m-%d}",
            )
            for token in answer.tokens
        ],
    )


@tokens.command("revoke")
def revoke_token(
    context: typer.Context,
    *,
    token: Annotated[str, typer.Argument(metavar="ID", help="As `token list` shows it.")],
) -> None:
    """Take a token back: the very next request with it is refused."""
    from consentry.cli import calls

    with Invocation.of(context).line() as line:
        calls.revoke_token(line, token)
    say("Revoked.")


def pair(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Print a code for the browser extension. It is typed there within two minutes."""
    from consentry.cli import calls

    with Invocation.of(context).line() as line:
        calls.require_server(line, "The extension talks to it.")
        code = calls.pairing_code(line)
    if as_json:
        say_document(code.document())
        return
    say(code.code)
    note(
        f"Type it into the extension before {code.expires_at.astimezone():%H:%M:%S}. It is never sent."
    )
