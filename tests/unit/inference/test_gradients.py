from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from consentry.faces.embed import RECIPES
from consentry.inference.gradients import Gradient
from consentry.inference.sessions import ModelStore

NETWORKS = sorted(
    {(part.network, part.template.side_px) for recipe in RECIPES.values() for part in recipe.parts}
)


@pytest.fixture(scope="module")
def models(models_dir: Path) -> ModelStore:
    return ModelStore(models_dir, threads=1)


@pytest.mark.parametrize(("network", "side"), NETWORKS, ids=[name for name, _ in NETWORKS])
def test_the_gradient_is_that_of_finite_differences(models, network, side):
    random = np.random.default_rng(5)
    gradient = Gradient(network, models)
    # Smooth as photos are, and nowhere flat: where two values tie, a maximum has no gradient.
    waves = random.normal(size=(2, 3, 4, 2))
    across = np.linspace(0, 3, side)
    inputs = sum(
        np.sin((k + 1) * across[:, None] + waves[..., k, 0, None, None] * 3)
        * np.cos((k + 1) * across + waves[..., k, 1, None, None] * 3)
        for k in range(4)
    )
    inputs = (0.2 * inputs + 0.05 * random.normal(size=inputs.shape)).astype(np.float32)
    width = models.session(network).run(inputs)[0].shape[1]
    direction = random.normal(size=(2, width)).astype(np.float32)

    embedding, found = gradient(inputs, direction)

    assert embedding == pytest.approx(models.session(network).run(inputs)[0], abs=1e-4)
    for _ in range(4):
        # A random half of the values, each in the sense of its gradient: a random step alone hardly changes anything.
        step = np.sign(found) * random.integers(0, 2, inputs.shape).astype(np.float32)
        h = np.float32(2e-4)
        ahead, behind = (models.session(network).run(inputs + s * h * step)[0] for s in (1, -1))
        measured = ((ahead - behind) * direction).sum(axis=1) / (2 * h)
        assert (found * step).sum(axis=(1, 2, 3)) == pytest.approx(measured, rel=0.03)


def test_each_picture_of_a_batch_has_its_own_gradient(models):
    network, side = NETWORKS[-1]
    random = np.random.default_rng(6)
    gradient = Gradient(network, models)
    inputs = random.normal(size=(2, 3, side, side)).astype(np.float32)
    width = models.session(network).run(inputs)[0].shape[1]
    direction = random.normal(size=(2, width)).astype(np.float32)

    _, both = gradient(inputs, direction)
    _, first = gradient(inputs[:1], direction[:1])

    assert both[:1] == pytest.approx(first, abs=1e-4 * float(np.abs(first).max()))


def test_an_operator_without_a_rule_is_refused(models):
    from consentry.inference.registry import ModelName

    with pytest.raises(ValueError, match="gradient of Sigmoid"):
        Gradient(ModelName.CENTERFACE, models)
