"""Finds faces: boxes and five landmarks, with CenterFace.

    picture -> one bounded look -> (nothing, or only small faces?) -> a finer look, in tiles
            -> (nothing?) -> a look with a margin, for faces that fill the frame
            -> (thorough?) -> all of these, and three more orientations
            -> one face for each place

Decoding: Xu et al., CenterFace: Joint Face Detection and Alignment Using Face as Point, 2019.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image

from consentry.inference.registry import ModelName
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Box, Pixels

Point = tuple[float, float]
"""x and y in pixels, origin top-left."""

Landmarks = tuple[Point, Point, Point, Point, Point]
"""Eye, eye, nose, corner of the mouth, corner of the mouth; of each pair, left in an upright picture first."""

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]
"""A picture or a part of one, perhaps shrunk or turned."""

_STRIDE = 4  # of the network's outputs
_MULTIPLE = 32  # of the sides that the network takes
_MIN_SCORE = 0.5
# A turned look at things that are no face scored 0.51; real faces, turned the right way up by it (160 photos,
# three turns each), 0.79 and more.
_MIN_TURNED_SCORE = 0.65
_MAX_OVERLAP = 0.3  # intersection over union above which two boxes are one face

_FIRST_SIDE_PX = 640
# The network takes a face that is larger than this, in its own pixels, for two.
_LARGEST_SEEN_PX = 320
_TURNED_SIDE_PX = 512
_FINER_SIDE_PX = 1280
_THOROUGH_SIDE_PX = 2048
_TILE_PX = 1024
_TILE_OVERLAP_PX = 128
_MARGIN_SIDE_PX = 512
_MARGIN = 0.5
# A picture whose largest face is smaller than this part of its long side may hold smaller ones yet.
_SMALL_FACE = 0.1
# Smaller pictures are enlarged to this.
_MIN_SIDE_PX = 256


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


@dataclass(frozen=True, slots=True)
class _Look:
    """One pass of the network over (a part of) the picture, and how its pixels map back."""

    left: int
    top: int
    width: int
    height: int
    side: int  # long side that the network sees
    turns: int = 0  # quarter turns, counter-clockwise, before the network sees it
    margin: float = 0.0  # of the long side, added on every side

    @property
    def scale(self) -> float:
        """Pixels of the network for one pixel of the picture."""
        long_side = max(self.width, self.height) * (1 + 2 * self.margin)
        # Never much enlarged: the network sees 20-pixel faces as they are.
        return min(self.side / long_side, max(1.0, _MIN_SIDE_PX / long_side))


class Detector:
    """Finds faces. Any number of threads may use one detector: it holds no state."""

    def __init__(self, models: ModelStore) -> None:
        self._models = models

    def detect(self, pixels: Pixels, *, thorough: bool) -> tuple[DetectedFace, ...]:
        """Find every face.

        Args:
            pixels: Shape ``(height, width, 3)``, RGB.
            thorough: Also look at the picture turned by 90, 180 and 270 degrees, with a margin,
                and finely, whatever the first look found. Costs some five times as much.

        Returns:
            Each face once, largest first.

        Raises:
            ModelUnavailable: If the detector's file is missing or not the pinned one.
        """
        # A huge picture is shrunk once, not for every look.
        scale = min(1.0, _THOROUGH_SIDE_PX / max(pixels.shape[:2]))
        found = self._detect(_shrink(pixels, scale), thorough=thorough)
        return tuple(_scaled(face, 1 / scale) for face in found)

    def _detect(self, pixels: Picture, *, thorough: bool) -> tuple[DetectedFace, ...]:
        height, width = pixels.shape[:2]
        long_side = max(width, height)
        whole = _Look(0, 0, width, height, _FIRST_SIDE_PX)
        with_margin = replace(whole, side=_MARGIN_SIDE_PX, margin=_MARGIN)
        seen = self._look(pixels, whole)
        found = [face for face in seen if _long_side(face) <= _LARGEST_SEEN_PX / whole.scale]
        if thorough or _only_small(seen, long_side):
            for tile in _tiles(width, height, _THOROUGH_SIDE_PX if thorough else _FINER_SIDE_PX):
                # Larger faces may be cut by the tile, and the first look has seen them.
                largest_px = _TILE_OVERLAP_PX / tile.scale
                in_tile = self._look(pixels, tile)
                found += [face for face in in_tile if _long_side(face) <= largest_px]
        if thorough or not found:
            # What the first look took for a face larger than it can see stands if this sees none.
            found += self._look(pixels, with_margin) or seen
        if thorough:
            found += self._look_turned(pixels, replace(whole, side=_TURNED_SIDE_PX))
            found = found or self._look_turned(pixels, with_margin)
        return _once_each(found)

    def _look_turned(self, pixels: Picture, look: _Look) -> list[DetectedFace]:
        return [
            face
            for turns in (1, 2, 3)
            for face in self._look(pixels, replace(look, turns=turns))
            if face.score >= _MIN_TURNED_SCORE
        ]

    def _look(self, pixels: Picture, look: _Look) -> list[DetectedFace]:
        part = pixels[look.top : look.top + look.height, look.left : look.left + look.width]
        small = np.rot90(_shrink(part, look.scale), look.turns)
        margin_px = round(look.margin * max(small.shape[:2]))
        offset = -margin_px / look.scale
        faces = self._run(_padded(small, margin_px), look.scale)
        return [
            _moved(_turned_back(_moved(face, offset, offset), look), look.left, look.top)
            for face in faces
        ]

    def _run(self, small: Picture, scale: float) -> list[DetectedFace]:
        height, width = small.shape[:2]
        batch = np.zeros((1, 3, _round_up(height), _round_up(width)), np.float32)
        batch[0, :, :height, :width] = small.transpose(2, 0, 1)
        outputs = self._models.session(ModelName.CENTERFACE).run(batch)
        return _decode([output[0] for output in outputs], scale)


def _round_up(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE


def _shrink(pixels: Picture, scale: float) -> Picture:
    height, width = pixels.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size == (width, height):
        return pixels
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR))


def _padded(pixels: Picture, margin_px: int) -> Picture:
    """Lay a margin of the picture's mean colour around it."""
    if margin_px == 0:
        return pixels
    height, width = pixels.shape[:2]
    padded = np.empty((height + 2 * margin_px, width + 2 * margin_px, 3), np.uint8)
    padded[:] = pixels.reshape(-1, 3).mean(axis=0).astype(np.uint8)
    padded[margin_px : margin_px + height, margin_px : margin_px + width] = pixels
    return padded


