"""Says whether a picture shows a person, with or without a face: a back, a body without a head, legs.

    picture -> shrunk into a gray square -> two detectors, their logits added -> person or not
            -> (thorough, and nobody seen?) -> the same, turned by 90, 270 and 180 degrees

Two, because they err on different pictures: at the same rate of false alarms the better one alone
misses more than twice as many people (docs/calibration/2026-11-persons.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from consentry.inference.registry import ModelName
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Pixels

# Of the added logits. Whoever is taken for nobody is undressed; whatever is taken for somebody is only
# not edited: so they lie where hardly anybody is missed.
_MIN_SCORE = -2.0
_MIN_TURNED_SCORE = -1.0

_DETECTORS = ((ModelName.NANODET, 416), (ModelName.CENTERNET, 512))
_GRAY = 114  # around the picture: what such detectors are trained with
_TURNS = (1, 3, 2)  # lying on a side is commoner than standing on the head


@dataclass(frozen=True, slots=True)
class PersonDetector:
    """Looks for persons. Any number of threads may use one: it holds no state."""

    models: ModelStore

    def presence(self, pixels: Pixels, *, thorough: bool) -> bool:
        """Say whether somebody is in the picture.

        Args:
            pixels: Shape ``(height, width, 3)``, RGB.
            thorough: When nobody is seen, look at the picture turned by 90, 180 and 270 degrees,
                too. Costs up to four times as much.

        Returns:
            True for a person, drawn or photographed, whole or in part; also for much that looks like
            one (a mannequin, a statue). What is missed is measured in the source above.

        Raises:
            ModelUnavailable: If a model file is missing or not the pinned one.
        """
        if self.score(pixels) >= _MIN_SCORE:
            return True
        return thorough and any(
            self.score(pixels, quarter_turns=turns) >= _MIN_TURNED_SCORE for turns in _TURNS
        )

    def score(self, pixels: Pixels, *, quarter_turns: int = 0) -> float:
        """Return the evidence for a person in one look: larger means surer, unbounded.

        Args:
            pixels: Shape ``(height, width, 3)``, RGB.
            quarter_turns: Counter-clockwise, before looking.

        Raises:
            ModelUnavailable: If a model file is missing or not the pinned one.
        """
        total = 0.0
        for name, side in _DETECTORS:
            batch = _squared(pixels, side, quarter_turns).astype(np.float32)
            (logit,) = self.models.session(name).run(batch.transpose(2, 0, 1)[None])
            total += float(logit[0, 0])
        return total


def _squared(pixels: Pixels, side: int, quarter_turns: int) -> npt.NDArray[np.uint8]:
    """Fit a picture into the middle of a gray square, turned."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
    square = np.full((side, side, 3), _GRAY, np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return np.ascontiguousarray(np.rot90(square, quarter_turns))
