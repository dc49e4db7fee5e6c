"""Ordinary files with something behind the picture, which must not be refused."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from consentry.imagery.decoding import decode
from consentry.kernel.errors import CorruptImage, TruncatedImage
from hostile import XMP, motion_photo
from pictures import (
    FORMATS,
    box,
    encode,
    jpeg_segment,
    mp4,
    noise,
    quarters,
    with_jpeg_segment,
)

MPF = jpeg_segment(0xE2, b"MPF\0II*\0" + struct.pack("<IHHHII", 8, 1, 0xB001, 4, 1, 2) + bytes(4))


def announcing(jpeg: bytes) -> bytes:
    return jpeg[:2] + MPF + jpeg[2:]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("filling", [b"\0", bytes(4096), b"\n", b"\r\n", b"\xff" * 7, b"  "])
def test_filling_behind_the_end_is_ordinary(name, filling):
    data = encode(quarters(), name)

    assert np.array_equal(decode(data + filling).views[0], decode(data).views[0])


@pytest.mark.parametrize("gap", [b"", bytes(100), b"\xff\xff\0"])
def test_a_second_jpeg_that_is_announced_is_checked_as_a_frame(gap):
    first, second = encode(quarters(), "JPEG"), encode(noise(1), "JPEG")

    decoded = decode(announcing(first) + gap + second)

    assert decoded.frame_count == 2
    assert np.array_equal(decoded.views[0], decode(first).views[0])
    assert np.array_equal(decoded.views[1], decode(second).views[0])


def test_a_second_jpeg_that_was_announced_and_lost_is_no_damage():
    assert decode(announcing(encode(quarters(), "JPEG"))).frame_count == 1


def test_a_second_jpeg_that_is_cut_off_is_truncated():
    with pytest.raises(TruncatedImage):
        decode(announcing(encode(quarters(), "JPEG")) + encode(noise(1), "JPEG")[:-40])


def test_something_behind_the_second_jpeg_is_refused():
    with pytest.raises(CorruptImage):
        decode(announcing(encode(quarters(), "JPEG")) + encode(noise(1), "JPEG") + b"PK\x03\x04")


@pytest.mark.parametrize("word", [b"hdrgm:Version", b"Container:Directory"])
def test_a_gain_map_or_depth_map_announced_in_xmp_is_checked_as_a_frame(word):
    jpeg = with_jpeg_segment(encode(quarters(), "JPEG"), 0xE1, XMP + b"<x " + word + b"=''/>")

    assert decode(jpeg + encode(noise(1).convert("L"), "JPEG")).frame_count == 2


def test_a_motion_photo_is_read_as_its_photo():
    decoded = decode(motion_photo())

    assert decoded.frame_count == 1
    assert np.array_equal(decoded.views[0], decode(encode(quarters(), "JPEG")).views[0])


def test_a_samsung_trailer_is_ordinary():
    directory = b"SEFH" + struct.pack("<II", 107, 0)
    trailer = (
        b"\0\0\x30\x0aImage_UTC_Data" + directory + struct.pack("<I", len(directory)) + b"SEFT"
    )

    assert decode(encode(quarters(), "JPEG") + trailer).frame_count == 1


@pytest.mark.parametrize("kind", [b"mpvd", b"free", b"uuid"])
def test_the_video_of_a_heic_motion_photo_is_passed_over(kind):
    assert decode(encode(quarters(), "HEIC") + box(kind, mp4())).frame_count == 1


def test_metadata_of_every_kind_is_passed_over():
    jpeg = encode(quarters(), "JPEG", comment=b"<?php ?>", icc_profile=bytes(range(256)) * 8)
    for marker, body in ((0xE1, b"Exif\0\0" + bytes(60)), (0xED, b"Photoshop 3.0\0 8BIM")):
        jpeg = with_jpeg_segment(jpeg, marker, body)

    assert np.array_equal(decode(jpeg).views[0], decode(encode(quarters(), "JPEG")).views[0])


def test_the_exif_thumbnail_is_not_a_frame():
    exif = b"Exif\0\0II*\0" + bytes(4) + encode(noise(1, 16, 16), "JPEG")

    assert decode(with_jpeg_segment(encode(quarters(), "JPEG"), 0xE1, exif)).frame_count == 1
