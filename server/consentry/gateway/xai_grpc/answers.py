"""Pictures in what comes back: under their known names, and by their looks in every field that is not known.

A field of an answer that has a length may be text, bytes or a message below; without its table nobody can tell, so it
is looked at as all three.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from consentry.gateway.data_urls import from_base64
from consentry.gateway.openai.answers import pictures_of_answer
from consentry.gateway.protobuf import Budget, Message, Part, Scalar, parts_of
from consentry.gateway.request import DataUrl, Picture, Sent
from consentry.gateway.sources import address
from consentry.imagery.formats import sniff
from consentry.kernel.errors import BadRequest, ImageError, Unreachable

_MAX_DEPTH = 12
_MIN_PICTURE_BYTES = 24
"""No picture is shorter."""


def pictures_of_message(body: bytes, message: Message) -> list[Picture]:
    """Find the pictures in an answer.

    Args:
        body: One message, or several of a stream, one behind the other: they read as one.
        message: What is known of it.

    Raises:
        Unreachable: If it cannot be read.
        ImageError: If a picture in it is not written as one.
    """
    try:
        return list(_below(body, message, Budget()))
    except BadRequest:
        raise Unreachable("The answer of the generator could not be read.") from None


def file_of(body: bytes) -> bytes:
    """Return what a file holds, from the messages in which it came, one behind the other.

    Raises:
        BadRequest: If they cannot be read.
    """
    return b"".join(
        part.value
        for part in parts_of(body, Budget())
        if part.number == 1 and isinstance(part.value, bytes)
    )


def pictures_of_file(body: bytes) -> Sequence[Picture]:
    """Find the pictures in a file that comes back: it is one, or lines of JSON, or words."""
    try:
        content = file_of(body)
    except BadRequest:
        raise Unreachable("The answer of the generator could not be read.") from None
    return pictures_of_answer("application/octet-stream", content)


def _below(body: bytes, message: Message, budget: Budget) -> Iterator[Picture]:
    for part in parts_of(body, budget):
        known = message.fields.get(part.number)
        if not isinstance(part.value, bytes) or not part.value:
            continue
        if known is None:
            yield from _of_unknown(part, _MAX_DEPTH)
        elif isinstance(known.kind, Message):
            yield from _below(part.value, known.kind, budget)
        elif known.kind is Scalar.TEXT:
            yield _named(known.name, _text(part.value))


def _named(name: str, text: str) -> Picture:
    """Return the picture in a field that is known for one, whatever it looks like."""
    if name == "url":
        return address(text)
    return DataUrl(text) if text[:5].lower() == "data:" else Sent(from_base64(text))


def _of_unknown(part: Part, depth: int) -> Iterator[Picture]:
    value = part.value
    if not isinstance(value, bytes) or len(value) < _MIN_PICTURE_BYTES:
        return
    if _is_picture(value):
        yield Sent(value)
        return
    if _is_text(value):
        yield from pictures_of_answer("text/plain", value)
    if depth:
        for each in _as_message(value):
            yield from _of_unknown(each, depth - 1)


def _as_message(value: bytes) -> Sequence[Part]:
    try:
        return list(parts_of(value, Budget()))
    except BadRequest:
        return ()


def _is_text(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_picture(value: bytes) -> bool:
    try:
        sniff(value)
    except ImageError:
        return False
    return True


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("A text of the answer is not UTF-8.") from None
