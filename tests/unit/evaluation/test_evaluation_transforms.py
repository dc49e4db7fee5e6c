from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from consentry.evaluation.transforms import TRANSFORMS, UNTOUCHED, Scene
from consentry.faces.detect import DetectedFace
from consentry.kernel.biometrics import Box
from PIL import Image
from skimage import data

# Eileen Collins, public domain: where her face is in the picture.
FACE = DetectedFace(
    Box(180.0, 60.0, 90.0, 120.0),
    ((204.0, 103.0), (247.0, 105.0), (224.0, 125.0), (205.0, 143.0), (242.0, 145.0)),
    0.9,
)
BY_NAME = {each.name: each for each in TRANSFORMS}


def scene(seed: int = 1, face: DetectedFace = FACE) -> Scene:
    others = [Image.new("RGB", (120, 160), (n, 2 * n, 90)) for n in range(15)]
    return Scene(Image.fromarray(data.astronaut()), face, others, np.random.default_rng(seed))


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda each: each.name)
def test_the_same_seed_gives_the_same_picture(transform):
    first, second = transform(scene()), transform(scene())

    assert first.dtype == np.uint8
    assert first.ndim == 3
    assert np.array_equal(first, second)


@pytest.mark.parametrize("transform", TRANSFORMS[1:], ids=lambda each: each.name)
def test_every_transform_but_the_first_changes_the_picture(transform):
    before = data.astronaut()
    after = transform(scene())

    assert after.shape != before.shape or not np.array_equal(after, before)
    assert np.array_equal(UNTOUCHED(scene()), before)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda each: each.name)
def test_the_photo_itself_is_left_alone(transform):
    given = scene()
    before = np.array(given.image)

    transform(given)

    assert np.array_equal(np.array(given.image), before)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda each: each.name)
def test_a_face_at_the_edge_and_a_tiny_photo_do_not_break_it(transform):
    box = Box(-9.0, -4.0, 30.0, 40.0)
    face = DetectedFace(box, ((2.0, 9.0), (14.0, 9.0), (8.0, 16.0), (3.0, 24.0), (13.0, 24.0)), 0.9)
    small = Image.fromarray(data.astronaut()).crop((190, 80, 222, 120))
    others = [Image.new("RGB", (9, 9))] * 15

    after = transform(Scene(small, face, others, np.random.default_rng(1)))

    assert min(after.shape[:2]) >= 8


def test_names_are_unique_and_fit_for_a_table():
    assert len(BY_NAME) == len(TRANSFORMS) > 45
    assert all(re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", name) for name in BY_NAME)
    assert TRANSFORMS[0] is UNTOUCHED


def test_everything_that_the_issue_names_is_there():
    wanted = [
        "crop",
        "mirror",
        "turn-90",
        "turn-180",
        "turn-270",
        "turn-15",
        "turn-30",
        "turn-45",
        "gray",
        "jpeg-50",
        "jpeg-30",
        "jpeg-10",
        "blur",
        "noise",
        "face-48px",
        "face-32px",
        "face-24px",
        "sunglasses",
        "mask",
        "sticker",
        "border",
        "letterbox",
        "collage-2",
        "collage-4",
        "screenshot",
        "sepia",
        "cool",
        "contrast",
        "negative",
        "perspective",
        "moire",
        "low-light",
    ]

    assert [name for name in wanted if not any(each.startswith(name) for each in BY_NAME)] == []


@pytest.mark.parametrize("face_px", [48, 32, 24])
def test_a_small_face_is_as_wide_as_it_says(face_px):
    orange = Image.new("RGB", (512, 512), (250, 120, 0))

    after = BY_NAME[f"face-{face_px}px"](Scene(orange, FACE, (), np.random.default_rng(1)))

    columns = np.flatnonzero((after == (250, 120, 0)).all(axis=2).any(axis=0))
    assert len(columns) == pytest.approx(512 * face_px / FACE.box.w, abs=3)


def test_a_crop_keeps_what_it_says():
    box = FACE.box

    for name, part in (("crop-tight", 0.0), ("crop-10", 0.1), ("crop-30", 0.3)):
        height, width = BY_NAME[name](scene()).shape[:2]
        assert width == pytest.approx((1 - part) * box.w, abs=2)
        assert height == pytest.approx((1 - part) * box.h, abs=2)


@pytest.mark.parametrize(
    ("name", "points", "covered"),
    [
        ("sunglasses", (0, 1), True),
        ("sunglasses", (2, 3, 4), False),
        ("mask", (2, 3, 4), True),
        ("mask", (0, 1), False),
        ("bar", (0, 1), True),
        ("bar", (2, 3, 4), False),
        ("sticker-eye", (0,), True),
        ("sticker-eye", (1, 2, 3, 4), False),
    ],
)
def test_coverings_cover_what_they_are_for(name, points, covered):
    before, after = data.astronaut(), BY_NAME[name](scene())

    for point in points:
        x, y = (round(value) for value in FACE.landmarks[point])
        assert bool((before[y, x] != after[y, x]).any()) is covered


def test_turns_are_turns():
    before = data.astronaut()

    assert np.array_equal(BY_NAME["turn-180"](scene()), before[::-1, ::-1])
    assert np.array_equal(BY_NAME["mirror"](scene()), before[:, ::-1])
    # Nothing is cut off by an odd angle.
    side = BY_NAME["turn-45"](scene()).shape[0]
    assert side == pytest.approx(512 * math.sqrt(2), abs=3)


def test_a_collage_holds_the_photo_once():
    sheet = BY_NAME["collage-4"](scene())

    assert sheet.shape[0] == sheet.shape[1]
    tile = sheet.shape[0] // 4
    busy = [
        sheet[y : y + tile, x : x + tile].std(axis=(0, 1)).max() > 20
        for y in range(0, 4 * tile, tile)
        for x in range(0, 4 * tile, tile)
    ]
    assert sum(busy) == 1


def test_transforms_use_no_library_but_pillow_and_numpy():
    source = Path(__file__).parents[3] / "server" / "consentry" / "evaluation" / "transforms.py"
    imported = set(re.findall(r"^(?:from|import) (\w+)", source.read_text(), re.MULTILINE))

    assert imported <= {
        "__future__",
        "math",
        "collections",
        "dataclasses",
        "functools",
        "io",
        "numpy",
        "PIL",
        "consentry",
    }
