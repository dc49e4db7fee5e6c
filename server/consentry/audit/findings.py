"""What an audit found, in plain words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

MOST_OF_A_KIND = 20
"""So many findings of one kind are told one by one; of the others, how many there are."""


class FindingKind(StrEnum):
    """What is wrong. Values are part of ``--json``: never rename one."""

    SIGNATURE = "signature"
    QUORUM = "quorum"
    FORK = "fork"
    ROLLED_BACK = "rolled_back"
    REWRITTEN = "rewritten"
    LOST = "lost"
    TREE = "tree"
    GAP = "gap"
    MALFORMED = "malformed"
    UNKNOWN_KIND = "unknown_kind"
    CLOCK = "clock"
    UNANNOUNCED = "unannounced"
    RECEIPT = "receipt"
    OPENING = "opening"
    COUNT = "count"
    CANARY = "canary"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: Which kind of thing.
        message: For people.
        index: Of the entry it is about; None when it is about the log.
    """

    kind: FindingKind
    message: str
    index: int | None = None


@dataclass(slots=True)
class Findings:
    """Collects findings. A log that is wrong everywhere does not fill the memory."""

    told: list[Finding] = field(default_factory=list)
    counts: Counter[FindingKind] = field(default_factory=Counter)

    def add(self, kind: FindingKind, message: str, index: int | None = None) -> None:
        """Add one."""
        self.counts[kind] += 1
        if self.counts[kind] <= MOST_OF_A_KIND:
            self.told.append(Finding(kind, message, index))

    def all(self) -> tuple[Finding, ...]:
        """Return them, with a last one for each kind of which there were too many."""
        more = [
            Finding(kind, f"There are {count - MOST_OF_A_KIND} more of this kind.")
            for kind, count in self.counts.items()
            if count > MOST_OF_A_KIND
        ]
        return (*self.told, *more)
