"""One frame, in every distinct way in which a tool might show it.

A generator may honour transparency, drop it, or paint white or black beneath it; turn a picture as
its EXIF says, or not; clip 16-bit samples, or scale them. A face that shows in only one of these
ways must still be found, so a frame gives up to:

    transparency   flattened on white, on black, alpha dropped     one when fully opaque
    orientation    upright, as stored                              one when orientation is 1
    deep samples   high byte, clipped, stretched to 8 bits         one for 8-bit pictures
    CMYK polarity  0 is no ink, 0 is full ink                      one where the file says

Identical ones are kept once, over all frames. Colour profiles and gamma are ignored: nearly all
generators ignore them, and a profile parser is one more thing to attack. Palettes and gray become
RGB.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from consentry.imagery.limits import Limits
from consentry.kernel.biometrics import Pixels, as_pixels
from consentry.kernel.errors import ImageTooLarge, UnknownImageFormat

_Array = npt.NDArray[np.uint8]
_Samples = npt.NDArray[np.float64]

# Upright = these applied to the stored array: transpose first, then flip rows, then columns (EXIF
# 2.32, 4.6.4).
_TURNS = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}
_WHITE, _BLACK, _OPAQUE = 255, 0, 255
_WITH_ALPHA = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})
_DEEP = frozenset({"I", "F", "I;16", "I;16L", "I;16B", "I;16N"})
_PLAIN = frozenset({"1", "L", "P", "RGB", "RGBX", "YCbCr", "CMYK"})
_HIGH_BYTE = 256
_STRIP_PIXELS = 1 << 20


class ViewCollector:
    """Gathers distinct views within a budget of pixels. Used by one thread, for one file.

    Frames are worked on in strips of rows, so that beside the decoded frame and the views
    themselves nothing of their size is held.

    Attributes:
        views: Distinct views, in the order in which they were met. The first is what a viewer
            shows of the first
            frame: upright, flattened on white.
        has_alpha: Whether any pixel of any frame is not opaque.
    """

    def __init__(self, limits: Limits) -> None:
        self.views: list[Pixels] = []
        self.has_alpha = False
        self._limits = limits
        self._digests: set[bytes] = set()
        self._pixels = 0

    def add(self, frame: Image.Image, *, orientation: int, has_unknown_polarity: bool) -> None:
        """Add the views of one decoded frame.

        Args:
            frame: In any mode that Pillow decodes to.
            orientation: EXIF orientation, 1 to 8.
            has_unknown_polarity: Whether a CMYK frame may be meant either way.

        Raises:
            ImageTooLarge: If the views together have more than ``limits.max_total_pixels``.
            UnknownImageFormat: If the colour space has no way to RGB here (CIE L*a*b*).
        """
        for stored in self._colours(frame):
            if orientation in _TURNS:
                self._keep(_turned(stored, orientation))
            self._keep(stored)
            if has_unknown_polarity:
                self._keep(_OPAQUE - stored)

    def _colours(self, frame: Image.Image) -> Iterator[_Array]:
        if frame.mode in _DEEP:
            yield from _deep(frame)
        elif frame.mode in _WITH_ALPHA or "transparency" in frame.info:
            yield from self._flattened(frame)
        elif frame.mode in _PLAIN:
            yield _painted(frame, _colour)
        else:
            raise UnknownImageFormat("a colour space that is not read; save it as RGB")

    def _flattened(self, frame: Image.Image) -> Iterator[_Array]:
        alphas = [_alpha(strip) for _, strip in _strips(frame)]
        if any(alpha.min() < _OPAQUE for alpha in alphas):
            self.has_alpha = True
            # Wholly transparent: flattening gives a blank sheet, which hides nothing from anybody.
            if any(alpha.any() for alpha in alphas):
                yield _painted(frame, lambda strip: _on_background(strip, _WHITE))
                yield _painted(frame, lambda strip: _on_background(strip, _BLACK))
        yield _painted(frame, _without_alpha)

    def _keep(self, view: _Array) -> None:
        pixels = as_pixels(view)
        # Most files have one view only: no digest is made of it until there is another.
        if self.views and self._is_known(pixels):
            return
        height, width = pixels.shape[:2]
        self._pixels += width * height
        if self._pixels > self._limits.max_total_pixels:
            raise ImageTooLarge(
                "the ways in which the picture can be shown have more than "
                f"{self._limits.max_total_pixels} pixels together; scale it down"
            )
        pixels.flags.writeable = False  # threads share it
        self.views.append(pixels)

    def _is_known(self, pixels: Pixels) -> bool:
        """Say whether a view is there already."""
        if not self._digests:
            self._digests.add(_digest(self.views[0]))
        digest = _digest(pixels)
        is_known = digest in self._digests
        self._digests.add(digest)
        return is_known


def _digest(pixels: Pixels) -> bytes:
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(pixels.data)
    return digest.digest()


def _turned(stored: _Array, orientation: int) -> _Array:
    swaps_sides, flips_rows, flips_columns = _TURNS[orientation]
    turned = stored.transpose(1, 0, 2) if swaps_sides else stored
    return turned[:: -1 if flips_rows else 1, :: -1 if flips_columns else 1]


def _strips(frame: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield each run of rows with the number of its first."""
    rows = max(1, _STRIP_PIXELS // frame.width)
    for top in range(0, frame.height, rows):
        yield top, frame.crop((0, top, frame.width, min(top + rows, frame.height)))


def _painted(frame: Image.Image, paint: Callable[[Image.Image], _Array]) -> _Array:
    """Return the frame as ``(height, width, 3)``, made strip by strip."""
    view = np.empty((frame.height, frame.width, 3), np.uint8)
    for top, strip in _strips(frame):
        view[top : top + strip.height] = paint(strip)
    return view


def _colour(strip: Image.Image) -> _Array:
    return np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))


