from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from consentry.evaluation.comparisons import (
    TICKS,
    Comparisons,
    Histogram,
    Mated,
    Sample,
    blocks,
    compare,
    ticks,
    touched,
)
from hypothesis import given
from hypothesis import strategies as st


def directions(*degrees: float) -> np.ndarray:
    turns = np.radians(degrees)
    return np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)


def sample(degrees, subjects, groups=None) -> Sample:
    return Sample(
        directions(*degrees),
        np.array(subjects, np.int64),
        np.array(groups or [0] * len(subjects), np.int64),
    )


def histogram(*scores: float) -> Histogram:
    return Histogram(
        np.bincount(ticks(np.array(scores, np.float32)) + TICKS, minlength=2 * TICKS + 2)
    )


def test_pairs_counted_by_hand():
    # Two photos of A at 0 and 60 degrees, two of B at 90 and 180: cosines 0.5; -; 0, -1, 0.866, -0.5; 0.
    found = compare(sample((0, 60, 90, 180), (0, 0, 1, 1)))

    assert found.mated().scores.tolist() == [5000, 0]
    assert found.mated().subjects.tolist() == [0, 1]
    assert found.non_mated().total == 4
    assert [found.non_mated().matches(t) for t in (8661, 8660, 1, 0, -5000, -TICKS)] == [
        0, 1, 1, 2, 3, 4,
    ]  # fmt: skip


@given(
    st.lists(st.tuples(st.integers(0, 359), st.integers(0, 4), st.integers(0, 1)), max_size=12),
    st.integers(1, 5),
)
def test_blocks_are_all_pairs_once(photos, side):
    degrees, subjects, groups = (
        (list(each) for each in zip(*photos, strict=True)) if photos else ([], [], [])
    )
    chosen = sample(degrees, subjects, groups)

    found = [
        (int(i), int(j))
        for block in blocks(chosen, side)
        for i, j in zip(block.first, block.second, strict=True)
    ]

    assert sorted(found) == list(combinations(range(len(photos)), 2))


@given(st.lists(st.tuples(st.integers(0, 359), st.integers(0, 4), st.integers(0, 1)), max_size=12))
def test_groups_share_out_all_pairs(photos):
    degrees, subjects, groups = (
        (list(each) for each in zip(*photos, strict=True)) if photos else ([], [], [])
    )
    found = compare(sample(degrees, subjects, groups))
    places = [(0, 0), (0, 1), (1, 1)]

    assert sum(found.non_mated(p).total for p in places) == found.non_mated().total
    assert sum(len(found.mated(p).scores) for p in places) == len(found.mated().scores)
    assert (
        found.non_mated().total + len(found.mated().scores) == len(photos) * (len(photos) - 1) // 2
    )


@given(st.lists(st.floats(-1, 1, width=32), min_size=1), st.floats(0, 1))
def test_a_threshold_is_the_loosest_that_keeps_the_rate(scores, fmr):
    found = histogram(*scores)

    threshold = found.threshold(fmr)

    if threshold is None:
        assert found.matches(TICKS) > fmr * found.total
    else:
        assert found.matches(threshold) <= fmr * found.total + 1e-6
        assert threshold == -TICKS or found.matches(threshold - 1) > fmr * found.total


def test_a_threshold_on_nothing_is_none():
    assert Histogram().threshold(0.5) is None


@pytest.mark.parametrize(
    ("score", "matches"), [(0.3, 1), (0.29999, 0), (0.30001, 1)], ids=["at", "below", "above"]
)
def test_a_score_at_the_threshold_matches(score, matches):
    assert histogram(score).matches(3000) == matches


def test_missed_pairs_are_counted_by_subject():
    pairs = Mated(np.array([10, 20, 30, 5], np.int64), np.array([7, 7, 9, 9], np.int64))

    errors, counts = pairs.each(20)

    assert (errors.tolist(), counts.tolist()) == ([1, 1], [2, 2])
    assert pairs.rate(20).value == 0.5


def test_two_sets_have_no_pair_across_and_no_subject_in_common():
    one = compare(sample((0, 10), (0, 0)))
    other = compare(sample((0, 90), (0, 0)))

    both = Comparisons({}, {}) + one + other

    assert both.non_mated().total == 0
    assert both.mated().scores.tolist() == [9848, 0]
    assert len(set(both.mated().subjects.tolist())) == 2


def test_who_is_in_a_false_match():
    chosen = sample((0, 2, 90, 180), (0, 1, 2, 3))

    assert touched(chosen, 9990) == 2
    assert touched(chosen, -1) == 4


def test_an_empty_sample_has_no_pairs():
    found = compare(sample((), ()))

    assert found.non_mated().total == 0
    assert found.mated().rate(0).count == 0
