"""Observations to figures: what one model does on the photos, counted."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from consentry.evaluation.calibration import SCORING, Row, at_fmr, calibrate, chosen_for, half
from consentry.evaluation.comparisons import (
    TICKS,
    Comparisons,
    Histogram,
    Mated,
    Matrix,
    Sample,
    compare,
    ticks,
    touched,
)
from consentry.evaluation.folders import PhotoSet
from consentry.evaluation.identification import Searches, search
from consentry.evaluation.observation import Outcome
from consentry.evaluation.observing import Seen
from consentry.evaluation.rates import FEWEST_ERRORS, Rate

FMRS = {"1e-2": 1e-2, "1e-3": 1e-3, "1e-4": 1e-4, "1e-5": 1e-5}
"""The false match rates that are reported, by the names that report.json gives them."""

WORST_FMR = 1e-3
HARD_FMR = 1e-3
_DET_POINTS = 160


@dataclass(frozen=True, slots=True)
class SeenSet:
    """A set and what was seen on its photos.

    Attributes:
        photos: The set.
        seen: One for each photo, in order.
        is_hard: Whether it is kept out of every threshold, and scored apart.
    """

    photos: PhotoSet
    seen: tuple[Seen, ...]
    is_hard: bool


@dataclass(frozen=True, slots=True)
class Acquired:
    """What became of the photos of one set.

    Attributes:
        name: Of the set.
        outcomes: How many of each.
        errors: Of the unreadable ones, how many of each code.
    """

    name: str
    outcomes: Counter[Outcome]
    errors: Counter[str]

    @property
    def photos(self) -> int:
        """How many pictures there were."""
        return self.outcomes.total()

    @property
    def failures(self) -> int:
        """Pictures that could be read, and gave no embedding."""
        return self.outcomes[Outcome.NO_FACE] + self.outcomes[Outcome.TOO_SMALL]

    @property
    def rate(self) -> float:
        """Failure to acquire: of the pictures that could be read."""
        readable = self.photos - self.outcomes[Outcome.UNREADABLE]
        return self.failures / readable if readable else math.nan


@dataclass(frozen=True, slots=True)
class Point:
    """What is missed at one false match rate.

    Attributes:
        threshold: In ticks.
        fmr: As measured at the threshold.
        fnmr: Of the mated pairs of faces that were found.
        fnmr_with_failures: Of all mated pairs of readable photos: those without an embedding count as missed.
    """

    threshold: int
    fmr: Rate
    fnmr: Rate
    fnmr_with_failures: float


@dataclass(frozen=True, slots=True)
class Worst:
    """How unevenly the errors fall, at one threshold, in the scoring half.

    Attributes:
        threshold: In ticks.
        mean: FNMR, mean over subjects.
        worst_tenth: Mean over the worst tenth of the subjects.
        worst: Of the single worst.
        without_error: Subjects without any missed pair.
        subjects: Subjects with mated pairs.
        touched: Subjects that are in any false match.
        people: All subjects of the half.
    """

    threshold: int
    mean: float
    worst_tenth: float
    worst: float
    without_error: int
    subjects: int
    touched: int
    people: int


@dataclass(frozen=True, slots=True)
class Hard:
    """One kind of pairs of a hard set.

    Attributes:
        name: Of the set.
        conditions: Of the two photos; empty names when the set has none.
        fmr, fnmr: At the threshold that was chosen on the ordinary sets for FMR 1e-3; None without one.
        fnmr_at_fmr: On the set's own pairs, at thresholds chosen on them.
    """

    name: str
    conditions: tuple[str, str]
    fmr: Rate | None
    fnmr: Rate | None
    fnmr_at_fmr: dict[str, Point | None]


@dataclass(frozen=True, slots=True)
class Measured:
    """All figures of one model."""

    model_id: str
    acquired: tuple[Acquired, ...]
    fnmr_at_fmr: dict[str, Point | None]
    listed: dict[str, Point | None] | None
    scored: dict[str, Row | None]
    curve: tuple[Row, ...]
    det: tuple[tuple[float, float], ...]
    searches: tuple[tuple[str, Searches], ...]
    worst: Worst | None
    hard: tuple[Hard, ...]


def measure(sets: Sequence[SeenSet], model: str) -> Measured:
    """Count everything for one model."""
    ordinary = [each for each in sets if not each.is_hard]
    pairs = Comparisons({}, {})
    for each in ordinary:
        pairs += compare(_by_half(each, model))
    rows = tuple(calibrate(pairs))
    lost = sum(_lost(each, model) for each in ordinary)
    hard = at_fmr(rows, HARD_FMR)
    return Measured(
        model_id=model,
        acquired=tuple(_acquired(each, model) for each in sets),
        fnmr_at_fmr=points(pairs.non_mated(), pairs.mated(), lost),
        listed=_listed(ordinary, model),
        scored={name: chosen_for(rows, fmr) for name, fmr in FMRS.items()},
        curve=rows,
        det=_det(pairs.non_mated(), pairs.mated()),
        searches=tuple(
            (each.photos.name, found)
            for each in ordinary
            for found in search(_by_half(each, model))
        ),
        worst=_worst(ordinary, model, pairs, at_fmr(rows, WORST_FMR)),
        hard=tuple(
            found
            for each in sets
            if each.is_hard
            for found in _hard(each, model, None if hard is None else hard.threshold)
        ),
    )


def part_curve(sets: Sequence[SeenSet], model: str, columns: slice) -> list[Row]:
    """Return the curve of one network of a fused model alone: of these columns of its embeddings."""
    pairs = Comparisons({}, {})
    for each in sets:
        if not each.is_hard:
            whole = _by_half(each, model)
            pairs += compare(replace(whole, rows=cut(whole.rows, columns)))
    return calibrate(pairs)


def cut(rows: Matrix, columns: slice) -> Matrix:
    """Return some columns of embeddings, as embeddings of L2 norm 1."""
    part = rows[:, columns]
    return np.asarray(part / np.linalg.norm(part, axis=1, keepdims=True), np.float32)


def points(non_mated: Histogram, mated: Mated, lost: int) -> dict[str, Point | None]:
    """Return the point at each of `FMRS`; None where too few false matches stand behind it.

    Args:
        non_mated: Pairs of two people.
        mated: Pairs of one person.
        lost: Mated pairs of which a photo gave no embedding.
    """
    return {name: _point(non_mated, mated, fmr, lost) for name, fmr in FMRS.items()}


def _point(non_mated: Histogram, mated: Mated, fmr: float, lost: int) -> Point | None:
    threshold = non_mated.threshold(fmr)
    if threshold is None or non_mated.matches(threshold) < FEWEST_ERRORS or not len(mated.scores):
        return None
    missed = mated.rate(threshold)
    everything = (missed.errors + lost) / (missed.count + lost)
    return Point(threshold, non_mated.rate(threshold), missed, everything)


def sample(each: SeenSet, model: str, groups: Sequence[int]) -> Sample:
    """Return the embeddings of one set; photos without one are left out.

    Args:
        each: The set.
        model: The model.
        groups: Group of each photo.
    """
    known = [
        (i, embedding)
        for i, seen in enumerate(each.seen)
        if (embedding := seen.by_model[model].embedding) is not None
    ]
    subjects = {photo.subject: 0 for photo in each.photos.photos}
    numbers = {subject: number for number, subject in enumerate(subjects)}
    dimension = len(known[0][1]) if known else 1
    rows = np.array([row for _, row in known], np.float32).reshape(len(known), dimension)
    whose = [numbers[each.photos.photos[i].subject] for i, _ in known]
    return Sample(
        rows, np.array(whose, np.int64), np.array([groups[i] for i, _ in known], np.int64)
    )


def _by_half(each: SeenSet, model: str) -> Sample:
    return sample(each, model, [half(photo.subject) for photo in each.photos.photos])


def _acquired(each: SeenSet, model: str) -> Acquired:
    seen = [one.by_model[model] for one in each.seen]
    return Acquired(
        each.photos.name,
        Counter(one.outcome for one in seen),
        Counter(one.error for one in seen if one.error),
    )


def _lost(each: SeenSet, model: str) -> int:
    """Count mated pairs of readable photos of which at least one gave no embedding."""
    readable: Counter[str] = Counter()
    known: Counter[str] = Counter()
    for seen in each.seen:
        outcome = seen.by_model[model].outcome
        readable[seen.photo.subject] += outcome is not Outcome.UNREADABLE
        known[seen.photo.subject] += outcome is Outcome.EMBEDDED
    return sum(math.comb(n, 2) - math.comb(known[subject], 2) for subject, n in readable.items())


def _listed(ordinary: Sequence[SeenSet], model: str) -> dict[str, Point | None] | None:
    if not any(each.photos.pairs for each in ordinary):
        return None
    non_mated, mated, lost = Histogram(), Comparisons({}, {}), 0
    for each in ordinary:
        found = _listed_in(each, model)
        lost += sum(same for _, _, same in each.photos.pairs) - len(found.mated().scores)
        mated += found
    non_mated = mated.non_mated()
    return points(non_mated, mated.mated(), lost)


def _listed_in(each: SeenSet, model: str) -> Comparisons:
    everything = sample(each, model, list(range(len(each.seen))))
    place = {int(photo): row for row, photo in enumerate(everything.groups)}
    chosen = [
        (place[i], place[j], same) for i, j, same in each.photos.pairs if i in place and j in place
    ]
    first = np.array([i for i, _, _ in chosen], np.int64)
    second = np.array([j for _, j, _ in chosen], np.int64)
    same = np.array([same for _, _, same in chosen], np.bool_)
    scores = ticks(np.einsum("ij,ij->i", everything.rows[first], everything.rows[second]))
    counts = np.bincount(scores[~same] + TICKS, minlength=2 * TICKS + 2)
    return Comparisons(
        {(0, 0): Histogram(counts)},
        {(0, 0): Mated(scores[same], everything.subjects[first[same]])},
    )


def _det(non_mated: Histogram, mated: Mated) -> tuple[tuple[float, float], ...]:
    """Trace the trade-off at false match rates evenly spaced by their logarithm."""
    if not non_mated.total or not len(mated.scores):
        return ()
    fewest = FEWEST_ERRORS / non_mated.total
    found: dict[float, float] = {}
    for fmr in np.geomspace(0.5, min(fewest, 0.5), _DET_POINTS):
        threshold = non_mated.threshold(float(fmr))
        if threshold is not None and non_mated.matches(threshold) >= FEWEST_ERRORS:
            rate = non_mated.matches(threshold) / non_mated.total
            found[rate] = float((mated.scores < threshold).mean())
    return tuple(found.items())


def _worst(
    ordinary: Sequence[SeenSet], model: str, pairs: Comparisons, row: Row | None
) -> Worst | None:
    scoring = pairs.mated(SCORING)
    if row is None or not len(scoring.scores):
        return None
    errors, counts = scoring.each(row.threshold)
    rates = np.sort(errors / counts)[::-1]
    reached = people = 0
    for each in ordinary:
        found = _by_half(each, model)
        inside = found.groups == SCORING[0]
        halved = Sample(found.rows[inside], found.subjects[inside], found.groups[inside])
        reached += touched(halved, row.threshold)
        people += len(np.unique(halved.subjects))
    return Worst(
        threshold=row.threshold,
        mean=float(rates.mean()),
        worst_tenth=float(rates[: max(1, len(rates) // 10)].mean()),
        worst=float(rates[0]),
        without_error=int((rates == 0).sum()),
        subjects=len(rates),
        touched=reached,
        people=people,
    )


def _hard(each: SeenSet, model: str, threshold: int | None) -> list[Hard]:
    names = sorted({photo.condition for photo in each.photos.photos})
    number = {name: i for i, name in enumerate(names)}
    found = compare(sample(each, model, [number[photo.condition] for photo in each.photos.photos]))
    rows = []
    for i, first in enumerate(names):
        for j, second in enumerate(names[i:], start=i):
            non_mated, mated = found.non_mated((i, j)), found.mated((i, j))
            lost = _lost_between(each, model, (first, second))
            rows.append(
                Hard(
                    name=each.photos.name,
                    conditions=(first, second),
                    fmr=None if threshold is None else non_mated.rate(threshold),
                    fnmr=None if threshold is None else mated.rate(threshold),
                    fnmr_at_fmr=points(non_mated, mated, lost),
                )
            )
    return rows


def _lost_between(each: SeenSet, model: str, conditions: tuple[str, str]) -> int:
    """Count mated pairs of two conditions of which at least one photo gave no embedding."""
    readable: defaultdict[str, Counter[str]] = defaultdict(Counter)
    known: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for seen in each.seen:
        outcome = seen.by_model[model].outcome
        readable[seen.photo.subject][seen.photo.condition] += outcome is not Outcome.UNREADABLE
        known[seen.photo.subject][seen.photo.condition] += outcome is Outcome.EMBEDDED
    return sum(
        _between(readable[subject], conditions) - _between(known[subject], conditions)
        for subject in readable
    )


def _between(counts: Counter[str], conditions: tuple[str, str]) -> int:
    first, second = conditions
    return math.comb(counts[first], 2) if first == second else counts[first] * counts[second]
