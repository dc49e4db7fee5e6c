"""report.json: every figure of a run, for programs (docs/specs/evaluation-report.md)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from consentry.evaluation.calibration import Row
from consentry.evaluation.comparisons import TICKS
from consentry.evaluation.identification import FPIRS, Searches
from consentry.evaluation.measuring import (
    FMRS,
    Acquired,
    Hard,
    Measured,
    Point,
    SeenSet,
    Worst,
)
from consentry.evaluation.observation import Outcome
from consentry.evaluation.rates import Rate
from consentry.evaluation.work import JsonObject

FORMAT = "consentry.evaluation/1"


def document(
    sets: Sequence[SeenSet], models: Sequence[Measured], *, version: str, date: str
) -> JsonObject:
    """Return the report as one JSON object. It holds no name of a person and no path."""
    return {
        "format": FORMAT,
        "version": version,
        "date": date,
        "sets": [_set(each) for each in sets],
        "models": [each.model_id for each in models],
        "fnmr_at_fmr": {each.model_id: _points(each.fnmr_at_fmr) for each in models},
        "scored_on_other_half": {each.model_id: _scored(each) for each in models},
        "listed_pairs": {
            each.model_id: _points(each.listed) for each in models if each.listed is not None
        },
        "failure_to_acquire": {
            each.model_id: {one.name: _acquired(one) for one in each.acquired} for each in models
        },
        "det": {each.model_id: [list(point) for point in each.det] for each in models},
        "operating_points": {each.model_id: [_row(row) for row in each.curve] for each in models},
        "identification": {
            each.model_id: [_searches(name, found) for name, found in each.searches]
            for each in models
        },
        "worst_subjects": {each.model_id: _worst(each.worst) for each in models},
        "hard_sets": {each.model_id: [_hard(one) for one in each.hard] for each in models},
    }


def number(value: float) -> float | None:
    """Return a number, or null for one that is none."""
    return None if math.isnan(value) else float(f"{value:.6g}")


def interval(name: str, rate: Rate) -> JsonObject:
    """Return a rate with its interval and counts."""
    if not rate.count:
        return {name: None, f"{name}_ci_low": None, f"{name}_ci_high": None}
    return {
        name: number(rate.value),
        f"{name}_ci_low": number(rate.low),
        f"{name}_ci_high": number(rate.high),
    }


def _set(each: SeenSet) -> JsonObject:
    return {
        "name": each.photos.name,
        "role": "hard" if each.is_hard else "ordinary",
        "photos": len(each.photos.photos),
        "subjects": each.photos.subjects,
        "listed_pairs": len(each.photos.pairs),
    }


def _points(points: dict[str, Point | None]) -> JsonObject:
    return {name: _point(points[name]) for name in FMRS}


def _point(point: Point | None) -> JsonObject:
    if point is None:
        return dict.fromkeys(
            (
                "fnmr",
                "ci_low",
                "ci_high",
                "threshold",
                "fmr_measured",
                "fmr_ci_low",
                "fmr_ci_high",
                "false_matches",
                "non_mated_pairs",
                "mated_pairs",
                "fnmr_with_failures",
            )
        )
    return {
        "fnmr": number(point.fnmr.value),
        "ci_low": number(point.fnmr.low),
        "ci_high": number(point.fnmr.high),
        "threshold": point.threshold / TICKS,
        "fmr_measured": number(point.fmr.value),
        "fmr_ci_low": number(point.fmr.low),
        "fmr_ci_high": number(point.fmr.high),
        "false_matches": point.fmr.errors,
        "non_mated_pairs": point.fmr.count,
        "mated_pairs": point.fnmr.count,
        "fnmr_with_failures": number(point.fnmr_with_failures),
    }


def _scored(each: Measured) -> JsonObject:
    found: JsonObject = {}
    for name in FMRS:
        row = each.scored[name]
        found[name] = None if row is None else _row(row)
    return found


def _row(row: Row) -> JsonObject:
    return {
        "threshold": row.threshold / TICKS,
        "fmr": number(row.fmr),
        "fnmr": number(row.fnmr),
        "chosen_on": "calibrating half" if row.is_chosen else "fixed step",
        "calibrating": _half(row.calibrating, row.missed_calibrating),
        "scoring": _half(row.scoring, row.missed_scoring),
    }


def _half(fmr: Rate, fnmr: Rate) -> JsonObject:
    return {
        **interval("fmr", fmr),
        **interval("fnmr", fnmr),
        "false_matches": fmr.errors,
        "non_mated_pairs": fmr.count,
        "missed": fnmr.errors,
        "mated_pairs": fnmr.count,
    }


def _acquired(one: Acquired) -> JsonObject:
    return {
        "photos": one.photos,
        **{outcome.value: one.outcomes[outcome] for outcome in Outcome},
        "errors": dict(sorted(one.errors.items())),
        "rate": number(one.rate),
    }


def _searches(name: str, found: Searches) -> JsonObject:
    at: JsonObject = {}
    for fpir in FPIRS:
        threshold = found.threshold(fpir)
        at[f"{fpir:g}"] = (
            None
            if threshold is None
            else {
                "threshold": threshold / TICKS,
                **interval("fnir", found.fnir(threshold)),
                **interval("fpir", found.fpir(threshold)),
            }
        )
    return {
        "set": name,
        "gallery": found.size,
        "draws": found.draws,
        "mated_probes": len(found.mated),
        "non_mated_probes": len(found.non_mated),
        "fnir_at_fpir": at,
    }


def _worst(worst: Worst | None) -> JsonObject | None:
    if worst is None:
        return None
    return {
        "threshold": worst.threshold / TICKS,
        "mean": number(worst.mean),
        "worst_tenth": number(worst.worst_tenth),
        "worst": number(worst.worst),
        "without_error": worst.without_error,
        "subjects": worst.subjects,
        "in_a_false_match": worst.touched,
        "people": worst.people,
    }


def _hard(one: Hard) -> JsonObject:
    return {
        "set": one.name,
        "conditions": list(one.conditions),
        "at_fmr_1e-3_of_the_ordinary_sets": None
        if one.fmr is None or one.fnmr is None
        else {**interval("fmr", one.fmr), **interval("fnmr", one.fnmr)},
        "fnmr_at_fmr": _points(one.fnmr_at_fmr),
    }
