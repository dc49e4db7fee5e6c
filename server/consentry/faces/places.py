"""Where faces are: boxes, landmarks, and which of two that overlap stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from consentry.kernel.biometrics import Box

Point = tuple[float, float]
"""x and y in pixels, origin top-left."""

Landmarks = tuple[Point, Point, Point, Point, Point]
"""Eye, eye, nose, corner of the mouth, corner of the mouth; of each pair, left in an upright picture first."""

Floats = npt.NDArray[np.floating]

_MAX_OVERLAP = 0.3  # intersection over union above which two boxes are one face


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """A face and where it is.

    Attributes:
        box: In pixels of the upright picture; may reach beyond it where the face is cut off.
        landmarks: In the same pixels.
        score: How sure the detector is, 0 to 1.
    """

    box: Box
    landmarks: Landmarks
    score: float

    @property
    def long_side(self) -> float:
        """The longer side of the box."""
        return max(self.box.w, self.box.h)

    def moved(self, dx: float, dy: float) -> DetectedFace:
        """Return the face at another place."""
        box = Box(self.box.x + dx, self.box.y + dy, self.box.w, self.box.h)
        points = [(x + dx, y + dy) for x, y in self.landmarks]
        return DetectedFace(box, as_landmarks(points), self.score)

    def scaled(self, factor: float) -> DetectedFace:
        """Return the face as it lies in the picture enlarged by ``factor``."""
        box = Box(*(factor * value for value in (self.box.x, self.box.y, self.box.w, self.box.h)))
        points = [(factor * x, factor * y) for x, y in self.landmarks]
        return DetectedFace(box, as_landmarks(points), self.score)

    def turned_back(self, turns: int, width: int, height: int) -> DetectedFace:
        """Map a face of a turned picture to the picture as it stands.

        Args:
            turns: Quarter turns, counter-clockwise, that the picture was given, 0 to 3.
            width: Of the picture as it stands.
            height: Of the picture as it stands.
        """
        face = self
        for turn in range(turns, 0, -1):
            # One counter-clockwise turn took (x, y) of a picture of width w to (y, w - x).
            side = height if turn % 2 == 0 else width
            box = Box(side - face.box.y - face.box.h, face.box.x, face.box.h, face.box.w)
            points = as_landmarks([(side - y, x) for x, y in face.landmarks])
            face = DetectedFace(box, points, face.score)
        return face


def as_landmarks(points: Sequence[Point]) -> Landmarks:
    """Return five points as landmarks.

    Raises:
        ValueError: If there are more or fewer.
    """
    first, second, nose, third, fourth = points
    return (first, second, nose, third, fourth)


def best(boxes: Floats, scores: Floats) -> list[int]:
    """Return the indices of the surest boxes that do not overlap each other too much.

    Args:
        boxes: Shape ``(n, 4)``: left, top, width, height.
        scores: Shape ``(n,)``.
    """
    lefts, tops = boxes[:, 0], boxes[:, 1]
    rights, bottoms = lefts + boxes[:, 2], tops + boxes[:, 3]
    areas = boxes[:, 2] * boxes[:, 3]
    waiting = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while waiting.size:
        surest, rest = int(waiting[0]), waiting[1:]
        kept.append(surest)
        across = np.minimum(rights[surest], rights[rest]) - np.maximum(lefts[surest], lefts[rest])
        down = np.minimum(bottoms[surest], bottoms[rest]) - np.maximum(tops[surest], tops[rest])
        both = np.maximum(across, 0) * np.maximum(down, 0)
        waiting = rest[both < _MAX_OVERLAP * (areas[surest] + areas[rest] - both)]
    return kept


def once_each(found: Sequence[DetectedFace]) -> list[DetectedFace]:
    """Return each face once, surest first."""
    if not found:
        return []
    return [found[i] for i in best(_sides(found), np.array([face.score for face in found]))]


def elsewhere(found: Sequence[DetectedFace], known: Sequence[DetectedFace]) -> list[DetectedFace]:
    """Return those of ``found`` that lie where none of ``known`` does."""
    if not found or not known:
        return list(found)
    left, top, width, height = (_sides(found)[:, None, i] for i in range(4))
    known_left, known_top, known_width, known_height = (_sides(known)[None, :, i] for i in range(4))
    across = np.minimum(left + width, known_left + known_width) - np.maximum(left, known_left)
    down = np.minimum(top + height, known_top + known_height) - np.maximum(top, known_top)
    both = np.maximum(across, 0) * np.maximum(down, 0)
    areas = width * height + known_width * known_height
    overlaps = (both >= _MAX_OVERLAP * (areas - both)).any(axis=1)
    return [face for face, overlap in zip(found, overlaps, strict=True) if not overlap]


def _sides(faces: Sequence[DetectedFace]) -> Floats:
    return np.array([(face.box.x, face.box.y, face.box.w, face.box.h) for face in faces])
