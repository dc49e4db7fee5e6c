"""Whatever is cut off, flipped or made up: an `ImageError`, or the very same picture."""

from __future__ import annotations

import numpy as np
import pytest
from consentry.imagery.decoding import decode
from consentry.kernel.errors import ImageError, TruncatedImage
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pictures import FORMATS, animate, encode, exif, noise, quarters
from PIL import Image

FRAMES = [noise(seed, 24, 20) for seed in range(3)]
FILES = {
    **{name: encode(quarters(), name) for name in FORMATS},
    **{f"{name} frames": animate(FRAMES, name) for name in ("PNG", "WEBP", "GIF", "TIFF", "AVIF", "HEIC")},
    "JPEG progressive": encode(quarters(), "JPEG", progressive=True, exif=exif(6)),
    "JPEG cmyk": encode(quarters().convert("CMYK"), "JPEG"),
    "PNG alpha": encode(quarters().convert("RGBA"), "PNG"),
    "PNG palette": encode(quarters().quantize(4), "PNG"),
    "PNG 16 bits": encode(Image.fromarray(np.arange(480, dtype=np.uint16).reshape(20, 24)), "PNG"),
    "TIFF lzw": encode(quarters(), "TIFF", compression="tiff_lzw"),
    "TIFF deflate": encode(quarters(), "TIFF", compression="tiff_adobe_deflate"),
    "TIFF jpeg": encode(quarters(), "TIFF", compression="jpeg"),
    "TIFF float": encode(quarters().convert("F"), "TIFF"),
}  # fmt: skip
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x40\0\0\0WEBP", b"II*\0", b"MM\0*",
              b"BM" + bytes(12) + b"\x28\0\0\0", b"\0\0\0\x14ftypavif\0\0\0\0avif", b"\0\0\0\x14ftypheic\0\0\0\0heic")  # fmt: skip
EXAMPLES = settings(max_examples=25, deadline=None)


def same(one, other) -> bool:
    return len(one.views) == len(other.views) and all(
        np.array_equal(mine, theirs) for mine, theirs in zip(one.views, other.views, strict=True)
    )


@pytest.mark.parametrize("name", FILES)
@given(share=st.floats(0, 1, exclude_max=True))
@example(share=0.5)
@example(share=0.999)
@EXAMPLES
def test_a_prefix_is_an_error_or_the_same_picture(name, share):
    data = FILES[name]
    cut = data[: int(len(data) * share)]

    try:
        decoded = decode(cut)
    except ImageError:
        return
    assert same(decoded, decode(data))


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_half_sent_is_truncated(name):
    with pytest.raises(TruncatedImage):
        decode(FILES[name][: len(FILES[name]) // 2])


@pytest.mark.parametrize("name", FILES)
@given(
    flips=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=8
    )
)
@EXAMPLES
def test_flipped_bytes_raise_nothing_but_an_image_error(name, flips):
    data = bytearray(FILES[name])
    for share, flip in flips:
        data[int(len(data) * share)] ^= flip

    try:
        decoded = decode(bytes(data))
    except ImageError:
        return
    assert decoded.views


@pytest.mark.parametrize("name", FILES)
@given(position=st.integers(0, 199), flip=st.integers(1, 255))
@EXAMPLES
def test_a_flipped_byte_of_a_header_raises_nothing_but_an_image_error(name, position, flip):
    data = bytearray(FILES[name])
    data[position % len(data)] ^= flip

    try:
        decoded = decode(bytes(data))
    except ImageError:
        return
    assert decoded.views


@given(start=st.sampled_from((b"", *SIGNATURES)), rest=st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_made_up_bytes_raise_nothing_but_an_image_error(start, rest):
    with pytest.raises(ImageError):
        decode(start + rest)


@given(one=st.sampled_from(sorted(FILES)), other=st.sampled_from(sorted(FILES)), at=st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_two_files_spliced_raise_nothing_but_an_image_error(one, other, at):
    first, second = FILES[one], FILES[other]

    try:
        decoded = decode(first[: int(len(first) * at)] + second[int(len(second) * at) :])
    except ImageError:
        return
    assert decoded.views
