from __future__ import annotations

from itertools import pairwise

import numpy as np
from consentry.evaluation.calibration import at_fmr, calibrate, half
from consentry.evaluation.comparisons import Sample, compare
from consentry.evaluation.identification import search
from consentry.evaluation.rates import FEWEST_ERRORS


def people(count: int, photos: int, spread: float, seed: int = 1) -> Sample:
    """Random people in 16 dimensions; a person's photos lie around her own direction."""
    random = np.random.default_rng(seed)
    middles = random.normal(size=(count, 16))
    rows = np.repeat(middles, photos, axis=0) + spread * random.normal(size=(count * photos, 16))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    subjects = np.repeat(np.arange(count), photos)
    return Sample(rows.astype(np.float32), subjects, subjects % 2)


def test_both_halves_of_many_names_are_about_as_large():
    halves = [half(f"person {number}") for number in range(1000)]

    assert 400 < sum(halves) < 600
    assert half("person 1") == half("person 1")


def test_a_curve_rises_in_threshold_and_falls_in_what_it_promises():
    rows = calibrate(compare(people(200, 3, 0.5)))

    assert len(rows) > 10
    assert all(a.threshold < b.threshold and a.fmr > b.fmr for a, b in pairwise(rows))


def test_every_threshold_has_false_matches_behind_it():
    rows = calibrate(compare(people(200, 3, 0.5)))

    assert all(row.calibrating.errors >= FEWEST_ERRORS for row in rows if row.is_chosen)
    assert all(row.everywhere.errors >= FEWEST_ERRORS for row in rows)


def test_a_promise_is_no_better_than_either_half():
    rows = calibrate(compare(people(200, 3, 0.5)))

    assert all(row.fmr >= max(row.calibrating.value, row.scoring.value) for row in rows)
    assert all(
        row.fnmr >= max(row.missed_calibrating.value, row.missed_scoring.value) for row in rows
    )


def test_a_fixed_step_promises_the_upper_end():
    fixed = [row for row in calibrate(compare(people(200, 3, 0.5))) if not row.is_chosen]

    assert fixed
    assert all(row.fmr >= row.everywhere.high > row.everywhere.value for row in fixed)


def test_thresholds_come_from_the_first_half_alone():
    chosen = people(200, 3, 0.5)
    other = people(200, 3, 0.2, seed=2)
    swapped = Sample(
        np.where((chosen.groups == 1)[:, None], other.rows, chosen.rows),
        chosen.subjects,
        chosen.groups,
    )

    def thresholds(sample):
        rows = calibrate(compare(sample))
        return {row.calibrating.errors: row.threshold for row in rows if row.is_chosen}

    one, two = thresholds(chosen), thresholds(swapped)
    assert {one[errors] == two[errors] for errors in one.keys() & two.keys()} == {True}


def test_without_mated_pairs_there_is_no_curve():
    assert calibrate(compare(people(50, 1, 0.5))) == []


def test_a_rate_that_no_row_promises_is_none():
    rows = calibrate(compare(people(60, 3, 0.5)))

    assert at_fmr(rows, 1e-9) is None
    assert at_fmr(rows, 1.0) is rows[0]


def test_searches_are_counted_by_hand():
    # Four people on the axes, two equal photos each: galleries of three, one stranger.
    rows = np.repeat(np.eye(4, dtype=np.float32), 2, axis=0)
    chosen = Sample(rows, np.repeat(np.arange(4), 2), np.zeros(8, np.int64))

    (found,) = search(chosen)

    assert (found.size, found.draws) == (3, 10)
    assert found.fnir(10_000).errors == 0
    assert found.fnir(10_000).count == 3 * 10
    assert found.fpir(1).errors == 0
    assert found.fpir(0).errors == 2 * 10


def test_a_larger_gallery_names_strangers_more_often():
    small, large = search(people(60, 3, 0.8))

    assert (small.size, large.size) == (10, 45)
    assert large.fpir(6000).value > small.fpir(6000).value


def test_a_rate_of_strangers_needs_errors_behind_it():
    small, _ = search(people(60, 3, 0.8))

    threshold = small.threshold(0.1)
    assert threshold is not None
    assert small.fpir(threshold).value <= 0.1
    assert small.threshold(0.001) is None


def test_people_with_one_photo_each_cannot_be_searched_for():
    assert search(people(40, 1, 0.5)) == []
