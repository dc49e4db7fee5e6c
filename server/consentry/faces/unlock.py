"""The strictest comparison: is this face hers, to two independent networks?

A fused embedding is its parts' embeddings one after the other, each scaled by the root of its
share. So the cosine of each part can be read off two fused embeddings, and a network can be asked
alone: it may be sure, and another not.

    fused  = [ sqrt(a) u | sqrt(b) v ]        u, v of norm 1, a + b = 1
    cosine of part 1 = <sqrt(a) u, sqrt(a) u'> / a
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TypedDict, cast

import numpy as np

from consentry.faces.curve import measured_curve
from consentry.faces.embed import RECIPES, Part
from consentry.kernel.biometrics import Embedding, similarity
from consentry.kernel.ids import ModelId

NETWORKS = 2
"""How many independent networks must agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRule:
    """One network of a fused model.

    Attributes:
        start, stop: Where its part of the embedding lies.
        share: Its share of the fused cosine.
        threshold: Its own cosine from which it agrees, at the strictest false match rate that was
            measured of it alone.
    """

    start: int
    stop: int
    share: float
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockRule:
    """When a face is sure enough to unlock something that cannot be undone.

    Attributes:
        threshold: Of the fused model, at the strictest false match rate that was measured of it.
        parts: The networks, of which at least two must agree, each by itself.
    """

    threshold: float
    parts: tuple[PartRule, ...]

    def holds(self, probe: Embedding, references: Sequence[Embedding]) -> bool:
        """Compare a probe with all references of one subject (1:1 verification).

        Args:
            probe: Of the model that the rule is for.
            references: Of the same model and of one subject.

        Returns:
            Whether the fused model and every part of it find the probe among them. False without
            references.
        """
        if not references or len(self.parts) < 2:  # noqa: PLR2004 -- two networks, or nobody agrees with nobody
            return False
        return max(similarity(probe, each) for each in references) >= self.threshold and all(
            _agrees(part, probe, references) for part in self.parts
        )


def _agrees(part: PartRule, probe: Embedding, references: Sequence[Embedding]) -> bool:
    own = slice(part.start, part.stop)
    best = max(float(np.dot(probe[own], each[own])) for each in references)
    return best / part.share >= part.threshold


def part_name(part: Part) -> str:
    """Name a part as `part_points.json` does: two that differ in the mirror are two networks."""
    return f"{part.network.value}+mirrored" if part.adds_mirrored else part.network.value


def unlock_rule(model_id: ModelId) -> UnlockRule | None:
    """Return the rule of a model.

    Returns:
        None when fewer than `NETWORKS` networks of it were measured alone: with such a model
        nothing can be unlocked.
    """
    recipe = next((each for each in RECIPES.values() if each.model_id == model_id), None)
    points = _points()
    parts, start = [], 0
    for part in () if recipe is None else recipe.parts:
        stop = start + part.dimension
        threshold = points.get(part_name(part))
        if threshold is not None:
            parts.append(PartRule(start=start, stop=stop, share=part.weight, threshold=threshold))
        start = stop
    if len(parts) < NETWORKS:
        return None
    return UnlockRule(threshold=measured_curve(model_id).points[-1].threshold, parts=tuple(parts))


class _Point(TypedDict):
    """A point as `part_points.json` holds it, written by ``make calibrate``."""

    threshold: float
    fmr: float
    fnmr: float


@cache
def _points() -> dict[str, float]:
    text = resources.files("consentry.faces").joinpath("part_points.json").read_text("utf-8")
    points = cast("dict[str, _Point]", json.loads(text)["points"])
    return {name: point["threshold"] for name, point in points.items()}
