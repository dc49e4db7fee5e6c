"""Options that several commands share, spelled once."""

from __future__ import annotations

from typing import Annotated

import typer

from consentry.kernel.taxonomy import Purpose

AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object (docs/specs/cli-json.md).")
]

PassphraseFd = Annotated[
    int | None,
    typer.Option(
        "--passphrase-fd",
        metavar="N",
        min=0,
        help="Read the passphrase from this open file descriptor, up to the end of the line.",
        show_default=False,
    ),
]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether it is meant.")]

StatedPurpose = Annotated[
    Purpose, typer.Option(help="What it is said to be for; can only make the verdict stricter.")
]

Explain = Annotated[
    bool, typer.Option("--explain", help="Also show what is for the enrolled person's eyes only.")
]
