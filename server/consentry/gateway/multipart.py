"""Multipart forms (RFC 7578), read strictly: the generator reads the same bytes with another parser.

A lenient reader lets a part hide behind a second header, an odd boundary or a preamble. So whatever is not written
as every client library writes it is refused. Parts are views of the body: nothing is copied but what is taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from consentry.kernel.errors import BadRequest

MAX_PARTS = 256
_MAX_HEAD_BYTES = 2048
_BOUNDARY = re.compile(
    r"""multipart/form-data\s*;\s*boundary=(?:"([A-Za-z0-9'()+_,./:=? -]{1,70})"|([A-Za-z0-9'+_.-]{1,70}))\s*\Z""",
    re.IGNORECASE,
)
_DISPOSITION = re.compile(
    rb"""form-data;\s*name="((?:[^"\\\r\n]|\\["\\])*)"(?:;\s*filename="((?:[^"\\\r\n]|\\["\\])*)")?(?:;\s*filename\*=[^;\r\n"]+)?\s*\Z""",
    re.IGNORECASE,
)
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*?)[ \t]*\Z")
_KNOWN = frozenset(
    {b"content-disposition", b"content-type", b"content-transfer-encoding", b"content-length"}
)
_PLAIN_ENCODINGS = frozenset({b"", b"binary", b"8bit", b"7bit"})
_CUT = "The form could not be read. Send it as multipart/form-data, as client libraries write it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a form.

    Attributes:
        name: As sent.
        is_file: Whether it has a file name. What it is called is not kept.
        media_type: As declared, in lower case; empty when it is not.
        data: A view of the body; lives as long as that.
    """

    name: str
    is_file: bool
    media_type: str
    data: memoryview = field(repr=False)

    def text(self) -> str:
        """Return a field's text.

        Raises:
            BadRequest: If it is not UTF-8, or says that it is something else.
        """
        declared, _, parameters = self.media_type.partition(";")
        charset = parameters.strip().removeprefix("charset=").strip('"')
        if declared.strip() not in ("", "text/plain") or charset not in ("", "utf-8", "us-ascii"):
            raise BadRequest("A field of the form is no text in UTF-8.")
        try:
            return bytes(self.data).decode("utf-8")
        except UnicodeDecodeError:
            raise BadRequest("A field of the form is no text in UTF-8.") from None


def parts_of(content_type: str, body: bytes) -> tuple[Part, ...]:
    """Read a form.

    Raises:
        BadRequest: If it is not written plainly, or has more than `MAX_PARTS`.
    """
    boundary = _BOUNDARY.match(content_type)
    if boundary is None:
        raise BadRequest(_CUT)
    dash = b"--" + (boundary[1] or boundary[2]).encode("ascii")
    between = b"\r\n" + dash
    if not body.startswith(dash + b"\r\n"):
        raise BadRequest(_CUT)
    view = memoryview(body)
    parts: list[Part] = []
    start = len(dash) + 2
    while True:
        end = body.find(between, start)
        if end < 0 or len(parts) == MAX_PARTS:
            raise BadRequest(_CUT)
        parts.append(_part(body, view, start, end))
        start = end + len(between)
        after = body[start : start + 2]
        start += 2
        if after == b"--":
            break
        if after != b"\r\n":
            raise BadRequest(_CUT)
    if body[start:] not in (b"", b"\r\n"):
        raise BadRequest(_CUT)
    return tuple(parts)


def _part(body: bytes, view: memoryview, start: int, end: int) -> Part:
    head_end = body.find(b"\r\n\r\n", start, min(end, start + _MAX_HEAD_BYTES))
    if head_end < 0:
        raise BadRequest(_CUT)
    fields = _fields(body[start:head_end])
    disposition = _DISPOSITION.match(fields.get(b"content-disposition", b""))
    if disposition is None:
        raise BadRequest(_CUT)
    if fields.get(b"content-transfer-encoding", b"").lower() not in _PLAIN_ENCODINGS:
        raise BadRequest("A part of the form has a transfer encoding that is not read here.")
    try:
        name = disposition[1].decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest(_CUT) from None
    return Part(
        name=name,
        is_file=disposition[2] is not None or b"filename*" in disposition[0].lower(),
        media_type=fields.get(b"content-type", b"").decode("latin-1").lower(),
        data=view[head_end + 4 : end],
    )


def _fields(head: bytes) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n"):
        found = _FIELD.match(line)
        if found is None:
            raise BadRequest(_CUT)
        name = found[1].lower()
        if name in fields or name not in _KNOWN:
            raise BadRequest(_CUT)
        fields[name] = found[2]
    return fields
