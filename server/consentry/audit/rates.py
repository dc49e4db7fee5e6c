"""Measured error rates of the engines that entries name, as far as they ship as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from consentry.faces.curve import measured_curve
from consentry.kernel.ids import ModelId

PROMISED_FMRS = (1e-3, 1e-4)
"""Rates that points are stated at, beside the strictest that was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One measured point: at this similarity, these parts of the pairs went wrong.

    Attributes:
        engine: As entries name it, for example ``mfn192+sface@1``.
        threshold: Similarity from which two faces count as one person.
        fmr: Part of the pairs of two people that match by mistake.
        fnmr: Part of the pairs of one person that do not match.
        mated_pairs: Pairs of one person that were counted.
        non_mated_pairs: Pairs of two people that were counted.
        source: The report.
    """

    engine: str
    threshold: float
    fmr: float
    fnmr: float
    mated_pairs: int
    non_mated_pairs: int
    source: str


def measured_rates(engines: Iterable[str]) -> tuple[Rate, ...]:
    """Return what was measured of these engines; nothing for one that was not."""
    found: list[Rate] = []
    for engine in sorted(set(engines)):
        try:
            curve = measured_curve(ModelId(engine))
        except ValueError:
            continue  # an engine without a curve: the export says so
        wanted = {curve.at_fmr(fmr) for fmr in PROMISED_FMRS if fmr >= curve.lowest_fmr}
        wanted.add(curve.at_fmr(curve.lowest_fmr))
        found += (
            Rate(
                engine=engine,
                threshold=point.threshold,
                fmr=point.fmr,
                fnmr=point.fnmr,
                mated_pairs=curve.mated_pairs,
                non_mated_pairs=curve.non_mated_pairs,
                source=curve.source,
            )
            for point in sorted(wanted, key=lambda point: point.threshold)
        )
    return tuple(found)
