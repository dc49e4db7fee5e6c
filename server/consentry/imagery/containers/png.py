"""PNG (third edition, with APNG): chunks of length, type, data, CRC from the signature to IEND."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from consentry.imagery.containers.exif import orientation
from consentry.imagery.containers.outline import Picture, refuse_trailer, take
from consentry.imagery.limits import Limits
from consentry.kernel.errors import CorruptImage, ImageTooLarge, UnknownImageFormat

_SIGNATURE_BYTES = 8
_MAX_CHUNKS = 100_000
_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"})
"""Text and profiles are dropped: few bytes of them inflate to gigabytes; no pixel needs them."""
_GRAY, _INDEXED = 0, 3
_SIXTEEN_BITS = 16
_FULL_SAMPLE = 255
_IS_ANCILLARY = 0x20


@dataclass(slots=True)
class _Animation:
    announced: int | None = None
    controls: int = 0
    has_default_outside: bool = False
    seen: list[bytes] = field(default_factory=list)


def outline(data: bytes, limits: Limits) -> tuple[Picture, ...]:
    """Return the picture without its ancillary chunks.

    Raises:
        TruncatedImage: If the file ends inside a chunk or before IEND.
        CorruptImage: If a checksum or the order of the chunks is wrong, or something follows IEND.
        ImageTooLarge: If it has too many frames or chunks.
        UnknownImageFormat: If it has 16 bits a channel and one transparent colour.
    """
    kept, exif, animation = [data[:_SIGNATURE_BYTES]], b"", _Animation()
    header = b""
    for kind, body in _chunks(data):
        header = header or _header(kind, body)
        if kind == b"eXIf":
            exif = exif or body
        elif not kind[0] & _IS_ANCILLARY and kind not in _KEPT:
            raise CorruptImage("the picture has a part that nobody can read; save it again")
        _follow(animation, kind, body, limits)
        if kind in _KEPT:
            kept.append(_chunk(kind, _transparency(header, body) if kind == b"tRNS" else body))
    if b"IDAT" not in animation.seen:
        raise CorruptImage("the picture has no pixels in it; save it again")
    size = (int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big"))
    return (
        Picture(
            data=b"".join(kept),
            sizes=(size,) * _frame_count(animation),
            orientation=orientation(exif),
        ),
    )


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


def _follow(animation: _Animation, kind: bytes, body: bytes, limits: Limits) -> None:
    """Keep count of frames, and of the order in which decoders agree about what is shown."""
    seen = animation.seen
    is_new_run = not seen or seen[-1] != kind
    if kind in {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"acTL"} and kind in seen and is_new_run:
        raise CorruptImage("the picture has a part twice, or split; save it again")
    if kind in {b"IHDR", b"PLTE", b"tRNS", b"acTL"} and kind in seen:
        raise CorruptImage("the picture has a part twice; save it again")
    if kind in {b"PLTE", b"tRNS", b"acTL"} and b"IDAT" in seen:
        raise CorruptImage("the parts of the picture are out of order; save it again")
    if kind == b"acTL":
        animation.announced = int.from_bytes(body[:4], "big")
        limits.admit_frame_count(animation.announced)
    elif kind == b"fcTL":
        animation.controls += 1
        limits.admit_frame_count(animation.controls)
    elif kind == b"IDAT" and is_new_run:
        animation.has_default_outside = animation.controls == 0
    if is_new_run:
        seen.append(kind)


def _frame_count(animation: _Animation) -> int:
    """Return how many frames there are, the default image of an APNG among them."""
    if animation.announced is None and not animation.controls:
        return 1
    if animation.announced != animation.controls or not animation.controls:
        # Browsers fall back to the default image here, others play what there is.
        raise CorruptImage("the animation has not the frames that it announces; save it again")
    return animation.controls + animation.has_default_outside


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
