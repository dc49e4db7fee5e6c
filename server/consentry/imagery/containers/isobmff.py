"""The boxes that AVIF, HEIC and MP4 share (ISO/IEC 14496-12): length, type, body."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from consentry.imagery.containers.outline import is_padding
from consentry.kernel.errors import CorruptImage, TruncatedImage

_MAX_BOXES = 20_000
_TO_THE_END, _LARGE = 0, 1
TOP_LEVEL = frozenset(
    {b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"wide", b"uuid", b"mpvd", b"sefd"}
)
"""``mpvd``, ``sefd``: video and trailer of a phone's motion photo; not checked, as in jpeg.py."""
_IN_MP4 = TOP_LEVEL | {b"moof", b"mfra", b"sidx", b"styp", b"pdin"}


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its type, and where its body starts and ends in the file."""

    kind: bytes
    body: int
    end: int


def refuse_other_than_boxes(data: bytes) -> None:
    """Refuse a trailer that is not MP4 boxes to its last byte.

    Raises:
        TruncatedImage: If a box reaches beyond the end of the file.
        CorruptImage: If something else follows.
    """
    for _ in boxes(data, 0, len(data), known=_IN_MP4):
        pass


class Fields:
    """Big-endian numbers, one after the other, inside one box."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data, self._at, self._end = data, start, end

    def take(self, size: int) -> int:
        """Return the next number of ``size`` bytes.

        Raises:
            CorruptImage: If the box ends before.
        """
        if self._at + size > self._end:
            raise CorruptImage("a part of the picture is shorter than it says; save it again")
        self._at += size
        return int.from_bytes(self._data[self._at - size : self._at], "big")


def find(data: bytes, within: Box, *path: bytes, skip: int = 0) -> Iterator[Box]:
    """Yield every box at ``path`` below ``within``, whose first child starts ``skip`` bytes in."""
    for box in boxes(data, within.body + skip, within.end):
        if box.kind == path[0]:
            if len(path) == 1:
                yield box
            else:
                yield from find(data, box, *path[1:])


def boxes(
    data: bytes, start: int, end: int, *, known: frozenset[bytes] | None = None
) -> Iterator[Box]:
    """Yield the boxes from ``start`` to ``end``, one after the other.

    Args:
        data: The file.
        start: Where the first begins.
        end: Where the last ends.
        known: Types that may stand here, for the top level of a file; filling may then follow the
            last.

    Raises:
        TruncatedImage: If one reaches beyond ``end``.
        CorruptImage: If one is of another type than ``known``, or they do not add up.
    """
    at = start
    for _ in range(_MAX_BOXES):
        if at >= end:
            return
        # The first bytes first: looking at the whole tail for each of many boxes is quadratic.
        if known is not None and is_padding(data[at : at + 8]) and is_padding(data[at:end]):
            return
        box = _box_at(data, at, end, known)
        yield box
        at = box.end
    raise CorruptImage(f"the file has more than {_MAX_BOXES} parts; save it again")


def _box_at(data: bytes, at: int, end: int, known: frozenset[bytes] | None) -> Box:
    size, kind, body = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], at + 8
    if known is not None and len(kind) == 4 and kind not in known:  # noqa: PLR2004 -- a box type
        raise CorruptImage(
            "something else is attached after the end of the picture; open it and save it again"
        )
    if size == _LARGE:
        size, body = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
    elif size == _TO_THE_END and known is not None:
        size = end - at
    if at + size > end or body > end:
        raise TruncatedImage("the file ends before its own header says; fetch or save it again")
    if size < body - at:
        raise CorruptImage("a part of the picture has an impossible length; save it again")
    return Box(kind, body, at + size)
