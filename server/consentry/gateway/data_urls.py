"""``data:`` URLs (RFC 2397), read strictly: what two readers might read differently is refused."""

from __future__ import annotations

import binascii
import re
from urllib.parse import unquote_to_bytes

import pybase64

from consentry.kernel.errors import CorruptImage, UnknownImageFormat

_HEAD = re.compile(r"data:([A-Za-z0-9!#$&^_.+/-]*)((?:;[A-Za-z0-9_.=-]+)*)\Z", re.IGNORECASE)
_MAX_HEAD_CHARS = 256
_PICTURES = "image/"


def decoded(url: str) -> bytes:
    """Return the bytes of a picture in a ``data:`` URL.

    Raises:
        UnknownImageFormat: If it says that it is no picture.
        CorruptImage: If it is not written plainly.
    """
    head, comma, _ = url[:_MAX_HEAD_CHARS].partition(",")
    found = _HEAD.match(head) if comma else None
    if found is None:
        raise CorruptImage("A data: URL could not be read.")
    if not found[1].lower().startswith(_PICTURES):
        raise UnknownImageFormat("A data: URL holds something else than a picture.")
    is_base64 = found[2].lower().endswith(";base64")
    start = len(head) + 1
    return from_base64(url[start:]) if is_base64 else unquote_to_bytes(url[start:])


def from_base64(text: str) -> bytes:
    """Return the bytes of standard base64, with or without its padding.

    Raises:
        CorruptImage: If it is anything else: readers differ in what they skip.
    """
    try:
        return pybase64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as cause:
        raise CorruptImage("The base64 of a picture could not be read.") from cause
