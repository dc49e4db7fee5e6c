"""Writes measured curves in the form that `consentry.faces.curve` reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from consentry.evaluation.comparisons import TICKS
from consentry.evaluation.measuring import Measured, SeenSet, part_curve
from consentry.evaluation.observing import Engine
from consentry.evaluation.work import Json, JsonObject
from consentry.faces.curve import MeasuredPoint, OperatingCurve
from consentry.faces.unlock import part_name
from consentry.kernel.errors import BadRequest
from consentry.kernel.ids import ModelId


def merged(existing: str | None, models: Sequence[Measured], source: str) -> str:
    """Return the file's new text: curves that were measured now, and those of other models that it had.

    Args:
        existing: What the file holds now; None when there is none.
        models: What was measured. A model without a curve keeps none.
        source: The report, for whoever wants to know where a threshold comes from.

    Raises:
        BadRequest: If the file is not one of curves.
    """
    curves = dict(_curves(existing)) if existing is not None else {}
    for each in models:
        curves.pop(each.model_id, None)
        if each.curve:
            curves[each.model_id] = _curve(each, source)
    return json.dumps({"curves": curves}, indent=1) + "\n"


def curve(each: Measured, source: str) -> OperatingCurve | None:
    """Return a measured curve as the checks use it; None for a model without one."""
    if not each.curve:
        return None
    first = each.curve[0]
    return OperatingCurve(
        model_id=ModelId(each.model_id),
        points=tuple(MeasuredPoint(row.threshold / TICKS, row.fmr, row.fnmr) for row in each.curve),
        mated_pairs=first.missed_calibrating.count + first.missed_scoring.count,
        non_mated_pairs=first.everywhere.count,
        source=source,
    )


def part_points(sets: Sequence[SeenSet], engines: Sequence[Engine]) -> str:
    """Return what `consentry.faces.unlock` reads: the strictest measured point of each network alone."""
    found: JsonObject = {}
    for engine in engines:
        start = 0
        for part in engine.recipe.parts if engine.recipe else ():
            columns = slice(start, start + part.dimension)
            start = columns.stop
            rows = part_curve(sets, engine.model_id, columns)
            if rows and part_name(part) not in found:
                last = rows[-1]
                found[part_name(part)] = {
                    "threshold": last.threshold / TICKS,
                    "fmr": float(f"{last.fmr:.6g}"),
                    "fnmr": float(f"{last.fnmr:.6g}"),
                }
    return json.dumps({"points": dict(sorted(found.items()))}, indent=1) + "\n"


def read(path: Path) -> str | None:
    """Return what a file of curves holds; None when there is none.

    Raises:
        BadRequest: If it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as cause:
        raise BadRequest("The file of operating points cannot be read.") from cause


def _curves(text: str) -> JsonObject:
    try:
        held: Json = json.loads(text)
    except ValueError as cause:
        raise BadRequest("The file of operating points is not JSON.") from cause
    match held:
        case {"curves": dict(curves)}:
            return curves
        case _:
            raise BadRequest("The file of operating points holds no curves; choose another name.")


def _curve(each: Measured, source: str) -> JsonObject:
    first = each.curve[0]
    return {
        "points": [
            [row.threshold / TICKS, float(f"{row.fmr:.6g}"), float(f"{row.fnmr:.6g}")]
            for row in each.curve
        ],
        "mated_pairs": first.missed_calibrating.count + first.missed_scoring.count,
        "non_mated_pairs": first.everywhere.count,
        "source": source,
    }
