from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from consentry.faces.align import ARCFACE_112, DLIB_150, Similarity, Template, chip, fit
from consentry.kernel.biometrics import as_pixels
from hypothesis import given
from hypothesis import strategies as st

angles = st.floats(-math.pi, math.pi)
scales = st.floats(0.05, 20)
shifts = st.floats(-500, 500)


def moved(by: Similarity, points):
    return tuple(by(point) for point in points)


@given(angles, scales, shifts, shifts)
def test_fitting_finds_the_similarity_that_moved_the_points(angle, scale, dx, dy):
    made = Similarity(scale * math.cos(angle), scale * math.sin(angle), dx, dy)

    found = fit(moved(made, ARCFACE_112.points), ARCFACE_112.points)

    for before, after in zip(ARCFACE_112.points, moved(made, ARCFACE_112.points), strict=True):
        assert found(after) == pytest.approx(before, abs=1e-6)


@given(angles, scales, shifts, shifts)
def test_the_inverse_undoes(angle, scale, dx, dy):
    made = Similarity(scale * math.cos(angle), scale * math.sin(angle), dx, dy)

    assert made.inverse()(made((12.5, -7.0))) == pytest.approx((12.5, -7.0), abs=1e-6)


def test_the_fit_is_the_least_squared_error():
    random = np.random.default_rng(1)
    landmarks = tuple(
        (x + random.normal(0, 3), y + random.normal(0, 3)) for x, y in ARCFACE_112.points
    )
    best = fit(landmarks, ARCFACE_112.points)

    def error(by):
        return sum(
            math.dist(by(p), q) ** 2 for p, q in zip(landmarks, ARCFACE_112.points, strict=True)
        )

    for a, b, x, y in ((1e-3, 0, 0, 0), (0, 1e-3, 0, 0), (0, 0, 0.1, 0), (0, 0, 0, 0.1)):
        for sign in (1, -1):
            near = Similarity(
                best.a + sign * a, best.b + sign * b, best.dx + sign * x, best.dy + sign * y
            )
            assert error(best) < error(near)


def test_landmarks_that_are_one_point_are_refused():
    with pytest.raises(ValueError, match="one point"):
        fit(((3.0, 3.0),) * 5, ARCFACE_112.points)


@pytest.mark.parametrize("template", [ARCFACE_112, DLIB_150])
def test_a_picture_that_is_a_chip_already_comes_back_as_it_is(template: Template):
    picture = as_pixels(
        np.random.default_rng(2).integers(0, 256, (template.side_px,) * 2 + (3,), dtype=np.uint8)
    )

    np.testing.assert_allclose(chip(picture, template.points, template), picture, atol=1e-3)


def test_between_pixels_values_are_interpolated_in_both_directions():
    ramp = np.zeros((200, 200, 3), np.uint8)
    ramp[..., 0] = np.arange(200)[None]
    ramp[..., 1] = np.arange(200)[:, None]
    landmarks = tuple((x + 20.25, y + 30.5) for x, y in ARCFACE_112.points)

    cut = chip(as_pixels(ramp), landmarks, ARCFACE_112)

    np.testing.assert_allclose(
        cut[..., 0], np.arange(112)[None] + 20.25 + np.zeros((112, 1)), atol=1e-3
    )
    np.testing.assert_allclose(
        cut[..., 1], np.arange(112)[:, None] + 30.5 + np.zeros((1, 112)), atol=1e-3
    )


@pytest.mark.parametrize("factor", [1.5, 2, 3, 4.6, 7])
def test_shrinking_keeps_places_where_they_are(factor: float):
    side = math.ceil(112 * factor) + 8
    smooth = np.zeros((side, side, 3), np.uint8)
    smooth[..., 0] = np.linspace(0, 250, side)[None].round()
    landmarks = tuple((x * factor, y * factor) for x, y in ARCFACE_112.points)

    cut = chip(as_pixels(smooth), landmarks, ARCFACE_112)

    expected = np.arange(112) * factor * 250 / (side - 1)
    # One grey level of rounding in the ramp itself; the first and last columns touch the edge.
    np.testing.assert_allclose(cut[5, 2:110, 0], expected[2:110], atol=1.1)


def test_shrinking_averages_what_lies_between():
    checks = np.zeros((448, 448, 3), np.uint8)
    checks[::2, ::2] = 255
    checks[1::2, 1::2] = 255
    landmarks = tuple((4 * x + 1.5, 4 * y + 1.5) for x, y in ARCFACE_112.points)

    np.testing.assert_allclose(chip(as_pixels(checks), landmarks, ARCFACE_112), 127.5, atol=1e-3)


def test_a_cut_off_part_averages_only_what_is_there():
    white = as_pixels(np.full((225, 226, 3), 200, np.uint8))
    landmarks = tuple((2 * x + 1, 2 * y + 1) for x, y in ARCFACE_112.points)

    cut = chip(white, landmarks, ARCFACE_112)

    np.testing.assert_allclose(cut[:112, :112], 200, atol=1e-3)


def test_outside_the_picture_is_black():
    white = as_pixels(np.full((112, 112, 3), 255, np.uint8))
    landmarks = tuple((x - 56, y) for x, y in ARCFACE_112.points)

    cut = chip(white, landmarks, ARCFACE_112)

    assert (cut[:, :55] == 0).all()
    assert (cut[1:-1, 57:] == 255).all()


def test_a_face_wholly_outside_the_picture_is_a_black_chip():
    white = as_pixels(np.full((50, 60, 3), 255, np.uint8))
    landmarks = tuple((x + 1000, y - 5000) for x, y in ARCFACE_112.points)

    assert (chip(white, landmarks, ARCFACE_112) == 0).all()


def test_a_turned_face_stands_upright_in_its_chip():
    picture = as_pixels(np.random.default_rng(5).integers(0, 256, (112, 112, 3), dtype=np.uint8))
    turned = as_pixels(np.rot90(picture))
    landmarks = tuple((y, 111 - x) for x, y in ARCFACE_112.points)

    np.testing.assert_allclose(chip(turned, landmarks, ARCFACE_112), picture, atol=1e-2)


def test_a_chip_of_a_huge_picture_reads_only_what_is_near():
    huge = as_pixels(np.zeros((6000, 6000, 3), np.uint8))
    landmarks = tuple((x + 3000, y + 3000) for x, y in ARCFACE_112.points)

    tracemalloc.start()
    try:
        chip(huge, landmarks, ARCFACE_112)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # As floats the whole picture takes 432 MB; what is near the chip takes some.
    assert peak < 10_000_000
