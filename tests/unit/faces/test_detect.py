from __future__ import annotations

import numpy as np
import pytest
from consentry.faces.detect import Detector
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Box, Pixels, as_pixels
from PIL import Image
from skimage import data


@pytest.fixture(scope="session")
def detector(models: ModelStore) -> Detector:
    return Detector(models)


def resized(pixels: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))


def overlap(a: Box, b: Box) -> float:
    across = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    down = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    both = max(across, 0) * max(down, 0)
    return both / (a.w * a.h + b.w * b.h - both)


def test_the_face_is_found_where_it_is_with_its_landmarks_in_order(detector, astronaut):
    (face,) = detector.detect(astronaut, thorough=False)

    left, right, nose, mouth_left, mouth_right = face.landmarks
    assert overlap(face.box, Box(181, 58, 89, 120)) > 0.8
    assert 0.8 < face.score <= 1
    assert left[0] < nose[0] < right[0]
    assert mouth_left[0] < nose[0] < mouth_right[0]
    assert max(left[1], right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])
    assert np.hypot(*np.subtract(left, (203, 102))) < 4
    assert np.hypot(*np.subtract(right, (247, 104))) < 4


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_picture_gives_the_same_face_at_the_turned_place(detector, astronaut, turns):
    (upright,) = detector.detect(astronaut, thorough=False)

    (turned,) = detector.detect(as_pixels(np.rot90(astronaut, turns)), thorough=True)

    points = np.array(upright.landmarks)
    for _ in range(turns):
        points = np.stack([points[:, 1], astronaut.shape[1] - points[:, 0]], axis=1)
    assert np.abs(np.array(turned.landmarks) - points).max() < 3


@pytest.mark.parametrize("turns", [1, 3])
def test_turned_parts_of_oblong_pictures_map_back(detector, astronaut, turns):
    oblong = as_pixels(astronaut[0:300, 40:480])

    (face,) = detector.detect(as_pixels(np.rot90(oblong, turns)), thorough=True)

    height, width = 300, 440
    expected = (
        Box(58, width - 141 - 89, 120, 89) if turns == 1 else Box(height - 58 - 120, 141, 120, 89)
    )
    assert overlap(face.box, expected) > 0.75


def test_a_mirrored_picture_gives_the_mirrored_face(detector, astronaut):
    (face,) = detector.detect(astronaut, thorough=False)
    (mirrored,) = detector.detect(as_pixels(astronaut[:, ::-1]), thorough=False)

    expected = Box(512 - face.box.x - face.box.w, face.box.y, face.box.w, face.box.h)
    assert overlap(mirrored.box, expected) > 0.85


@pytest.mark.parametrize("thorough", [False, True])
def test_each_face_of_a_collage_is_found_once_largest_first(detector, astronaut, thorough):
    canvas = np.full((700, 900, 3), 90, np.uint8)
    canvas[20:320, 20:320] = resized(astronaut, 300)
    canvas[20:220, 400:600] = resized(astronaut, 200)
    canvas[400:500, 50:150] = resized(astronaut, 100)
    canvas[300:556, 600:856] = resized(astronaut, 256)

    faces = detector.detect(as_pixels(canvas), thorough=thorough)

    lefts = [20 + 0.35 * 300, 600 + 0.35 * 256, 400 + 0.35 * 200, 50 + 0.35 * 100]
    assert len(faces) == 4
    assert [face.box.x for face in faces] == pytest.approx(lefts, abs=6)


@pytest.mark.parametrize("face_px", [14, 20, 40])
def test_a_small_face_in_a_large_picture_is_found(detector, astronaut, face_px):
    side = round(512 * face_px / 89)
    canvas = np.full((600, 640, 3), 120, np.uint8)
    canvas[300 : 300 + side, 200 : 200 + side] = resized(astronaut, side)

    (face,) = detector.detect(as_pixels(canvas), thorough=False)

    assert face.box.w == pytest.approx(face_px, rel=0.3)


def test_a_face_of_20_pixels_in_a_large_photo_is_found_by_the_finer_look(detector, astronaut):
    canvas = np.full((1200, 1600, 3), 120, np.uint8)
    side = round(512 * 20 / 89)
    canvas[900 : 900 + side, 1400 : 1400 + side] = resized(astronaut, side)

    (face,) = detector.detect(as_pixels(canvas), thorough=True)

    assert overlap(face.box, Box(1400 + 0.355 * side, 900 + 0.115 * side, 20, 27)) > 0.5


def test_a_small_face_beside_a_large_one_is_found_by_a_thorough_look(detector, astronaut):
    canvas = np.full((900, 1300, 3), 120, np.uint8)
    canvas[50:750, 50:750] = resized(astronaut, 700)
    canvas[780:870, 1150:1240] = resized(astronaut, 90)

    faces = detector.detect(as_pixels(canvas), thorough=True)

    assert [face.box.w for face in faces] == pytest.approx([115, 16], rel=0.2)


def test_a_face_that_fills_the_frame_is_found(detector, astronaut):
    crop = as_pixels(astronaut[70:170, 185:268])

    (face,) = detector.detect(crop, thorough=False)

    assert overlap(face.box, Box(-3, -12, 89, 120)) > 0.6


