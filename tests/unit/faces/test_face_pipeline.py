from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from consentry.faces.pipeline import open_pipeline
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import as_pixels, similarity
from consentry.kernel.errors import ModelUnavailable
from PIL import Image


def shrunk(pixels: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))


@pytest.mark.parametrize(
    ("name", "model_id", "dimension"),
    [
        ("companion", "mfn192+sface@1", 320),
        ("light", "sface@1", 128),
        ("registry", "dlib-resnet+mfn192+sface@1", 448),
        ("face-recognition", "face-recognition@1.3", 128),
    ],
)
def test_each_name_opens_its_model(models, name, model_id, dimension):
    pipeline = open_pipeline(name, models)

    assert (pipeline.model_id, pipeline.dimension) == (model_id, dimension)
    assert pipeline.operating_curve.model_id == model_id
    assert len(pipeline.preprocessing_hash) == 64


def test_an_unknown_name_is_refused_with_the_names_there_are(models):
    with pytest.raises(ValueError, match="companion, light, registry, face-recognition"):
        open_pipeline("deep", models)


def test_observing_is_detecting_judging_and_embedding(companion, astronaut):
    (detected,) = companion.detect(astronaut, thorough=False)
    (face,) = companion.observe(astronaut, thorough=False)

    assert (face.box, face.landmarks, face.score) == (
        detected.box,
        detected.landmarks,
        detected.score,
    )
    assert face.quality.issues == ()
    assert face.embedding is not None
    assert face.embedding.shape == (320,)


@pytest.mark.parametrize("name", ["companion", "registry"])
def test_a_face_looked_at_once_is_the_same_person_but_not_the_same_numbers(models, name, astronaut):
    pipeline = open_pipeline(name, models)
    found = pipeline.detect(astronaut, thorough=False)
    (twice,), (once,) = (
        pipeline.describe(astronaut, found, mirrored=mirrored) for mirrored in (True, False)
    )

    assert 0.9 < similarity(twice.embedding, once.embedding) < 0.9999
    assert np.linalg.norm(once.embedding) == pytest.approx(1.0, abs=1e-6)


def test_a_model_without_mirrored_chips_knows_one_look_only(models, astronaut):
    light = open_pipeline("light", models)
    found = light.detect(astronaut, thorough=False)
    (twice,), (once,) = (
        light.describe(astronaut, found, mirrored=mirrored) for mirrored in (True, False)
    )

    np.testing.assert_array_equal(twice.embedding, once.embedding)


def test_faces_come_largest_first_each_with_its_own_embedding(companion, astronaut):
    canvas = np.full((560, 900, 3), 100, np.uint8)
    canvas[300:500, 20:220] = shrunk(astronaut, 200)
    canvas[24:536, 320:832] = astronaut[:, ::-1]

    large, small = companion.observe(as_pixels(canvas), thorough=False)

    (alone,) = companion.observe(astronaut, thorough=False)
    assert large.box.w > 2 * small.box.w
    assert similarity(large.embedding, alone.embedding) > 0.95
    assert similarity(small.embedding, alone.embedding) > 0.8


def test_a_face_below_the_identifiable_size_is_present_without_an_embedding(companion, astronaut):
    canvas = np.full((400, 400, 3), 100, np.uint8)
    canvas[100:180, 100:180] = shrunk(astronaut, 80)

    (face,) = companion.observe(as_pixels(canvas), thorough=False)

    assert face.embedding is None
    assert "too_small" in face.quality.issues


def test_identifiable_and_unidentifiable_faces_are_not_mixed_up(companion, astronaut):
    canvas = np.full((560, 900, 3), 100, np.uint8)
    canvas[24:536, 20:532] = astronaut
    canvas[300:380, 700:780] = shrunk(astronaut, 80)

    large, tiny = companion.observe(as_pixels(canvas), thorough=True)

    assert large.embedding is not None
    assert tiny.embedding is None


def test_a_picture_without_a_face_has_no_faces(companion):
    assert companion.observe(as_pixels(np.zeros((80, 90, 3), np.uint8)), thorough=True) == ()


def test_no_representation_shows_an_embedding(companion, astronaut):
    (face,) = companion.observe(astronaut, thorough=False)
    digits = {f"{abs(value):.6f}"[:7] for value in face.embedding[:40] if abs(value) > 1e-3}

    shown = repr(face) + str(face) + f"{face}" + repr([face])

    assert "embedding" not in shown
    assert not [value for value in digits if value in shown]


def test_eight_threads_observe_what_one_observes(companion, astronaut):
    pictures = [
        as_pixels(np.ascontiguousarray(astronaut[:, i * 8 : 400 + i * 8])) for i in range(8)
    ]
    expected = [companion.observe(picture, thorough=False) for picture in pictures]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda each: companion.observe(each, thorough=False), pictures))

    for one, other in zip(expected, found, strict=True):
        assert [face.box for face in one] == [face.box for face in other]
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a.embedding, b.embedding)


def test_a_turned_picture_gives_the_same_embedding(companion, astronaut):
    (upright,) = companion.observe(astronaut, thorough=False)

    for turns in (1, 2, 3):
        (turned,) = companion.observe(as_pixels(np.rot90(astronaut, turns)), thorough=True)
        assert similarity(upright.embedding, turned.embedding) > 0.95


def test_missing_models_are_named_when_first_needed(tmp_path, astronaut):
    pipeline = open_pipeline("companion", ModelStore(tmp_path, threads=1))

    with pytest.raises(ModelUnavailable, match="run: consentry models build"):
        pipeline.observe(astronaut, thorough=False)


def test_importing_the_room_loads_no_engine():
    code = (
        "import sys, consentry.faces.pipeline, consentry.faces.reference; "
        "sys.exit(bool({'onnxruntime', 'dlib', 'face_recognition'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
