"""What every container module returns, and the two ways in which a file can end wrongly."""

from __future__ import annotations

from dataclasses import dataclass

from consentry.kernel.errors import CorruptImage, TruncatedImage

_PADDING = b"\x00\xff \t\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One stand-alone image file, reduced to the parts that carry pixels.

    Attributes:
        data: What the decoder gets.
        sizes: ``(width, height)`` of each frame in pixels, as stored, before orientation. Empty
            where only the decoder library can tell without decoding (AVIF, HEIC); it is then asked
            before the first pixel.
        orientation: EXIF orientation of every frame, 1 to 8.
        page_orientations: The same where each frame has its own (TIFF); empty otherwise.
        has_unknown_polarity: A CMYK picture that does not say whether 0 is no ink or full ink.
    """

    data: bytes
    sizes: tuple[tuple[int, int], ...] = ()
    orientation: int = 1
    page_orientations: tuple[int, ...] = ()
    has_unknown_polarity: bool = False


def take(data: bytes, start: int, size: int) -> bytes:
    """Return ``size`` bytes from ``start``.

    Raises:
        TruncatedImage: If the file has fewer.
    """
    part = data[start : start + size]
    if len(part) < size:
        raise TruncatedImage("the file ends before its own header says; fetch or save it again")
    return part


def is_padding(tail: bytes) -> bool:
    """Tell whether ``tail`` is nothing but filling: zeros, 0xFF, blanks and line ends."""
    return not tail.strip(_PADDING)


def refuse_trailer(tail: bytes) -> None:
    """Refuse what follows the end of a picture, unless it is filling.

    Raises:
        CorruptImage: If something else follows. Other software could open that instead of what was
            checked.
    """
    if not is_padding(tail):
        raise CorruptImage(
            "something else is attached after the end of the picture; open it and save it again"
        )
