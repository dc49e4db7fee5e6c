"""`check-output`: may what was made of pictures, with this prompt, be delivered?"""

from __future__ import annotations

from typing import Annotated

import typer

from consentry.cli.check import conclude, read_prompt, unlock_if_possible
from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson, Explain, PassphraseFd, StatedPurpose
from consentry.kernel.taxonomy import Purpose


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
    explain: Explain = False,
    as_json: AsJson = False,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Check what was made, with what it was made from; that is checked first. Exit codes as of `check`."""
    from consentry.cli import calls
    from consentry.cli.pictures import read_pictures

    invocation = Invocation.of(context)
    files = [*results, *(sources or [])]
    text = read_prompt(prompt, files)
    pictures = read_pictures(files, max_bytes=invocation.settings.max_image_bytes)
    source = invocation.passphrase(passphrase_fd)
    with invocation.line() as line:
        unlock_if_possible(line, source)
        answer = calls.check_output(
            line,
            results=pictures[: len(results)],
            sources=pictures[len(results) :],
            question=calls.OutputQuestion(
                prompt=text,
                region=None if region is None else region.upper(),
                purpose=purpose,
            ),
        )
    # Where the request itself is not allowed, the answer describes its pictures and not what was made.
    conclude(answer, (), with_private=explain, as_json=as_json)
