"""Stills and image sequences in boxes: AVIF and HEIC (ISO/IEC 23008-12, AVIF 1.1).

ftyp  meta{pitm iinf{infe ...} iloc iprp{ipco{ispe ...}} idat}  mdat  [moov: an image sequence]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from consentry.imagery.containers.av1 import sequence_sizes
from consentry.imagery.containers.isobmff import TOP_LEVEL, Box, Fields, boxes, find
from consentry.imagery.containers.outline import Picture, take
from consentry.imagery.limits import Limits
from consentry.kernel.errors import CorruptImage, TruncatedImage, UnknownImageFormat

_TRACK_HANDLERS = frozenset({b"pict", b"auxv"})
_FULL_BOX_BYTES = 4
_IN_FILE, _IN_IDAT = 0, 1
_SAMPLE_ENTRY_BYTES = 8
_TABLE = (b"mdia", b"minf", b"stbl")
_Sizes = set[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Item:
    """Where the bytes of one item lie: ``(start, length)`` of each extent."""

    number: int
    extents: tuple[tuple[int, int], ...]


def outline_avif(data: bytes, limits: Limits) -> tuple[Picture, ...]:
    """Return the sequence and the still picture of an AVIF file, which need not show the same.

    Raises:
        TruncatedImage: If a box reaches beyond the end of the file.
        CorruptImage: If it is damaged, a video, or has something attached.
        ImageTooLarge: If a picture in it is.
    """
    top, meta = _survey(data)
    if meta is not None:
        _check_av1_items(data, meta, limits, _admit_sizes(data, meta, limits))
    clean = _without_exif(data, meta)
    moov = next((box for box in top if box.kind == b"moov"), None)
    if moov is None:
        return (Picture(data=clean),)
    _check_tracks(data, moov, limits)
    # Decoders choose by the major brand: `avis` plays the tracks, anything else shows the primary
    # item.
    sources = [b"avis"] if meta is None else [b"avif", b"avis"]
    return tuple(Picture(data=clean[:8] + brand + clean[12:]) for brand in sources)


def outline_heic(data: bytes, limits: Limits) -> tuple[Picture, ...]:
    """Return the picture of a HEIC file; the library lists its several stills.

    Raises:
        UnknownImageFormat: If it holds an image sequence.
        TruncatedImage: If a box reaches beyond the end of the file.
        CorruptImage: If it is damaged, a video, or has something attached.
        ImageTooLarge: If a picture in it is.
    """
    top, meta = _survey(data)
    if meta is None or any(box.kind == b"moov" for box in top):
        raise UnknownImageFormat(
            "a HEIC image sequence or video is not read; save one picture of it as JPEG or PNG"
        )
    _admit_sizes(data, meta, limits)
    for _ in _items(data, meta):
        pass
    return (Picture(data=_without_exif(data, meta)),)


def _survey(data: bytes) -> tuple[list[Box], Box | None]:
    """Return the top-level boxes of a file that holds one picture, and its ``meta`` box."""
    top = list(boxes(data, 0, len(data), known=TOP_LEVEL))
    kinds = [box.kind for box in top]
    if kinds.count(b"ftyp") != 1 or kinds.count(b"meta") > 1 or kinds.count(b"moov") > 1:
        raise CorruptImage("the file holds two pictures in one; save it again")
    if b"meta" not in kinds and b"moov" not in kinds:
        # A still that was cut right behind a box looks like this too.
        raise TruncatedImage("the file has no picture in it; fetch or save it again")
    return top, next((box for box in top if box.kind == b"meta"), None)


def _without_exif(data: bytes, meta: Box | None) -> bytes:
    """Rename EXIF items, so that no decoder parses them: only ``irot``, ``imir`` count (MIAF)."""
    if meta is None:
        return data
    clean = bytearray(data)
    for at in _item_types(data, meta).values():
        if data[at : at + 4] == b"Exif":
            clean[at : at + 4] = b"skip"
    return bytes(clean)


def _item_types(data: bytes, meta: Box) -> dict[int, int]:
    """Return where in the file the type of each item is written, by item number."""
    found = {}
    for iinf in find(data, meta, b"iinf", skip=_FULL_BOX_BYTES):
        counted = 2 if data[iinf.body] == 0 else 4
        for infe in find(data, iinf, b"infe", skip=_FULL_BOX_BYTES + counted):
            # Version 3 numbers items in 32 bits, version 2 in 16; two bytes of protection follow.
            width = 4 if data[infe.body] == 3 else 2  # noqa: PLR2004 -- infe version
            at = infe.body + _FULL_BOX_BYTES
            found[int.from_bytes(data[at : at + width], "big")] = at + width + 2
    return found


def _admit_sizes(data: bytes, meta: Box, limits: Limits) -> _Sizes:
    sizes = set()
    for ispe in find(data, meta, b"iprp", b"ipco", b"ispe", skip=_FULL_BOX_BYTES):
        fields = Fields(data, ispe.body + _FULL_BOX_BYTES, ispe.end)
        size = fields.take(4), fields.take(4)
        limits.admit_frame(*size)
        sizes.add(size)
    return sizes


def _items(data: bytes, meta: Box) -> Iterator[_Item]:
    """Yield the items, each of which lies inside the file: libraries read a cut item as half a one.

    Raises:
        TruncatedImage: If one does not.
    """
    idat = next(find(data, meta, b"idat", skip=_FULL_BOX_BYTES), meta)
    total = 0
    for iloc in find(data, meta, b"iloc", skip=_FULL_BOX_BYTES):
        for item in _located(Fields(data, iloc.body, iloc.end), idat.body):
            for start, length in item.extents:
                total += length
                if start + length > len(data):
                    raise TruncatedImage("the file ends inside the picture; save it again")
            # Items that share their bytes make small files that take long to walk.
            if total > 2 * len(data):
                raise CorruptImage("the parts of the picture overlap; save it again")
            yield item


def _located(fields: Fields, idat: int) -> Iterator[_Item]:
    """Read ``iloc`` (14496-12, 8.11.3)."""
    version = fields.take(1)
    fields.take(3)
    widths = fields.take(2)
    offset_bytes, length_bytes, base_bytes = widths >> 12, widths >> 8 & 15, widths >> 4 & 15
    index_bytes = widths & 15 if version else 0
    number_bytes = 4 if version == 2 else 2  # noqa: PLR2004 -- iloc version
    for _ in range(fields.take(number_bytes)):
        number = fields.take(number_bytes)
        method = fields.take(2) & 15 if version else _IN_FILE
        fields.take(2)
        base = fields.take(base_bytes)
        extents = []
        for _ in range(fields.take(2)):
            fields.take(index_bytes)
            start = base + fields.take(offset_bytes)
            extents.append(
                (start + idat if method == _IN_IDAT else start, fields.take(length_bytes))
            )
        # Method 2 builds an item from others; its offsets are not into the file.
        yield _Item(number, tuple(extents) if method in {_IN_FILE, _IN_IDAT} else ())


def _check_av1_items(data: bytes, meta: Box, limits: Limits, announced: _Sizes) -> None:
    types = _item_types(data, meta)
    for item in _items(data, meta):
        at = types.get(item.number)
        if at is not None and data[at : at + 4] == b"av01":
            stream = b"".join(data[start : start + length] for start, length in item.extents)
            _check_stream(stream, limits, announced)


def _check_stream(stream: bytes, limits: Limits, announced: _Sizes) -> None:
    for size in sequence_sizes(stream):
        limits.admit_frame(*size)
        if size not in announced:
            raise CorruptImage("the picture contradicts its own header; save it again")


def _check_tracks(data: bytes, moov: Box, limits: Limits) -> None:
    """Check that the tracks are pictures, and what each sample in them claims about its size."""
    total = 0
    for trak in find(data, moov, b"trak"):
        for hdlr in find(data, trak, b"mdia", b"hdlr"):
            if data[hdlr.body + 8 : hdlr.body + 12] not in _TRACK_HANDLERS:
                raise CorruptImage("a video that calls itself a picture; send one picture of it")
        announced = set()
        for stsd in find(data, trak, *_TABLE, b"stsd"):
            for entry in boxes(data, stsd.body + 2 * _FULL_BOX_BYTES, stsd.end):
                fields = Fields(data, entry.body + _SAMPLE_ENTRY_BYTES + 16, entry.end)
                size = fields.take(2), fields.take(2)
                limits.admit_frame(*size)
                announced.add(size)
        for start, length in _chunks(data, trak, limits):
            total += length
            if total > 2 * len(data):
                raise CorruptImage("the parts of the picture overlap; save it again")
            _check_stream(take(data, start, length), limits, announced)


def _chunks(data: bytes, trak: Box, limits: Limits) -> Iterator[tuple[int, int]]:
    """Yield ``(start, length)`` of each chunk of a track: samples that lie one behind the other."""
    sizes = [
        size for table in find(data, trak, *_TABLE, b"stsz") for size in _stsz(data, table, limits)
    ]
    runs = [
        run for table in find(data, trak, *_TABLE, b"stsc") for run in _stsc(data, table, limits)
    ]
    starts = [
        start
        for kind, width in ((b"stco", 4), (b"co64", 8))
        for table in find(data, trak, *_TABLE, kind)
        for start in _table(data, table, limits, width)
    ]
    sample = 0
    for number, start in enumerate(starts, start=1):
        per_chunk = next((count for first, count in reversed(runs) if first <= number), 0)
        yield start, sum(sizes[sample : sample + per_chunk])
        sample += per_chunk
    if sample < len(sizes):
        raise CorruptImage("the parts of the picture contradict each other; save it again")


def _stsz(data: bytes, table: Box, limits: Limits) -> list[int]:
    fields = Fields(data, table.body + _FULL_BOX_BYTES, table.end)
    fixed, count = fields.take(4), fields.take(4)
    limits.admit_frame_count(count)
    return [fixed or fields.take(4) for _ in range(count)]


def _stsc(data: bytes, table: Box, limits: Limits) -> list[tuple[int, int]]:
    fields = Fields(data, table.body + _FULL_BOX_BYTES, table.end)
    count = fields.take(4)
    limits.admit_frame_count(count)
    runs = []
    for _ in range(count):
        runs.append((fields.take(4), fields.take(4)))
        fields.take(4)
    return runs


def _table(data: bytes, table: Box, limits: Limits, width: int) -> list[int]:
    fields = Fields(data, table.body + _FULL_BOX_BYTES, table.end)
    count = fields.take(4)
    limits.admit_frame_count(count)
    return [fields.take(width) for _ in range(count)]
