"""Holding small counts back, so that they cannot be computed from the sums beside them.

A count below the threshold is hidden (0 is not: it is about nobody). A reader who knows a sum and all of its
parts but one knows that one, and a hidden sum of two that is small says as much as one. So in each line of
a table as many further counts are hidden as it takes for at least two to be hidden, which add up to the
threshold, or for the line to have nothing else to hide.

Two tables of different days or installations can still be subtracted from each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

SUM = "*"
"""The name of the row or column that has the sums."""

DEFAULT_THRESHOLD = 10

Cell: TypeAlias = tuple[str, str]
"""Row and column."""


@dataclass(frozen=True, slots=True)
class Table:
    """Counts by row and column with their sums. None is a count that is held back.

    Attributes:
        rows: Names, without `SUM`.
        columns: Names, without `SUM`.
        cells: By row and column, either of which may be `SUM`.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[Cell, int | None]

    @property
    def hidden_sums(self) -> frozenset[Cell]:
        """Return which sums of columns are held back."""
        return frozenset(
            cell for cell, count in self.cells.items() if cell[0] == SUM and count is None
        )


def disclosed(
    counts: Mapping[Cell, int],
    columns: Sequence[str],
    threshold: int,
    hidden_sums: frozenset[Cell] = frozenset(),
) -> Table:
    """Return what may be shown of counts by row and column (absent ones are 0).

    Args:
        counts: By row and column, without sums.
        columns: In their order.
        threshold: The least count that is shown; 1 shows all.
        hidden_sums: Of the last row; held back because another table with the same sums does.
    """
    rows = tuple(sorted({row for row, _ in counts}))
    cells = {(row, column): counts.get((row, column), 0) for row in rows for column in columns}
    for row in rows:
        cells[row, SUM] = sum(cells[row, column] for column in columns)
    for column in (*columns, SUM):
        cells[SUM, column] = sum(cells[row, column] for row in rows)
    lines = [
        *([*((row, column) for column in columns), (row, SUM)] for row in (*rows, SUM)),
        *([*((row, column) for row in rows), (SUM, column)] for column in (*columns, SUM)),
    ]
    hidden = _hidden(cells, lines, threshold, hidden_sums)
    shown = {cell: None if cell in hidden else count for cell, count in cells.items()}
    return Table(rows, tuple(columns), shown)


def _hidden(
    cells: Mapping[Cell, int],
    lines: Sequence[Sequence[Cell]],
    threshold: int,
    hidden_sums: frozenset[Cell],
) -> set[Cell]:
    hidden = {cell for cell, count in cells.items() if 0 < count < threshold}
    hidden |= {cell for cell in hidden_sums if cells.get(cell)}
    is_changed = bool(hidden)
    while is_changed:
        is_changed = False
        for line in lines:
            more = _one_more(cells, line, hidden, threshold)
            if more is not None:
                hidden.add(more)
                is_changed = True
    return hidden


def _one_more(
    cells: Mapping[Cell, int], line: Sequence[Cell], hidden: set[Cell], threshold: int
) -> Cell | None:
    """Return what must be hidden too in one line (its sum comes last), or None."""
    inside = [cell for cell in line if cell in hidden]
    if not inside:
        return None
    is_sum_shown = line[-1] not in hidden
    adds_up = sum(cells[cell] for cell in inside) >= threshold
    if len(inside) > 1 and (adds_up or not is_sum_shown):
        return None
    return _smallest(cells, line[:-1], hidden) or _smallest(cells, line[-1:], hidden)


def _smallest(cells: Mapping[Cell, int], among: Iterable[Cell], hidden: set[Cell]) -> Cell | None:
    left = [cell for cell in among if cell not in hidden and cells[cell]]
    return min(left, key=lambda cell: (cells[cell], cell), default=None)
