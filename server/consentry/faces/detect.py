"""Finds faces: a quick network proposes them, a better one confirms each.

picture -> quick looks at it whole, and finely in tiles -> places that may be faces
        -> (nothing, or only small faces?) -> a finer look
        -> (nothing?) -> a look with a margin, for faces that fill the frame
        -> (thorough?) -> all of these, and three more orientations
        -> the better network on an upright chip of each place -> one face for each place
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image

from consentry.faces.confirm import FACE_PX, Confirmer
from consentry.faces.places import DetectedFace, Landmarks, Point, elsewhere, once_each
from consentry.faces.scout import Picture, Scout
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Pixels

__all__ = ["DetectedFace", "Detector", "Landmarks", "Point"]

_FIRST_SIDE_PX = 640
_FINER_SIDE_PX = 1280
# Larger pictures are shrunk to this many pixels first.
_MOST_PIXELS = 16_000_000
_TILE_PX = 1536
_TILE_OVERLAP_PX = 192
_EDGE_PX = 2
_TURNED_SIDE_PX = 640
_FINER_TURNED_SIDE_PX = 1280
_MARGIN_SIDE_PX = 320
_MARGIN = 0.5  # of the long side, on every side
# A picture whose largest face is smaller than this part of its long side may hold smaller ones yet.
_SMALL_FACE = 0.1
# Smaller pictures are enlarged to this.
_MIN_SIDE_PX = 256
# Much larger pictures are averaged in blocks down to twice the size, then interpolated: as good here,
# and several times as fast.
_REDUCING_GAP = 2.0
# Of the places about which the quick network is less sure than this, only the surest are looked at
# again: a texture can give hundreds.
_SURE = 0.5
_MOST_UNSURE = 48
# How many looks' opinions of one place are heard until it counts as none.
_TRIES = 3


_Look = Callable[[], list[DetectedFace]]


@dataclass(frozen=True, slots=True)
class _Part:
    """A rectangle of a picture."""

    left: int
    top: int
    width: int
    height: int


class Detector:
    """Finds faces. Any number of threads may use one detector: it holds no state."""

    def __init__(self, models: ModelStore) -> None:
        self._models = models
        self._scout = Scout(models)
        self._confirmer = Confirmer(models)

    def detect(self, pixels: Pixels, *, thorough: bool) -> tuple[DetectedFace, ...]:
        """Find every face.

        Args:
            pixels: Shape ``(height, width, 3)``, RGB.
            thorough: Also look at the picture turned by 90, 180 and 270 degrees, with a margin,
                and at full size, whatever the first look found.

        Returns:
            Each face once, largest first.

        Raises:
            ModelUnavailable: If a network's file is missing or not the pinned one.
        """
        height, width = pixels.shape[:2]
        scale = min(1.0, (_MOST_PIXELS / (width * height)) ** 0.5)
        view = _View(_resized(pixels, round(width * scale), round(height * scale)))
        found = self._thorough(view) if thorough else self._quick(view)
        return tuple(
            sorted(
                (face.scaled(1 / scale) for face in found),
                key=lambda face: -face.box.w * face.box.h,
            )
        )

    def _quick(self, view: _View) -> list[DetectedFace]:
        found = self._seen(view, [self._look(view, _FIRST_SIDE_PX)])
        if view.long_side > _FIRST_SIDE_PX and _only_small(found, view.long_side):
            found = self._seen(view, self._finer_looks(view), known=found)
        if not found:
            found = self._seen(view, [self._margin_look(view, turns=(0,))])
        return found

    def _thorough(self, view: _View) -> list[DetectedFace]:
        found = self._seen(
            view,
            [
                *self._fine_looks(view),
                *self._turned_looks(view, _TURNED_SIDE_PX),
                self._margin_look(view, turns=(0,)),
            ],
        )
        if not found:
            is_larger = view.long_side > _TURNED_SIDE_PX
            finer = self._turned_looks(view, _FINER_TURNED_SIDE_PX) if is_larger else []
            found = self._seen(view, [*finer, self._margin_look(view, turns=(1, 2, 3))])
        return found

    def _seen(
        self, view: _View, looks: Sequence[_Look], known: Sequence[DetectedFace] = ()
    ) -> list[DetectedFace]:
        """Look in several ways at once, and confirm what was seen."""
        proposed = self._models.each(lambda look: look(), looks)
        return self._confirmed(view, [face for faces in proposed for face in faces], known)

    def _confirmed(
        self, view: _View, proposed: Sequence[DetectedFace], known: Sequence[DetectedFace]
    ) -> list[DetectedFace]:
        """Return those that are known already, and what else is confirmed."""
        waiting, confirmed = elsewhere(proposed, known), list(known)
        for _ in range(_TRIES):
            places = once_each(waiting)
            sure = [face for face in places if face.score >= _SURE]
            unsure = [face for face in places if face.score < _SURE][:_MOST_UNSURE]
            confirmed = once_each([*confirmed, *self._confirm(view, [*sure, *unsure])])
            # The surest may have been seen the wrong way up: what another look saw there is next.
            tried = set(places)
            waiting = elsewhere([face for face in waiting if face not in tried], confirmed)
        return confirmed

    def _confirm(self, view: _View, places: Sequence[DetectedFace]) -> list[DetectedFace]:
        small, scale = view.at(_FIRST_SIDE_PX)
        large = [face.scaled(scale) for face in places if face.long_side * scale >= FACE_PX]
        rest = [face for face in places if face.long_side * scale < FACE_PX]
        # Large faces lose nothing in the smaller picture, and reading them there is cheaper.
        confirmed = [face.scaled(1 / scale) for face in self._confirmer.confirm(small, large)]
        return [*confirmed, *self._confirmer.confirm(view.pixels, rest)]

    # The sizes of a view are made before its looks run, which may be in several threads.

    def _look(self, view: _View, side: int) -> _Look:
        small, scale = view.at(side)
        return lambda: [face.scaled(1 / scale) for face in self._scout.look([small])[0]]

    def _finer_looks(self, view: _View) -> list[_Look]:
        small, scale = view.at(_FINER_SIDE_PX)
        return [partial(self._look_at_half, small, scale, part) for part in _halves(small)]

    def _look_at_half(self, small: Picture, scale: float, part: _Part) -> list[DetectedFace]:
        return [face.scaled(1 / scale) for face in self._look_at_tile(small, part)]

    def _fine_looks(self, view: _View) -> list[_Look]:
        parts = list(_tiles(view.pixels))
        if len(parts) == 1:
            return [self._look(view, max(view.long_side, _MIN_SIDE_PX))]
        return [
            *(partial(self._look_at_tile, view.pixels, part) for part in parts),
            self._look(view, _FIRST_SIDE_PX),
        ]

    def _look_at_tile(self, pixels: Picture, part: _Part) -> list[DetectedFace]:
        tile = pixels[part.top : part.top + part.height, part.left : part.left + part.width]
        (seen,) = self._scout.look([tile])
        return [face.moved(part.left, part.top) for face in seen if not _is_cut(face, part, pixels)]

    def _turned_looks(self, view: _View, side: int) -> list[_Look]:
        small, scale = view.at(side)
        return [partial(self._look_turned, small, scale, turns) for turns in (1, 2, 3)]

    def _look_turned(self, small: Picture, scale: float, turns: int) -> list[DetectedFace]:
        height, width = small.shape[:2]
        (seen,) = self._scout.look([np.rot90(small, turns)])
        return [face.turned_back(turns, width, height).scaled(1 / scale) for face in seen]

    def _margin_look(self, view: _View, turns: Sequence[int]) -> _Look:
        small, scale = view.at(round(_MARGIN_SIDE_PX / (1 + 2 * _MARGIN)))
        return partial(self._look_with_margin, small, scale, turns)

    def _look_with_margin(
        self, small: Picture, scale: float, turns: Sequence[int]
    ) -> list[DetectedFace]:
        height, width = small.shape[:2]
        # A square, so that all orientations are of one size.
        square = np.empty((_MARGIN_SIDE_PX, _MARGIN_SIDE_PX, 3), np.uint8)
        square[:] = small.reshape(-1, 3).mean(axis=0).astype(np.uint8)
        left, top = (_MARGIN_SIDE_PX - width) // 2, (_MARGIN_SIDE_PX - height) // 2
        square[top : top + height, left : left + width] = small
        seen = self._scout.look([np.rot90(square, turn) for turn in turns])
        return [
            face.turned_back(turn, *square.shape[1::-1]).moved(-left, -top).scaled(1 / scale)
            for turn, faces in zip(turns, seen, strict=True)
            for face in faces
        ]


class _View:
    """A picture, and the sizes at which it was looked at. Used by one thread, for one picture."""

    def __init__(self, pixels: Picture) -> None:
        self.pixels = pixels
        self.long_side = max(pixels.shape[:2])
        self._sizes: dict[int, Picture] = {}

    def at(self, side: int) -> tuple[Picture, float]:
        """Return the picture with a long side of at most ``side``, and how much it was enlarged.

        Very small pictures are enlarged, so that the network sees more than a few cells.
        """
        scale = min(side / self.long_side, max(1.0, min(side, _MIN_SIDE_PX) / self.long_side))
        if side not in self._sizes:
            # Much smaller ones are made from the first, which is most often there already.
            much_smaller = side * 2 <= _FIRST_SIDE_PX < self.long_side
            source = self.at(_FIRST_SIDE_PX)[0] if much_smaller else self.pixels
            height, width = self.pixels.shape[:2]
            self._sizes[side] = _resized(source, round(width * scale), round(height * scale))
        return self._sizes[side], scale


def _resized(pixels: Picture, width: int, height: int) -> Picture:
    size = (max(1, width), max(1, height))
    if size == pixels.shape[1::-1]:
        return pixels
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR, reducing_gap=_REDUCING_GAP))


def _tiles(pixels: Picture) -> Iterator[_Part]:
    """Cut a picture into overlapping tiles."""
    height, width = pixels.shape[:2]
    for top, tile_height in _cuts(height):
        for left, tile_width in _cuts(width):
            yield _Part(left, top, tile_width, tile_height)


def _halves(pixels: Picture) -> list[_Part]:
    """Cut a picture across its longer side into two that overlap: two can be looked at at once."""
    height, width = pixels.shape[:2]
    half = (max(height, width) + _TILE_OVERLAP_PX + 1) // 2
    if width >= height:
        return [_Part(left, 0, half, height) for left in (0, width - half)]
    return [_Part(0, top, width, half) for top in (0, height - half)]


def _cuts(length: int) -> list[tuple[int, int]]:
    """Starts and lengths of overlapping cuts of at most one tile each."""
    if length <= _TILE_PX:
        return [(0, length)]
    count = -(-(length - _TILE_OVERLAP_PX) // (_TILE_PX - _TILE_OVERLAP_PX))
    side = -(-(length + (count - 1) * _TILE_OVERLAP_PX) // count)
    return [(min(i * (side - _TILE_OVERLAP_PX), length - side), side) for i in range(count)]


def _is_cut(face: DetectedFace, part: _Part, pixels: Picture) -> bool:
    """Return whether a face of a tile reaches an edge of it that is none of the picture."""
    height, width = pixels.shape[:2]
    return (
        (part.left > 0 and face.box.x < _EDGE_PX)
        or (part.top > 0 and face.box.y < _EDGE_PX)
        or (part.left + part.width < width and face.box.x + face.box.w > part.width - _EDGE_PX)
        or (part.top + part.height < height and face.box.y + face.box.h > part.height - _EDGE_PX)
    )


def _only_small(found: Sequence[DetectedFace], long_side: int) -> bool:
    return max((face.long_side for face in found), default=0.0) < _SMALL_FACE * long_side
