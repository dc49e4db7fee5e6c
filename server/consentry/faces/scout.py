"""The quick look over (a part of) a picture: YuNet proposes faces, most of them right.

Decoding: Wu, Peng and Yu, YuNet: A Tiny Millisecond-level Face Detector, 2023.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from consentry.faces.places import DetectedFace, as_landmarks, best
from consentry.inference.registry import ModelName
from consentry.inference.sessions import Floats, ModelStore
from consentry.kernel.biometrics import Box

Picture = npt.NDArray[np.uint8]
"""A picture or a part of one, perhaps shrunk or turned: ``(height, width, 3)``, RGB."""

_STRIDES = (8, 16, 32)  # of the network's outputs
_MULTIPLE = 32  # of the sides that the network takes
_MIN_SCORE = 0.3
# A box is never longer than this many cells of its level; keeps the exponential finite.
_MAX_LOG_SIDE = 6.0


class Scout:
    """Proposes faces. Any number of threads may use one scout: it holds no state."""

    def __init__(self, models: ModelStore) -> None:
        self._models = models

    def look(self, pictures: Sequence[Picture]) -> list[list[DetectedFace]]:
        """Propose the faces of pictures of one size, upright ones first of all.

        Args:
            pictures: Of one shape, at least one.

        Returns:
            For each picture its faces in its own pixels, surest first. A face may be none.

        Raises:
            ModelUnavailable: If the network's file is missing or not the pinned one.
        """
        height, width = pictures[0].shape[:2]
        shape = (len(pictures), 3, _round_up(height), _round_up(width))
        batch = np.zeros(shape, np.float32)
        for i, picture in enumerate(pictures):
            batch[i, :, :height, :width] = picture.transpose(2, 0, 1)
        levels = self._models.session(ModelName.YUNET).run(batch)
        return [_decode([level[i] for level in levels]) for i in range(len(pictures))]


def _round_up(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE


def _decode(levels: Sequence[Floats]) -> list[DetectedFace]:
    """Turn the three outputs into faces: of cells that overlap, the surest.

    Args:
        levels: Each ``(16, h, w)``: logits of face and object; the box's centre and the logarithm of
            its sides; five points; x before y, in cells, from the cell's own corner.
    """
    found: list[npt.NDArray[np.floating]] = []
    for cells, stride in zip(levels, _STRIDES, strict=True):
        # The weaker of the two bounds the score, so that few cells need an exponential.
        rows, columns = np.nonzero(cells[:2].min(axis=0) > _logit(_MIN_SCORE**2))
        values = cells[:, rows, columns].astype(np.float64)
        scores = 1 / np.sqrt((1 + np.exp(-values[0])) * (1 + np.exp(-values[1])))
        corner = np.stack([columns, rows])
        centre = (values[2:4] + corner) * stride
        sides = np.exp(np.minimum(values[4:6], _MAX_LOG_SIDE)) * stride
        points = (values[6:].reshape(5, 2, -1) + corner) * stride
        found.append(
            np.concatenate([scores[None], centre - sides / 2, sides, points.reshape(10, -1)])
        )
    every = np.concatenate(found, axis=1)
    every = every[:, every[0] >= _MIN_SCORE]
    return [_face(every[:, i]) for i in best(every[1:5].T, every[0])]


def _logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def _face(values: npt.NDArray[np.floating]) -> DetectedFace:
    score, left, top, width, height, *points = (float(value) for value in values)
    landmarks = as_landmarks(list(zip(points[0::2], points[1::2], strict=True)))
    return DetectedFace(Box(left, top, width, height), landmarks, score)
