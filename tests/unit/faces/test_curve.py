from __future__ import annotations

import math

import pytest
from consentry.faces.curve import MeasuredPoint, OperatingCurve, measured_curve
from consentry.faces.embed import RECIPES
from consentry.kernel.ids import ModelId
from hypothesis import given
from hypothesis import strategies as st

CURVE = OperatingCurve(
    model_id=ModelId("model@1"),
    points=(
        MeasuredPoint(0.30, 1e-2, 0.01),
        MeasuredPoint(0.40, 1e-3, 0.02),
        MeasuredPoint(0.50, 1e-4, 0.05),
    ),
    mated_pairs=100,
    non_mated_pairs=100_000,
    source="docs/calibration/report.md",
)
MODELS = [*(recipe.model_id for recipe in RECIPES.values()), ModelId("face-recognition@1.3")]


@pytest.mark.parametrize(
    ("fmr", "threshold"), [(1, 0.30), (1e-2, 0.30), (9e-3, 0.40), (1e-3, 0.40), (1e-4, 0.50)]
)
def test_a_rate_gets_the_loosest_threshold_that_keeps_it(fmr, threshold):
    assert CURVE.at_fmr(fmr).threshold == threshold


def test_a_point_carries_the_rates_that_justify_it_and_their_source():
    point = CURVE.at_fmr(1e-3)

    assert (point.fmr, point.fnmr) == (1e-3, 0.02)
    assert (point.model, point.source) == ("model@1", "docs/calibration/report.md")


def test_a_rate_below_what_was_measured_is_refused():
    with pytest.raises(ValueError, match=r"no false match rate below 0\.0001"):
        CURVE.at_fmr(9.9e-5)


def test_more_comparisons_need_a_stricter_threshold():
    assert [CURVE.for_identification(1e-2, n).threshold for n in (1, 2, 10, 11, 100)] == [
        0.30,
        0.40,
        0.40,
        0.50,
        0.50,
    ]


def test_beyond_the_measured_pairs_a_search_gets_the_strictest_point_and_its_honest_rate():
    point = CURVE.for_identification(1e-3, 1_000_000)

    assert point.threshold == 0.50
    assert 1 - (1 - point.fmr) ** 1_000_000 > 1e-3
    assert CURVE.most_comparisons(1e-3) == 10


@given(st.floats(1e-4, 0.5), st.integers(1, 100))
def test_where_a_search_is_supported_it_keeps_its_rate(fpir, comparisons):
    point = CURVE.for_identification(fpir, comparisons)

    if 1 - (1 - fpir) ** (1 / comparisons) >= CURVE.lowest_fmr:
        assert 1 - (1 - point.fmr) ** comparisons <= fpir * (1 + 1e-9)


@pytest.mark.parametrize(("fpir", "comparisons"), [(0, 1), (1, 1), (-0.1, 5), (0.1, 0)])
def test_a_search_without_comparisons_or_errors_is_refused(fpir, comparisons):
    with pytest.raises(ValueError, match="one comparison or more"):
        CURVE.for_identification(fpir, comparisons)


@pytest.mark.parametrize("model", MODELS)
def test_each_model_has_a_measured_curve_that_falls(model):
    curve = measured_curve(model)

    assert len(curve.points) >= 8
    for before, after in zip(curve.points, curve.points[1:], strict=False):
        assert before.threshold < after.threshold
        assert before.fmr > after.fmr
        assert before.fnmr <= after.fnmr
    assert all(0 < point.fmr < 1 and 0 <= point.fnmr < 1 for point in curve.points)
    assert curve.lowest_fmr * curve.non_mated_pairs >= 5


@pytest.mark.parametrize("model", MODELS)
def test_each_model_supports_a_household(model):
    """Three people, ten faces: one search in a hundred may err, at the worst."""
    assert measured_curve(model).most_comparisons(1e-2) >= 30


@pytest.mark.parametrize("model", MODELS)
def test_each_curve_is_in_the_report_that_it_names(model):
    from pathlib import Path

    curve = measured_curve(model)
    report = (Path(__file__).parents[3] / curve.source).read_text()
    section = report.split(f"## `{model}`")[1].split("\n## ")[0]

    for point in curve.points:
        assert f"| {point.threshold:.4f} |" in section


def test_a_model_that_was_never_measured_has_no_thresholds():
    with pytest.raises(ValueError, match="no operating curve was measured for other@1"):
        measured_curve(ModelId("other@1"))


def test_rates_and_counts_agree():
    assert math.isclose(CURVE.lowest_fmr, 1e-4)
