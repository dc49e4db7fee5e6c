"""Files that someone would send to hurt, made by code: (name, bytes, the error that they get).

Shared with benchmarks/bench_imagery.py, which prints what each costs.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from consentry.kernel.errors import (
    CorruptImage,
    ImageError,
    ImageTooLarge,
    TruncatedImage,
    UnknownImageFormat,
)
from pictures import (
    animate,
    bmp,
    box,
    encode,
    gif,
    jpeg_segment,
    mp4,
    noise,
    png,
    png_chunk,
    quarters,
    tiff,
    tiff_page,
    with_jpeg_segment,
)

MEGABYTE = 1_000_000
GIGAPIXEL_SIDE = 32_768


@dataclass(frozen=True)
class Hostile:
    name: str
    make: Callable[[], bytes]
    error: type[ImageError]


def zeros(count: int) -> bytes:
    """A zlib stream of ``count`` zeros in megabytes, made without holding them."""
    packer = zlib.compressobj(9)
    block = bytes(MEGABYTE)
    first = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (count - 1)


def patched(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new)


def sized(name: str) -> bytes:
    """An AVIF or HEIC file that says it is 32768 x 32768."""
    data = encode(quarters(128, 64), name)
    return patched(data, struct.pack(">II", 128, 64), struct.pack(">II", *(GIGAPIXEL_SIDE,) * 2))


def jpeg_sized(side: int) -> bytes:
    data = encode(quarters(), "JPEG")
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", side, side) + data[at + 9 :]


def jpeg_of_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is repeated: each covers the picture and costs a few bytes."""
    data = encode(quarters(256, 256), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + b"\xff\xd9"


def webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def webp(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def vp8x(side: int, flags: int = 0) -> bytes:
    return webp_chunk(b"VP8X", struct.pack("<I", flags) + (side - 1).to_bytes(3, "little") * 2)


def png_text(kind: bytes, prefix: bytes, megabytes: int) -> bytes:
    pixels = png_chunk(b"IDAT", zlib.compress(b"\0\0\0\0"))
    return png(1, 1, png_chunk(kind, prefix + zeros(megabytes)), pixels)


def apng(count: int) -> bytes:
    control = struct.pack(">IIIIIHHBB", 0, 1, 1, 0, 0, 1, 10, 0, 0)
    pixels = png_chunk(b"IDAT", zlib.compress(b"\0\0\0\0"))
    return png(
        1,
        1,
        png_chunk(b"acTL", struct.pack(">II", count, 0)),
        *[png_chunk(b"fcTL", control)] * count,
        pixels,
    )


def webp_frames(count: int) -> bytes:
    still = encode(quarters(), "WEBP")
    frame = struct.pack("<6s3s3s4s", b"", b"\x3f\0\0", b"\x2f\0\0", b"")
    return webp(
        vp8x(64, 2),
        webp_chunk(b"ANIM", bytes(6)),
        *[webp_chunk(b"ANMF", frame + still[12:])] * count,
    )


def looping_tiff() -> bytes:
    data = tiff(tiff_page(1, 1, 8, 1))
    return data[:-4] + struct.pack("<I", 8)


def tiff_with(tag: tuple[int, int, int, int]) -> bytes:
    page = [one for one in tiff_page(8, 8, 8, 64) if one[0] != tag[0]]
    return tiff(sorted((*page, tag)), tail=bytes(64))


def disguised(brand: bytes) -> bytes:
    """An MP4 that calls itself a picture."""
    handler = box(b"hdlr", bytes(8) + b"vide" + bytes(13))
    track = box(b"trak", box(b"mdia", handler))
    return b"".join(
        (
            box(b"ftyp", brand + bytes(4) + brand + b"mif1isom"),
            box(b"moov", track),
            box(b"mdat", bytes(64)),
        )
    )


def apng_beyond() -> bytes:
    control = struct.pack(">IIIIIHHBB", 0, 2**31, 2**31, 0, 0, 1, 10, 0, 0)
    chunks = ((b"acTL", struct.pack(">II", 1, 0)), (b"fcTL", control), (b"IDAT", zeros(2000)))
    return png(1, 1, *(png_chunk(*chunk) for chunk in chunks))


def lying_avif() -> bytes:
    """The file says 128 x 64, the stream in it 512 x 256; decoders would scale one to the other."""
    data = encode(quarters(512, 256), "AVIF")
    return patched(data, struct.pack(">II", 512, 256), struct.pack(">II", 128, 64))


def huge_stream_avif() -> bytes:
    """A still whose sequence header says 32768 x 32768: a reduced header, then two numbers of 16 bits."""
    bits = "000" + "1" + "1" + "00000" + "1111" * 2 + format(GIGAPIXEL_SIDE - 1, "016b") * 2
    header = int(bits.ljust(56, "0"), 2).to_bytes(7, "big")
    stream = bytes((0x0A, len(header))) + header
    size = box(b"iprp", box(b"ipco", box(b"ispe", bytes(4) + struct.pack(">II", 128, 64))))
    entry = box(b"infe", bytes((2, 0, 0, 0)) + struct.pack(">HH", 1, 0) + b"av01\0")
    info = box(b"iinf", bytes(4) + struct.pack(">H", 1) + entry)
    front = box(b"ftyp", b"avif" + bytes(4) + b"avif")

    def meta(at: int) -> bytes:
        place = struct.pack(">HHHHIHII", 0x4440, 1, 1, 0, 0, 1, at, len(stream))
        return box(b"meta", bytes(4), info, size, box(b"iloc", bytes(4) + place))

    return front + meta(len(front) + len(meta(0)) + 8) + box(b"mdat", stream)


def tiff_of_scans(count: int) -> bytes:
    return tiff_of_jpeg(jpeg_of_scans(count))


def tiff_of_jpeg(strip: bytes) -> bytes:
    page = tiff_page(256, 256, 8 + 6 + 12 * 9, len(strip))
    tags = {259: (259, 3, 1, 7), 262: (262, 3, 1, 6), 277: (277, 3, 1, 3)}
    return tiff([tags.get(tag[0], tag) for tag in page], tail=strip)


def tiff_tiled(side: int) -> bytes:
    page = [tag for tag in tiff_page(8, 8) if tag[0] not in {273, 278, 279}]
    tiles = [(322, 4, 1, side), (323, 4, 1, side), (324, 4, 1, 8), (325, 4, 1, 64)]
    return tiff([*page, *tiles], tail=bytes(64))


BOMBS = [
    Hostile("gigapixel png", lambda: png(GIGAPIXEL_SIDE, GIGAPIXEL_SIDE, png_chunk(b"IDAT", zeros(50))), ImageTooLarge),
    Hostile("gigapixel gray png", lambda: png(GIGAPIXEL_SIDE, GIGAPIXEL_SIDE, depth=1, colour=0), ImageTooLarge),
    Hostile("gigapixel bmp", lambda: bmp(GIGAPIXEL_SIDE, GIGAPIXEL_SIDE), ImageTooLarge),
    Hostile("gigapixel tiff", lambda: tiff(tiff_page(GIGAPIXEL_SIDE, GIGAPIXEL_SIDE, 8, 1)), ImageTooLarge),
    Hostile("gigapixel jpeg", lambda: jpeg_sized(GIGAPIXEL_SIDE), ImageTooLarge),
    Hostile("gigapixel webp canvas", lambda: webp(vp8x(GIGAPIXEL_SIDE, 2), *[webp_chunk(b"ANMF", bytes(24))]), ImageTooLarge),
    Hostile("largest webp", lambda: webp(webp_chunk(b"VP8L", b"\x2f\xff\xff\xff\x0f" + bytes(20))), ImageTooLarge),
    Hostile("gigapixel gif screen", lambda: gif(GIGAPIXEL_SIDE, GIGAPIXEL_SIDE, 1), ImageTooLarge),
    Hostile("gigapixel gif frame", lambda: gif(1, 1, 1, (GIGAPIXEL_SIDE, GIGAPIXEL_SIDE)), ImageTooLarge),
    Hostile("gigapixel avif", lambda: sized("AVIF"), ImageTooLarge),
    Hostile("gigapixel heic", lambda: sized("HEIC"), ImageTooLarge),
    Hostile("10000 gif frames", lambda: gif(64, 64, 10_000), ImageTooLarge),
    Hostile("million gif frames", lambda: gif(64, 64, 1_000_000), ImageTooLarge),
    Hostile("10000 apng frames", lambda: apng(10_000), ImageTooLarge),
    Hostile("10000 webp frames", lambda: webp_frames(10_000), ImageTooLarge),
    Hostile("10000 tiff pages", lambda: tiff(*[tiff_page(8, 8, 8, 8)] * 10_000), ImageTooLarge),
    Hostile("101 heic stills", lambda: animate([noise(1, 16, 16)] * 101, "HEIC"), ImageTooLarge),
    Hostile("gif of one-byte blocks", lambda: gif(8, 8, 1)[:-2] + b"\x01\x00" * 9 * MEGABYTE + b"\0;", ImageTooLarge),
    Hostile("large gif screen, many frames", lambda: gif(5000, 5000, 90), ImageTooLarge),
    Hostile("png text bomb", lambda: png_text(b"zTXt", b"a\0\0", 4000), ImageTooLarge),
    Hostile("png unicode text bomb", lambda: png_text(b"iTXt", b"a\0\1\0\0\0", 4000), ImageTooLarge),
    Hostile("png profile bomb", lambda: png_text(b"iCCP", b"a\0\0", 4000), ImageTooLarge),
    Hostile("png pixel bomb", lambda: png(8, 8, png_chunk(b"IDAT", zeros(4000))), ImageTooLarge),
    Hostile("million png chunks", lambda: png(8, 8, *[png_chunk(b"teXt", b"")] * MEGABYTE), ImageTooLarge),
    Hostile("million webp chunks", lambda: webp(vp8x(8), *[webp_chunk(b"ABCD", b"")] * MEGABYTE), ImageTooLarge),
    Hostile("million jpeg segments", lambda: b"\xff\xd8" + jpeg_segment(0xFE, b"") * MEGABYTE * 4, ImageTooLarge),
    Hostile("2000 jpeg scans", lambda: jpeg_of_scans(2000), ImageTooLarge),
    Hostile("2000 scans in a tiff", lambda: tiff_of_scans(2000), ImageTooLarge),
    Hostile("apng frame beyond the picture", apng_beyond, CorruptImage),
    Hostile("gigapixel jpeg in a tiff", lambda: tiff_of_jpeg(jpeg_sized(GIGAPIXEL_SIDE)), CorruptImage),
    Hostile("avif that lies about its stream", lying_avif, CorruptImage),
    Hostile("avif of a stream beyond the limit", huge_stream_avif, ImageTooLarge),
    Hostile("tiff of 4 billion strips", lambda: tiff_with((273, 4, 0xFFFFFFFF, 8)), ImageTooLarge),
    Hostile("tiff of 4 billion values", lambda: tiff_with((65000, 4, 0xFFFFFFFF, 8)), TruncatedImage),
    Hostile("tiff of 65535 tags", lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(MEGABYTE), CorruptImage),
    Hostile("tiff with a huge tile", lambda: tiff_tiled(GIGAPIXEL_SIDE), ImageTooLarge),
    Hostile("tiff in a circle", looping_tiff, CorruptImage),
    Hostile("million boxes", lambda: box(b"ftyp", b"avif\0\0\0\0avif") + box(b"free") * MEGABYTE, CorruptImage),
    Hostile("thin png", lambda: png(100_000, 1, png_chunk(b"IDAT", b"")), ImageTooLarge),
    Hostile("20 MB of nothing", lambda: bytes(21 * MEGABYTE), ImageTooLarge),
]  # fmt: skip

ATTACHMENTS = {
    "zip": b"PK\x03\x04" + bytes(26) + b"PK\x05\x06" + bytes(18),
    "pdf": b"%PDF-1.7\n%%EOF\n",
    "html": b"<html><script>alert(1)</script></html>",
    "javascript": b"=1;alert(1);",
    "jpeg": encode(noise(9), "JPEG"),
    "png": encode(noise(9), "PNG"),
    "mp4": mp4(),
}


def polyglots() -> Iterator[Hostile]:
    for name in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "HEIC"):
        for attached, tail in ATTACHMENTS.items():
            picture = encode(quarters(), name)
            for gap in (b"", bytes(16)):
                title = f"{name} with {attached}" + (" after a gap" if gap else "")
                yield Hostile(title, lambda p=picture, g=gap, t=tail: p + g + t, CorruptImage)


def two_frame_headers() -> bytes:
    data = encode(quarters(), "JPEG")
    at = data.index(b"\xff\xc0")
    length = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data[:at] + data[at : at + length] * 2 + data[at + length :]


POLYGLOTS = [
    *polyglots(),
    Hostile("gif that is a script", lambda: gif(0x2A2F, 4000, 1)[:-1] + b"\x21\xfe\x04*/=1\0;alert(1)", CorruptImage),
    Hostile("mp4 as avif", lambda: disguised(b"avif"), CorruptImage),
    Hostile("mp4 as avif sequence", lambda: disguised(b"avis"), CorruptImage),
    Hostile("mp4 as heic", lambda: disguised(b"heic"), UnknownImageFormat),
    Hostile("webp still and animation", lambda: webp(encode(quarters(), "WEBP")[12:], webp_frames(1)[12:]), CorruptImage),
    Hostile("webp canvas of another size", lambda: webp(vp8x(99), encode(quarters(), "WEBP")[12:]), CorruptImage),
    Hostile("jpeg with a second frame header", two_frame_headers, CorruptImage),
    Hostile("png with two headers", lambda: patched_png(b"IHDR"), CorruptImage),
    Hostile("png with pixels in two places", lambda: patched_png(b"tEXt", b"IDAT"), CorruptImage),
    Hostile("apng that announces more frames", lambda: apng(3).replace(png_chunk(b"acTL", struct.pack(">II", 3, 0)), png_chunk(b"acTL", struct.pack(">II", 4, 0))), CorruptImage),
    Hostile("mp4 after a jpeg that announces none", lambda: encode(quarters(), "JPEG") + mp4(), CorruptImage),
    Hostile("zip after an announced mp4", lambda: motion_photo() + ATTACHMENTS["zip"], CorruptImage),
    Hostile("samsung trailer with a false directory", lambda: encode(quarters(), "JPEG") + b"PK\x05\x06SEFH" + bytes(4) + b"\x40\0\0\0SEFT", CorruptImage),
    Hostile("raw file", lambda: tiff_with((330, 4, 1, 8)), UnknownImageFormat),
]  # fmt: skip


def patched_png(*kinds: bytes) -> bytes:
    """Put copies of chunks behind the pixels of a PNG."""
    row = b"\0\0\0\0"
    chunks = {
        b"IHDR": png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        b"tEXt": png_chunk(b"tEXt", b"a\0b"),
        b"IDAT": png_chunk(b"IDAT", zlib.compress(row)),
    }
    return png(1, 1, chunks[b"IDAT"], *(chunks[kind] for kind in kinds))


XMP = b"http://ns.adobe.com/xap/1.0/\0"


def motion_photo() -> bytes:
    announced = with_jpeg_segment(encode(quarters(), "JPEG"), 0xE1, XMP + b"<GCamera:MotionPhoto>1")
    return announced + mp4()
