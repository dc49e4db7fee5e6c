"""`checks mine`: who checked your face, or your name."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson, PassphraseFd
from consentry.cli.presence import OwnPassphraseFd, Presence, Whose
from consentry.cli.terminal import say, say_document, say_table

if TYPE_CHECKING:
    from consentry.cli.answers import MyCheckAnswer

my_checks = typer.Typer(help="The checks that were about you.", no_args_is_help=True)

_HOW = {"face": "your face", "name": "your name", "possible": "a face like yours"}


@my_checks.command("mine")
def list_my_checks(  # noqa: PLR0913 -- one argument for each option of the command
    context: typer.Context,
    *,
    subject: Whose = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many, newest first.")] = 50,
    before: Annotated[
        datetime | None,
        typer.Option(help="Only checks before this time (UTC).", show_default=False),
    ] = None,
    as_json: AsJson = False,
    passphrase_fd: PassphraseFd = None,
    own_passphrase_fd: OwnPassphraseFd = None,
) -> None:
    """Show when, by whom and what for a check was made in which your face or your name mattered.

    Needs proof that it is you: your own passphrase if you have one, else the home's.
    """
    from datetime import UTC

    from consentry.cli import calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        presence = Presence(line, invocation, passphrase_fd, own_passphrase_fd)
        who = presence.prove(subject)
        answer = calls.my_checks(
            line, who, limit=limit, before=None if before is None else before.replace(tzinfo=UTC)
        )
    if as_json:
        say_document(answer.document())
        return
    if answer.checks:
        say_table(
            ("when", "platform", "what for", "by", "verdict", "check"),
            [_row(each) for each in answer.checks],
        )
    elif answer.before is not None:
        say("None of those that were looked through was about you.")
    elif before is None:
        say(f"No check of the last {answer.kept_days} days was about you.")
        return
    else:
        say("There are no more.")
        return
    if answer.before is not None:
        say(f"There is more: --before {answer.before:%Y-%m-%dT%H:%M:%S}")
    say(f"Kept for {answer.kept_days} days. A receipt: consentry checks mine --json")


def _row(each: MyCheckAnswer) -> tuple[str, str, str, str, str, str]:
    what = each.purpose if each.category == "none" else f"{each.purpose}: {each.category}"
    return (
        f"{each.at:%Y-%m-%d %H:%M:%SZ}",
        each.platform or "not said",
        what if each.stage == "request" else f"{what} (the result)",
        _HOW[each.how],
        each.verdict.value,
        each.check_id,
    )
