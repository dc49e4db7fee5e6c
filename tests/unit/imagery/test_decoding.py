from __future__ import annotations

import hashlib
import threading
import zlib

import numpy as np
import pictures
import pytest
from consentry.imagery.decoding import decode, digest
from consentry.imagery.formats import ImageFormat, sniff
from consentry.imagery.limits import Limits
from consentry.kernel.errors import EmptyImage, ImageTooLarge, UnknownImageFormat
from pictures import FORMATS, TOLERANCE, encode, exif, noise, quarters
from PIL import Image


def difference(view, image: Image.Image) -> float:
    expected = np.asarray(image.convert("RGB")).astype(int)
    assert view.shape == expected.shape
    return float(np.abs(view.astype(int) - expected).mean())


def shows(decoded, image: Image.Image, within: float = 1.0) -> bool:
    return any(
        view.shape[:2] == (image.height, image.width) and difference(view, image) <= within
        for view in decoded.views
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_plain_picture_has_one_view_that_shows_it(name):
    decoded = decode(encode(quarters(), name))

    assert decoded.format is ImageFormat(name.lower())
    assert (decoded.width, decoded.height) == (64, 48)
    assert (decoded.frame_count, len(decoded.views), decoded.has_alpha) == (1, 1, False)
    assert difference(decoded.views[0], quarters()) <= TOLERANCE.get(name, 0)


@pytest.mark.parametrize("name", FORMATS)
def test_the_format_is_told_by_the_content(name):
    assert sniff(encode(quarters(), name)) is ImageFormat(name.lower())


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        b"BMW is a make of car, and this is a text",
        b"%PDF-1.7\n",
        b"PK\x03\x04",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x00\x00\x00\x0cjP  \r\n\x87\n",
        b"8BPS\x00\x01",
        b"II+\x00\x08\x00\x00\x00",
        pictures.mp4(),
        b"RIFF\x00\x00\x00\x00WAVE",
    ],
)
def test_other_content_is_an_unknown_format(data):
    with pytest.raises(UnknownImageFormat):
        decode(data)


def test_no_bytes_are_an_empty_image():
    with pytest.raises(EmptyImage):
        decode(b"")


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("JPEG", "L"), ("JPEG", "CMYK"), ("JPEG", "YCbCr"),
        ("PNG", "1"), ("PNG", "L"), ("PNG", "P"),
        ("WEBP", "L"), ("GIF", "L"), ("GIF", "1"), ("GIF", "P"),
        ("BMP", "1"), ("BMP", "L"), ("BMP", "P"),
        ("TIFF", "1"), ("TIFF", "L"), ("TIFF", "P"), ("TIFF", "CMYK"), ("TIFF", "YCbCr"),
        ("AVIF", "L"), ("HEIC", "L"),
    ],
)  # fmt: skip
def test_every_mode_becomes_rgb(name, mode):
    image = quarters().convert(mode)

    decoded = decode(encode(image, name))

    assert difference(decoded.views[0], image) <= TOLERANCE.get(name, 2)
    assert decoded.views[0].dtype == np.uint8


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_packed_tiffs_are_read(compression):
    decoded = decode(encode(quarters(), "TIFF", compression=compression))

    assert difference(decoded.views[0], quarters()) <= 12


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt", "lzma", "zstd"])
def test_a_tiff_that_is_packed_in_a_rare_way_is_an_unknown_format(compression):
    mode = "RGB" if compression in {"lzma", "zstd"} else "1"

    with pytest.raises(UnknownImageFormat):
        decode(encode(quarters().convert(mode), "TIFF", compression=compression))


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 0}, {"optimize": True}])
def test_every_kind_of_jpeg_is_read(options):
    assert difference(decode(encode(quarters(), "JPEG", **options)).views[0], quarters()) <= 12


