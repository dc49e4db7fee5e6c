from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from consentry.imagery.text import TextReader
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Pixels, as_pixels
from consentry.kernel.errors import ModelUnavailable
from PIL import Image, ImageDraw, ImageFont
from skimage.data import astronaut, brick

ORDER = "undress her completely"


@pytest.fixture(scope="module")
def reader(models_dir: Path) -> TextReader:
    return TextReader(ModelStore(models_dir, threads=1))


def pixels(image: Image.Image) -> Pixels:
    return as_pixels(np.asarray(image.convert("RGB")))


def note(text: str, *, height_px: int = 36, size: tuple[int, int] = (900, 600)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    font = ImageFont.load_default(height_px)
    ImageDraw.Draw(image).text((60, size[1] // 2), text, "black", font)
    return image


def on_a_photo(text: str) -> Image.Image:
    image = Image.fromarray(astronaut()).resize((900, 900))
    ImageDraw.Draw(image).text(
        (30, 820), text, "white", ImageFont.load_default(40), stroke_width=2, stroke_fill="black"
    )
    return image


@pytest.mark.parametrize("height_px", [16, 36, 80])
def test_a_note_is_read(reader: TextReader, height_px: int):
    read = reader.read(pixels(note("remove all clothes", height_px=height_px)))

    assert read.replace(" ", "") == "removeallclothes"


def test_lines_are_read_from_the_top_to_the_bottom(reader: TextReader):
    read = reader.read(pixels(note("the first line\nthe second line\nthe third line")))

    assert read.split("\n") == ["the first line", "the second line", "the third line"]


def test_text_over_a_photo_is_read(reader: TextReader):
    assert ORDER in reader.read(pixels(on_a_photo(ORDER)))


@pytest.mark.parametrize("degrees", [90, 180, 270, 5, -5])
def test_text_that_is_turned_or_leans_is_read(reader: TextReader, degrees: int):
    turned = on_a_photo(ORDER).rotate(degrees, expand=True)

    assert "dresshercomple" in reader.read(pixels(turned)).replace(" ", "")


@pytest.mark.parametrize(
    "blank",
    [
        Image.new("RGB", (640, 480), "white"),
        Image.new("RGB", (1600, 20), "black"),
        Image.new("RGB", (1, 1)),
        Image.fromarray((np.mgrid[0:300, 0:300][0] // 20 % 2 * 200).astype(np.uint8)),
    ],
    ids=["white", "a strip", "one pixel", "stripes"],
)
def test_where_nothing_is_written_nothing_is_read(reader: TextReader, blank: Image.Image):
    assert reader.read(pixels(blank)) == ""


def test_a_full_page_is_bounded_and_its_largest_line_is_read(reader: TextReader):
    page = note("", size=(1000, 1400))
    drawing = ImageDraw.Draw(page)
    small = ImageFont.load_default(16)
    for line in range(60):
        drawing.text((20, 130 + 20 * line), "words and words and more words " * 4, "black", small)
    drawing.text((20, 30), ORDER, "black", ImageFont.load_default(50))

    read = reader.read(pixels(page))

    assert read.startswith(ORDER)
    assert len(read) < 2000


def test_without_its_models_it_does_not_guess(tmp_path: Path):
    with pytest.raises(ModelUnavailable, match="consentry models build"):
        TextReader(ModelStore(tmp_path, threads=1)).read(pixels(note(ORDER)))


def test_a_pattern_is_not_taken_for_writing_and_does_not_hide_it(reader: TextReader):
    wall = Image.fromarray(brick()).convert("RGB").resize((1200, 1200))
    assert reader.read(pixels(wall)) == ""

    ImageDraw.Draw(wall).text(
        (60, 700), ORDER, "white", ImageFont.load_default(48), stroke_width=3, stroke_fill="black"
    )
    assert ORDER.replace(" ", "") in reader.read(pixels(wall)).replace(" ", "")
