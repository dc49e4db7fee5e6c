"""Write src/engine/engine.json: what the browser's engine takes from the server, so that both decide alike.

Run ``python extension/generate_engine.py`` after a change of a model, a recipe or a calibration.
``tests/extension/test_engine_data.py`` fails until the file is current.
"""

from __future__ import annotations

import json
from pathlib import Path

from consentry.faces.curve import measured_curve
from consentry.faces.embed import RECIPES, EmbeddingModel
from consentry.faces.quality import IDENTIFIABLE_EYE_PX
from consentry.inference.registry import MODEL_FILES, ModelName

TARGET = Path(__file__).parent / "src" / "engine" / "engine.json"


def content() -> str:
    """Return the file as it should be."""
    recipe = RECIPES[EmbeddingModel.COMPANION]
    curve = measured_curve(recipe.model_id)
    networks = [ModelName.YUNET, ModelName.CENTERFACE, *(part.network for part in recipe.parts)]
    data = {
        "comment": "Written by extension/generate_engine.py; never edited by hand.",
        "model": recipe.model_id,
        "dimension": recipe.dimension,
        "preprocessing": recipe.preprocessing_hash,
        "networks": [
            {
                "name": name,
                "file": MODEL_FILES[name].file_name,
                "sha256": MODEL_FILES[name].sha256,
            }
            for name in networks
        ],
        "parts": [
            {
                "network": part.network,
                "dimension": part.dimension,
                "side": part.template.side_px,
                "points": part.template.points,
                "mean": part.mean,
                "divisor": part.divisor,
                "addsMirrored": part.adds_mirrored,
                "weight": part.weight,
            }
            for part in recipe.parts
        ],
        "identifiableEyePx": IDENTIFIABLE_EYE_PX,
        "curve": {
            "points": [
                {"threshold": point.threshold, "fmr": point.fmr, "fnmr": point.fnmr}
                for point in curve.points
            ],
            "source": curve.source,
        },
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(content(), "utf-8")
