"""Searches (1:N) in galleries of several sizes, with strangers among the probes.

For each size, people are drawn, one photo of each is enrolled, and every other photo of theirs is a mated probe; all
photos of everybody else are non-mated probes. FNIR: mated probes whose own reference does not reach the threshold.
FPIR: non-mated probes for which any reference does (ISO/IEC 19795-1, open set).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from consentry.evaluation.comparisons import Counts, Sample, ticks
from consentry.evaluation.rates import FEWEST_ERRORS, Rate, wilson

SIZES = (10, 100, 1_000, 10_000, 100_000)
FPIRS = (0.1, 0.01, 0.001)
_DRAWS = 10
_SEED = 20261121
# Of the people, so that strangers remain.
_LARGEST = 0.75


@dataclass(frozen=True, slots=True)
class Searches:
    """The best scores of the searches in galleries of one size, in ticks.

    Attributes:
        size: People enrolled.
        draws: How many galleries were drawn.
        mated: Score of each mated probe with its own reference, of all draws.
        non_mated: Best score of each non-mated probe, of all draws.
    """

    size: int
    draws: int
    mated: Counts
    non_mated: Counts

    def fnir(self, threshold: int) -> Rate:
        """Return the false negative identification rate at a threshold, in ticks."""
        return self._rate(int((self.mated < threshold).sum()), len(self.mated))

    def fpir(self, threshold: int) -> Rate:
        """Return the false positive identification rate at a threshold, in ticks."""
        return self._rate(int((self.non_mated >= threshold).sum()), len(self.non_mated))

    def threshold(self, fpir: float) -> int | None:
        """Return the loosest threshold that keeps ``fpir``; None where too few errors stand behind it."""
        falling = np.sort(self.non_mated)[::-1]
        allowed = int(fpir * len(falling))
        # The draws share their photos, so that they count as one.
        if allowed < FEWEST_ERRORS * self.draws or allowed >= len(falling):
            return None
        return int(falling[allowed]) + 1

    def _rate(self, errors: int, count: int) -> Rate:
        """Pool the draws, and take the interval of a single one: the draws share their photos."""
        single = wilson(round(errors / self.draws), round(count / self.draws))
        return Rate(errors, count, single.low, single.high)


def search(sample: Sample) -> list[Searches]:
    """Search galleries of every size that the sample gives; none when nobody has two photos."""
    people = len(np.unique(sample.subjects))
    largest = int(people * _LARGEST)
    if largest < 1 or len(sample.subjects) == people:
        return []
    sizes = [size for size in SIZES if size < largest]
    return [_searches(sample, size) for size in [*sizes, largest]]


def _searches(sample: Sample, size: int) -> Searches:
    random = np.random.default_rng([_SEED, size])
    subjects = np.unique(sample.subjects)
    mated: list[Counts] = []
    non_mated: list[Counts] = []
    for _ in range(_DRAWS):
        chosen = random.permutation(subjects)[:size]
        own, others = _gallery(sample, chosen, random)
        mated.append(own)
        non_mated.append(others)
    return Searches(size, _DRAWS, np.concatenate(mated), np.concatenate(non_mated))


def _gallery(sample: Sample, chosen: Counts, random: np.random.Generator) -> tuple[Counts, Counts]:
    order = random.permutation(len(sample.subjects))
    # The first photo of each subject in a random order is the one that is enrolled.
    _, first = np.unique(sample.subjects[order], return_index=True)
    enrolled = order[first]
    enrolled = enrolled[np.isin(sample.subjects[enrolled], chosen)]
    is_reference = np.zeros(len(sample.subjects), np.bool_)
    is_reference[enrolled] = True
    is_known = np.isin(sample.subjects, chosen)
    probes = np.flatnonzero(is_known & ~is_reference)
    place = {int(sample.subjects[i]): number for number, i in enumerate(enrolled)}
    references = sample.rows[enrolled]
    own = np.array([place[int(sample.subjects[i])] for i in probes], np.int64)
    scores = np.einsum("ij,ij->i", sample.rows[probes], references[own])
    return ticks(scores), _best(sample.rows[~is_known], references)


def _best(
    probes: npt.NDArray[np.float32], references: npt.NDArray[np.float32], step: int = 1024
) -> Counts:
    found = [np.empty(0, np.int64)]
    for start in range(0, len(probes), step):
        scores = probes[start : start + step] @ references.T
        found.append(ticks(scores.max(axis=1, initial=-1.0)))
    return np.concatenate(found)
