"""TIFF 6.0: a header, then a chain of directories (pages) of tags that point anywhere."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from consentry.imagery.containers.exif import ORIENTATIONS, UPRIGHT
from consentry.imagery.containers.jpeg import MAX_SCANS
from consentry.imagery.containers.outline import Picture, refuse_trailer, take
from consentry.imagery.limits import Limits
from consentry.kernel.errors import (
    CorruptImage,
    ImageTooLarge,
    TruncatedImage,
    UnknownImageFormat,
)

_HEADER_BYTES = 8
_ENTRY_BYTES = 12
_INLINE_BYTES = 4
_MAX_ENTRIES = 512
_MAX_VALUES = 70_000
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_INTEGERS = {1: "B", 3: "H", 4: "I"}

_WIDTH, _HEIGHT, _COMPRESSION, _ORIENTATION = 256, 257, 259, 274
_STRIP_OFFSETS, _STRIP_BYTES, _TILE_OFFSETS, _TILE_BYTES = 273, 279, 324, 325
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_JPEG = 7
_SUB_DIRECTORIES, _DNG_VERSION = 330, 50706
_POINTERS = frozenset({34665, 34853, 40965})
_KEPT = frozenset(
    {254, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 320, 322, 323}
    | {324, 325, 332, 334, 338, 339, 347, 529, 530, 531, 532}
)
"""What libtiff needs for pixels. The rest (profiles, EXIF, vendor tags) never reaches it."""
_SINGLE = frozenset({254, 256, 257, 259, 262, 266, 277, 278, 284, 317, 322, 323, 332, 334, 531})
_FIXED_COUNTS = dict.fromkeys(_SINGLE, 1) | {529: 3, 530: 2, 532: 6}
_COMPRESSIONS = frozenset({1, 5, 7, 8, 32773, 32946})
"""None, LZW, JPEG, Deflate, PackBits. Rarer ones are more to trust than to read.

