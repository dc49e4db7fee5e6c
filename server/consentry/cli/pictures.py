"""Pictures on their way in: a path, or ``-`` for standard input."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from consentry.cli.problems import Problem
from consentry.kernel.errors import BadRequest

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of one file, as they are. Whether they are a picture is not decided here.

    Attributes:
        shown_as: What the person called it. Stays on this machine's terminal, and is never sent.
        data: The file.
    """

    shown_as: str
    data: bytes = field(repr=False)


def read_pictures(paths: Sequence[str], *, max_bytes: int) -> list[Picture]:
    """Read files in order.

    Args:
        paths: Paths; ``-`` at most once.
        max_bytes: From one byte more on, a file is not read further.

    Raises:
        BadRequest: If ``-`` is given twice.
        Problem: If a file is missing or cannot be read; names it, which an error of the kernel may not.
    """
    if list(paths).count(STANDARD_INPUT) > 1:
        raise BadRequest("Standard input (-) can be one picture only.")
    return [_read(path, max_bytes) for path in paths]


def _read(path: str, max_bytes: int) -> Picture:
    # One byte over the limit is enough for the companion to name the error itself, and a file without an end
    # (a device, a pipe) is not read for ever.
    if path == STANDARD_INPUT:
        return Picture("standard input", sys.stdin.buffer.read(max_bytes + 1))
    try:
        with Path(path).open("rb") as file:
            return Picture(path, file.read(max_bytes + 1))
    except (OSError, ValueError) as cause:
        why = cause.strerror if isinstance(cause, OSError) and cause.strerror else "not a path"
        raise Problem(
            code=BadRequest.code,
            status=BadRequest.status,
            message=f"Cannot read {path}: {why}.",
            instance="",
        ) from cause
