"""The cancelable transform: cosines kept, seeds unlinkable, the same for ever."""

from __future__ import annotations

import numpy as np
import pytest
from consentry.vault.transform import CancelableTransform

FROZEN = np.array(
    [
        [-0.17452589, -0.94266695, 0.27724528, -0.06367719],
        [0.08397257, 0.26068804, 0.95820838, 0.08262578],
        [0.20847693, 0.04321279, 0.05409691, -0.97557342],
        [-0.95865881, 0.20384656, 0.04522433, -0.19332524],
    ]
)
SEED, OTHER_SEED = bytes(range(32)), bytes(range(1, 33))


def faces(identities: int, samples: int, dimension: int, spread: float = 0.5):
    """Unit vectors in clusters, as embeddings of several photos of several people are."""
    draw = np.random.default_rng(11)
    centres = draw.normal(size=(identities, 1, dimension))
    cloud = centres + spread * draw.normal(size=(identities, samples, dimension))
    unit = cloud / np.linalg.norm(cloud, axis=2, keepdims=True)
    return unit.reshape(-1, dimension).astype(np.float32)


@pytest.mark.parametrize("dimension", [1, 2, 3, 192, 704])
def test_cosines_are_kept(dimension):
    vectors = faces(12, 3, dimension)

    moved = CancelableTransform(SEED, dimension).apply(vectors)

    assert moved.dtype == np.float32
    assert moved.flags.c_contiguous
    assert np.abs(moved @ moved.T - vectors @ vectors.T).max() < 1e-6


def test_the_matrix_is_orthogonal():
    rotation = CancelableTransform(SEED, 192)._rotation.astype(np.float64)

    assert np.abs(rotation @ rotation.T - np.eye(192)).max() < 1e-7


def test_one_seed_gives_the_same_transform_for_ever():
    """Frozen on 2026-11-21: a change here strands every stored projection."""
    moved = CancelableTransform(SEED, 4).apply(np.eye(4, dtype=np.float32))

    assert np.allclose(moved, FROZEN, atol=1e-6)


def test_seeds_and_dimensions_have_transforms_of_their_own():
    one, other = (CancelableTransform(seed, 64)._rotation for seed in (SEED, OTHER_SEED))
    assert np.abs(one - other).max() > 0.1

    corner = CancelableTransform(SEED, 65)._rotation[:64, :64]
    assert np.abs(one - corner).max() > 0.1


def test_across_seeds_the_same_face_is_as_unlike_as_any_two():
    """ISO/IEC 24745 unlinkability: mated cross-seed scores against non-mated ones."""
    vectors = faces(400, 1, 192)
    here = CancelableTransform(SEED, 192).apply(vectors)
    there = CancelableTransform(OTHER_SEED, 192).apply(vectors)
    scores = here @ there.T
    mated = np.diagonal(scores)
    non_mated = scores[~np.eye(len(scores), dtype=bool)]

    grid = np.sort(np.concatenate([mated, non_mated[:4000]]))
    distance = np.abs(
        np.searchsorted(np.sort(mated), grid, side="right") / mated.size
        - np.searchsorted(np.sort(non_mated), grid, side="right") / non_mated.size
    ).max()
    # Kolmogorov-Smirnov at 400 samples: 1.63 / sqrt(400) is the 1 % point.
    assert distance < 1.63 / np.sqrt(mated.size)
    assert np.abs(mated).max() < 0.4


def test_within_a_seed_the_same_face_is_still_found():
    vectors = faces(50, 2, 192)
    moved = CancelableTransform(SEED, 192).apply(vectors)
    scores = moved @ moved.T
    np.fill_diagonal(scores, -1.0)

    assert (scores.argmax(axis=1) // 2 == np.arange(len(vectors)) // 2).all()


def test_a_new_seed_cancels_a_leaked_gallery():
    vectors = faces(50, 1, 192)
    leaked = CancelableTransform(SEED, 192).apply(vectors)
    renewed = CancelableTransform(OTHER_SEED, 192).apply(vectors)

    assert (leaked @ renewed.T).max() < 0.4


def test_deviates_are_standard_normal():
    from consentry.vault.transform import _normal_deviates

    deviates = _normal_deviates(SEED, 200_001, 7)

    assert deviates.size == 200_001
    assert np.isfinite(deviates).all()
    assert abs(deviates.mean()) < 0.01
    assert abs(deviates.std() - 1.0) < 0.01
    assert abs(np.mean(np.abs(deviates) < 1.0) - 0.6827) < 0.005


def test_an_empty_matrix_stays_empty():
    empty = np.zeros((0, 8), dtype=np.float32)

    assert CancelableTransform(SEED, 8).apply(empty).shape == (0, 8)


@pytest.mark.parametrize(
    "matrix",
    [np.zeros((2, 8)), np.zeros(8, np.float32), np.zeros((2, 9), np.float32)],
    ids=["float64", "vector", "other-dimension"],
)
def test_other_forms_are_refused(matrix):
    with pytest.raises(ValueError, match="rows are"):
        CancelableTransform(SEED, 8).apply(matrix)


@pytest.mark.parametrize(("seed", "dimension"), [(SEED[:31], 8), (SEED, 0), (SEED, 5000)])
def test_bad_seeds_and_dimensions_are_refused(seed, dimension):
    with pytest.raises(ValueError, match=r"seed|dimension"):
        CancelableTransform(seed, dimension)


def test_a_transform_shows_nothing_and_is_not_written_to():
    transform = CancelableTransform(SEED, 8)

    assert repr(transform) == "CancelableTransform(<8 dimensions>)"
    with pytest.raises(ValueError, match="read-only"):
        transform._rotation[0, 0] = 0.0
