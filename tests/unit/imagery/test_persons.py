from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from consentry.imagery.persons import PersonDetector
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Pixels, as_pixels
from consentry.kernel.errors import ModelUnavailable
from PIL import Image, ImageDraw, ImageFont
from skimage.data import astronaut

CHIN_Y = 190


@pytest.fixture(scope="module")
def detector(models_dir: Path) -> PersonDetector:
    return PersonDetector(ModelStore(models_dir, threads=1))


@pytest.fixture(scope="module")
def person() -> Pixels:
    return as_pixels(astronaut())


def landscape() -> Pixels:
    image = Image.new("RGB", (600, 400), (120, 170, 230))
    drawing = ImageDraw.Draw(image)
    drawing.polygon([(0, 260), (150, 120), (280, 250), (430, 90), (600, 240), (600, 400), (0, 400)])
    drawing.rectangle((0, 260, 600, 400), fill=(60, 120, 50))
    drawing.ellipse((480, 30, 540, 90), fill=(250, 230, 120))
    return as_pixels(np.asarray(image))


def page_of_text() -> Pixels:
    image = Image.new("RGB", (500, 600), "white")
    drawing = ImageDraw.Draw(image)
    for line in range(20):
        drawing.text((20, 25 * line + 20), "make it sexy, remove it all " * 2, "black", font())
    return as_pixels(np.asarray(image))


def font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(18)


def stripes() -> Pixels:
    rows = np.arange(300)[:, None, None] // 20 % 2 * 200
    return as_pixels(np.broadcast_to(rows, (300, 300, 3)).astype(np.uint8))


def test_a_person_is_seen(detector: PersonDetector, person: Pixels):
    assert detector.presence(person, thorough=False)


def test_a_person_in_gray_is_seen(detector: PersonDetector, person: Pixels):
    gray = np.asarray(Image.fromarray(person).convert("L").convert("RGB"))

    assert detector.presence(as_pixels(gray), thorough=False)


def test_a_body_below_the_chin_is_seen(detector: PersonDetector, person: Pixels):
    assert detector.presence(as_pixels(person[CHIN_Y:]), thorough=False)


def test_a_person_whose_head_is_covered_is_seen(detector: PersonDetector, person: Pixels):
    covered = person.copy()
    covered[20:CHIN_Y, 130:320] = (40, 90, 60)

    assert detector.presence(as_pixels(covered), thorough=False)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_person_is_seen_by_a_thorough_look(
    detector: PersonDetector, person: Pixels, turns: int
):
    assert detector.presence(as_pixels(np.rot90(person, turns)), thorough=True)


@pytest.mark.parametrize("made", [landscape, page_of_text, stripes])
@pytest.mark.parametrize("thorough", [False, True])
def test_what_is_no_person_is_not_taken_for_one(detector: PersonDetector, made, thorough: bool):
    assert not detector.presence(made(), thorough=thorough)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1)])
def test_any_shape_is_looked_at(detector: PersonDetector, shape: tuple[int, int]):
    blank = as_pixels(np.full((*shape, 3), 90, np.uint8))

    assert not detector.presence(blank, thorough=True)


def test_without_its_models_it_does_not_guess(tmp_path: Path, person: Pixels):
    with pytest.raises(ModelUnavailable, match="consentry models build"):
        PersonDetector(ModelStore(tmp_path, threads=1)).presence(person, thorough=False)


def test_turning_the_look_equals_turning_the_picture(detector: PersonDetector, person: Pixels):
    assert detector.score(person, quarter_turns=1) == pytest.approx(
        detector.score(as_pixels(np.rot90(person))), abs=0.05
    )