@pytest.mark.parametrize("side", [300, 600, 900, 1400])
@pytest.mark.parametrize("thorough", [False, True])
def test_a_face_that_fills_a_large_frame_is_one_face(detector, astronaut, side, thorough):
    crop = as_pixels(resized(astronaut[70:170, 185:268], side))

    (face,) = detector.detect(crop, thorough=thorough)

    assert overlap(face.box, Box(0, 0, side, side)) > 0.7


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_face_that_fills_a_large_frame_is_found(detector, astronaut, turns):
    crop = resized(astronaut[70:170, 185:268], 600)

    faces = detector.detect(as_pixels(np.rot90(crop, turns)), thorough=True)

    assert any(overlap(face.box, Box(0, 0, 600, 600)) > 0.6 for face in faces)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (slice(0, 512), slice(215, 512)),
        (slice(0, 512), slice(0, 240)),
        (slice(90, 512), slice(0, 512)),
    ],
    ids=["left cut", "right cut", "top cut"],
)
def test_a_face_cut_by_the_border_is_found(detector, astronaut, rows, columns):
    (face,) = detector.detect(as_pixels(astronaut[rows, columns]), thorough=False)

    shifted = Box(181 - columns.start, 58 - rows.start, 89, 120)
    assert overlap(face.box, shifted) > 0.4


@pytest.mark.parametrize(
    "name", ["brick", "grass", "gravel", "coffee", "chelsea", "rocket", "moon", "coins"]
)
def test_no_face_is_seen_in_textures_things_and_a_cat(detector, name):
    pixels = np.array(getattr(data, name)())
    if pixels.ndim == 2:
        pixels = np.stack([pixels] * 3, axis=-1)

    assert detector.detect(as_pixels(pixels), thorough=True) == ()


@pytest.mark.parametrize("seed", range(3))
def test_no_face_is_seen_in_noise(detector, seed):
    random = np.random.default_rng(seed)
    fine = random.integers(0, 256, (300, 400, 3), dtype=np.uint8)
    coarse = np.repeat(
        np.repeat(random.integers(0, 256, (30, 40, 3), dtype=np.uint8), 12, 0), 12, 1
    )

    assert detector.detect(as_pixels(fine), thorough=True) == ()
    assert detector.detect(as_pixels(coarse), thorough=True) == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (3000, 2), (33, 31)])
def test_odd_shapes_are_no_error(detector, shape):
    assert detector.detect(as_pixels(np.zeros((*shape, 3), np.uint8)), thorough=True) == ()


def test_a_picture_is_not_changed(detector, astronaut: Pixels):
    before = astronaut.copy()

    detector.detect(astronaut, thorough=True)

    assert (astronaut == before).all()


def test_a_huge_picture_is_found_in_its_own_pixels(detector, astronaut):
    huge = np.zeros((3000, 4096, 3), np.uint8)
    huge[500:2548, 1000:3048] = np.repeat(np.repeat(astronaut, 4, 0), 4, 1)

    (face,) = detector.detect(as_pixels(huge), thorough=False)

    assert overlap(face.box, Box(1000 + 4 * 181, 500 + 4 * 58, 4 * 89, 4 * 120)) > 0.8
    assert np.hypot(*np.subtract(face.landmarks[0], (1000 + 4 * 203, 500 + 4 * 102))) < 16


@pytest.mark.parametrize("degrees", [-60, -30, 30, 45, 75, 120])
def test_a_tilted_face_is_found_and_its_landmarks_say_how_it_is_tilted(
    detector, astronaut, degrees
):
    tilted = Image.fromarray(astronaut).rotate(degrees, Image.Resampling.BICUBIC)

    faces = detector.detect(as_pixels(np.asarray(tilted)), thorough=True)

    left, right, *_ = faces[0].landmarks
    angle = -np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0]))
    assert len(faces) == 1
    assert (angle - degrees + 180) % 360 - 180 == pytest.approx(0, abs=8)


def test_a_face_where_tiles_meet_is_found_once(detector, astronaut):
    canvas = np.full((900, 3200, 3), 120, np.uint8)
    lefts = (250, 1350, 1650, 2500)
    for left in lefts:
        canvas[300:600, left : left + 300] = resized(astronaut, 300)

    faces = detector.detect(as_pixels(canvas), thorough=True)

    found = sorted(face.box.x for face in faces)
    assert found == pytest.approx([left + 0.355 * 300 for left in lefts], abs=8)


@pytest.mark.parametrize("is_upright", [False, True])
def test_a_small_face_where_the_halves_of_a_finer_look_meet_is_found_once(
    detector, astronaut, is_upright
):
    canvas = np.full((800, 1200, 3), 120, np.uint8)
    lefts = (250, 470, 580, 690, 900)
    for left in lefts:
        canvas[300:390, left : left + 90] = resized(astronaut, 90)
    if is_upright:
        canvas = np.full((1200, 800, 3), 120, np.uint8)
        for top in lefts:
            canvas[top : top + 90, 300:390] = resized(astronaut, 90)

    faces = detector.detect(as_pixels(canvas), thorough=False)

    found = sorted(face.box.y if is_upright else face.box.x for face in faces)
    edge = 0.135 if is_upright else 0.355
    assert found == pytest.approx([each + edge * 90 for each in lefts], abs=6)


def test_every_face_of_a_grid_is_found(detector, astronaut):
    canvas = np.tile(resized(astronaut, 96), (10, 10, 1))

    faces = detector.detect(as_pixels(canvas), thorough=False)

    assert len(faces) == 100


@pytest.mark.parametrize("side", [40, 60, 90, 140])
@pytest.mark.parametrize("thorough", [False, True])
def test_the_face_of_a_very_small_picture_is_found(detector, astronaut, side, thorough):
    small = resized(astronaut[30:230, 130:330], side)

    assert len(detector.detect(as_pixels(small), thorough=thorough)) == 1
