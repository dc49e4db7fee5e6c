"""Process entry: the `consentry` command, and ``python -m consentry``."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

_INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    # Read by numpy when it is imported. Its matrix products here are small: more threads than one
    # only wait for each other, on busy cores up to twelve times longer (benchmarks/bench_gallery.py).
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _open_missing_streams()
    try:
        # Here and not above, so that Ctrl-C while Python still loads leaves no traceback either.
        from consentry.cli.rim import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = _INTERRUPTED
    sys.exit(code)


def _open_missing_streams() -> None:
    """Take the place of streams that were closed before the start, as a service manager or ``2>&-`` may do.

    Else the next file or socket that is opened would get their number, and what a library writes to
    "standard error" would end up in it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # In this order each gets the lowest free number, which is its own.
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


if __name__ == "__main__":
    main()
