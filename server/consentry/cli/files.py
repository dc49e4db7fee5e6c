"""Files that a command writes because it was asked to: never over another one unless told so."""

from __future__ import annotations

import os
from pathlib import Path

from consentry.cli.problems import Problem
from consentry.kernel.errors import BadRequest

_OWNER_ONLY = 0o600
_ANYBODY = 0o666


def write_file(path: Path, data: bytes, *, may_replace: bool, is_private: bool) -> None:
    """Write a file whole.

    Args:
        path: Where.
        data: What.
        may_replace: Whether a file that is there may be written over.
        is_private: Whether only its owner may read it; else as the process's umask says.

    Raises:
        Problem: If there is a file already, or it cannot be written; names it.
    """
    exclusive = 0 if may_replace else os.O_EXCL
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | exclusive | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags, _OWNER_ONLY if is_private else _ANYBODY)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as cause:
        raise _problem(f"{path} is there already. Choose another name, or add --force.") from cause
    except OSError as cause:
        raise _problem(f"Cannot write {path}: {cause.strerror}.") from cause


def read_file(path: Path, *, max_bytes: int) -> bytes:
    """Read a file whole.

    Raises:
        Problem: If it is missing, cannot be read or is larger than ``max_bytes``; names it.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as cause:
        raise _problem(f"Cannot read {path}: {cause.strerror}.") from cause
    if len(data) > max_bytes:
        raise _problem(
            f"{path} has more than {max_bytes} bytes, so it is not what is expected here."
        )
    return data


def _problem(message: str) -> Problem:
    return Problem(code=BadRequest.code, status=BadRequest.status, message=message, instance="")
