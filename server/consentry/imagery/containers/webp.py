"""WebP (RFC 9649): a RIFF file of one image chunk, or of VP8X, ANIM and ANMF chunks."""

from __future__ import annotations

from collections.abc import Iterator

from consentry.imagery.containers.exif import orientation
from consentry.imagery.containers.outline import Picture, refuse_trailer, take
from consentry.imagery.limits import Limits
from consentry.kernel.errors import CorruptImage, ImageTooLarge

_HEADER_BYTES = 12
_MAX_CHUNKS = 20_000
_IS_ANIMATED = 0x02
_VP8_START = b"\x9d\x01\x2a"
_VP8L_START = 0x2F
_FOURTEEN_BITS = 0x3FFF


def outline(data: bytes, limits: Limits) -> tuple[Picture, ...]:
    """Return the picture, or the animation.

    Raises:
        TruncatedImage: If the file ends inside a chunk or before its own RIFF length.
        CorruptImage: If a still and an animation are in one file, the sizes in it disagree, or
            something follows it.
        ImageTooLarge: If it has too many frames or chunks.
    """
    end = 8 + int.from_bytes(take(data, 4, 4), "little")
    take(data, 0, end)
    refuse_trailer(data[end:])
    canvas: tuple[int, int] | None = None
    images: list[tuple[int, int]] = []
    frames = 0
    is_animated = False
    exif = b""
    for kind, body in _chunks(data, end):
        if kind == b"VP8X":
            canvas, is_animated = _canvas(body), bool(body[0] & _IS_ANIMATED)
        elif kind == b"ANMF":
            frames += 1
            limits.admit_frame_count(frames)
        elif kind in {b"VP8 ", b"VP8L"}:
            images.append(_image_size(kind, body))
        elif kind == b"EXIF":
            exif = exif or body
    size = _agreed_size(canvas, images, frames if is_animated else 0, frames)
    return (
        Picture(data=data[:end], sizes=(size,) * max(1, frames), orientation=orientation(exif)),
    )


def _agreed_size(
    canvas: tuple[int, int] | None, images: list[tuple[int, int]], played: int, frames: int
) -> tuple[int, int]:
    """Return the size that every decoder comes to; refuse a file in which they would differ."""
    if canvas is not None and played and not images:
        return canvas
    if len(images) != 1 or frames or (canvas is not None and canvas != images[0]):
        raise CorruptImage("the parts of the picture contradict each other; save it again")
    return images[0]


def _chunks(data: bytes, end: int) -> Iterator[tuple[bytes, bytes]]:
    at = _HEADER_BYTES
    for _ in range(_MAX_CHUNKS):
        if at >= end:
            return
        kind = take(data, at, 4)
        size = int.from_bytes(take(data, at + 4, 4), "little")
        if at + 8 + size > end:
            raise CorruptImage("a part of the picture is longer than the whole; save it again")
        yield kind, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    raise ImageTooLarge(f"the picture has more than {_MAX_CHUNKS} parts; save it again")


def _canvas(body: bytes) -> tuple[int, int]:
    if len(body) < 10:  # noqa: PLR2004 -- the length of VP8X (RFC 9649, 2.7)
        raise CorruptImage("the header of the picture is too short; save it again")
    return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")


def _image_size(kind: bytes, body: bytes) -> tuple[int, int]:
    if kind == b"VP8 " and body[3:6] == _VP8_START and len(body) >= 10:  # noqa: PLR2004 -- RFC 6386
        width, height = int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")
        return width & _FOURTEEN_BITS, height & _FOURTEEN_BITS
    if kind == b"VP8L" and len(body) >= 5 and body[0] == _VP8L_START:  # noqa: PLR2004 -- RFC 9649
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & _FOURTEEN_BITS), 1 + (bits >> 14 & _FOURTEEN_BITS)
    raise CorruptImage("the header of the picture makes no sense; save it again")
