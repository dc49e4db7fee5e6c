from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from consentry.imagery.exposure import RISE, ExposureReader
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Pixels, as_pixels
from consentry.kernel.errors import ModelUnavailable
from PIL import Image
from skimage.data import astronaut


@pytest.fixture(scope="module")
def reader(models_dir: Path) -> ExposureReader:
    return ExposureReader(ModelStore(models_dir, threads=1))


def portrait() -> Pixels:
    return as_pixels(astronaut())


def test_a_dressed_person_hardly_scores(reader: ExposureReader):
    assert 0 <= reader.score(portrait()) < 0.05


def test_an_ordinary_edit_stays_below_the_rise(reader: ExposureReader):
    before = reader.score(portrait())
    gray = as_pixels(np.asarray(Image.fromarray(portrait()).convert("L").convert("RGB")))
    mirrored = as_pixels(portrait()[:, ::-1])
    bright = as_pixels(np.clip(portrait() * 1.4, 0, 255).astype(np.uint8))

    assert all(reader.score(each) - before < RISE for each in (gray, mirrored, bright))


def test_the_order_of_colours_matters_as_the_network_was_trained(reader: ExposureReader):
    """A patch of skin tones scores higher than the same patch with red and blue exchanged."""
    rows, columns = np.mgrid[0:224, 0:224].astype(np.float32) / 224
    shade = 0.6 + 0.4 * np.exp(-((rows - 0.5) ** 2 + (columns - 0.5) ** 2) * 6)
    skin = (shade[..., None] * np.array([235, 180, 150])).astype(np.uint8)

    right, exchanged = reader.score(as_pixels(skin)), reader.score(as_pixels(skin[..., ::-1]))

    assert right > exchanged


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (700, 3)])
def test_any_shape_is_scored(reader: ExposureReader, shape: tuple[int, int]):
    assert 0 <= reader.score(as_pixels(np.zeros((*shape, 3), np.uint8))) <= 1


def test_without_its_model_it_does_not_guess(tmp_path: Path):
    with pytest.raises(ModelUnavailable, match="consentry models build"):
        ExposureReader(ModelStore(tmp_path, threads=1)).score(portrait())
