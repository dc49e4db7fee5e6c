"""How good a face is for recognition, and in plain words why not.

Every value is measured on the face itself, mostly on its aligned chip, so that it means the same at any size
of picture. The limits leave news photos and portraits alone (of 203 and 136 faces of the calibration data, 1 and 0
had an issue) and catch what was made worse on purpose (tests/unit/faces/test_face_quality.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from consentry.faces.align import ARCFACE_112, Chip, Similarity, chip, fit
from consentry.faces.detect import DetectedFace, Landmarks
from consentry.kernel.biometrics import Pixels


class QualityIssue(StrEnum):
    """What is wrong with a face. Part of the wire format: never rename one."""

    TOO_SMALL = "too_small"
    BLURRED = "blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    LOW_CONTRAST = "low_contrast"
    TURNED_AWAY = "turned_away"
    CUT_OFF = "cut_off"
    FACE_NOT_CLEAR = "face_not_clear"


PLAIN_WORDS: dict[QualityIssue, str] = {
    QualityIssue.TOO_SMALL: "The face is too small. Move closer, or use a larger photo.",
    QualityIssue.BLURRED: "The face is blurred. Hold still, wipe the lens, and find more light.",
    QualityIssue.TOO_DARK: "The face is too dark. Turn towards the light.",
    QualityIssue.TOO_BRIGHT: "The face is too bright. Turn away from the light, or dim it.",
    QualityIssue.LOW_CONTRAST: "The face is washed out. Find even light, without haze or glare.",
    QualityIssue.TURNED_AWAY: "The face is turned away or tilted. Look straight at the camera.",
    QualityIssue.CUT_OFF: "Part of the face is outside the picture. Move it to the middle.",
    QualityIssue.FACE_NOT_CLEAR: "The face is hard to make out. Take away what covers it.",
}
"""What to tell a person about each issue."""

IDENTIFIABLE_EYE_PX = 8.0
"""Distance of the eyes, in pixels of the picture, below which a face is not embedded.

The smallest measured size at which the companion's model still knows more than half of the pairs at FMR 1e-4
(docs/calibration/2026-11/robustness.md, how small a face may be). The whole face is about twice as wide.
"""


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a face is for recognition.

    Attributes:
        score: The worst of all that is measured, 0 to 1.
        issues: What is wrong, in the order of `QualityIssue`; empty when nothing is.
    """

    score: float
    issues: tuple[QualityIssue, ...]


@dataclass(frozen=True, slots=True)
class _Ramp:
    """A measured value's way from useless (0) to good (1), and where it becomes an issue."""

    issue: QualityIssue
    useless: float
    limit: float
    good: float

    def score(self, value: float) -> float:
        part = (value - self.useless) / (self.good - self.useless)
        return min(1.0, max(0.0, part))

    def is_issue(self, value: float) -> bool:
        return value < self.limit if self.good > self.useless else value > self.limit


_EYE_PX = _Ramp(QualityIssue.TOO_SMALL, 6, 20, 36)
# Spread of the second derivative by the spread of the brightness. Photos of 220 people: 1 in 100
# below 0.15; blurred with a radius of 2 pixels: 1 in 2 below 0.09.
_SHARPNESS = _Ramp(QualityIssue.BLURRED, 0.02, 0.10, 0.25)
# The bright end of a face (95th percentile), so that dark skin in good light is not called dark.
_BRIGHT_END = _Ramp(QualityIssue.TOO_DARK, 20, 60, 110)
# The dark end of a face (25th percentile).
_DARK_END = _Ramp(QualityIssue.TOO_BRIGHT, 250, 215, 180)
_CONTRAST = _Ramp(QualityIssue.LOW_CONTRAST, 8, 35, 60)
_YAW = _Ramp(QualityIssue.TURNED_AWAY, 1.5, 0.45, 0.2)
_PITCH = _Ramp(QualityIssue.TURNED_AWAY, 0.5, 0.2, 0.1)
_ROLL_DEGREES = _Ramp(QualityIssue.TURNED_AWAY, 180, 35, 15)
_OUTSIDE = _Ramp(QualityIssue.CUT_OFF, 0.7, 0.25, 0.1)
_DETECTOR = _Ramp(QualityIssue.FACE_NOT_CLEAR, 0.4, 0.65, 0.8)

