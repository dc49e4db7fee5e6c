"""Which way up a picture is (EXIF 2.32, tag 0x0112): all that is read of its metadata."""

from __future__ import annotations

import re
import struct

UPRIGHT = 1
ORIENTATIONS = range(1, 9)
_ORIENTATION_TAG = 0x0112
_SHORT = 3
_LONG = 4
_IFD_ENTRY_BYTES = 12
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=[\"']|>)\s*([1-8])")


def orientation(exif: bytes, xmp: bytes = b"") -> int:
    """Return the orientation, 1 to 8; 1 when there is none, or none that can be read.

    Damaged metadata is no reason to refuse: the pixels as stored are always among the views,
    whatever this says.

    Args:
        exif: A TIFF stream, with or without the leading ``Exif`` and two zeros; may be empty.
        xmp: An XMP packet, asked when ``exif`` does not say; may be empty.
    """
    found = _from_tiff(exif.removeprefix(b"Exif\0\0"))
    if found is None and (match := _XMP_ORIENTATION.search(xmp)):
        found = int(match[1])
    return UPRIGHT if found is None else found


def _from_tiff(tiff: bytes) -> int | None:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for index in range(count):
            at = start + 2 + index * _IFD_ENTRY_BYTES
            tag, kind = struct.unpack_from(f"{order}HH", tiff, at)
            if tag == _ORIENTATION_TAG and kind in {_SHORT, _LONG}:
                width = "H" if kind == _SHORT else "I"
                (value,) = struct.unpack_from(f"{order}{width}", tiff, at + 8)
                return value if value in ORIENTATIONS else None
    except struct.error:
        return None  # the stream is shorter than it says: no orientation that can be read
    return None
