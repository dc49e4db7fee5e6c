"""The boxes that AVIF, HEIC and MP4 share (ISO/IEC 14496-12), and their stills (23008-12).

ftyp  meta{hdlr pitm iinf iloc iprp{ipco{ispe ...}}}  mdat  [moov: an image sequence]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from consentry.imagery.containers.outline import Picture, is_padding
from consentry.imagery.limits import Limits
from consentry.kernel.errors import CorruptImage, TruncatedImage, UnknownImageFormat

_MAX_BOXES = 20_000
_TO_THE_END, _LARGE = 0, 1
_TOP_LEVEL = frozenset(
    {b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"wide", b"uuid", b"mpvd", b"sefd"}
)
"""``mpvd``, ``sefd``: video and trailer of a phone's motion photo; not checked, as in jpeg.py."""
_IN_MP4 = _TOP_LEVEL | {b"moof", b"mfra", b"sidx", b"styp", b"pdin"}
_TRACK_HANDLERS = frozenset({b"pict", b"auxv"})
_FULL_BOX_BYTES = 4


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    body: int
    end: int


def outline_avif(data: bytes, limits: Limits) -> tuple[Picture, ...]:
    """Return the sequence and the still picture of an AVIF file, which need not show the same.

    Raises:
        TruncatedImage: If a box reaches beyond the end of the file.
        CorruptImage: If it is damaged, a video, or has something attached.
        ImageTooLarge: If a picture in it is.
    """
    clean, boxes = _survey(data, limits)
    kinds = {box.kind for box in boxes}
    if b"moov" not in kinds:
        return (Picture(data=clean),)
    _refuse_video(data, boxes)
    # Decoders choose by the major brand: `avis` plays the tracks, anything else shows the primary
    # item.
    sources = [b"avis"] if b"meta" not in kinds else [b"avif", b"avis"]
    return tuple(Picture(data=clean[:8] + brand + clean[12:]) for brand in sources)


def outline_heic(data: bytes, limits: Limits) -> tuple[Picture, ...]:
    """Return the picture of a HEIC file; the library lists its several stills.

    Raises:
        UnknownImageFormat: If it holds an image sequence.
        TruncatedImage: If a box reaches beyond the end of the file.
        CorruptImage: If it is damaged, a video, or has something attached.
        ImageTooLarge: If a picture in it is.
    """
    clean, boxes = _survey(data, limits)
    if any(box.kind == b"moov" for box in boxes):
        raise UnknownImageFormat(
            "a HEIC image sequence or video is not read; save one picture of it as JPEG or PNG"
        )
    return (Picture(data=clean),)


def refuse_other_than_boxes(data: bytes) -> None:
    """Refuse a trailer that is not MP4 boxes to its last byte.

    Raises:
        TruncatedImage: If a box reaches beyond the end of the file.
        CorruptImage: If something else follows.
    """
    for _ in _boxes(data, 0, len(data), known=_IN_MP4):
        pass


def _survey(data: bytes, limits: Limits) -> tuple[bytes, list[_Box]]:
    """Check structure and sizes; return the file without EXIF, and its top-level boxes."""
    boxes = list(_boxes(data, 0, len(data), known=_TOP_LEVEL))
    kinds = [box.kind for box in boxes]
    if kinds.count(b"ftyp") != 1 or kinds.count(b"meta") > 1 or kinds.count(b"moov") > 1:
        raise CorruptImage("the file holds two pictures in one; save it again")
    if b"meta" not in kinds and b"moov" not in kinds:
        # A still that was cut right behind a box looks like this too.
        raise TruncatedImage("the file has no picture in it; fetch or save it again")
    clean = bytearray(data)
    for box in boxes:
        if box.kind == b"meta":
            _check_items(data, box, limits, clean)
    return bytes(clean), boxes


