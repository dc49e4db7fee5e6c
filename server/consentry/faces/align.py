"""Cuts an upright, equally sized chip out of a picture for each face.

The browser does the same (extension), so every step is exact:

1. The similarity transform (rotation, scale, shift; no mirror) that takes the five landmarks to the
   template's five points with the least squared error.
2. If the chip shrinks the picture by a factor of 2 or more, the picture is reduced first: by the
whole
   part ``k`` of that factor, each pixel of the reduced picture being the mean of a block of ``k x
   k`` pixels (blocks start at the picture's top left; those at the right and bottom edge that are
   cut off average what there is of them). Pixel ``i`` of the reduced picture lies at ``k i + (k -
   1) / 2`` of the picture.
3. Each pixel of the chip is read where the inverse transform puts it, with bilinear interpolation
   between the four pixels around; whole numbers are the centres of pixels; outside the picture all
   is black. Values stay float32, 0 to 255, and are not rounded.

Method: Umeyama, Least-squares estimation of transformation parameters between two point patterns,
1991, in the closed form for the plane.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from consentry.faces.places import Landmarks, Point
from consentry.kernel.biometrics import Pixels

Chip = npt.NDArray[np.float32]
"""Shape ``(side, side, 3)``, float32, RGB, 0 to 255."""

_SHRINKS_MUCH = 2.0


@dataclass(frozen=True, slots=True)
class Template:
    """Where the five landmarks lie in a chip.

    Attributes:
        side_px: Side of the square chip.
        points: The five points, in the order of `Landmarks`.
    """

    side_px: int
    points: Landmarks


DLIB_150 = Template(
    150, ((48.40, 47.67), (103.80, 47.46), (75.79, 79.32), (52.26, 104.79), (98.52, 104.43))
)
"""Median of where CenterFace's landmarks fall in dlib's own chips."""

ARCFACE_112 = Template(
    112,
    (
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ),
)
"""The usual points of ArcFace and MobileFaceNet (Deng et al., insightface)."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """``x' = a x - b y + dx`` and ``y' = b x + a y + dy``."""

    a: float
    b: float
    dx: float
    dy: float

    @property
    def scale(self) -> float:
        """How much longer a line is afterwards."""
        return math.hypot(self.a, self.b)

    def __call__(self, point: Point) -> Point:
        """Transform one point."""
        x, y = point
        return self.a * x - self.b * y + self.dx, self.b * x + self.a * y + self.dy

    def inverse(self) -> Similarity:
        """Return the transform that undoes this one."""
        square = self.a**2 + self.b**2
        a, b = self.a / square, -self.b / square
        return Similarity(a, b, -a * self.dx + b * self.dy, -b * self.dx - a * self.dy)


def fit(landmarks: Sequence[Point], points: Sequence[Point]) -> Similarity:
    """Return the similarity that takes ``landmarks`` to ``points`` with the least squared error.

    Raises:
        ValueError: If all landmarks are one point.
    """
    source, target = np.array(landmarks), np.array(points)
    (sx, sy), (tx, ty) = source.mean(axis=0), target.mean(axis=0)
    x, y = (source - (sx, sy)).T
    u, v = (target - (tx, ty)).T
    spread = float(x @ x + y @ y)
    if not spread > 0:
        raise ValueError("the landmarks of a face are not all one point")
    a, b = float(x @ u + y @ v) / spread, float(x @ v - y @ u) / spread
    return Similarity(a, b, float(tx - a * sx + b * sy), float(ty - b * sx - a * sy))


def chip(pixels: Pixels, landmarks: Landmarks, template: Template) -> Chip:
    """Cut the chip of one face, as the module says.

    Args:
        pixels: Shape ``(height, width, 3)``, RGB.
        landmarks: Five points in pixels of the picture, some perhaps beyond its edge.
        template: Where they shall lie in the chip.
    """
    return cut(pixels, fit(landmarks, template.points).inverse(), template.side_px)


def cut(pixels: npt.NDArray[np.uint8], back: Similarity, side_px: int) -> Chip:
    """Cut a square out of a picture, as the module says.

    Args:
        pixels: Shape ``(height, width, 3)``, RGB.
        back: From pixels of the square to pixels of the picture.
        side_px: Of the square.
    """
    factor = math.floor(back.scale) if back.scale >= _SHRINKS_MUCH else 1
    part, left, top = _around(pixels, back, side_px, factor)
    across = np.arange(side_px, dtype=np.float64)
    x = back.a * across[None, :] - back.b * across[:, None] + back.dx
    y = back.b * across[None, :] + back.a * across[:, None] + back.dy
    middle = (factor - 1) / 2
    return _read(part, (x - left - middle) / factor, (y - top - middle) / factor)


def _around(
    pixels: npt.NDArray[np.uint8], back: Similarity, side_px: int, factor: int
) -> tuple[npt.NDArray[np.float32], int, int]:
    """Return the part of the picture that the chip is read from, reduced, and its left and top.

    Only what is near the chip is reduced; left and top are multiples of ``factor``, so that the
    blocks are those of the whole picture.
    """
    height, width = pixels.shape[:2]
    last = float(side_px - 1)
    corners = [back(corner) for corner in ((0.0, 0.0), (last, 0.0), (0.0, last), (last, last))]
    left, right = _span([x for x, _ in corners], width, factor)
    top, bottom = _span([y for _, y in corners], height, factor)
    part = pixels[top:bottom, left:right].astype(np.float32)
    if factor > 1 and part.size:
        part = _reduce(_reduce(part, factor).transpose(1, 0, 2), factor).transpose(1, 0, 2)
    return part, left, top


def _span(values: list[float], length: int, factor: int) -> tuple[int, int]:
    first = min(max(math.floor(min(values)) - factor, 0), length)
    last = min(max(math.ceil(max(values)) + factor + 1, 0), length)
    return first // factor * factor, min(-(-last // factor) * factor, length)


def _reduce(part: npt.NDArray[np.float32], factor: int) -> npt.NDArray[np.float32]:
    """Average every ``factor`` rows; the last rows average what there is."""
    full = len(part) // factor * factor
    sums = part[:full:factor].copy()
    # A few long additions: several times as quick as one of many groups.
    for row in range(1, factor):
        sums += part[row:full:factor]
    sums /= factor
    if full == len(part):
        return sums
    return np.concatenate([sums, part[full:].mean(axis=0, keepdims=True)])


def _read(
    part: npt.NDArray[np.float32], x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> Chip:
    """Read ``part`` at fractional places, black outside it."""
    height, width = part.shape[:2]
    edged = np.zeros((height + 2, width + 2, 3), np.float32)
    edged[1:-1, 1:-1] = part
    values = edged.reshape(-1, 3)
    # Places beyond the black edge are moved onto it, where they read black alike.
    x, y = np.clip(x + 1, 0, width + 1), np.clip(y + 1, 0, height + 1)
    column, row = np.minimum(x.astype(np.int64), width), np.minimum(y.astype(np.int64), height)
    right = (x - column).astype(np.float32)[..., None]
    down = (y - row).astype(np.float32)[..., None]
    place = row * (width + 2) + column
    above = _between(values.take(place, axis=0), values.take(place + 1, axis=0), right)
    place += width + 2
    below = _between(values.take(place, axis=0), values.take(place + 1, axis=0), right)
    return _between(above, below, down)


def _between(
    first: npt.NDArray[np.float32], second: npt.NDArray[np.float32], part: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Go from ``first`` towards ``second``. Both are used up: no other memory is taken."""
    second -= first
    second *= part
    first += second
    return first
