"""The rim of the process: every failure becomes one line on standard error and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from consentry.cli.exits import ExitCode
from consentry.cli.invocation import Invocation
from consentry.cli.problems import Problem
from consentry.cli.terminal import note
from consentry.kernel.errors import ConsentryError, OperatorError

if TYPE_CHECKING:
    from consentry.cli.companion import Connect

_PACKAGE = Path(__file__).parents[1]
_SERVER_FAULT = 500
# The API says only the kind of what broke on our side; at her own terminal the owner also hears how to mend it.
_MEND = {
    "model-unavailable": " Make it with: consentry models build",
    "signing-key-unusable": " See the folder `keys` in the data folder that `consentry config show` names.",
    "storage-failed": " Look at it with: consentry db check",
    "index-incomplete": (
        " Somebody was enrolled with another model: set CONSENTRY_MODEL back, or revoke her and enrol her again."
    ),
}


def run(argv: Sequence[str], *, connect: Connect | None = None) -> int:
    """Run one command and return its exit code. Raises nothing.

    Args:
        argv: Arguments without the program's name.
        connect: How the API is reached; None for the real way.
    """
    invocation = Invocation(connect)
    try:
        code = _run_app(argv, invocation)
        sys.stdout.flush()
    except BrokenPipeError:
        code = _leave_quietly()
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 -- the rim of the process: a traceback may show what is private
        if invocation.shows_tracebacks:
            traceback.print_exception(error)
        code = _tell(error)
    return int(code)


def _run_app(argv: Sequence[str], invocation: Invocation) -> int:
    from consentry.cli.app import app

    # Typer leaves by SystemExit: usage errors with 2, Ctrl-C with 130, a command's own code.
    try:
        app(list(argv), prog_name="consentry", obj=invocation)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else ExitCode.OK
    return ExitCode.OK


def _tell(error: Exception) -> ExitCode:
    match error:
        case Problem():
            hint = (
                f" ({error.instance})" if error.instance and error.status >= _SERVER_FAULT else ""
            )
            mend = _MEND.get(error.code, "")
            note(f"consentry: {error.message}{mend}{hint} [{error.code}]")
            is_ours = error.status >= _SERVER_FAULT
        case ConsentryError():
            note(f"consentry: {error} [{error.code}]")
            is_ours = isinstance(error, OperatorError)
        case _:
            # Its message may hold anything, so only its kind and place are shown.
            note(
                f"consentry: Something of ours broke: {type(error).__name__} at {_place(error)}. "
                "Run it again with --debug to see more. [internal-error]"
            )
            is_ours = True
    return ExitCode.OUR_FAULT if is_ours else ExitCode.BAD_INPUT


def _place(error: Exception) -> str:
    """Return the innermost line of ours that the error passed through."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(_PACKAGE):
            return f"{path.relative_to(_PACKAGE).as_posix()}:{frame.lineno}"
    return "an unknown place"


def _leave_quietly() -> ExitCode:
    # Python flushes standard output once more at exit, and would complain again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.OUR_FAULT
