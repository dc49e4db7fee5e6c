"""Pictures made by code: every format, mode and orientation, and the parts that hostile files are built from."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pillow_heif
from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIC")
LOSSLESS = {"WEBP": {"lossless": True}}
TOLERANCE = {"JPEG": 12, "WEBP": 12, "GIF": 12, "AVIF": 12, "HEIC": 12}
"""Largest mean difference per sample: lossy, or (GIF) with few colours."""

RED, GREEN, BLUE, YELLOW = (220, 40, 40), (40, 180, 60), (40, 60, 220), (230, 220, 50)


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """Four colours, so that every turn and flip shows: red, green / blue, yellow."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = RED
    pixels[: height // 2, width // 2 :] = GREEN
    pixels[height // 2 :, : width // 2] = BLUE
    pixels[height // 2 :, width // 2 :] = YELLOW
    return Image.fromarray(pixels)


def noise(seed: int, width: int = 64, height: int = 48) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def encode(image: Image.Image, name: str, **options) -> bytes:
    out = BytesIO()
    if name == "HEIC":
        pillow_heif.from_pillow(image).save(out, quality=90, **options)
    else:
        image.save(out, name, **options)
    return out.getvalue()


def animate(frames: list[Image.Image], name: str, **options) -> bytes:
    if name == "HEIC":
        out = BytesIO()
        heif = pillow_heif.from_pillow(frames[0])
        for frame in frames[1:]:
            heif.add_from_pillow(frame)
        heif.save(out, quality=90)
        return out.getvalue()
    return encode(frames[0], name, save_all=True, append_images=frames[1:], **options)


def exif(orientation: int) -> bytes:
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def with_jpeg_segment(jpeg: bytes, marker: int, body: bytes) -> bytes:
    return jpeg[:2] + jpeg_segment(marker, body) + jpeg[2:]


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"".join(
        (b"\x89PNG\r\n\x1a\n", png_chunk(b"IHDR", header), *chunks, png_chunk(b"IEND", b""))
    )


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def mp4() -> bytes:
    return box(b"ftyp", b"isom\0\0\2\0isommp41") + box(b"mdat", bytes(64)) + box(b"moov", bytes(16))


def gif(width: int, height: int, frames: int, frame: tuple[int, int] = (1, 1)) -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
    one = b"\x2c" + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02\x44\x01\x00"
    return screen + one * frames + b";"


def tiff(*pages: list[tuple[int, int, int, int]], tail: bytes = b"") -> bytes:
    """Little-endian, tags as (tag, type, count, value), every page after the header."""
    out, at = b"II*\0" + struct.pack("<I", 8), 8
    for number, page in enumerate(pages, start=1):
        at += 6 + 12 * len(page)
        following = 0 if number == len(pages) else at
        tags = b"".join(struct.pack("<HHII", *tag) for tag in page)
        out += struct.pack("<H", len(page)) + tags + struct.pack("<I", following)
    return out + tail


def tiff_page(
    width: int, height: int, at: int = 0, size: int = 0
) -> list[tuple[int, int, int, int]]:
    return [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, at), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, size),
    ]  # fmt: skip


def bmp(width: int, height: int, bits: int = 24, rows: bytes = b"") -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 0, len(rows), 0, 0, 0, 0)
    return struct.pack("<2sIHHI", b"BM", 54 + len(rows), 0, 0, 54) + info + rows
