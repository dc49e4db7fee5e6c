from __future__ import annotations

import numpy as np
import pytest
from consentry.faces.detect import Detector
from consentry.faces.quality import (
    IDENTIFIABLE_EYE_PX,
    PLAIN_WORDS,
    Quality,
    QualityIssue,
    assess,
    eye_distance_px,
    is_identifiable,
)
from consentry.kernel.biometrics import as_pixels
from PIL import Image, ImageFilter


@pytest.fixture(scope="session")
def face(models, astronaut):
    return Detector(models).detect(astronaut, thorough=False)[0]


@pytest.fixture(scope="session")
def look(models):
    """Find the one face of a degraded photo, and judge it."""

    def judge(pixels: np.ndarray) -> Quality:
        picture = as_pixels(np.ascontiguousarray(pixels, dtype=np.uint8))
        return assess(picture, Detector(models).detect(picture, thorough=True)[0])

    return judge


def image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels)


def test_a_good_portrait_has_no_issue(look, astronaut):
    quality = look(astronaut)

    assert quality.issues == ()
    assert quality.score > 0.8


def test_a_small_face_is_too_small(look, astronaut):
    quality = look(np.asarray(image(astronaut).resize((160, 160))))

    assert QualityIssue.TOO_SMALL in quality.issues
    assert quality.score < 0.5


def test_a_blurred_face_is_blurred(look, astronaut):
    quality = look(np.asarray(image(astronaut).filter(ImageFilter.GaussianBlur(5))))

    assert quality.issues == (QualityIssue.BLURRED,)


def test_a_blurred_face_stays_blurred_when_it_is_enlarged(look, astronaut):
    tiny = image(astronaut).resize((90, 90))

    assert QualityIssue.BLURRED in look(np.asarray(tiny.resize((512, 512)))).issues


def test_an_underexposed_face_is_too_dark(look, astronaut):
    assert QualityIssue.TOO_DARK in look(astronaut * 0.18).issues


def test_an_overexposed_face_is_too_bright(look, astronaut):
    assert QualityIssue.TOO_BRIGHT in look(np.minimum(astronaut * 1.2 + 110.0, 255)).issues


def test_a_washed_out_face_has_low_contrast(look, astronaut):
    assert QualityIssue.LOW_CONTRAST in look(astronaut * 0.12 + 120.0).issues


def test_dark_skin_in_good_light_is_not_called_dark(look, astronaut):
    """The same photo with the reflectance of dark skin: darker all over, highlights kept."""
    dark = 255 * (astronaut / 255.0) ** 2.0

    assert QualityIssue.TOO_DARK not in look(dark).issues


@pytest.mark.parametrize("degrees", [50, 90, 180])
def test_a_tilted_face_is_turned_away(look, astronaut, degrees):
    turned = np.asarray(
        image(astronaut).rotate(degrees, Image.Resampling.BICUBIC, center=(226, 118))
    )

    assert QualityIssue.TURNED_AWAY in look(turned).issues


def test_a_face_squeezed_towards_profile_is_turned_away(astronaut, face):
    left, _, nose, mouth_left, _ = face.landmarks
    profile = type(face)(
        face.box,
        (
            left,
            (left[0] + 14, left[1]),
            (left[0] - 4, nose[1]),
            mouth_left,
            (mouth_left[0] + 9, mouth_left[1]),
        ),
        face.score,
    )

    assert QualityIssue.TURNED_AWAY in assess(astronaut, profile).issues


def test_a_face_cut_by_the_border_is_cut_off(look, astronaut):
    assert QualityIssue.CUT_OFF in look(astronaut[:, 228:]).issues


def test_a_face_that_the_detector_doubts_is_not_clear(astronaut, face):
    doubtful = type(face)(face.box, face.landmarks, 0.55)

    assert assess(astronaut, doubtful).issues == (QualityIssue.FACE_NOT_CLEAR,)


def test_more_blur_never_scores_better(look, astronaut):
    scores = [
        look(np.asarray(image(astronaut).filter(ImageFilter.GaussianBlur(radius)))).score
        for radius in (0, 3, 5, 7)
    ]

    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_eye_distance_follows_the_size(face, factor):
    scaled = tuple((x * factor, y * factor) for x, y in face.landmarks)

    assert eye_distance_px(scaled) == pytest.approx(factor * eye_distance_px(face.landmarks))


def test_the_identifiable_size_is_a_boundary(face):
    factor = IDENTIFIABLE_EYE_PX / eye_distance_px(face.landmarks)

    def scaled(by):
        return tuple((x * by, y * by) for x, y in face.landmarks)

    assert is_identifiable(scaled(factor * 1.001))
    assert not is_identifiable(scaled(factor * 0.999))


def test_every_issue_has_plain_words():
    assert set(PLAIN_WORDS) == set(QualityIssue)
    assert all(words.endswith(".") and len(words) < 100 for words in PLAIN_WORDS.values())
