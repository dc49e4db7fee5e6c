"""What is counted over a log, exactly and before anything is held back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from consentry.audit.shapes import Shape
from consentry.kernel.taxonomy import PublicReason, Verdict
from consentry.transparency.entries import VerdictEntry, Versions

Engines: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """Versions that decided from an entry on."""

    index: int
    day: date
    versions: Versions


@dataclass(slots=True)
class Counts:
    """Counts over the entries of a log.

    Attributes:
        verdicts: By day and verdict.
        reasons: By all reasons that were given together, and verdict.
        deciders: By laws, engines and verdict.
        changes: Changes of enrolments, by day.
        announced: Versions, in order.
        renewals: How often the log went on after a loss.
        opened: Verdicts with an opened commitment, by its name, value, and the verdict.
    """

    verdicts: Counter[tuple[date, Verdict]] = field(default_factory=Counter)
    reasons: Counter[tuple[frozenset[PublicReason], Verdict]] = field(default_factory=Counter)
    deciders: Counter[tuple[str, Engines, Verdict]] = field(default_factory=Counter)
    changes: Counter[date] = field(default_factory=Counter)
    announced: list[Announced] = field(default_factory=list)
    renewals: int = 0
    opened: Counter[tuple[str, str, Verdict]] = field(default_factory=Counter)

    def take(self, shapes: Iterable[Shape]) -> None:
        """Count verdicts and changes."""
        for shape in shapes:
            entry = shape.entry
            if isinstance(entry, VerdictEntry):
                self.verdicts[entry.day, entry.verdict] += shape.count
                self.reasons[frozenset(entry.reasons), entry.verdict] += shape.count
                engines = tuple(sorted(entry.engines.items()))
                self.deciders[entry.policy, engines, entry.verdict] += shape.count
            else:
                self.changes[entry.day] += shape.count
