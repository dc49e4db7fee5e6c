"""`config`: what is in effect."""

from __future__ import annotations

import typer

from consentry.cli.documents import Json
from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson
from consentry.cli.terminal import say, say_document

config = typer.Typer(help="Settings. They come from the environment.", no_args_is_help=True)


@config.command("show")
def show_config(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show every setting as it is in effect; secrets are masked."""
    settings = Invocation.of(context).settings
    # JSON mode of pydantic masks a SecretStr by itself.
    shown: dict[str, Json] = settings.model_dump(mode="json")
    if as_json:
        say_document({"format": "consentry.config/1", "settings": shown})
        return
    for name, value in shown.items():
        say(f"CONSENTRY_{name.upper()}={'' if value is None else value}")
