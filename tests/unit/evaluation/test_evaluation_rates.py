from __future__ import annotations

import math

import numpy as np
import pytest
from consentry.evaluation.rates import by_subject, wilson
from hypothesis import given
from hypothesis import strategies as st

counts = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("errors", "count", "low", "high"),
    [
        # Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_the_published_one(errors, count, low, high):
    rate = wilson(errors, count)

    assert (rate.low, rate.high) == pytest.approx((low, high), abs=5e-5)


@given(counts)
def test_the_interval_holds_the_rate(given_counts):
    errors, count = given_counts

    rate = wilson(errors, count)

    assert 0 <= rate.low <= rate.value <= rate.high <= 1


@given(counts)
def test_more_attempts_narrow_the_interval(given_counts):
    errors, count = given_counts

    few, many = wilson(errors, count), wilson(4 * errors, 4 * count)

    assert many.high - many.low < few.high - few.low


def test_no_attempts_say_nothing():
    rate = wilson(0, 0)

    assert (rate.low, rate.high) == (0, 1)
    assert math.isnan(rate.value)


def test_more_errors_than_attempts_are_no_rate():
    with pytest.raises(ValueError, match="as many errors"):
        wilson(3, 2)


def test_errors_that_all_fall_on_one_person_widen_the_interval():
    spread = by_subject(np.array([1] * 10 + [0] * 90), np.array([10] * 100))
    heaped = by_subject(np.array([10] + [0] * 99), np.array([10] * 100))

    assert spread.value == heaped.value == 0.01
    assert heaped.high > spread.high
    assert heaped.low == 0


def test_no_error_of_few_people_is_no_promise_of_none():
    rate = by_subject(np.array([0, 0, 0]), np.array([100, 100, 100]))

    assert rate.value == 0
    # Three people without an error, not three hundred pairs.
    assert rate.high == wilson(0, 3).high


def test_the_bootstrap_can_be_repeated():
    errors, attempts = np.array([1, 0, 2, 0, 0, 1]), np.array([3, 3, 3, 3, 3, 3])

    assert by_subject(errors, attempts) == by_subject(errors, attempts)


def test_a_subject_without_attempts_is_refused():
    with pytest.raises(ValueError, match="an attempt or more"):
        by_subject(np.array([0, 0]), np.array([3, 0]))
