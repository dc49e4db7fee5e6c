"""`check-output`: may what was made of pictures, with this prompt, be delivered?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.check import conclude, read_prompt, who_asks
from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson, Explain, PassphraseFd, StatedPurpose
from consentry.cli.presence import OwnPassphraseFd, Presence, Whose
from consentry.kernel.taxonomy import Purpose

if TYPE_CHECKING:
    from consentry.cli.answers import CheckAnswer


def check_output(  # noqa: PLR0913 -- one argument for each option of the command
    context: typer.Context,
    *,
    results: Annotated[
        list[str],
        typer.Argument(metavar="RESULT...", help="What was made; - reads one from standard input."),
    ],
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="IMAGE",
            help="What it was made from, masks too; may be given several times.",
            show_default=False,
        ),
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(
            help="What was asked for; - reads it from standard input.", show_default=False
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(help="ISO 3166 code of where it is shown, such as DE.", show_default=False),
    ] = None,
    purpose: StatedPurpose = Purpose.EDIT,
    as_me: Annotated[
        bool,
        typer.Option(
            "--as-me", help="It was I who asked: an edit of my own picture. Needs the passphrase."
        ),
    ] = False,
    subject: Whose = None,
    explain: Explain = False,
    as_json: AsJson = False,
    passphrase_fd: PassphraseFd = None,
    own_passphrase_fd: OwnPassphraseFd = None,
) -> None:
    """Check what was made, with what it was made from; that is checked first. Exit codes as of `check`."""
    from consentry.cli import calls
    from consentry.cli.pictures import read_pictures

    invocation = Invocation.of(context)
    files = [*results, *(sources or [])]
    text = read_prompt(prompt, files)
    pictures = read_pictures(files, max_bytes=invocation.settings.max_image_bytes)
    with invocation.line() as line:
        presence = Presence(line, invocation, passphrase_fd, own_passphrase_fd)
        actor = who_asks(presence, subject, as_me=as_me)
        answer = calls.check_output(
            line,
            results=pictures[: len(results)],
            sources=pictures[len(results) :],
            question=calls.OutputQuestion(
                prompt=text,
                region=None if region is None else region.upper(),
                purpose=purpose,
                actor=actor,
            ),
        )
    if not _is_of_results(answer):
        # The request itself is not allowed: the pictures that are described are its own.
        answer = answer.model_copy(update={"images": []})
    conclude(answer, (), with_private=explain, as_json=as_json)


def _is_of_results(answer: CheckAnswer) -> bool:
    from consentry.checks.output import OF_RESULTS
    from consentry.transparency.jws import claimed

    engines = None if answer.receipt is None else claimed(answer.receipt).get("engines")
    return isinstance(engines, dict) and OF_RESULTS in engines
