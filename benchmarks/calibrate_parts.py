"""Measures each network of the fused models alone: the point at which it may agree to an unlock.

    python benchmarks/calibrate_parts.py DIR [--models-dir DIR]

``DIR`` as for ``calibrate.py``, whose protocol this follows. Writes
``server/consentry/faces/part_points.json``: for each network the strictest threshold that the
measured pairs support, with its rates.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from calibrate import ROOT, Observer, Photo, curve, falling, observe_all
from consentry.faces.embed import RECIPES, Part, Recipe
from consentry.faces.unlock import part_name
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Embedding, as_embedding

POINTS = ROOT / "server" / "consentry" / "faces" / "part_points.json"


def alone(photo: Photo) -> Photo:
    """Replace the embeddings of the models by those of their parts."""
    parts: dict[str, Embedding] = {}
    for recipe in RECIPES.values():
        if recipe.model_id in photo.embeddings:
            parts |= parts_of(recipe, photo.embeddings[recipe.model_id])
    return replace(photo, embeddings=parts)


def parts_of(recipe: Recipe, fused: Embedding) -> dict[str, Embedding]:
    """Cut a fused embedding into its parts."""
    found, start = {}, 0
    for part in recipe.parts:
        own = fused[start : start + part.dimension]
        found[part_name(part)] = as_embedding(own / np.linalg.norm(own))
        start += part.dimension
    return found


def measured(lfw: Sequence[Photo], congress: Sequence[Photo]) -> dict[str, dict[str, float]]:
    """Return the strictest point of each part."""
    parts: dict[str, Part] = {part_name(p): p for r in RECIPES.values() for p in r.parts}
    points = {}
    for name in sorted(parts):
        row = falling(curve(lfw, congress, name))[-1]
        points[name] = {"threshold": row.threshold, "fmr": row.fmr, "fnmr": row.fnmr}
    return points


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--models-dir", type=Path, default=Path.home() / ".cache" / "consentry" / "models"
    )
    arguments = parser.parse_args()
    models = ModelStore(arguments.models_dir, threads=1)
    found = observe_all(arguments.folder, Observer(models, with_reference=False))
    lfw, congress = ([alone(photo) for photo in found[name]] for name in ("lfw", "congress"))
    text = json.dumps({"points": measured(lfw, congress)}, indent=1)
    POINTS.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
