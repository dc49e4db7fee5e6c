from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from consentry.faces.align import DLIB_150, chip
from consentry.faces.detect import Detector
from consentry.faces.embed import RECIPES, Embedder, EmbeddingModel, FusedEmbedder, Recipe
from consentry.inference.registry import ModelName
from consentry.kernel.biometrics import as_pixels, similarity
from PIL import Image


@pytest.fixture(scope="session")
def landmarks(models, astronaut):
    return Detector(models).detect(astronaut, thorough=False)[0].landmarks


@pytest.mark.parametrize("name", list(EmbeddingModel))
def test_an_embedding_has_the_dimension_of_its_model_and_norm_one(
    models, astronaut, landmarks, name
):
    embedder = FusedEmbedder(RECIPES[name], models)

    (embedding,) = embedder.embed(astronaut, [landmarks])

    assert embedding.shape == (embedder.recipe.dimension,)
    assert embedding.dtype == np.float32
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)


def test_the_cosine_of_a_fused_model_is_the_weighted_mean_of_its_parts(
    models, astronaut, landmarks
):
    recipe = RECIPES[EmbeddingModel.REGISTRY]
    darker = as_pixels((astronaut * 0.4).astype(np.uint8))
    alone = [
        FusedEmbedder(Recipe(recipe.model_id, (replace(part, weight=1.0),)), models)
        for part in recipe.parts
    ]

    def cosine(embedder):
        return similarity(*(embedder.embed(each, [landmarks])[0] for each in (astronaut, darker)))

    expected = sum(
        part.weight * cosine(each) for part, each in zip(recipe.parts, alone, strict=True)
    )
    assert cosine(FusedEmbedder(recipe, models)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", list(EmbeddingModel))
def test_the_shares_of_a_model_add_up_to_one(name):
    assert sum(part.weight for part in RECIPES[name].parts) == pytest.approx(1)


def test_model_identifiers_and_dimensions_are_the_published_ones():
    assert {name: (RECIPES[name].model_id, RECIPES[name].dimension) for name in EmbeddingModel} == {
        "companion": ("mfn192+sface@1", 320),
        "light": ("sface@1", 128),
        "registry": ("dlib-resnet+mfn192+sface@1", 448),
    }


@pytest.mark.parametrize(
    ("name", "least"), [(EmbeddingModel.REGISTRY, 0.99), (EmbeddingModel.COMPANION, 0.97)]
)
def test_a_mirrored_face_has_the_same_embedding(models, astronaut, landmarks, name, least):
    embedder = FusedEmbedder(RECIPES[name], models)
    flipped = as_pixels(astronaut[:, ::-1])
    right, left, nose, mouth_right, mouth_left = ((511 - x, y) for x, y in landmarks)

    (plain,) = embedder.embed(astronaut, [landmarks])
    (mirrored,) = embedder.embed(flipped, [(left, right, nose, mouth_left, mouth_right)])

    assert similarity(plain, mirrored) > least


def test_many_faces_at_once_equal_each_alone(models, astronaut, landmarks):
    embedder = FusedEmbedder(RECIPES[EmbeddingModel.LIGHT], models)
    faces = [tuple((x + i, y - i) for x, y in landmarks) for i in range(35)]

    together = embedder.embed(astronaut, faces)

    assert len(together) == 35
    for i in (0, 15, 16, 34):
        (alone,) = embedder.embed(astronaut, [faces[i]])
        np.testing.assert_array_equal(together[i], alone)


def test_no_faces_give_no_embeddings(models, astronaut):
    assert FusedEmbedder(RECIPES[EmbeddingModel.LIGHT], models).embed(astronaut, []) == []


def test_eight_threads_get_the_numbers_of_one(models, astronaut, landmarks):
    embedder = FusedEmbedder(RECIPES[EmbeddingModel.REGISTRY], models)
    faces = [tuple((x + i, y) for x, y in landmarks) for i in range(8)]
    expected = [embedder.embed(astronaut, [face])[0] for face in faces]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda face: embedder.embed(astronaut, [face])[0], faces * 2))

    for one, other in zip(expected * 2, found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_preprocessing_hash_is_over_every_constant():
    recipe = RECIPES[EmbeddingModel.COMPANION]
    first = recipe.parts[0]
    changed = [
        replace(first, divisor=127.0),
        replace(first, mean=(127.5, 127.5, 127.0)),
        replace(first, adds_mirrored=False),
        replace(first, weight=0.4),
        replace(first, template=DLIB_150),
        replace(first, network=ModelName.SFACE),
    ]

    hashes = {
        Recipe(recipe.model_id, (part, *recipe.parts[1:])).preprocessing_hash for part in changed
    }

    assert len(hashes) == len(changed)
    assert recipe.preprocessing_hash not in hashes
    assert len(recipe.preprocessing_hash) == 64


def test_the_preprocessing_of_version_one_never_changes():
    """Templates carry these. A new value needs a new version in the model's identifier."""
    assert {
        RECIPES[name].model_id: RECIPES[name].preprocessing_hash[:16] for name in EmbeddingModel
    } == {
        "mfn192+sface@1": "9d4239ff3b95a0f1",
        "sface@1": "3ac97715f594ecdf",
        "dlib-resnet+mfn192+sface@1": "bafe3ba2957ff53b",
    }


def test_dlib_resnet_equals_the_encoder_of_face_recognition_on_the_same_chips(
    models, astronaut, landmarks
):
    from consentry.faces import reference

    random = np.random.default_rng(4)
    aligned = chip(astronaut, landmarks, DLIB_150).round().astype(np.uint8)
    grown = Image.fromarray(astronaut).crop((150, 30, 300, 180))
    chips = [
        aligned,
        aligned[:, ::-1].copy(),
        np.asarray(grown),
        random.integers(0, 256, (150, 150, 3), dtype=np.uint8),
        np.zeros((150, 150, 3), np.uint8),
        np.full((150, 150, 3), 255, np.uint8),
        np.repeat(np.linspace(0, 255, 150).astype(np.uint8)[None, :, None], 150, 0).repeat(3, 2),
    ]
    with reference._PROCESS_LOCK:
        encoder = reference.engine().api.face_encoder
        expected = np.array([np.array(encoder.compute_face_descriptor(each)) for each in chips])

    part = replace(RECIPES[EmbeddingModel.REGISTRY].parts[0], adds_mirrored=False)
    session = models.session(part.network)
    ready = (np.stack(chips).astype(np.float32) - np.array(part.mean, np.float32)) / np.float32(
        part.divisor
    )
    (found,) = session.run(np.ascontiguousarray(ready.transpose(0, 3, 1, 2)))

    assert np.abs(found - expected).max() < 1e-5
    normalised = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    embedder = Embedder(part, models)
    alone = [embedder.embed(each[None].astype(np.float32), mirrored=True) for each in chips]
    np.testing.assert_allclose(alone, normalised, atol=1e-5)
