from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from consentry.evaluation.attack import Attack, Goal, Sampler, Surrogate, perturb
from consentry.faces.align import ARCFACE_112, chip
from consentry.faces.detect import Landmarks
from consentry.faces.embed import RECIPES, EmbeddingModel, FusedEmbedder
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Pixels, as_pixels
from skimage import data

FACE: Landmarks = ((94.0, 53.0), (137.0, 55.0), (114.0, 75.0), (95.0, 93.0), (132.0, 95.0))
PARTS = RECIPES[EmbeddingModel.COMPANION].parts


@pytest.fixture(scope="module")
def photo() -> Pixels:
    """Eileen Collins, public domain; her eyes are 43 pixels apart."""
    return as_pixels(np.ascontiguousarray(data.astronaut()[50:250, 110:310]))


@pytest.fixture(scope="module")
def models(models_dir: Path) -> ModelStore:
    return ModelStore(models_dir, threads=1)


@pytest.fixture(scope="module")
def surrogate(models: ModelStore) -> Surrogate:
    return Surrogate(PARTS[:1], models)


def like(pixels: np.ndarray, surrogate: Surrogate, references: list[np.ndarray]) -> float:
    (row,) = surrogate.embed(pixels, FACE)
    return float(row @ references[0] / np.linalg.norm(row))


def test_the_attackers_chip_is_the_one_that_is_embedded(photo):
    own = Sampler(FACE, ARCFACE_112, photo.shape[:2]).read(photo.astype(np.float32))

    # Beyond the edge of the picture ours is black; within, it is the same interpolation.
    inner = (slice(8, 104), slice(8, 104))
    assert np.abs(own[inner] - chip(photo, FACE, ARCFACE_112)[inner]).max() < 0.5


def test_spreading_is_the_transpose_of_reading(photo):
    random = np.random.default_rng(4)
    sampler = Sampler(FACE, ARCFACE_112, photo.shape[:2])
    values = random.normal(size=photo.shape).astype(np.float32)
    weights = random.normal(size=(112, 112, 3)).astype(np.float32)

    there = float((sampler.read(values).astype(np.float64) * weights).sum())
    back = float((values.astype(np.float64) * sampler.spread(weights)).sum())

    assert there == pytest.approx(back, rel=1e-4)


def test_a_face_beyond_the_edge_reads_black_and_spreads_nothing_there(photo):
    beyond = tuple((x - 95.0, y) for x, y in FACE)
    sampler = Sampler(beyond, ARCFACE_112, photo.shape[:2])

    chipped = sampler.read(np.full(photo.shape, 200, np.float32))
    spread = sampler.spread(np.ones((112, 112, 3), np.float32))

    assert chipped[56, 0].max() == 0
    assert spread.sum() < 112 * 112 * 3


def test_the_surrogate_embeds_as_the_model_does(photo, surrogate, models):
    recipe = RECIPES[EmbeddingModel.COMPANION]
    (embedded,) = FusedEmbedder(recipe, models).embed(photo, [FACE])
    own = embedded[: PARTS[0].dimension] / np.linalg.norm(embedded[: PARTS[0].dimension])

    (found,) = surrogate.embed(photo.astype(np.float32), FACE)

    assert float(found @ own) / np.linalg.norm(found) > 0.99


def test_the_gradient_by_the_photo_is_that_of_finite_differences(photo, surrogate):
    random = np.random.default_rng(8)
    pixels = photo.astype(np.float32)
    reference = random.normal(size=PARTS[0].dimension).astype(np.float32)
    reference /= np.linalg.norm(reference)

    slope = surrogate.gradient(pixels, FACE, [reference], surrogate.embed(pixels, FACE)).by_pixels
    step = np.sign(slope) * random.integers(0, 2, slope.shape)
    h = 0.02
    ahead, behind = (
        like((pixels + s * h * step).astype(np.float32), surrogate, [reference]) for s in (1, -1)
    )

    assert float((slope * step).sum()) == pytest.approx((ahead - behind) / (2 * h), rel=0.05)


@pytest.mark.parametrize("goal", Goal)
def test_an_attack_stays_within_its_bound_and_gets_what_it_wants(photo, surrogate, goal):
    if goal is Goal.DODGE:
        (own,) = surrogate.embed(photo.astype(np.float32), FACE)
        references = [own / np.linalg.norm(own)]
    else:
        other = np.random.default_rng(1).normal(size=PARTS[0].dimension).astype(np.float32)
        references = [other / np.linalg.norm(other)]
    attack = Attack((PARTS[0].network.value,), goal, 8)

    attacked = perturb(surrogate, photo, FACE, references, attack, np.random.default_rng(2))

    assert np.abs(attacked.astype(int) - photo).max() <= 8
    before = like(photo.astype(np.float32), surrogate, references)
    after = like(attacked.astype(np.float32), surrogate, references)
    assert (before - after if goal is Goal.DODGE else after - before) > 0.3
