"""Compares every photo with every other, in blocks: mated pairs one by one, non-mated pairs as a histogram.

Millions of pairs fit, because a histogram of ten thousandths is as exact as a threshold that is given to four places.
Photos carry a group (a half of the identities, a condition), and pairs are kept apart by both groups.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from consentry.evaluation.rates import Rate, by_subject, wilson

Matrix = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]

TICKS = 10_000
"""Steps of a score from 0 to 1: thresholds have four places."""

_BLOCK = 1024
_SLOTS = 2 * TICKS + 2


def ticks(scores: npt.NDArray[np.float32]) -> Counts:
    """Return scores in whole ten thousandths, downwards: a score matches when it has the threshold's or more.

    A ten millionth is forgiven, which is what float32 loses.
    """
    whole = np.floor(scores.astype(np.float64) * TICKS + 1e-3)
    return np.clip(whole, -TICKS, TICKS).astype(np.int64)


class Histogram:
    """Non-mated scores by ticks."""

    def __init__(self, counts: Counts | None = None) -> None:
        self._counts = np.zeros(_SLOTS, np.int64) if counts is None else counts
        self._from = np.cumsum(self._counts[::-1])[::-1]

    @property
    def total(self) -> int:
        """How many scores."""
        return int(self._from[0])

    def matches(self, threshold: int) -> int:
        """How many scores reach a threshold, in ticks."""
        return int(self._from[min(max(threshold + TICKS, 0), _SLOTS - 1)])

    def rate(self, threshold: int) -> Rate:
        """Return the false match rate at a threshold, in ticks."""
        return wilson(self.matches(threshold), self.total)

    def threshold(self, fmr: float) -> int | None:
        """Return the loosest threshold, in ticks, at which at most ``fmr`` of the scores match.

        None when not even the strictest threshold does that, or when there is no score.
        """
        if self.total == 0:
            return None
        # The last slot lies beyond every score, so that one always fits; it is no threshold.
        allowed = math.floor(fmr * self.total + 1e-9)
        tick = int(np.argmax(self._from <= allowed)) - TICKS
        return tick if tick <= TICKS else None

    def __add__(self, other: Histogram) -> Histogram:
        """Put the scores of both together."""
        return Histogram(self._counts + other._counts)


@dataclass(frozen=True, slots=True)
class Mated:
    """Mated pairs: scores in ticks, and whose each is."""

    scores: Counts
    subjects: Counts

    def rate(self, threshold: int) -> Rate:
        """Return the false non-match rate at a threshold, in ticks, with an interval by subject."""
        if not len(self.scores):
            return wilson(0, 0)
        errors, counts = self.each(threshold)
        return by_subject(errors, counts)

    def each(self, threshold: int) -> tuple[Counts, Counts]:
        """Return errors and pairs of each subject that has pairs."""
        _, number = np.unique(self.subjects, return_inverse=True)
        counts = np.bincount(number)
        errors = np.bincount(number, weights=self.scores < threshold)
        return errors.astype(np.int64), counts.astype(np.int64)


@dataclass(frozen=True, slots=True)
class Sample:
    """Embeddings of one set by one model.

    Attributes:
        rows: Shape ``(n, d)``, float32, each of L2 norm 1.
        subjects: Shape ``(n,)``, whose each is.
        groups: Shape ``(n,)``, from 0 on.
    """

    rows: Matrix
    subjects: Counts
    groups: Counts


class Comparisons:
    """All pairs of one or several samples, kept apart by the groups of their two photos."""

    def __init__(
        self,
        non_mated: dict[tuple[int, int], Histogram],
        mated: dict[tuple[int, int], Mated],
    ) -> None:
        self._non_mated = non_mated
        self._mated = mated

    def non_mated(self, *groups: tuple[int, int]) -> Histogram:
        """Return pairs of two people: of these pairs of groups (smaller first), or all."""
        chosen = [
            self._non_mated[each] for each in groups or self._non_mated if each in self._non_mated
        ]
        return sum(chosen, start=Histogram())

    def mated(self, *groups: tuple[int, int]) -> Mated:
        """Return pairs of one person, likewise. Several groups of one sample share their subjects' numbers."""
        chosen = [self._mated[each] for each in groups or self._mated if each in self._mated]
        empty = np.empty(0, np.int64)
        return Mated(
            np.concatenate([empty, *(each.scores for each in chosen)]),
            np.concatenate([empty, *(each.subjects for each in chosen)]),
        )

    def __add__(self, other: Comparisons) -> Comparisons:
        """Put the pairs of two sets together; there are none across them."""
        shift = 1 + max(
            (int(each.subjects.max(initial=-1)) for each in self._mated.values()), default=-1
        )
        mated = dict(self._mated)
        for groups, pairs in other._mated.items():
            moved = Mated(pairs.scores, pairs.subjects + shift)
            mine = mated.get(groups)
            mated[groups] = (
                moved
                if mine is None
                else Mated(
                    np.concatenate([mine.scores, moved.scores]),
                    np.concatenate([mine.subjects, moved.subjects]),
                )
            )
        non_mated = dict(self._non_mated)
        for groups, histogram in other._non_mated.items():
            non_mated[groups] = non_mated.get(groups, Histogram()) + histogram
        return Comparisons(non_mated, mated)