# Where the nose lies between the line of the eyes and the line of the mouth, looking straight
# ahead.
_NOSE_HEIGHT = 0.55
_INNER_ROWS = slice(24, 104)
_INNER_COLUMNS = slice(16, 96)


def eye_distance_px(landmarks: Landmarks) -> float:
    """Return the distance of the eyes in pixels of the picture, as if the face looked straight ahead.

    Taken from the scale of the whole alignment, so that it does not shrink when a face turns.

    Raises:
        ValueError: If all landmarks are one point.
    """
    (left, _), (right, _) = ARCFACE_112.points[:2]
    return (right - left) / fit(landmarks, ARCFACE_112.points).scale


def is_identifiable(landmarks: Landmarks) -> bool:
    """Return whether a face is large enough to be embedded usefully (`IDENTIFIABLE_EYE_PX`)."""
    return eye_distance_px(landmarks) >= IDENTIFIABLE_EYE_PX


def assess(pixels: Pixels, face: DetectedFace) -> Quality:
    """Judge one face.

    Args:
        pixels: Shape ``(height, width, 3)``, RGB.
        face: As the detector found it there.
    """
    grey = _grey(chip(pixels, face.landmarks, ARCFACE_112))
    dark_end, low, bright_end = (float(value) for value in np.percentile(grey, [5, 25, 95]))
    yaw, pitch, roll = _pose(face.landmarks)
    measured = (
        (_EYE_PX, eye_distance_px(face.landmarks)),
        (_SHARPNESS, _sharpness(grey)),
        (_BRIGHT_END, bright_end),
        (_DARK_END, low),
        (_CONTRAST, bright_end - dark_end),
        (_YAW, yaw),
        (_PITCH, pitch),
        (_ROLL_DEGREES, roll),
        (_OUTSIDE, _part_outside(pixels, face.landmarks)),
        (_DETECTOR, face.score),
    )
    found = {ramp.issue for ramp, value in measured if ramp.is_issue(value)}
    return Quality(
        score=min(ramp.score(value) for ramp, value in measured),
        issues=tuple(issue for issue in QualityIssue if issue in found),
    )


def _grey(aligned: Chip) -> npt.NDArray[np.float32]:
    """Brightness of the inner face, without hair and background (ITU-R BT.601)."""
    inner = aligned[_INNER_ROWS, _INNER_COLUMNS]
    return np.asarray(inner @ np.array([0.299, 0.587, 0.114], np.float32))


def _sharpness(grey: npt.NDArray[np.float32]) -> float:
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    # At least 1: a face without any contrast is no sharper for its noise.
    return float((4 * grey[1:-1, 1:-1] - around).std() / max(float(grey.std()), 1.0))


def _pose(landmarks: Landmarks) -> tuple[float, float, float]:
    """Estimate how far a face is turned: yaw and pitch without a unit, roll in degrees; 0 is straight."""
    left, right, nose, *mouth = (np.array(point) for point in landmarks)
    eyes = right - left
    distance = max(float(np.hypot(*eyes)), 1e-6)
    across = eyes / distance
    down = np.array([-across[1], across[0]])
    middle = (left + right) / 2
    to_mouth = float((sum(mouth) / 2 - middle) @ down)
    yaw = abs(float((nose - middle) @ across)) / distance
    pitch = abs(float((nose - middle) @ down) / max(to_mouth, 1e-6) - _NOSE_HEIGHT)
    return yaw, pitch, abs(math.degrees(math.atan2(eyes[1], eyes[0])))


def _part_outside(pixels: Pixels, landmarks: Landmarks) -> float:
    """Part of the chip that lies beyond the edges of the picture, 0 to 1."""
    back: Similarity = fit(landmarks, ARCFACE_112.points).inverse()
    height, width = pixels.shape[:2]
    grid = range(0, ARCFACE_112.side_px, 8)
    points = [back((float(x), float(y))) for x in grid for y in grid]
    outside = [not (-1 < x < width and -1 < y < height) for x, y in points]
    return sum(outside) / len(outside)
