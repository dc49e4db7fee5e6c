# ruff: noqa: INP001 -- a script beside the extension, not a module of a package
"""Write what the browser takes from the server, so that both decide alike: src/engine/engine.json and others.

Run ``python extension/generate_engine.py`` after a change of a model, a recipe or a calibration.
``tests/extension/test_engine_data.py`` fails until the files are current.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from consentry.checks import pictures, search
from consentry.consent.jurisdiction import rules_for
from consentry.enrolment import enrol
from consentry.faces import quality
from consentry.faces.align import ARCFACE_112
from consentry.faces.curve import measured_curve
from consentry.faces.embed import RECIPES, EmbeddingModel, Part
from consentry.imagery.limits import DEFAULT_LIMITS
from consentry.inference.registry import MODEL_FILES, ModelName

SOURCE = Path(__file__).parent / "src"

_COMMENT = "Written by extension/generate_engine.py; never edited by hand."
_RAMPS = {
    "eyePx": "_EYE_PX",
    "sharpness": "_SHARPNESS",
    "brightEnd": "_BRIGHT_END",
    "darkEnd": "_DARK_END",
    "contrast": "_CONTRAST",
    "yaw": "_YAW",
    "pitch": "_PITCH",
    "roll": "_ROLL_DEGREES",
    "outside": "_OUTSIDE",
    "detector": "_DETECTOR",
}


def files() -> dict[Path, str]:
    """Return what each file should hold."""
    regions = {
        "comment": _COMMENT,
        "asksFor": sorted(rules_for(None).asks_for),
    }
    return {
        SOURCE / "engine" / "engine.json": _engine(),
        SOURCE / "domain" / "consent" / "regions.json": _json(regions),
    }


def _json(data: dict[str, object]) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _engine() -> str:
    recipe = RECIPES[EmbeddingModel.COMPANION]
    networks = [ModelName.YUNET, ModelName.CENTERFACE, *(part.network for part in recipe.parts)]
    data = {
        "comment": _COMMENT,
        "model": recipe.model_id,
        "dimension": recipe.dimension,
        "preprocessing": recipe.preprocessing_hash,
        "networks": [
            {
                "name": name,
                "file": MODEL_FILES[name].file_name,
                "sha256": MODEL_FILES[name].sha256,
                "licence": MODEL_FILES[name].licence,
                "package": MODEL_FILES[name].source.package,
            }
            for name in networks
        ],
        "parts": [_part(part) for part in recipe.parts],
        "quality": _quality(),
        "identifiableEyePx": quality.IDENTIFIABLE_EYE_PX,
        "limits": asdict(DEFAULT_LIMITS),
        "curve": asdict(measured_curve(recipe.model_id)),
        "points": {
            "possibleFpir": search._POSSIBLE_FPIR,  # noqa: SLF001 -- written down once, there
            "matchFpir": search.MATCH_FPIR,
            "samePersonFmr": enrol._SAME_PERSON_FMR,  # noqa: SLF001 -- written down once, there
        },
        "enrolment": {
            "minQuality": enrol._MIN_QUALITY,  # noqa: SLF001 -- written down once, there
            "dominance": enrol._DOMINANCE,  # noqa: SLF001 -- written down once, there
            "dominanceInTheMiddle": enrol._DOMINANCE_IN_THE_MIDDLE,  # noqa: SLF001 -- as above
            "maxPhotos": enrol.MAX_PHOTOS,
            "maxNameChars": enrol.MAX_NAME_CHARS,
        },
        "maxFaces": pictures.MAX_FACES,
    }
    return _json(data)


def _part(part: Part) -> dict[str, object]:
    return {
        "network": part.network,
        "dimension": part.dimension,
        "side": part.template.side_px,
        "points": part.template.points,
        "mean": part.mean,
        "divisor": part.divisor,
        "addsMirrored": part.adds_mirrored,
        "weight": part.weight,
    }


def _quality() -> dict[str, object]:
    rows, columns = quality._INNER_ROWS, quality._INNER_COLUMNS  # noqa: SLF001 -- its own numbers
    return {
        "issues": list(quality.QualityIssue),
        "ramps": {name: asdict(getattr(quality, constant)) for name, constant in _RAMPS.items()},
        "noseHeight": quality._NOSE_HEIGHT,  # noqa: SLF001 -- written down once, there
        "innerRows": [rows.start, rows.stop],
        "innerColumns": [columns.start, columns.stop],
        "points": ARCFACE_112.points,
        "side": ARCFACE_112.side_px,
    }


if __name__ == "__main__":
    for file, content in files().items():
        file.write_text(content, "utf-8")
