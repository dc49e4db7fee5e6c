"""What comes back from a generator: held, unpacked for the check, and handed on as it came."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from consentry.gateway.exchange import Answer, value_of
from consentry.kernel.errors import Unreachable

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_LINE_END = rb"(?>\r\n|\n|\r)"
_END_OF_EVENT = re.compile(_LINE_END + _LINE_END)
_LINES = re.compile(_LINE_END)


@dataclass(frozen=True, slots=True)
class Body:
    """A whole body: in the pieces in which it came, and together, without its content coding."""

    chunks: tuple[bytes, ...] = field(repr=False)
    plain: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event: as it came, and its data; or one message, which is both."""

    raw: bytes = field(repr=False)
    data: bytes = field(repr=False)


async def whole_of(answer: Answer, max_bytes: int) -> Body:
    """Read an answer to its end.

    Raises:
        Unreachable: If it is larger than ``max_bytes``, packed or unpacked, or in a coding that is
            not read here: what cannot be examined is not delivered.
    """
    chunks: list[bytes] = []
    size = 0
    async for chunk in answer.chunks:
        chunks.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            raise Unreachable("The answer of the generator is too large to be examined.")
    coding = value_of(answer.headers, b"content-encoding")
    return Body(tuple(chunks), _unpacked(b"".join(chunks), coding, max_bytes))


async def events_of(answer: Answer, max_bytes: int) -> AsyncIterator[Event]:
    """Yield the events of a stream, each as soon as it is whole.

    Raises:
        Unreachable: If one is larger than ``max_bytes``, or the stream is packed.
    """
    if answer.messages is not None:
        async for chunk in answer.chunks:
            if len(chunk) > max_bytes:
                raise Unreachable("A message of the generator is too large to be examined.")
            yield Event(chunk, chunk)
        return
    if value_of(answer.headers, b"content-encoding") not in (None, "identity"):
        raise Unreachable("The stream of the generator is in a coding that is not read here.")
    held = bytearray()
    searched = 0
    async for chunk in answer.chunks:
        held += chunk
        while (end := _END_OF_EVENT.search(held, max(0, searched - 3))) is not None:
            raw = bytes(held[: end.end()])
            del held[: end.end()]
            searched = 0
            yield Event(raw, _data_of(raw))
        searched = len(held)
        if searched > max_bytes:
            raise Unreachable("An event of the generator is too large to be examined.")
    if held:
        yield Event(bytes(held), _data_of(bytes(held)))


def _data_of(raw: bytes) -> bytes:
    """Return the data of an event (HTML standard, 9.2.6): its ``data`` lines, joined."""
    lines = [line for line in _LINES.split(raw) if line.startswith(b"data:")]
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines)


def _unpacked(body: bytes, coding: str | None, max_bytes: int) -> bytes:
    if coding in (None, "", "identity"):
        return body
    if coding not in ("gzip", "deflate"):
        raise Unreachable("The answer of the generator is in a coding that is not read here.")
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        plain = unpacker.decompress(body, max_bytes)
    except zlib.error as cause:
        raise Unreachable("The answer of the generator could not be unpacked.") from cause
    if not unpacker.eof or unpacker.unused_data:
        raise Unreachable("The answer of the generator is not whole, or too large to be examined.")
    return plain