TURNS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a picture must have been stored to come out upright."""


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_first_view_is_upright_and_the_stored_one_is_there_too(name, orientation):
    turn = TURNS[orientation]
    stored = quarters() if turn is None else quarters().transpose(turn)
    options = {"tiffinfo": {274: orientation}} if name == "TIFF" else {"exif": exif(orientation)}

    decoded = decode(encode(stored, name, **options))

    assert difference(decoded.views[0], quarters()) <= TOLERANCE.get(name, 0)
    assert (decoded.width, decoded.height) == (64, 48)
    assert shows(decoded, stored, 12)
    assert len(decoded.views) == (1 if orientation == 1 else 2)


def test_heic_ignores_exif_orientation_because_its_own_rotation_counts():
    decoded = decode(encode(quarters(), "HEIC", exif=exif(6)))

    # The writer turns EXIF orientation into `irot`, so the picture comes out turned once, not twice.
    assert difference(decoded.views[0], quarters().transpose(Image.Transpose.ROTATE_270)) <= 12


@pytest.mark.parametrize("blob", [b"", b"II", b"Exif\0\0MM\0*\0\0\0\xff", exif(6)[:-9], exif(9)])
def test_damaged_exif_leaves_the_picture_as_stored(blob):
    jpeg = encode(quarters(), "JPEG")

    decoded = decode(pictures.with_jpeg_segment(jpeg, 0xE1, b"Exif\0\0" + blob))

    assert difference(decoded.views[0], quarters()) <= 12


def test_orientation_in_xmp_counts_where_exif_is_silent():
    packet = b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="3"/>'
    stored = quarters().transpose(Image.Transpose.ROTATE_180)

    decoded = decode(pictures.with_jpeg_segment(encode(stored, "JPEG"), 0xE1, packet))

    assert difference(decoded.views[0], quarters()) <= 12


def hidden(alpha: int = 0) -> Image.Image:
    """A picture under a transparent layer."""
    image = quarters().convert("RGBA")
    image.putalpha(alpha)
    return image


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True, "exact": True}),
        ("TIFF", {}),
        ("AVIF", {"quality": 100}),
        ("HEIC", {}),
    ],
)
def test_a_picture_hidden_under_transparency_is_among_the_views(name, options):
    decoded = decode(encode(hidden(1), name, **options))

    assert decoded.has_alpha
    assert shows(decoded, quarters(), 12)


@pytest.mark.parametrize("background", [255, 0])
def test_a_picture_drawn_in_the_alpha_channel_is_among_the_views(background):
    shape = noise(1).convert("L")
    image = Image.merge("RGBA", [Image.new("L", shape.size, 255 - background)] * 3 + [shape])
    expected = Image.new("RGB", shape.size, (background,) * 3)
    expected.paste(image, mask=shape)

    decoded = decode(encode(image, "PNG"))

    assert shows(decoded, expected)


def test_the_first_view_is_flattened_on_white():
    image = quarters().convert("RGBA")
    image.putalpha(128)
    expected = Image.new("RGB", image.size, "white")
    expected.paste(image, mask=image.getchannel("A"))

    assert difference(decode(encode(image, "PNG")).views[0], expected) == 0


def test_full_opacity_and_full_transparency_give_one_view():
    opaque, clear = decode(encode(hidden(255), "PNG")), decode(encode(hidden(0), "PNG"))

    assert (len(opaque.views), opaque.has_alpha) == (1, False)
    assert (len(clear.views), clear.has_alpha) == (1, True)
    assert difference(clear.views[0], quarters()) == 0


@pytest.mark.parametrize("mode", ["LA", "PA"])
def test_gray_and_palette_with_alpha_are_flattened(mode):
    image = hidden(100).convert("LA") if mode == "LA" else hidden(100).convert("P")

    decoded = decode(encode(image, "PNG"))

    assert decoded.has_alpha
    assert len(decoded.views) == 3


def test_a_transparent_palette_entry_keeps_its_colour_in_a_view():
    image = quarters().quantize(4)

    decoded = decode(encode(image, "GIF", transparency=image.getpixel((0, 0))))

    assert decoded.has_alpha
    assert shows(decoded, quarters(), 2)


@pytest.mark.parametrize("depth", [2, 4])
def test_the_transparent_gray_of_a_shallow_png_is_found(depth):
    top = (1 << depth) - 1
    row = b"\0" + (b"\x1b" if depth == 2 else b"\x0f")
    width = 8 // depth
    body = pictures.png(
        width,
        1,
        pictures.png_chunk(b"tRNS", bytes((0, top))),
        pictures.png_chunk(b"IDAT", zlib.compress(row)),
        depth=depth,
        colour=0,
    )

    decoded = decode(body)

    assert decoded.has_alpha
    assert decoded.views[1][0, -1].tolist() == [0, 0, 0]  # on black, the white pixel is gone


def test_the_unused_byte_of_a_bitmap_counts_as_alpha():
    shape = np.asarray(noise(2, 16, 8).convert("L"))
    rows = np.full((8, 16, 4), 255, np.uint8)
    rows[..., 3] = shape[::-1]

    decoded = decode(pictures.bmp(16, 8, 32, rows.tobytes()))

    assert shows(decoded, Image.fromarray(shape))


def test_an_ordinary_32_bit_bitmap_has_one_view():
    rows = np.zeros((8, 16, 4), np.uint8)
    rows[..., 2] = 200

    decoded = decode(pictures.bmp(16, 8, 32, rows.tobytes()))

    assert len(decoded.views) == 1
    assert (decoded.views[0] == (200, 0, 0)).all()


@pytest.mark.parametrize("name", ["PNG", "TIFF"])
@pytest.mark.parametrize("scale", [1, 257])
def test_16_bit_gray_is_shown_clipped_and_scaled(name, scale):
    gray = np.asarray(noise(3).convert("L"))

    decoded = decode(encode(Image.fromarray(gray.astype(np.uint16) * scale), name))

    assert shows(decoded, Image.fromarray(gray))


@pytest.mark.parametrize("scale", [1.0, 1 / 255, 1e30])
def test_float_gray_is_stretched(scale):
    gray = np.array(noise(4).convert("L"))
    gray[0, :2] = 0, 255

    decoded = decode(encode(Image.fromarray(gray.astype(np.float32) * np.float32(scale)), "TIFF"))

    assert shows(decoded, Image.fromarray(gray), 2)


def test_float_gray_that_is_not_a_number_is_read_as_black():
    gray = np.full((8, 8), np.nan, np.float32)

    assert not decode(encode(Image.fromarray(gray), "TIFF")).views[0].any()


def test_a_cmyk_jpeg_that_hides_its_polarity_is_shown_both_ways():
    jpeg = encode(quarters().convert("CMYK"), "JPEG")
    at = jpeg.index(b"\xff\xeeX" if b"\xff\xeeX" in jpeg else b"\xff\xee")
    length = int.from_bytes(jpeg[at + 2 : at + 4], "big")

    decoded = decode(jpeg[:at] + jpeg[at + 2 + length :])

    assert len(decode(jpeg).views) == 1
    assert len(decoded.views) == 2
    assert (decoded.views[0] == 255 - decoded.views[1]).all()


@pytest.mark.parametrize("name", ["PNG", "WEBP", "GIF", "TIFF", "AVIF", "HEIC"])
def test_every_frame_is_among_the_views(name):
    frames = [quarters(), quarters().transpose(Image.Transpose.ROTATE_180)]
    frames.append(Image.new("RGB", (64, 48), (10, 200, 200)))

    decoded = decode(pictures.animate(frames, name))

    # AVIF holds a still besides the sequence: it counts, and is the same as the first frame.
    assert decoded.frame_count == (4 if name == "AVIF" else 3)
    assert all(shows(decoded, frame, 12) for frame in frames)


def test_the_default_image_outside_an_apng_is_a_frame():
    frames = [quarters(), noise(6), noise(7)]

    decoded = decode(pictures.animate(frames, "PNG", default_image=True))

    assert decoded.frame_count == 3
    assert all(shows(decoded, frame, 0) for frame in frames)


def test_pages_of_different_size_and_orientation_are_read():
    second = noise(8, 20, 30)

    decoded = decode(pictures.animate([quarters(), second], "TIFF"))

    assert [view.shape for view in decoded.views] == [(48, 64, 3), (30, 20, 3)]


def test_equal_frames_are_kept_once_and_counted_each():
    first, second = noise(1), noise(2)

    decoded = decode(pictures.animate([first, second, first], "TIFF"))

    assert (decoded.frame_count, len(decoded.views)) == (3, 2)


def test_the_digest_is_of_the_file_as_sent():
    data = encode(quarters(), "PNG")

    assert decode(data).sha256 == digest(data) == hashlib.sha256(data).digest()


def test_views_are_contiguous_and_cannot_be_written():
    view = decode(encode(hidden(128), "PNG", exif=exif(6))).views[0]

    assert view.flags.c_contiguous
    assert not view.flags.writeable


def test_the_picture_does_not_show_in_its_repr():
    decoded = decode(encode(quarters(), "PNG"))

    assert "views" not in repr(decoded)
    assert decoded.sha256.hex() not in repr(decoded)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("limit", [{"max_pixels": 64 * 48 - 1}, {"max_aspect": 1.3}])
def test_a_header_beyond_a_limit_is_too_large_in_every_format(name, limit):
    with pytest.raises(ImageTooLarge):
        decode(encode(quarters(), name), Limits(**limit))


@pytest.mark.parametrize("name", FORMATS)
def test_a_picture_at_its_limits_is_read(name):
    data = encode(quarters(128, 64), name)  # whole coding blocks: HEIC counts those
    exact = Limits(
        max_bytes=len(data),
        max_pixels=128 * 64,
        max_total_pixels=128 * 64,
        max_frames=1,
        max_aspect=2,
    )

    assert decode(data, exact).width == 128


def test_one_byte_over_the_limit_is_too_large():
    data = encode(quarters(), "PNG")

    with pytest.raises(ImageTooLarge):
        decode(data, Limits(max_bytes=len(data) - 1))


@pytest.mark.parametrize("name", ["PNG", "WEBP", "GIF", "TIFF", "AVIF", "HEIC"])
def test_one_frame_over_the_limit_is_too_large_and_none_is_skipped(name):
    data = pictures.animate([noise(seed) for seed in range(4)], name)
    count = decode(data).frame_count

    assert decode(data, Limits(max_frames=count)).frame_count == count
    with pytest.raises(ImageTooLarge):
        decode(data, Limits(max_frames=count - 1))


@pytest.mark.parametrize("name", ["PNG", "WEBP", "GIF", "TIFF", "AVIF", "HEIC"])
def test_frames_that_are_too_many_pixels_together_are_too_large(name):
    data = pictures.animate([noise(seed) for seed in range(4)], name)

    with pytest.raises(ImageTooLarge):
        decode(data, Limits(max_total_pixels=64 * 48 * 4 - 1))


def test_views_that_are_too_many_pixels_together_are_too_large():
    with pytest.raises(ImageTooLarge):
        decode(encode(hidden(128), "PNG"), Limits(max_total_pixels=64 * 48 * 3 - 1))


@pytest.mark.parametrize("bad", [{"max_bytes": 0}, {"max_aspect": 0.5}, {"max_pixels": 90_000_000}])
def test_limits_that_make_no_sense_are_our_own_mistake(bad):
    with pytest.raises(ValueError, match=r"max_pixels|at least 1"):
        Limits(**bad)


def test_threads_that_decode_at_once_see_what_one_alone_sees():
    files = [encode(noise(seed), name) for seed in range(3) for name in FORMATS]
    alone = [decode(data).views[0] for data in files]
    wrong: list[int] = []

    def work() -> None:
        for number, data in enumerate(files):
            if not np.array_equal(decode(data).views[0], alone[number]):
                wrong.append(number)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not wrong