def _tiles(width: int, height: int, side: int) -> Iterator[_Look]:
    """Cut a picture that is larger than the first look into overlapping tiles, seen at ``side``."""
    long_side = max(width, height)
    if long_side <= _FIRST_SIDE_PX:
        return
    scale = min(1.0, side / long_side)
    for top, tile_height in _cuts(height, scale):
        for left, tile_width in _cuts(width, scale):
            seen = max(1, round(max(tile_width, tile_height) * scale))
            yield _Look(left, top, tile_width, tile_height, seen)


def _cuts(length: int, scale: float) -> list[tuple[int, int]]:
    """Starts and lengths, in pixels of the picture, of overlapping cuts of at most one tile each."""
    tile, overlap = _TILE_PX / scale, _TILE_OVERLAP_PX / scale
    if length <= tile:
        return [(0, length)]
    count = int(np.ceil((length - overlap) / (tile - overlap)))
    starts = np.linspace(0, length - tile, count)
    return [(int(start), min(int(tile), length - int(start))) for start in starts]


def _long_side(face: DetectedFace) -> float:
    return max(face.box.w, face.box.h)


def _only_small(found: Sequence[DetectedFace], long_side: int) -> bool:
    return max(map(_long_side, found), default=0.0) < _SMALL_FACE * long_side


