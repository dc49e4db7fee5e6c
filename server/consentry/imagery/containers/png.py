"""PNG (third edition, with APNG): chunks of length, type, data, CRC from the signature to IEND."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from consentry.imagery.containers.exif import orientation
from consentry.imagery.containers.outline import Picture, refuse_trailer, take
from consentry.imagery.limits import Limits
from consentry.kernel.errors import CorruptImage, ImageTooLarge, TruncatedImage, UnknownImageFormat

_SIGNATURE_BYTES = 8
_MAX_CHUNKS = 30_000
_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"})
"""Text and profiles are dropped: few bytes of them inflate to gigabytes; no pixel needs them."""
_GRAY, _INDEXED = 0, 3
_SIXTEEN_BITS = 16
_FULL_SAMPLE = 255
_IS_ANCILLARY = 0x20
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""Start and step in x and y of each interlace pass (PNG 8.1): x, y, x step, y step."""
_COMPRESSED = frozenset({b"zTXt", b"iCCP", b"iTXt"})
_MAX_INFLATED = 16 * 1024 * 1024
_INFLATE_STEP = 1024 * 1024


@dataclass(slots=True)
class _Stream:
    """The compressed pixels of one frame."""

    width: int
    height: int
    parts: list[bytes] = field(default_factory=list)

    def check(self, header: bytes) -> None:
        expected = _raw_bytes(self.width, self.height, header)
        inflated = 0
        for count in _inflated(self.parts):
            inflated += count
            if inflated > expected:
                raise ImageTooLarge("the picture inflates to more than its size; save it again")
        if inflated < expected:
            raise TruncatedImage("the pixels end too soon; fetch or save the picture again")


@dataclass(slots=True)
class _Walk:
    """What was met so far, in the order in which decoders agree about what is shown."""

    limits: Limits
    header: bytes = b""
    seen: list[bytes] = field(default_factory=list)
    announced: int | None = None
    controls: int = 0
    has_default_outside: bool = False
    text_left: int = _MAX_INFLATED
    streams: list[_Stream] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        return int.from_bytes(self.header[:4], "big"), int.from_bytes(self.header[4:8], "big")


def outline(data: bytes, limits: Limits) -> tuple[Picture, ...]:
    """Return the picture without its ancillary chunks.

    Pixels are inflated once here, in small steps that are thrown away, because the decoder stops
    without a word where the picture is full: what is hidden behind it, and how much, would go
    unseen.

    Raises:
        TruncatedImage: If the file ends inside a chunk or before IEND, or the pixels end too soon.
        CorruptImage: If a checksum or the order of the chunks is wrong, or something follows IEND.
        ImageTooLarge: If it has too many frames or chunks, or a part inflates to more than it may.
        UnknownImageFormat: If it has 16 bits a channel and one transparent colour.
    """
    kept, exif, walk = [data[:_SIGNATURE_BYTES]], b"", _Walk(limits)
    for kind, body in _chunks(data):
        if not walk.header:
            walk.header = _header(kind, body)
            limits.admit_frame(*walk.size)
        if kind == b"eXIf":
            exif = exif or body
        elif not kind[0] & _IS_ANCILLARY and kind not in _KEPT:
            raise CorruptImage("the picture has a part that nobody can read; save it again")
        _check_order(walk.seen, kind)
        _follow(walk, kind, body)
        if kind in _KEPT:
            plain = _transparency(walk.header, body) if kind == b"tRNS" else body
            kept.append(_chunk(kind, plain))
    if b"IDAT" not in walk.seen:
        raise CorruptImage("the picture has no pixels in it; save it again")
    count = _frame_count(walk)
    limits.admit_frames([walk.size] * count)
    for stream in walk.streams:
        stream.check(walk.header)
    return (
        Picture(
            data=b"".join(kept),
            sizes=(walk.size,) * count,
            orientation=orientation(exif),
        ),
    )


def _frame_stream(canvas: tuple[int, int], control: bytes) -> _Stream:
    """Return the stream that an ``fcTL`` chunk announces (PNG 11.3.6.2)."""
    numbers = [int.from_bytes(control[at : at + 4], "big") for at in (4, 8, 12, 16)]
    width, height, left, top = numbers
    if left + width > canvas[0] or top + height > canvas[1]:
        raise CorruptImage("a frame reaches beyond the picture; save it again")
    return _Stream(width, height)


