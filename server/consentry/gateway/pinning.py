"""Puts the bytes that were checked in place of the address that they came from (docs/adr/0022-pictures-by-url.md).

The generator would fetch the address again, later, and its server could give it another picture then. So what is
forwarded holds the checked picture itself, as a ``data:`` URL; every other byte of the body stays as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pybase64

from consentry.imagery.formats import sniff
from consentry.kernel.errors import BadRequest

# A string of JSON; quotes are in no other place. What follows tells a member's name from a value.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?', re.DOTALL)
_DATA_URL = b'"data:'
"""What begins like this holds its picture itself, and may be long: it is not looked into."""


def pinned(body: bytes, media_type: str, pictures: Mapping[str, bytes]) -> bytes:
    """Return a body in which checked pictures stand instead of their addresses.

    Args:
        body: As it came.
        media_type: As declared.
        pictures: Bytes by address; of formats that are read here.

    Raises:
        BadRequest: If an address is not in the body as a string of its own: the lines of a stored
            file, or a form.
    """
    if not pictures:
        return body
    if media_type != "application/json":
        raise BadRequest("A picture by address is given in JSON only. Send the picture itself.")
    missing = set(pictures)

    def replaced(found: re.Match[bytes]) -> bytes:
        if found[1] is not None or body.startswith(_DATA_URL, found.start()):
            return found[0]
        # As every reader of addresses does: with blanks around it, it is the same one.
        text = json.loads(found[0]).strip()
        if text not in pictures:
            return found[0]
        missing.discard(text)
        return b'"' + data_url(pictures[text]) + b'"'

    exchanged = _STRING.sub(replaced, body)
    if missing:
        raise BadRequest("A picture by address cannot be held fast here. Send the picture itself.")
    return exchanged


def data_url(picture: bytes) -> bytes:
    """Return a picture of a format that is read here as a ``data:`` URL."""
    return f"data:image/{sniff(picture).value};base64,".encode() + pybase64.b64encode(picture)
