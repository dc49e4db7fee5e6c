"""What is told to the person at the terminal, and to nobody else."""

from __future__ import annotations


class Problem(Exception):
    """The API's refusal of a request, as its problem+json told it; or a file that cannot be read.

    Unlike a `ConsentryError` it is never logged, so its message may name a file.

    Attributes:
        code: Stable name of what went wrong (docs/errors.md).
        status: HTTP status.
        message: For people.
        instance: What the companion's log calls this failure; empty when it said nothing.
    """

    def __init__(self, *, code: str, status: int, message: str, instance: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.instance = instance
