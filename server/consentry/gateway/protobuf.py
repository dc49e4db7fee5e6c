"""Messages of Protocol Buffers, read strictly: what this parser does not know, the generator's may take for a picture.

    message      tag value  tag value  …          protobuf.dev, "Encoding"
    tag          field number, and how long the value is: a varint, 4 bytes, 8 bytes, or so many bytes

A message becomes an object as of JSON, under the names that its table gives: text as it is, bytes as base64, numbers
as they are. What is forwarded is never written from that: it is what came, byte for byte.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum

from consentry.gateway.json_body import Json, JsonObject
from consentry.kernel.errors import BadRequest

MAX_PARTS = 100_000
"""In one message and all below it: each costs time, and a request needs far fewer."""

_MAX_VARINT_BYTES = 10
_MAX_NUMBER = (1 << 29) - 1
_KINDS = frozenset({0, 1, 2, 5})
# Of a byte of a varint: seven bits of the number, and whether another byte follows.
_LOW, _MORE = 0x7F, 0x80


class Wire(IntEnum):
    """How long a value is. The two kinds of groups (3 and 4) are not read."""

    VARINT = 0
    EIGHT_BYTES = 1
    LENGTH = 2
    FOUR_BYTES = 5


class Scalar(Enum):
    """What a value is, when it is no message."""

    TEXT = "text"
    BYTES = "bytes"
    NUMBER = "number"
    FLOAT = "float"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message."""

    name: str
    kind: Scalar | Message
    is_repeated: bool = False


class Message:
    """What is known of one type of message."""

    __slots__ = ("fields", "name")

    def __init__(self, name: str, /, **fields: tuple[int, Scalar | Message]) -> None:
        """Take down a table.

        Args:
            name: As in the API's own definition.
            fields: Number and kind, by the name that it is read under. A name that ends in ``_s``
                is a field that may come any number of times, without the ending.
        """
        self.name = name
        self.fields: Mapping[int, Field] = {
            number: Field(key.removesuffix("_s"), kind, key.endswith("_s"))
            for key, (number, kind) in fields.items()
        }


@dataclass(frozen=True, slots=True)
class Part:
    """One field as it stands in a message.

    Attributes:
        number: Of the field.
        wire: How its length is given.
        value: Of a field with a length, its bytes; of another one, its number.
        raw: All of it, with its tag.
        tag: Its tag alone.
    """

    number: int
    wire: Wire
    value: int | bytes = field(repr=False)
    raw: bytes = field(repr=False)
    tag: bytes = field(repr=False)


@dataclass(slots=True)
class Budget:
    """How many fields may still be read."""

    left: int = MAX_PARTS

    def spend(self) -> None:
        """Take one.

        Raises:
            BadRequest: If there is none left.
        """
        self.left -= 1
        if self.left < 0:
            raise BadRequest("The request has more fields than are read here.")


def parts_of(data: bytes, budget: Budget) -> Iterator[Part]:
    """Yield the fields of a message in the order in which they stand.

    Raises:
        BadRequest: If it is no message, or has more fields than the budget.
    """
    at = 0
    while at < len(data):
        budget.spend()
        start = at
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if not 0 < number <= _MAX_NUMBER or kind not in _KINDS:
            raise _broken()
        wire, tagged = Wire(kind), at
        value: int | bytes
        if wire is Wire.VARINT:
            value, at = _varint(data, at)
        else:
            size = {Wire.EIGHT_BYTES: 8, Wire.FOUR_BYTES: 4}.get(wire)
            if size is None:
                size, at = _varint(data, at)
            value = data[at : at + size]
            at += size
            if at > len(data):
                raise _broken()
        yield Part(number, wire, value, data[start:at], data[start:tagged])


def read(data: bytes, message: Message, budget: Budget | None = None) -> JsonObject:
    """Read a request.

    Args:
        data: All of it.
        message: Its table.
        budget: Of fields; None for `MAX_PARTS`.

    Raises:
        BadRequest: If it is none, or holds a field that its table does not know, in a form that
            its table does not know, or twice where it is there once.
    """
    budget = budget or Budget()
    found: dict[str, Json] = {}
    lists: dict[str, list[Json]] = {}
    for part in parts_of(data, budget):
        known = message.fields.get(part.number)
        if known is None:
            raise BadRequest(
                f"The request has field {part.number} of {message.name}, which this gateway does not know. "
                "What cannot be read is not let through: leave it out, or bring the gateway up to date."
            )
        values = _values(part, known, budget)
        if known.is_repeated:
            lists.setdefault(known.name, []).extend(values)
        elif known.name in found:
            raise BadRequest(f"A field of {message.name} is there twice.")
        else:
            found[known.name] = values[0]
    return {**found, **lists}


def exchanged(data: bytes, message: Message, exchange: Callable[[str], str | None]) -> bytes:
    """Return a message in which some texts are others; every other byte stays as it was.

    Args:
        data: Of this type, and readable.
        message: Its table.
        exchange: Returns the other text; None for one that stays.
    """
    out: list[bytes] = []
    for part in parts_of(data, Budget()):
        value = part.value
        known = message.fields.get(part.number)
        other: bytes | None = None
        if known is not None and isinstance(value, bytes):
            if isinstance(known.kind, Message):
                below = exchanged(value, known.kind, exchange)
                other = below if below != value else None
            elif known.kind is Scalar.TEXT:
                text = exchange(value.decode("utf-8"))
                other = None if text is None else text.encode()
        out.append(part.raw if other is None else part.tag + written(len(other)) + other)
    return b"".join(out)


def written(number: int) -> bytes:
    """Write a number of at least zero as a varint."""
    out = bytearray()
    while number > _LOW:
        out.append(number & _LOW | _MORE)
        number >>= 7
    out.append(number)
    return bytes(out)


def _values(part: Part, known: Field, budget: Budget) -> list[Json]:
    if isinstance(part.value, int):
        if known.kind is Scalar.NUMBER:
            return [part.value]
    elif isinstance(known.kind, Message):
        if part.wire is Wire.LENGTH:
            return [read(part.value, known.kind, budget)]
    elif part.wire is Wire.LENGTH:
        return _of_length(part.value, known, budget)
    elif known.kind is Scalar.FLOAT and part.wire is Wire.FOUR_BYTES:
        # A setting of the generator; how large it is plays no part here.
        return [0]
    raise _broken()


def _of_length(value: bytes, known: Field, budget: Budget) -> list[Json]:
    match known.kind:
        case Scalar.TEXT:
            return [_text(value)]
        case Scalar.BYTES:
            return [base64.b64encode(value).decode("ascii")]
        case Scalar.NUMBER if known.is_repeated:
            return list(_packed(value, budget))
        case _:
            raise _broken()


def _packed(value: bytes, budget: Budget) -> Iterator[int]:
    at = 0
    while at < len(value):
        budget.spend()
        number, at = _varint(value, at)
        yield number


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("A text of the request is not UTF-8.") from None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a varint, and where it ends."""
    number = shift = 0
    for place in range(at, min(len(data), at + _MAX_VARINT_BYTES)):
        number |= (data[place] & _LOW) << shift
        if data[place] < _MORE:
            return number, place + 1
        shift += 7
    raise _broken()


def _broken() -> BadRequest:
    return BadRequest("The request is no message of this API.")
