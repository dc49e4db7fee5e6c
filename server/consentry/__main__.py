"""Process entry: the `consentry` command, and ``python -m consentry``."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from consentry.cli.rim import run


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    # Read by numpy when it is imported. Its matrix products here are small: more threads than one
    # only wait for each other, on busy cores up to twelve times longer (benchmarks/bench_gallery.py).
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
