from __future__ import annotations

import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from consentry.faces import reference
from consentry.faces.pipeline import open_pipeline
from consentry.kernel.biometrics import as_pixels, similarity
from consentry.kernel.errors import ModelUnavailable


@pytest.fixture(scope="module")
def engine(models):
    return open_pipeline("face-recognition", models)


@pytest.fixture(scope="module")
def portrait(astronaut):
    """Head and shoulders: below, the detector takes the suit's emblem for a face."""
    return as_pixels(astronaut[:300, 60:360])


def test_the_face_is_found_with_landmarks_in_the_order_of_the_other_engine(
    engine, companion, portrait
):
    (found,) = engine.detect(portrait, thorough=False)
    (other,) = companion.detect(portrait, thorough=False)

    assert np.abs(np.array(found.landmarks) - np.array(other.landmarks)).max() < 10
    assert found.score == 1


def test_embeddings_are_those_of_the_package_normalised(engine, portrait):
    (face,) = engine.observe(portrait, thorough=False)

    with reference._PROCESS_LOCK:
        (expected,) = reference.engine().face_encodings(portrait)
    np.testing.assert_allclose(face.embedding, expected / np.linalg.norm(expected), atol=1e-6)


def test_large_pictures_are_bounded_and_map_back(engine, portrait):
    large = as_pixels(np.pad(portrait, ((0, 1900), (200, 1500), (0, 0))))

    (face,) = engine.detect(large, thorough=True)
    (alone,) = engine.detect(portrait, thorough=False)

    assert np.abs(np.array(face.landmarks) - np.array(alone.landmarks) - (200, 0)).max() < 6


def test_threads_wait_for_one_another_and_get_the_same_numbers(engine, portrait):
    (expected,) = engine.observe(portrait, thorough=False)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: engine.observe(portrait, thorough=False), range(4)))

    assert all(similarity(face.embedding, expected.embedding) > 1 - 1e-6 for (face,) in found)


def test_a_picture_without_a_face_has_no_faces(engine):
    assert engine.observe(as_pixels(np.zeros((80, 90, 3), np.uint8)), thorough=False) == ()


def test_loading_the_package_warns_nobody():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reference.engine.__wrapped__()


@pytest.mark.parametrize("missing", ["face_recognition", "dlib"])
def test_a_missing_package_is_a_named_error(monkeypatch, missing):
    for name in list(sys.modules):
        if name.split(".")[0] == "face_recognition":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(ModelUnavailable, match=r"requirements/run\.lock"):
        reference.engine.__wrapped__()


def test_a_package_that_gives_up_while_importing_does_not_end_the_process(monkeypatch, capsys):
    for name in list(sys.modules):
        if name.split(".")[0] == "face_recognition":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "face_recognition_models", None)

    with pytest.raises(ModelUnavailable, match=r"requirements/run\.lock"):
        reference.engine.__wrapped__()
