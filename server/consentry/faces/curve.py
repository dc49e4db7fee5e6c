"""Measured thresholds: which similarity keeps which error rate, for each model.

`operating_curves.json` is written by ``make calibrate`` and by nothing else. A threshold
exists only together with the rates that justify it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TypedDict, cast

from consentry.kernel.biometrics import OperatingPoint
from consentry.kernel.ids import ModelId


@dataclass(frozen=True, slots=True)
class MeasuredPoint:
    """One row of a curve: at ``threshold``, these parts of the pairs went wrong."""

    threshold: float
    fmr: float
    fnmr: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingCurve:
    """The measured trade-off of one model.

    Attributes:
        model_id: The model.
        points: By rising threshold, so by falling false match rate.
        mated_pairs: Pairs of photos of one person that ``fnmr`` was counted on.
        non_mated_pairs: Pairs of photos of two people that ``fmr`` was counted on.
        source: The report.
    """

    model_id: ModelId
    points: tuple[MeasuredPoint, ...]
    mated_pairs: int
    non_mated_pairs: int
    source: str

    @property
    def lowest_fmr(self) -> float:
        """The strictest false match rate that the measured pairs can support."""
        return self.points[-1].fmr

    def at_fmr(self, fmr: float) -> OperatingPoint:
        """Return the loosest measured point whose false match rate is at most ``fmr`` (1:1).

        Args:
            fmr: Fraction of comparisons of two people that may match by mistake.

        Raises:
            ValueError: If ``fmr`` is below `lowest_fmr`: nothing was measured there.
        """
        for point in self.points:
            if point.fmr <= fmr:
                return self._operating_point(point)
        raise ValueError(
            f"the measured pairs support no false match rate below {self.lowest_fmr:.2g}"
        )

    def for_identification(self, fpir: float, comparisons: int) -> OperatingPoint:
        """Return the point at which a search (1:N) errs at most ``fpir`` of the time.

        ``fpir = 1 - (1 - fmr) ** comparisons``, comparisons being people times faces times
        attempts.

        Args:
            fpir: Part of the searches for a stranger that may name anybody.
            comparisons: At least 1.

        Returns:
            The point for that rate; where the pairs do not support it, the strictest that was
            measured: its ``fmr`` is then larger than asked, so compare ``comparisons`` with
                `most_comparisons`.
        """
        if comparisons < 1 or not 0 < fpir < 1:
            raise ValueError("a search makes one comparison or more and errs sometimes")
        fmr = 1 - (1 - fpir) ** (1 / comparisons)
        if fmr < self.lowest_fmr:
            return self._operating_point(self.points[-1])
        return self.at_fmr(fmr)

    def most_comparisons(self, fpir: float) -> int:
        """Return how many comparisons a search may make before ``fpir`` can no longer be promised."""
        return int(fpir / self.lowest_fmr)

    def _operating_point(self, point: MeasuredPoint) -> OperatingPoint:
        return OperatingPoint(
            threshold=point.threshold,
            fmr=point.fmr,
            fnmr=point.fnmr,
            model=self.model_id,
            source=self.source,
        )


class _CurveRow(TypedDict):
    """A curve as `operating_curves.json` holds it."""

    points: list[tuple[float, float, float]]
    mated_pairs: int
    non_mated_pairs: int
    source: str


def measured_curve(model_id: ModelId) -> OperatingCurve:
    """Return the curve that was measured for a model.

    Raises:
        ValueError: If none was measured: such a model has no thresholds and cannot be used.
    """
    try:
        return _curves()[model_id]
    except KeyError as cause:
        raise ValueError(f"no operating curve was measured for {model_id}") from cause


@cache
def _curves() -> dict[ModelId, OperatingCurve]:
    text = resources.files("consentry.faces").joinpath("operating_curves.json").read_text("utf-8")
    rows = cast("dict[str, _CurveRow]", json.loads(text)["curves"])
    return {
        ModelId(model_id): OperatingCurve(
            model_id=ModelId(model_id),
            points=tuple(MeasuredPoint(*point) for point in row["points"]),
            mated_pairs=row["mated_pairs"],
            non_mated_pairs=row["non_mated_pairs"],
            source=row["source"],
        )
        for model_id, row in rows.items()
    }