def compare(sample: Sample) -> Comparisons:
    """Compare every photo of a sample with every other."""
    width = int(sample.groups.max(initial=0)) + 1
    counts = np.zeros(width * width * _SLOTS, np.int64)
    scores: list[Counts] = []
    subjects: list[Counts] = []
    groups: list[Counts] = []
    for block in blocks(sample):
        low = np.minimum(sample.groups[block.first], sample.groups[block.second])
        high = np.maximum(sample.groups[block.first], sample.groups[block.second])
        group = low * width + high
        mated = block.is_mated
        slots = group[~mated] * _SLOTS + block.scores[~mated] + TICKS
        counts += np.bincount(slots, minlength=len(counts))
        scores.append(block.scores[mated])
        subjects.append(sample.subjects[block.first[mated]])
        groups.append(group[mated])
    return _sorted_out(counts, width, [np.concatenate(each) for each in (scores, subjects, groups)])


def _sorted_out(counts: Counts, width: int, mated: Sequence[Counts]) -> Comparisons:
    scores, subjects, groups = mated
    table = counts.reshape(width * width, _SLOTS)
    places = {(i, j): i * width + j for i in range(width) for j in range(i, width)}
    return Comparisons(
        {place: Histogram(table[row]) for place, row in places.items()},
        {
            place: Mated(scores[groups == row], subjects[groups == row])
            for place, row in places.items()
        },
    )


@dataclass(frozen=True, slots=True)
class Block:
    """Some pairs: indices of their photos, scores in ticks, and whether they are of one person."""

    first: Counts
    second: Counts
    scores: Counts
    is_mated: npt.NDArray[np.bool_]


def blocks(sample: Sample, side: int = _BLOCK) -> Iterable[Block]:
    """Yield every pair of a sample once, at most ``side`` squared at a time; at least one block."""
    count = len(sample.rows)
    for top in range(0, max(count, 1), side):
        for left in range(top, max(count, 1), side):
            rows, columns = sample.rows[top : top + side], sample.rows[left : left + side]
            first, second = (
                np.triu_indices(len(rows), 1)
                if top == left
                else np.divmod(np.arange(len(rows) * len(columns)), max(len(columns), 1))
            )
            scores = ticks((rows @ columns.T)[first, second])
            first, second = first + top, second + left
            yield Block(first, second, scores, sample.subjects[first] == sample.subjects[second])


def touched(sample: Sample, threshold: int) -> int:
    """Return how many subjects are in any false match at a threshold, in ticks."""
    found: set[int] = set()
    for block in blocks(sample):
        wrong = ~block.is_mated & (block.scores >= threshold)
        found.update(sample.subjects[block.first[wrong]].tolist())
        found.update(sample.subjects[block.second[wrong]].tolist())
    return len(found)
