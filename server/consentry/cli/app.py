"""The `consentry` command: what there is to type. Engines are imported by the commands that need them."""

from __future__ import annotations

from typing import Annotated

import typer

from consentry import __version__
from consentry.cli.access import pair, tokens
from consentry.cli.audit import audit
from consentry.cli.backup import backup
from consentry.cli.check import check
from consentry.cli.check_output import check_output
from consentry.cli.configuration import config
from consentry.cli.consent_tokens import consent_tokens, declarations, sessions
from consentry.cli.custody import lock, unlock
from consentry.cli.database import database
from consentry.cli.evaluate import evaluate
from consentry.cli.faces import faces
from consentry.cli.gateway import gateway
from consentry.cli.grants import grants
from consentry.cli.identity import aliases, contests, own_passphrases, policies
from consentry.cli.intent import intent
from consentry.cli.invocation import Invocation
from consentry.cli.keys import keys
from consentry.cli.log import log
from consentry.cli.models import models
from consentry.cli.my_checks import my_checks
from consentry.cli.people import enrol, erase, revoke, subjects
from consentry.cli.platforms import platforms
from consentry.cli.receipts import receipts
from consentry.cli.requests import requests
from consentry.cli.rights import holds, privacy, retention
from consentry.cli.serve import open_dashboard, serve
from consentry.cli.terminal import say
from consentry.cli.witness import witness

app = typer.Typer(
    name="consentry",
    help="Not my face: protect yours, and check what may be done with a picture. All on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 -- Typer calls it with the flag's value
    if wanted:
        say(f"consentry {__version__}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    *,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say on standard error what is done.")
    ] = False,
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Show where an error came from. It may show what is private."),
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(
            help="The face engine, before CONSENTRY_MODEL: companion, light, registry or face-recognition.",
            show_default=False,
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 -- its callback acts on it
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and leave."
        ),
    ] = False,
) -> None:
    """Hold what was said before the command."""
    invocation = Invocation.of(context)
    invocation.is_verbose = verbose or debug
    invocation.shows_tracebacks = debug
    invocation.model = model


app.command()(serve)
app.command("open")(open_dashboard)
app.command()(unlock)
app.command()(lock)
app.command()(enrol)
app.command()(subjects)
app.command()(revoke)
app.command()(erase)
app.command()(check)
app.command("check-output")(check_output)
app.command()(faces)
app.command()(evaluate)
app.command()(intent)
app.command()(pair)
app.add_typer(models, name="models")
app.add_typer(keys, name="keys")
app.add_typer(database, name="db")
app.add_typer(backup, name="backup")
app.add_typer(receipts, name="receipt")
app.add_typer(privacy, name="privacy")
app.add_typer(retention, name="retention")
app.add_typer(holds, name="hold")
app.add_typer(my_checks, name="checks")
app.add_typer(log, name="log")
app.add_typer(audit, name="audit")
app.add_typer(witness, name="witness")
app.add_typer(tokens, name="token")
app.add_typer(platforms, name="platform")
app.add_typer(gateway, name="gateway")
app.add_typer(grants, name="grant")
app.add_typer(requests, name="request")
app.add_typer(consent_tokens, name="consent-token")
app.add_typer(sessions, name="session")
app.add_typer(declarations, name="declare")
app.add_typer(aliases, name="alias")
app.add_typer(contests, name="contest")
app.add_typer(policies, name="policy")
app.add_typer(own_passphrases, name="own-passphrase")
app.add_typer(config, name="config")