def _raw_bytes(width: int, height: int, header: bytes) -> int:
    """Return the length of the filtered rows of one frame (PNG 7.2, 8.1)."""
    depth, colour, interlace = header[8], header[9], header[12]
    bits = depth * _SAMPLES.get(colour, 0)
    if not bits or interlace > 1:
        raise CorruptImage("the header of the picture makes no sense; save it again")
    total = 0
    for x, y, step_x, step_y in _ADAM7 if interlace else ((0, 0, 1, 1),):
        columns, rows = -(-(width - x) // step_x), -(-(height - y) // step_y)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


def _inflated(parts: list[bytes]) -> Iterator[int]:
    """Yield how much each step of a zlib stream inflates to, keeping none of it.

    Raises:
        CorruptImage: If the stream is damaged, or something follows its end.
    """
    stream = zlib.decompressobj()
    try:
        for part in parts:
            rest = part
            while rest and not stream.eof:
                yield len(stream.decompress(rest, _INFLATE_STEP))
                rest = stream.unconsumed_tail
            if stream.unused_data or (rest and stream.eof):
                raise CorruptImage("something is hidden behind the pixels; save it again")
    except zlib.error as cause:
        raise CorruptImage("the pixels are damaged; fetch or save the picture again") from cause


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = _SIGNATURE_BYTES
    for _ in range(_MAX_CHUNKS):
        length = int.from_bytes(take(data, at, 4), "big")
        kind = take(data, at + 4, 4)
        body = take(data, at + 8, length)
        checksum = int.from_bytes(take(data, at + 8 + length, 4), "big")
        if checksum != zlib.crc32(body, zlib.crc32(kind)):
            raise CorruptImage("a checksum in the picture does not hold; fetch or save it again")
        at += 12 + length
        yield kind, body
        if kind == b"IEND":
            refuse_trailer(data[at:])
            return
    raise ImageTooLarge(f"the picture has more than {_MAX_CHUNKS} parts; save it again")


def _header(kind: bytes, body: bytes) -> bytes:
    if kind != b"IHDR" or len(body) != 13:  # noqa: PLR2004 -- the length of IHDR (PNG 11.2.1)
        raise CorruptImage("the picture does not start with its header; save it again")
    return body


def _check_order(seen: list[bytes], kind: bytes) -> None:
    is_repeated = kind in seen and (kind != b"IDAT" or seen[-1] != kind)
    if kind in {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"acTL"} and is_repeated:
        raise CorruptImage("the picture has a part twice, or split; save it again")
    if kind in {b"PLTE", b"tRNS", b"acTL"} and b"IDAT" in seen:
        raise CorruptImage("the parts of the picture are out of order; save it again")


def _follow(walk: _Walk, kind: bytes, body: bytes) -> None:
    """Note what a chunk says about frames, and gather the pixels of each."""
    is_new = not walk.seen or walk.seen[-1] != kind
    if kind == b"acTL":
        walk.announced = int.from_bytes(body[:4], "big")
        walk.limits.admit_frame_count(walk.announced)
    elif kind == b"fcTL":
        walk.controls += 1
        walk.limits.admit_frame_count(walk.controls)
        walk.streams.append(_frame_stream(walk.size, body))
    elif kind == b"IDAT":
        if is_new and not walk.controls:
            walk.has_default_outside = True
            walk.streams.append(_Stream(*walk.size))
        walk.streams[-1].parts.append(body)
    elif kind == b"fdAT":
        if not walk.controls:
            raise CorruptImage("the parts of the picture are out of order; save it again")
        walk.streams[-1].parts.append(body[4:])
    elif kind in _COMPRESSED:
        _spend_on_text(walk, kind, body)
    if is_new:
        walk.seen.append(kind)


def _spend_on_text(walk: _Walk, kind: bytes, body: bytes) -> None:
    """Refuse text that inflates without end: we drop it, but whom the file goes to next may not."""
    rest = body.partition(b"\0")[2]
    if kind == b"iTXt":
        if not rest.startswith(b"\1"):
            return  # not compressed
        # Flag and method, then two more fields; method 0 may not be taken for a terminator.
        rest = rest[:1] + rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    stream, packed = zlib.decompressobj(), rest[1:]
    try:
        while packed and not stream.eof:
            walk.text_left -= len(stream.decompress(packed, _INFLATE_STEP))
            if walk.text_left < 0:
                raise ImageTooLarge("a text in the picture inflates too far; save it again")
            packed = stream.unconsumed_tail
    except zlib.error:
        return  # a damaged text harms no pixel


def _frame_count(walk: _Walk) -> int:
    """Return how many frames there are, the default image of an APNG among them."""
    if walk.announced is None and not walk.controls:
        return 1
    if walk.announced != walk.controls or not walk.controls:
        # Browsers fall back to the default image here, others play what there is.
        raise CorruptImage("the animation has not the frames that it announces; save it again")
    return walk.controls + walk.has_default_outside


def _transparency(header: bytes, body: bytes) -> bytes:
    depth, colour = header[8], header[9]
    if depth == _SIXTEEN_BITS and colour != _INDEXED:
        raise UnknownImageFormat(
            "a PNG of 16 bits a channel with one transparent colour is not read; "
            "save it with 8 bits"
        )
    if colour == _GRAY and 1 < depth < 8 and len(body) == 2:  # noqa: PLR2004 -- bits, bytes
        # The decoder widens 2- and 4-bit samples to 8 bits but compares them with the value as
        # stored.
        value = int.from_bytes(body, "big") & ((1 << depth) - 1)
        return (value * _FULL_SAMPLE // ((1 << depth) - 1)).to_bytes(2, "big")
    return body


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return b"".join((len(body).to_bytes(4, "big"), kind, body, checksum.to_bytes(4, "big")))
