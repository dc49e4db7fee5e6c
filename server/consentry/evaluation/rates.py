"""Error rates and their intervals. Pure functions of counts.

Terms: ISO/IEC 19795-1. Wilson: Probable inference, the law of succession, and statistical inference, 1927.
Bootstrap by subject: Bolle et al., The relation between the ROC curve and the CMC, 2005: pairs of one person depend
on one another, so people are drawn, not pairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FEWEST_ERRORS = 5
"""A threshold is only given where it rests on this many false matches."""

_Z = 1.959964  # of a 95 % interval
_DRAWS = 2000
_SEED = 20261121
# So many numbers are drawn at once.
_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """Errors of so many attempts, with a 95 % interval.

    Attributes:
        errors: At most ``count``.
        count: Attempts.
        low: Lower end of the interval, a fraction.
        high: Upper end.
    """

    errors: int
    count: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The rate, a fraction; nan without attempts."""
        return self.errors / self.count if self.count else math.nan


def wilson(errors: int, count: int) -> Rate:
    """Return the rate with Wilson's score interval: for attempts that do not depend on one another.

    Example:
        >>> rate = wilson(0, 100)
        >>> (rate.low, round(rate.high, 4))
        (0.0, 0.037)
    """
    if not 0 <= errors <= count:
        raise ValueError("there are at most as many errors as attempts")
    if count == 0:
        return Rate(0, 0, 0.0, 1.0)
    rate, square = errors / count, _Z**2 / count
    middle = (rate + square / 2) / (1 + square)
    spread = _Z * math.sqrt(rate * (1 - rate) / count + square / (4 * count)) / (1 + square)
    low = 0.0 if errors == 0 else max(0.0, middle - spread)
    return Rate(errors, count, low, 1.0 if errors == count else min(1.0, middle + spread))


def by_subject(errors: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> Rate:
    """Return the rate over all attempts, with the interval of drawing subjects with replacement.

    Without an error, or with nothing but errors, every draw is alike: then the interval is Wilson's, as if each subject
    had made one attempt.

    Args:
        errors: Errors of each subject.
        counts: Attempts of each, at least 1.
    """
    if errors.shape != counts.shape or np.any(errors > counts) or np.any(counts < 1):
        raise ValueError("each subject has an attempt or more, and at most as many errors")
    total, count = int(errors.sum()), int(counts.sum())
    if total in {0, count}:
        each = wilson(len(counts) if total else 0, len(counts))
        return Rate(total, count, each.low, each.high)
    random = np.random.default_rng(_SEED)
    rates: list[npt.NDArray[np.float64]] = []
    step = max(1, _AT_ONCE // len(counts))
    for start in range(0, _DRAWS, step):
        drawn = random.integers(0, len(counts), (min(step, _DRAWS - start), len(counts)))
        rates.append(errors[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    low, high = np.percentile(np.concatenate(rates), [2.5, 97.5])
    return Rate(total, count, float(low), float(high))