def _alpha(strip: Image.Image) -> _Array:
    return np.asarray(strip.convert("RGBA").getchannel("A"))


def _without_alpha(strip: Image.Image) -> _Array:
    return np.asarray(strip.convert("RGBA"))[..., :3]


def _on_background(strip: Image.Image, background: int) -> _Array:
    pixels = np.asarray(strip.convert("RGBA")).astype(np.uint16)
    alpha = pixels[..., 3:]
    # Rounded division by 255 in 16 bits: exact for every product of two bytes.
    mixed = pixels[..., :3] * alpha + background * (_OPAQUE - alpha) + 128
    return ((mixed + (mixed >> 8)) >> 8).astype(np.uint8)


def _deep(frame: Image.Image) -> Iterator[_Array]:
    """Yield a gray frame of 16-bit, 32-bit or float samples in 8 bits, in each way of tools."""
    extremes = [_extremes(strip) for _, strip in _strips(frame)]
    least, most = min(low for low, _ in extremes), max(high for _, high in extremes)
    if frame.mode.startswith("I"):
        yield _painted(frame, lambda strip: _gray(_samples(strip) / _HIGH_BYTE))
    yield _painted(frame, lambda strip: _gray(_samples(strip)))
    if most > least:
        scale = _OPAQUE / (most - least)
        yield _painted(frame, lambda strip: _gray((_samples(strip) - least) * scale))


def _samples(strip: Image.Image) -> _Samples:
    """Return the samples, in floats wide enough for their differences; NaN is 0."""
    return np.nan_to_num(np.asarray(strip, np.float32)).astype(np.float64)


def _extremes(strip: Image.Image) -> tuple[float, float]:
    samples = _samples(strip)
    return float(samples.min()), float(samples.max())


def _gray(samples: _Samples) -> _Array:
    return np.clip(samples, 0, _OPAQUE).astype(np.uint8)[..., np.newaxis]
