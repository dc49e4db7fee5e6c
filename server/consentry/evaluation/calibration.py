"""Chooses thresholds on one half of the identities and scores them on the other: the operating curves that ship.

    pairs within half 0 -> thresholds        pairs within half 1 -> their rates there
    fixed steps of the threshold beyond      all pairs, also across the halves -> an upper bound

A row promises the larger of both halves' rates. Beyond the strictest threshold that half 0 can choose, thresholds are
fixed steps that no data chose, so that all pairs may measure them: such a row promises the upper end of Wilson's
interval, or a half's rate where that is larger. Everywhere `FEWEST_ERRORS` false matches or more stand behind a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from consentry.evaluation.comparisons import TICKS, Comparisons
from consentry.evaluation.rates import FEWEST_ERRORS, Rate

CALIBRATING = (0, 0)
SCORING = (1, 1)
ACROSS = (0, 1)

TARGETS = tuple(
    round(step * 10.0**-power, 9)
    for power in (2, 3, 4, 5)
    for step in (1, 0.7, 0.5, 0.3, 0.2, 0.15)
)
_STEP = TICKS // 200


def half(subject: str) -> int:
    """Return which half of the identities a subject belongs to, by a hash of its name: 0 calibrates, 1 scores."""
    return hashlib.sha256(subject.encode()).digest()[0] & 1


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a curve.

    Attributes:
        threshold: In ticks.
        calibrating: False match rate of the half that chose the threshold.
        scoring: That of the other half.
        everywhere: That of all pairs, also across the halves.
        missed_calibrating: False non-match rate of the half that chose it.
        missed_scoring: That of the other half.
        is_chosen: Whether half 0 chose the threshold, or it is a fixed step.
    """

    threshold: int
    calibrating: Rate
    scoring: Rate
    everywhere: Rate
    missed_calibrating: Rate
    missed_scoring: Rate
    is_chosen: bool

    @property
    def fmr(self) -> float:
        """What is promised."""
        of_halves = max(self.calibrating.value, self.scoring.value)
        return of_halves if self.is_chosen else max(self.everywhere.high, of_halves)

    @property
    def fnmr(self) -> float:
        """The larger of the two halves' rates."""
        return max(self.missed_calibrating.value, self.missed_scoring.value)


def calibrate(pairs: Comparisons) -> list[Row]:
    """Return the rows of a curve, by rising threshold and falling promise; none where a half has no pairs.

    Args:
        pairs: With the half of each photo as its group.
    """
    chosen, other = pairs.non_mated(CALIBRATING), pairs.non_mated(SCORING)
    if not (
        other.total and len(pairs.mated(CALIBRATING).scores) and len(pairs.mated(SCORING).scores)
    ):
        return []
    rows = []
    for target in TARGETS:
        threshold = chosen.threshold(target)
        if threshold is None or chosen.matches(threshold) < FEWEST_ERRORS:
            break
        rows.append(_row(pairs, threshold, is_chosen=True))
    if rows:
        first = (rows[-1].threshold // _STEP + 1) * _STEP
        everywhere = pairs.non_mated()
        rows += [
            _row(pairs, threshold, is_chosen=False)
            for threshold in range(first, TICKS, _STEP)
            if everywhere.matches(threshold) >= FEWEST_ERRORS
        ]
    return _falling(rows)


def _row(pairs: Comparisons, threshold: int, *, is_chosen: bool) -> Row:
    return Row(
        threshold,
        pairs.non_mated(CALIBRATING).rate(threshold),
        pairs.non_mated(SCORING).rate(threshold),
        pairs.non_mated().rate(threshold),
        pairs.mated(CALIBRATING).rate(threshold),
        pairs.mated(SCORING).rate(threshold),
        is_chosen,
    )


def _falling(rows: Sequence[Row]) -> list[Row]:
    kept: list[Row] = []
    for row in rows:
        if not kept or (row.threshold > kept[-1].threshold and row.fmr < kept[-1].fmr):
            kept.append(row)
    return kept


def at_fmr(rows: Sequence[Row], fmr: float) -> Row | None:
    """Return the loosest row that promises at most ``fmr``; None where none does."""
    return next((row for row in rows if row.fmr <= fmr), None)


def chosen_for(rows: Sequence[Row], fmr: float) -> Row | None:
    """Return the loosest row that the calibrating half chose for ``fmr``: the other half scores it."""
    return next((row for row in rows if row.is_chosen and row.calibrating.value <= fmr), None)
