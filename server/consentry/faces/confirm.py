"""The second look at each proposed face: CenterFace on an upright chip says whether it is one, and where.

The chip is cut so that the proposed face stands upright in its middle at one size, whatever its size
and angle in the picture. So the network sees every face as it knows faces best, and costs the same for
a face of 20 pixels as for one of 2,000.

Decoding: Xu et al., CenterFace: Joint Face Detection and Alignment Using Face as Point, 2019.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from consentry.faces.align import Similarity, cut
from consentry.faces.places import DetectedFace, as_landmarks
from consentry.inference.registry import ModelName
from consentry.inference.sessions import Floats, ModelStore
from consentry.kernel.biometrics import Box

_STRIDE = 4  # of the network's outputs
_SIDE_PX = 96
FACE_PX = 62.0
"""The long side of the proposed face in the chip: more pixels of the picture than that show no more."""

_AT_ONCE = 4  # the network gains nothing from larger batches, and several can run at once
_MIN_SCORE = 0.5
# Of the chip's middle, in parts of the face, within which the middle of what is seen must lie.
_NEAR = 0.35
# How much longer or shorter than proposed it may be.
_LIKE = 1.8
_ABOUT_AS_SURE = 0.5  # of the surest cell's score


class Confirmer:
    """Confirms faces. Any number of threads may use one: it holds no state."""

    def __init__(self, models: ModelStore) -> None:
        self._models = models

    def confirm(
        self, pixels: npt.NDArray[np.uint8], proposed: Sequence[DetectedFace]
    ) -> list[DetectedFace]:
        """Return those of the proposed faces that are faces, with better boxes and landmarks.

        Args:
            pixels: Shape ``(height, width, 3)``, RGB.
            proposed: In the same pixels. Their landmarks say which way is up.

        Raises:
            ModelUnavailable: If the network's file is missing or not the pinned one.
        """
        pieces = [proposed[i : i + _AT_ONCE] for i in range(0, len(proposed), _AT_ONCE)]
        confirmed = self._models.each(partial(self._confirm, pixels), pieces)
        return [face for piece in confirmed for face in piece]

    def _confirm(
        self, pixels: npt.NDArray[np.uint8], proposed: Sequence[DetectedFace]
    ) -> list[DetectedFace]:
        backs = [_upright(face) for face in proposed]
        chips = np.stack([cut(pixels, back, _SIDE_PX) for back in backs])
        batch = np.ascontiguousarray(chips.transpose(0, 3, 1, 2))
        outputs = self._models.session(ModelName.CENTERFACE).run(batch)
        seen = [_seen([output[i] for output in outputs]) for i in range(len(backs))]
        return [
            _in_picture(face, back)
            for face, back in zip(seen, backs, strict=True)
            if face is not None
        ]


def _upright(face: DetectedFace) -> Similarity:
    """Return the transform from the chip to the picture."""
    first, second, _, third, fourth = face.landmarks
    across = (third[0] + fourth[0] - first[0] - second[0]) / 2
    down = (third[1] + fourth[1] - first[1] - second[1]) / 2
    length = math.hypot(across, down)
    # From the eyes to the mouth is down, also when a face looks aside.
    sine, cosine = (-across / length, down / length) if length > 0 else (0.0, 1.0)
    scale = max(face.long_side, 1.0) / FACE_PX
    a, b = scale * cosine, scale * sine
    middle = (_SIDE_PX - 1) / 2
    x, y = face.box.x + face.box.w / 2, face.box.y + face.box.h / 2
    return Similarity(a, b, x - (a - b) * middle, y - (b + a) * middle)


def _seen(outputs: Sequence[Floats]) -> DetectedFace | None:
    """Return the face that is like the proposed one, if there is one, in pixels of the chip.

    Args:
        outputs: Heat map ``(1, h, w)``, scale ``(2, h, w)``, offset ``(2, h, w)``, landmarks
            ``(10, h, w)``; y before x in each.
    """
    heatmap, size, offset, points = outputs
    rows, columns = np.nonzero(heatmap[0] > _MIN_SCORE)
    heights, widths = np.exp(size[:, rows, columns]) * _STRIDE
    ys = (rows + offset[0, rows, columns] + 0.5) * _STRIDE
    xs = (columns + offset[1, rows, columns] + 0.5) * _STRIDE
    middle = _SIDE_PX / 2
    ratio = np.maximum(heights, widths) / FACE_PX
    like = (np.hypot(xs - middle, ys - middle) < _NEAR * FACE_PX) & (
        (ratio < _LIKE) & (ratio > 1 / _LIKE)
    )
    scores = np.where(like, heatmap[0, rows, columns], 0)
    if not scores.any():
        return None
    # The mean over the cells that are about as sure: no single cell places a face as well.
    shares = np.where(scores >= _ABOUT_AS_SURE * scores.max(), scores, 0)
    shares /= shares.sum()
    lefts, tops = xs - widths / 2, ys - heights / 2
    parts = points[:, rows, columns].reshape(5, 2, -1)
    point_ys = (parts[:, 0] * heights + tops) @ shares
    point_xs = (parts[:, 1] * widths + lefts) @ shares
    landmarks = [(float(x), float(y)) for x, y in zip(point_xs, point_ys, strict=True)]
    box = Box(*(float(values @ shares) for values in (lefts, tops, widths, heights)))
    return DetectedFace(box, as_landmarks(landmarks), float(scores.max()))


def _in_picture(seen: DetectedFace, back: Similarity) -> DetectedFace:
    """Map a face of a chip to the picture; its box is turned by the nearest quarter turn."""
    x, y = back((seen.box.x + seen.box.w / 2, seen.box.y + seen.box.h / 2))
    sides = seen.box.w * back.scale, seen.box.h * back.scale
    width, height = sides if abs(back.a) >= abs(back.b) else sides[::-1]
    landmarks = as_landmarks([back(point) for point in seen.landmarks])
    return DetectedFace(Box(x - width / 2, y - height / 2, width, height), landmarks, seen.score)
