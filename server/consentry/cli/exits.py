"""Exit codes. Scripts branch on them: never change one (docs/cli.md)."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says when it leaves."""

    OK = 0
    """Done; of a check: allowed."""

    OUR_FAULT = 1
    """Something of ours is broken or missing; trying again may help. Also: whoever read our output went away."""

    BAD_INPUT = 2
    """What was given cannot be served as given."""

    REFUSE = 10
    """A check: refused."""

    NEEDS_CONSENT = 11
    """A check: only with consent."""

    FINDINGS = 20
    """An audit: something is wrong with the log, a receipt, or an export."""

    INTERRUPTED = 130
    """Ctrl-C."""