def _check_items(data: bytes, meta: _Box, limits: Limits, clean: bytearray) -> None:
    for box in _boxes(data, meta.body + _FULL_BOX_BYTES, meta.end):
        if box.kind == b"iprp":
            _check_sizes(data, box, limits)
        elif box.kind == b"iinf":
            _hide_exif(data, box, clean)
        elif box.kind == b"iloc":
            _check_extents(data, box)


def _check_sizes(data: bytes, iprp: _Box, limits: Limits) -> None:
    for ipco in _boxes(data, iprp.body, iprp.end):
        if ipco.kind != b"ipco":
            continue
        for box in _boxes(data, ipco.body, ipco.end):
            if box.kind == b"ispe":
                width = int.from_bytes(data[box.body + 4 : box.body + 8], "big")
                height = int.from_bytes(data[box.body + 8 : box.body + 12], "big")
                limits.admit_frame(width, height)


def _hide_exif(data: bytes, iinf: _Box, clean: bytearray) -> None:
    """Rename EXIF items, so that no decoder parses them: only ``irot``, ``imir`` count (MIAF)."""
    version = data[iinf.body : iinf.body + 1]
    start = iinf.body + _FULL_BOX_BYTES + (2 if version == b"\x00" else 4)
    for box in _boxes(data, start, iinf.end):
        # infe version 2: item id 16 bits, protection 16 bits, then the type; version 3 has a
        # 32-bit id.
        at = box.body + _FULL_BOX_BYTES + (6 if data[box.body : box.body + 1] == b"\x03" else 4)
        if box.kind == b"infe" and data[at : at + 4] == b"Exif":
            clean[at : at + 4] = b"skip"


def _check_extents(data: bytes, iloc: _Box) -> None:
    """Check that every item lies inside the file: libraries read a cut item as half a one."""
    reader = _Fields(data, iloc.body, iloc.end)
    version = reader.take(1)
    reader.take(3)
    sizes = reader.take(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in {1, 2} else 0
    for _ in range(reader.take(4 if version == 2 else 2)):  # noqa: PLR2004 -- iloc version
        reader.take(4 if version == 2 else 2)  # noqa: PLR2004 -- iloc version
        method = reader.take(2) & 15 if version in {1, 2} else 0
        reader.take(2)
        base = reader.take(base_size)
        for _ in range(reader.take(2)):
            reader.take(index_size)
            end = base + reader.take(offset_size) + reader.take(length_size)
            if method == 0 and end > len(data):
                raise TruncatedImage("the file ends inside the picture; fetch or save it again")


def _refuse_video(data: bytes, boxes: list[_Box]) -> None:
    for moov in (box for box in boxes if box.kind == b"moov"):
        for trak in (box for box in _boxes(data, moov.body, moov.end) if box.kind == b"trak"):
            for mdia in (box for box in _boxes(data, trak.body, trak.end) if box.kind == b"mdia"):
                for box in _boxes(data, mdia.body, mdia.end):
                    handler = data[box.body + 8 : box.body + 12]
                    if box.kind == b"hdlr" and handler not in _TRACK_HANDLERS:
                        raise CorruptImage(
                            "a video that calls itself a picture; send one picture of it"
                        )


class _Fields:
    """Big-endian numbers, one after the other, inside one box."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data, self._at, self._end = data, start, end

    def take(self, size: int) -> int:
        if self._at + size > self._end:
            raise CorruptImage("a part of the picture is shorter than it says; save it again")
        self._at += size
        return int.from_bytes(self._data[self._at - size : self._at], "big")


def _boxes(
    data: bytes, start: int, end: int, *, known: frozenset[bytes] | None = None
) -> Iterator[_Box]:
    at = start
    for _ in range(_MAX_BOXES):
        if at >= end:
            return
        if known is not None and is_padding(data[at:end]):
            return
        box = _box_at(data, at, end, known)
        yield box
        at = box.end
    raise CorruptImage(f"the file has more than {_MAX_BOXES} parts; save it again")


def _box_at(data: bytes, at: int, end: int, known: frozenset[bytes] | None) -> _Box:
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
    return _Box(kind, body, at + size)
