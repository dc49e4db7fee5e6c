"""Requests and answers as they travel: bytes that are handed on as they came."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qsl

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]
"""Names in lower case, in the order and as often as they were sent."""

EVENT_STREAM = "text/event-stream"

GRPC_STATUS = b"grpc-status"
GRPC_MESSAGE = b"grpc-message"
GRPC_TIMEOUT = b"grpc-timeout"

_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A request without its body.

    Attributes:
        method: In capitals.
        path: Below the dialect's prefix, without the slash that begins it: ``images/edits``.
        query: As sent, without the question mark.
        headers: As sent.
    """

    method: str
    path: str
    query: bytes = field(repr=False, default=b"")
    headers: Headers = field(repr=False, default=())

    def value(self, name: bytes) -> str | None:
        """Return a header field's value, or None when it is not there."""
        return value_of(self.headers, name)

    @property
    def of_one_hop(self) -> frozenset[bytes]:
        """The names of header fields that are between two neighbours, by its own word."""
        return named_by_connection(self.headers)

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Names and values of the query, in order."""
        return parse_qsl(self.query.decode("latin-1"), keep_blank_values=True, errors="replace")

    @property
    def media_type(self) -> str:
        """Of the body, without parameters, in lower case; empty when it is not said."""
        return media_type_of(self.headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request with its whole body."""

    head: Head
    body: bytes = field(repr=False)


@dataclass(slots=True, kw_only=True)
class Messages:
    """What an answer of gRPC has besides its chunks, each of which is a message.

    Attributes:
        is_stream: Whether each stands for itself. Otherwise they are one thing in pieces.
        trailers: Header fields after the last of them, ``grpc-status`` among them; known once all
            have been read.
    """

    is_stream: bool
    trailers: Headers = field(repr=False, default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer on its way back. Its chunks may be read once.

    Attributes:
        messages: Of an answer of gRPC; None for one of plain HTTP. A refusal of gRPC has none: its
            status is in its header fields.
    """

    status: int
    headers: Headers = field(repr=False)
    chunks: AsyncIterator[bytes] = field(repr=False)
    messages: Messages | None = None

    @property
    def media_type(self) -> str:
        """Without parameters, in lower case; empty when it is not said."""
        return media_type_of(self.headers)

    @property
    def is_ok(self) -> bool:
        """Whether it is what was asked for. Of gRPC it is known once all has been read."""
        if self.messages is not None:
            return value_of(self.messages.trailers, GRPC_STATUS) == "0"
        return self.status == _OK

    @property
    def is_stream(self) -> bool:
        """Whether it comes in events, which are examined and delivered one by one."""
        if self.messages is not None:
            return self.messages.is_stream
        return self.media_type == EVENT_STREAM


def value_of(headers: Headers, name: bytes) -> str | None:
    """Return the first value of a header field, or None when it is not there."""
    return next((value.decode("latin-1") for key, value in headers if key.lower() == name), None)


def media_type_of(headers: Headers) -> str:
    """Return the media type that is declared, without parameters, in lower case."""
    return (value_of(headers, b"content-type") or "").partition(";")[0].strip().lower()


def named_by_connection(headers: Headers) -> frozenset[bytes]:
    """Return the names in the field ``Connection`` (RFC 9110, 7.6.1), in lower case."""
    return frozenset(
        each.strip().lower()
        for name, value in headers
        if name.lower() == b"connection"
        for each in value.split(b",")
    )


def without(headers: Headers, names: Collection[bytes]) -> Headers:
    """Return the header fields but these, named in lower case."""
    return tuple(each for each in headers if each[0].lower() not in names)


async def each_of(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    """Yield a body that is known in pieces."""
    for chunk in chunks:
        yield chunk


async def one(chunk: bytes) -> AsyncIterator[bytes]:
    """Yield a body that is known as a whole."""
    yield chunk
