"""`intent`: what a prompt asks for. Nothing is kept, and no companion is asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.documents import JsonObject
from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson
from consentry.cli.terminal import say

if TYPE_CHECKING:
    from consentry.kernel.taxonomy import Assessment

_MAX_CHARS = 32_000
"""As many as a check reads of a prompt; of a longer line the rest is not read, and it says so."""


def intent(
    context: typer.Context,
    *,
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT", help="A prompt, or - for one on each line of standard input."
        ),
    ] = "-",
    before: Annotated[
        list[str] | None,
        typer.Option(
            "--before",
            help="An earlier turn, or the post that is answered; repeat in order.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a prompt asks for: revealing or not, its category, its language.

    With - each line is answered as it comes, one JSON object a line with --json.
    """
    from consentry.inference.sessions import ModelStore
    from consentry.wiring import intent_engine

    engine = intent_engine(ModelStore(Invocation.of(context).settings.models_dir, threads=1))
    turns = tuple(before or ())
    for prompt in _lines() if text == "-" else (text,):
        found = engine.assess(prompt[:_MAX_CHARS], turns)
        is_cut = len(prompt) > _MAX_CHARS
        if as_json:
            sys.stdout.write(json.dumps(_document(found, is_cut=is_cut)) + "\n")
        else:
            say(_sentence(found, is_cut=is_cut))
        sys.stdout.flush()


def _lines() -> Iterator[str]:
    """Give the lines of standard input as UTF-8, whatever the terminal speaks."""
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", errors="replace").rstrip("\r\n")


def _document(found: Assessment, *, is_cut: bool) -> JsonObject:
    from consentry.intent.engine import ENGINE_VERSION

    return {
        "format": "consentry.intent/1",
        "engine": ENGINE_VERSION,
        "revealing": found.category.is_revealing,
        "category": found.category.value,
        "language": found.language,
        "readable": found.is_readable and not is_cut,
        "age_cue": found.has_age_cue,
        "refers_to_person": found.refers_to_person,
        "spans": [
            {"start": span.start, "end": span.end, "rule": span.rule} for span in found.spans
        ],
    }


def _sentence(found: Assessment, *, is_cut: bool) -> str:
    words = ["revealing" if found.category.is_revealing else "not revealing"]
    words.append(f"category {found.category.value}, language {found.language}")
    if found.has_age_cue:
        words.append("speaks of a minor")
    if found.refers_to_person:
        words.append("refers to a specific person")
    if is_cut or not found.is_readable:
        words.append("could not be read in full")
    return "; ".join(words)
