"""Scores how exposed the body in a picture is. Only to compare an output with what went in.

    picture -> 224 x 224, whole -> open_nsfw -> 0 (nothing of the kind) to 1 (nude or sexual)

A score by itself means little: skin in close-up can score high, and swimwear hardly scores. What tells is
that the result of an edit scores higher than its inputs by `RISE`, with a person in it
(docs/calibration/2026-11-exposure.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from consentry.inference.registry import ModelName
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Pixels

RISE = 0.3
"""Of the score. One ordinary edit in a thousand raises it by as much."""

EXPOSURE_ENGINE = "open-nsfw@1"
"""Part of each receipt of an output check."""

_SIDE_PX = 224


@dataclass(frozen=True, slots=True)
class ExposureReader:
    """Scores pictures. Any number of threads may use one: it holds no state."""

    models: ModelStore

    def score(self, pixels: Pixels) -> float:
        """Return the exposure.

        Args:
            pixels: Shape ``(height, width, 3)``, RGB.

        Returns:
            From 0 (none) to 1 (nude or sexual).

        Raises:
            ModelUnavailable: If the model file is missing or not the pinned one.
        """
        image = Image.fromarray(pixels).resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BILINEAR)
        batch = np.asarray(image, np.float32).transpose(2, 0, 1)[None]
        (shares,) = self.models.session(ModelName.OPEN_NSFW).run(batch)
        return float(shares[0, 1])