Fax codes are black and white, and libtiff goes on after their errors: with one line on standard
error for each row.
"""


@dataclass(frozen=True, slots=True)
class _Entry:
    tag: int
    kind: int
    count: int
    raw: bytes
    value: bytes


@dataclass(slots=True)
class _Reader:
    data: bytes
    order: str
    end: int = _HEADER_BYTES
    seen: set[int] = field(default_factory=set)

    def directory(self, at: int) -> tuple[list[_Entry], int]:
        """Return the entries of the directory at ``at``, and where the next one is (0 for none)."""
        if at in self.seen:
            raise CorruptImage("the pages of the picture go round in a circle; save it again")
        self.seen.add(at)
        (count,) = struct.unpack(f"{self.order}H", self._take(at, 2))
        if not 0 < count <= _MAX_ENTRIES:
            raise CorruptImage("a page of the picture makes no sense; save it again")
        entries = [self._entry(at + 2 + index * _ENTRY_BYTES) for index in range(count)]
        (following,) = struct.unpack(f"{self.order}I", self._take(at + 2 + count * 12, 4))
        return entries, following

    def _entry(self, at: int) -> _Entry:
        raw = self._take(at, _ENTRY_BYTES)
        tag, kind, count = struct.unpack(f"{self.order}HHI", raw[:8])
        size = _TYPE_BYTES.get(kind, 0) * count
        if size <= _INLINE_BYTES:
            return _Entry(tag, kind, count, raw, raw[8 : 8 + size])
        if tag in _KEPT and count > _MAX_VALUES:
            raise ImageTooLarge("the picture is cut into too many parts; save it again")
        (offset,) = struct.unpack(f"{self.order}I", raw[8:])
        return _Entry(tag, kind, count, raw, self._take(offset, size))

    def integers(self, entries: list[_Entry], tag: int) -> tuple[int, ...]:
        for entry in entries:
            if entry.tag == tag and entry.kind in _INTEGERS:
                return struct.unpack(
                    f"{self.order}{entry.count}{_INTEGERS[entry.kind]}", entry.value
                )
        return ()

    def integer(self, entries: list[_Entry], tag: int, default: int) -> int:
        return next(iter(self.integers(entries, tag)), default)

    def reach(self, offset: int, size: int) -> None:
        """Note that the file is used up to there.

        Raises:
            TruncatedImage: If it does not go that far.
        """
        if offset + size > len(self.data):
            raise TruncatedImage("the file ends inside the picture; fetch or save it again")
        self.end = max(self.end, offset + size)

    def _take(self, start: int, size: int) -> bytes:
        part = take(self.data, start, size)
        self.end = max(self.end, start + size)
        return part


def outline(data: bytes, limits: Limits) -> tuple[Picture, ...]:
    """Return the pages, with fresh directories of nothing but the tags that carry pixels.

    Raises:
        TruncatedImage: If a directory, a tag or a strip lies beyond the end of the file.
        CorruptImage: If the directories make no sense or run in a circle, or something follows the
            last of them.
        ImageTooLarge: If it has too many pages, or too many strips in one.
        UnknownImageFormat: If it is a camera's raw file, or packed in a way that is not read.
    """
    reader = _Reader(data, "<" if data.startswith(b"II") else ">")
    (at,) = struct.unpack(f"{reader.order}I", take(data, 4, 4))
    pages: list[list[_Entry]] = []
    while at:
        limits.admit_frame_count(len(pages) + 1)
        entries, at = reader.directory(at)
        _check_page(reader, entries, limits)
        pages.append(entries)
    if not pages:
        raise CorruptImage("the picture has no pixels in it; save it again")
    refuse_trailer(data[reader.end :])
    _check_scans(reader, pages)
    return (
        Picture(
            data=_with_fresh_directories(reader, pages),
            sizes=tuple(_size(reader, page) for page in pages),
            page_orientations=tuple(_orientation(reader, page) for page in pages),
        ),
    )


def _size(reader: _Reader, page: list[_Entry]) -> tuple[int, int]:
    return reader.integer(page, _WIDTH, 0), reader.integer(page, _HEIGHT, 0)


def _orientation(reader: _Reader, page: list[_Entry]) -> int:
    found = reader.integer(page, _ORIENTATION, UPRIGHT)
    return found if found in ORIENTATIONS else UPRIGHT


def _check_page(reader: _Reader, page: list[_Entry], limits: Limits) -> None:
    tags = {entry.tag for entry in page}
    if tags & {_SUB_DIRECTORIES, _DNG_VERSION}:
        # Decoders differ in which of the pictures they show.
        raise UnknownImageFormat("a raw or nested TIFF is not read; save it as JPEG or PNG")
    if len(tags) != len(page):
        raise CorruptImage("the picture has a part twice; save it again")
    if any(entry.count != _FIXED_COUNTS.get(entry.tag, entry.count) for entry in page):
        raise CorruptImage("a page of the picture makes no sense; save it again")
    if reader.integer(page, _COMPRESSION, 1) not in _COMPRESSIONS:
        raise UnknownImageFormat("a TIFF that is packed in a rare way; save it as JPEG or PNG")
    limits.admit_frame(*_size(reader, page))
    if _TILE_OFFSETS in tags:
        # A tile is decoded whole, however little of it the picture shows.
        limits.admit_frame(
            reader.integer(page, _TILE_WIDTH, 0), reader.integer(page, _TILE_HEIGHT, 0)
        )
    _check_strips(reader, page)
    for entry in page:
        if entry.tag in _POINTERS:
            for pointer in reader.integers([entry], entry.tag):
                reader.directory(pointer)


def _check_strips(reader: _Reader, page: list[_Entry]) -> None:
    for offsets_tag, bytes_tag in ((_STRIP_OFFSETS, _STRIP_BYTES), (_TILE_OFFSETS, _TILE_BYTES)):
        offsets = reader.integers(page, offsets_tag)
        sizes = reader.integers(page, bytes_tag)
        if len(offsets) != len(sizes):
            raise CorruptImage("the picture does not say where its parts end; save it again")
        for offset, size in zip(offsets, sizes, strict=True):
            reader.reach(offset, size)


def _check_scans(reader: _Reader, pages: list[list[_Entry]]) -> None:
    """Bound the scans of JPEG strips, as jpeg.py does for a JPEG of its own."""
    if any(reader.integer(page, _COMPRESSION, 1) == _JPEG for page in pages):
        strips = sum(
            len(reader.integers(page, tag)) for page in pages for tag in (_STRIP_BYTES, _TILE_BYTES)
        )
        if reader.data.count(b"\xff\xda") > strips + MAX_SCANS:
            raise ImageTooLarge(f"the picture has more than {MAX_SCANS} scans; save it again")


def _with_fresh_directories(reader: _Reader, pages: list[list[_Entry]]) -> bytes:
    """Append directories and point the header at them: offsets are absolute, so data stay put."""
    data, order = reader.data, reader.order
    parts = [data[:4], b"", data[8:], b"\0" * (len(data) % 2)]
    at = len(data) + len(data) % 2
    parts[1] = struct.pack(f"{order}I", at)
    tag_bytes = 0
    for number, page in enumerate(pages, start=1):
        kept = sorted((entry for entry in page if entry.tag in _KEPT), key=lambda one: one.tag)
        tag_bytes += sum(len(entry.value) for entry in kept if len(entry.value) > _INLINE_BYTES)
        at += 6 + _ENTRY_BYTES * len(kept)
        following = 0 if number == len(pages) else at
        parts += (
            struct.pack(f"{order}H", len(kept)),
            *(entry.raw for entry in kept),
            struct.pack(f"{order}I", following),
        )
    if tag_bytes > len(data):
        raise CorruptImage("the pages of the picture share their parts; save it again")
    return b"".join(parts)