def _decode(outputs: Sequence[Floats], scale: float) -> list[DetectedFace]:
    """Turn the four outputs into faces: of cells that overlap, the surest.

    Args:
        outputs: Heat map ``(1, h, w)``, scale ``(2, h, w)``, offset ``(2, h, w)``, landmarks
            ``(10, h, w)``; y before x in each.
        scale: Pixels of the network for one pixel of the picture.
    """
    heatmap, size, offset, points = outputs
    rows, columns = np.nonzero(heatmap[0] > _MIN_SCORE)
    scores = heatmap[0, rows, columns]
    heights, widths = np.exp(size[:, rows, columns]) * _STRIDE
    tops = (rows + offset[0, rows, columns] + 0.5) * _STRIDE - heights / 2
    lefts = (columns + offset[1, rows, columns] + 0.5) * _STRIDE - widths / 2
    ys = points[0::2, rows, columns] * heights + tops
    xs = points[1::2, rows, columns] * widths + lefts
    boxes = np.stack([lefts, tops, widths, heights], axis=1) / scale
    kept = _best(boxes, scores)
    xs, ys = xs / scale, ys / scale
    return [
        DetectedFace(
            Box(*(float(value) for value in boxes[i])),
            _landmarks([(float(x), float(y)) for x, y in zip(xs[:, i], ys[:, i], strict=True)]),
            float(scores[i]),
        )
        for i in kept
    ]


def _landmarks(points: Sequence[Point]) -> Landmarks:
    first, second, nose, third, fourth = points
    return (first, second, nose, third, fourth)


def _best(boxes: npt.NDArray[np.floating], scores: npt.NDArray[np.floating]) -> list[int]:
    """Indices of the surest boxes that do not overlap each other too much (greedy suppression)."""
    lefts, tops = boxes[:, 0], boxes[:, 1]
    rights, bottoms = lefts + boxes[:, 2], tops + boxes[:, 3]
    areas = boxes[:, 2] * boxes[:, 3]
    waiting = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while waiting.size:
        best, rest = int(waiting[0]), waiting[1:]
        kept.append(best)
        across = np.minimum(rights[best], rights[rest]) - np.maximum(lefts[best], lefts[rest])
        down = np.minimum(bottoms[best], bottoms[rest]) - np.maximum(tops[best], tops[rest])
        both = np.maximum(across, 0) * np.maximum(down, 0)
        waiting = rest[both < _MAX_OVERLAP * (areas[best] + areas[rest] - both)]
    return kept


def _once_each(found: Sequence[DetectedFace]) -> tuple[DetectedFace, ...]:
    if not found:
        return ()
    boxes = np.array([(face.box.x, face.box.y, face.box.w, face.box.h) for face in found])
    scores = np.array([face.score for face in found])
    faces = [found[i] for i in _best(boxes, scores)]
    return tuple(sorted(faces, key=lambda face: -face.box.w * face.box.h))


def _moved(face: DetectedFace, dx: float, dy: float) -> DetectedFace:
    box = Box(face.box.x + dx, face.box.y + dy, face.box.w, face.box.h)
    return DetectedFace(box, _landmarks([(x + dx, y + dy) for x, y in face.landmarks]), face.score)


def _scaled(face: DetectedFace, factor: float) -> DetectedFace:
    box = Box(*(factor * value for value in (face.box.x, face.box.y, face.box.w, face.box.h)))
    points = _landmarks([(factor * x, factor * y) for x, y in face.landmarks])
    return DetectedFace(box, points, face.score)


def _turned_back(face: DetectedFace, look: _Look) -> DetectedFace:
    """Map a face from the turned part to the part as it stands in the picture."""
    for turns in range(look.turns, 0, -1):
        # One counter-clockwise turn took (x, y) of a part of width w to (y, w - x).
        width = look.height if turns % 2 == 0 else look.width
        box = Box(width - face.box.y - face.box.h, face.box.x, face.box.h, face.box.w)
        points = _landmarks([(width - y, x) for x, y in face.landmarks])
        face = DetectedFace(box, points, face.score)
    return face
