"""Windows and OS/2 bitmaps: file header of 14 bytes, information header, masks or palette, rows."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from consentry.imagery.containers.outline import Picture, is_padding, refuse_trailer, take
from consentry.imagery.limits import Limits
from consentry.kernel.errors import CorruptImage, TruncatedImage, UnknownImageFormat

_FILE_HEADER_BYTES = 14
_CORE_HEADER_BYTES = 12
_V4_HEADER_BYTES = 108
_V5_HEADER_BYTES = 124
_RAW, _RLE8, _RLE4, _BITFIELDS = 0, 1, 2, 3
_TRUE_COLOUR_BITS = 32
_BGRA_MASKS = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
_BITS = frozenset({1, 4, 8, 16, 24, 32})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    width: int
    height: int
    is_top_down: bool
    bits: int
    compression: int
    data_bytes: int


def outline(data: bytes, limits: Limits) -> tuple[Picture, ...]:
    """Return the picture; a fourth byte in each pixel becomes alpha, as some software reads it.

    Raises:
        TruncatedImage: If the file ends before its rows do.
        CorruptImage: If the header makes no sense, or something follows the rows.
        ImageTooLarge: If the header asks for too many pixels.
        UnknownImageFormat: If the rows are packed in a way that is not read.
    """
    header = _header(data)
    limits.admit_frame(header.width, header.height)
    start = int.from_bytes(data[10:14], "little")
    header_end = _FILE_HEADER_BYTES + int.from_bytes(data[14:18], "little")
    if start < header_end:
        raise CorruptImage("the rows of the picture start inside its header; save it again")
    stride = (header.width * header.bits + 31) // 32 * 4
    is_packed = header.compression in {_RLE8, _RLE4}
    end = start + (header.data_bytes if is_packed else stride * header.height)
    if end > len(data):
        raise TruncatedImage("the file ends inside the picture; fetch or save it again")
    if is_packed and end == start:
        raise CorruptImage("the picture does not say where it ends; save it again")
    _admit_tail(data, header_end, end)
    body = data[:end]
    if header.bits == _TRUE_COLOUR_BITS and header.compression == _RAW:
        body = _with_alpha(header, data[start:end])
    return (Picture(data=body, sizes=((header.width, header.height),)),)


def _header(data: bytes) -> _Header:
    size = int.from_bytes(take(data, _FILE_HEADER_BYTES, 4), "little")
    body = take(data, _FILE_HEADER_BYTES, size)
    if size == _CORE_HEADER_BYTES:
        width, height, _, bits = struct.unpack_from("<HHHH", body, 4)
        return _Header(
            width=width, height=height, is_top_down=False, bits=bits, compression=0, data_bytes=0
        )
    width, height, _, bits, compression, data_bytes = struct.unpack_from("<iiHHII", body, 4)
    if bits not in _BITS or compression not in {_RAW, _RLE8, _RLE4, _BITFIELDS}:
        raise UnknownImageFormat("a bitmap of a rare kind; save it as PNG")
    return _Header(
        width=width,
        height=abs(height),
        is_top_down=height < 0,
        bits=bits,
        compression=compression,
        data_bytes=data_bytes,
    )


def _admit_tail(data: bytes, header_end: int, end: int) -> None:
    """Let a colour profile follow the rows, where a version 5 header says that it does."""
    tail = data[end:]
    if header_end == _FILE_HEADER_BYTES + _V5_HEADER_BYTES and not is_padding(tail):
        at, size = struct.unpack_from("<II", data, _FILE_HEADER_BYTES + 112)
        if _FILE_HEADER_BYTES + at >= end:
            tail = data[end : _FILE_HEADER_BYTES + at] + data[_FILE_HEADER_BYTES + at + size :]
    refuse_trailer(tail)


def _with_alpha(header: _Header, rows: bytes) -> bytes:
    """Write a version 4 header that calls the fourth byte alpha.

    The format calls it unused, some software reads it as alpha, and a face can be drawn in it. As
    alpha it comes under the same views as every other alpha (views.py).
    """
    start = _FILE_HEADER_BYTES + _V4_HEADER_BYTES
    height = -header.height if header.is_top_down else header.height
    v4 = struct.pack(
        "<IiiHHIIiiII4I",
        _V4_HEADER_BYTES,
        header.width,
        height,
        1,
        header.bits,
        _BITFIELDS,
        len(rows),
        *(0, 0, 0, 0),
        *_BGRA_MASKS,
    )
    file_header = struct.pack("<2sIHHI", b"BM", start + len(rows), 0, 0, start)
    return b"".join((file_header, v4.ljust(_V4_HEADER_BYTES, b"\0"), rows))
