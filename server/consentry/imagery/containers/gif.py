"""GIF87a and GIF89a: a logical screen, then blocks until the trailer byte."""

from __future__ import annotations

from consentry.imagery.containers.outline import Picture, refuse_trailer, take
from consentry.imagery.limits import Limits
from consentry.kernel.errors import CorruptImage, ImageTooLarge

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_HEADER_BYTES = 13
_HAS_PALETTE = 0x80
# Sub-blocks hold up to 255 bytes; a file of one-byte blocks only costs time.
_MAX_SUB_BLOCKS = 250_000


def outline(data: bytes, limits: Limits) -> tuple[Picture, ...]:
    """Return the animation without its trailer.

    Raises:
        TruncatedImage: If the file ends inside a block or before the trailer byte.
        CorruptImage: If a block is of an unknown kind, or something follows the trailer byte.
        ImageTooLarge: If it has too many frames or blocks.
    """
    header = take(data, 0, _HEADER_BYTES)
    canvas = (int.from_bytes(header[6:8], "little"), int.from_bytes(header[8:10], "little"))
    walk = _SubBlocks(data)
    at = _HEADER_BYTES + _palette_bytes(header[10])
    sizes: list[tuple[int, int]] = []
    while (kind := take(data, at, 1)[0]) != _TRAILER:
        if kind == _EXTENSION:
            at = walk.skip(at + 2)
        elif kind == _IMAGE:
            limits.admit_frame_count(len(sizes) + 1)
            place = take(data, at + 1, 9)
            canvas = _grown(canvas, place)
            limits.admit_frame(*canvas)
            sizes.append(canvas)
            at = walk.skip(at + 11 + _palette_bytes(place[8]))
        else:
            raise CorruptImage("the picture has a part that nobody can read; save it again")
    refuse_trailer(data[at + 1 :])
    if not sizes:
        raise CorruptImage("the picture has no pixels in it; save it again")
    return (Picture(data=data[: at + 1], sizes=tuple(sizes)),)


def _grown(canvas: tuple[int, int], place: bytes) -> tuple[int, int]:
    """Return the canvas after a frame: decoders widen it for frames that reach beyond it."""
    left, top, width, height = (int.from_bytes(place[i : i + 2], "little") for i in (0, 2, 4, 6))
    if not width or not height:
        raise CorruptImage("a frame of the picture has no pixels; save it again")
    return max(canvas[0], left + width), max(canvas[1], top + height)


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & _HAS_PALETTE else 0


class _SubBlocks:
    """Walks data sub-blocks, and counts them over the whole file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = _MAX_SUB_BLOCKS

    def skip(self, at: int) -> int:
        """Return where the block that starts with a sub-block at ``at`` ends."""
        while size := take(self._data, at, 1)[0]:
            self._left -= 1
            if not self._left:
                raise ImageTooLarge("the picture is cut into too many parts; save it again")
            at += 1 + size
        return at + 1
