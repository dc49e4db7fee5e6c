"""How much a picture may ask for. Caps are held against headers, before a pixel is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from consentry.kernel.errors import CorruptImage, ImageTooLarge

_MEBIBYTE = 1024 * 1024
_PILLOW_WARNS_ABOVE_PIXELS = 89_478_485
"""`PIL.Image.MAX_IMAGE_PIXELS` as shipped. It is global: we neither change it nor come near it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps on one picture. More is `ImageTooLarge`; nothing is cut off, skipped or scaled down.

    An animation with more frames than the cap is refused as a whole: a frame that nobody looked at
    must not end in an allow.

    Attributes:
        max_bytes: Size of the file.
        max_pixels: Pixels of one frame. 52 million takes what a 50-megapixel phone writes.
        max_total_pixels: Pixels of all frames together, and again of all distinct views (views.py)
            together. A view takes 3 bytes a pixel, so the default bounds a decoded picture to 480
            MB.
        max_frames: Frames of an animation, pages of a TIFF, pictures in one JPEG or HEIC file.
        max_aspect: The longer side divided by the shorter.
    """

    max_bytes: int = 20 * _MEBIBYTE
    max_pixels: int = 52_000_000
    max_total_pixels: int = 160_000_000
    max_frames: int = 100
    max_aspect: float = 20.0

    def __post_init__(self) -> None:
        smallest = min(self.max_bytes, self.max_pixels, self.max_total_pixels, self.max_frames)
        if smallest < 1 or not self.max_aspect >= 1:
            raise ValueError("every limit is at least 1")
        if self.max_pixels > _PILLOW_WARNS_ABOVE_PIXELS:
            raise ValueError(f"max_pixels is at most {_PILLOW_WARNS_ABOVE_PIXELS}")

    def admit_bytes(self, size: int) -> None:
        """Raise `ImageTooLarge` unless a file of ``size`` bytes may be read."""
        if size > self.max_bytes:
            raise ImageTooLarge(
                f"the file has {size} bytes and at most {self.max_bytes} are read; save it smaller"
            )

    def admit_frame(self, width: int, height: int) -> None:
        """Raise `ImageTooLarge`, or `CorruptImage` for a side of 0, unless it may be this big."""
        if width < 1 or height < 1:
            raise CorruptImage("the picture says that it has no pixels; save it again")
        if width * height > self.max_pixels:
            raise ImageTooLarge(
                f"the picture is {width} x {height} pixels and at most {self.max_pixels} pixels "
                "are read; scale it down"
            )
        if max(width, height) > self.max_aspect * min(width, height):
            raise ImageTooLarge(
                f"the picture is {width} x {height} pixels and its longer side may be at most "
                f"{self.max_aspect:g} times the shorter; crop it"
            )

    def admit_frames(self, sizes: list[tuple[int, int]]) -> None:
        """Raise unless frames of these ``(width, height)`` may be decoded, each and together."""
        self.admit_frame_count(len(sizes))
        for width, height in sizes:
            self.admit_frame(width, height)
        self.admit_total_pixels(sum(width * height for width, height in sizes))

    def admit_frame_count(self, count: int) -> None:
        """Raise `ImageTooLarge` unless ``count`` frames may be decoded."""
        if count > self.max_frames:
            raise ImageTooLarge(
                f"the file has more than {self.max_frames} frames, and every one would have to be "
                "checked; send fewer frames"
            )

    def admit_total_pixels(self, pixels: int) -> None:
        """Raise `ImageTooLarge` unless ``pixels`` may be held at once."""
        if pixels > self.max_total_pixels:
            raise ImageTooLarge(
                f"all frames of the file together have more than {self.max_total_pixels} pixels; "
                "scale it down or send fewer frames"
            )


DEFAULT_LIMITS = Limits()
"""What `decode` applies unless it is told otherwise."""
