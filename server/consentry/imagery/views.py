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
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops

from consentry.imagery.limits import Limits
from consentry.kernel.biometrics import Pixels, as_pixels
from consentry.kernel.errors import ImageTooLarge, UnknownImageFormat

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_OPAQUE = 255
_WITH_ALPHA = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})
_DEEP = frozenset({"I", "F", "I;16", "I;16L", "I;16B", "I;16N"})
_PLAIN = frozenset({"1", "L", "P", "RGB", "RGBX", "YCbCr", "CMYK"})
_BITS_DROPPED = 8


class ViewCollector:
    """Gathers distinct views within a budget of pixels. Used by one thread, for one file.

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
        turn = _TURNS.get(orientation)
        for view in self._colours(frame):
            if turn is not None:
                self._keep(view.transpose(turn))
            self._keep(view)
            if has_unknown_polarity:
                self._keep(ImageChops.invert(view))

    def _colours(self, frame: Image.Image) -> Iterator[Image.Image]:
        if frame.mode in _DEEP:
            yield from _deep(frame)
        elif frame.mode in _WITH_ALPHA or "transparency" in frame.info:
            yield from self._flattened(frame.convert("RGBA"))
        elif frame.mode in _PLAIN:
            yield frame.convert("RGB")
        else:
            raise UnknownImageFormat("a colour space that is not read; save it as RGB")

    def _flattened(self, frame: Image.Image) -> Iterator[Image.Image]:
        alpha = frame.getchannel("A")
        least, most = alpha.getextrema()
        if least == _OPAQUE:
            yield frame.convert("RGB")
            return
        self.has_alpha = True
        # Wholly transparent: flattening would give a blank sheet, which hides nothing from anybody.
        for background in (_WHITE, _BLACK) if most else ():
            sheet = Image.new("RGB", frame.size, background)
            sheet.paste(frame, mask=alpha)
            yield sheet
        yield frame.convert("RGB")

    def _keep(self, view: Image.Image) -> None:
        # numpy reads Pillow's own bytes: the array is read-only, so that threads can share it.
        pixels = as_pixels(np.asarray(view))
        digest = hashlib.blake2b(pixels.data, digest_size=16, key=repr(pixels.shape).encode())
        if digest.digest() in self._digests:
            return
        self._pixels += view.width * view.height
        if self._pixels > self._limits.max_total_pixels:
            raise ImageTooLarge(
                f"the picture can be shown in ways that have more than "
                f"{self._limits.max_total_pixels} pixels together; scale it down"
            )
        self._digests.add(digest.digest())
        self.views.append(pixels)


def _deep(frame: Image.Image) -> Iterator[Image.Image]:
    """Yield a gray frame of 16-bit, 32-bit or float samples in 8 bits, in each way of tools."""
    samples = np.nan_to_num(np.asarray(frame, np.float32)).astype(np.float64)
    if frame.mode.startswith("I"):
        yield _gray(samples / (1 << _BITS_DROPPED))
    yield _gray(samples)
    least, most = float(samples.min()), float(samples.max())
    if most > least:
        yield _gray((samples - least) / (most - least) * _OPAQUE)


def _gray(samples: npt.NDArray[np.float64]) -> Image.Image:
    return Image.fromarray(np.clip(samples, 0, _OPAQUE).astype(np.uint8)).convert("RGB")
