from __future__ import annotations

import json
from importlib import resources

import numpy as np
import pytest
from consentry.faces.curve import measured_curve
from consentry.faces.embed import RECIPES, EmbeddingModel
from consentry.faces.unlock import PartRule, UnlockRule, part_name, unlock_rule
from consentry.kernel.biometrics import as_embedding
from consentry.kernel.ids import ModelId

RULE = UnlockRule(
    threshold=0.6,
    parts=(
        PartRule(start=0, stop=2, share=0.5, threshold=0.5),
        PartRule(start=2, stop=4, share=0.5, threshold=0.5),
    ),
)


def fused(first: float, second: float):
    """An embedding whose two networks have these cosines with `REFERENCE`."""
    halves = [(c, np.sqrt(1 - c * c)) for c in (first, second)]
    return as_embedding((np.array(halves).reshape(-1) * np.sqrt(0.5)).astype(np.float32))


REFERENCE = fused(1, 1)


@pytest.mark.parametrize(
    ("first", "second", "holds"),
    [
        (0.9, 0.9, True),
        (0.7, 0.501, True),
        (1.0, 0.49, False),  # the fused model is sure, one network is not
        (0.49, 1.0, False),
        (0.55, 0.55, False),  # both agree, the fused model is not sure
        (-1.0, -1.0, False),
    ],
)
def test_the_fused_model_and_both_networks_must_agree(first, second, holds):
    assert RULE.holds(fused(first, second), [REFERENCE]) == holds


def test_each_network_may_find_her_in_another_of_her_photos():
    probe = fused(1, 1)
    references = [fused(0.9, 0.5), fused(0.4, 0.9)]

    assert RULE.holds(probe, references)
    assert not RULE.holds(probe, [])


def test_one_network_alone_never_unlocks():
    alone = UnlockRule(threshold=0.1, parts=(PartRule(start=0, stop=4, share=1.0, threshold=0.1),))

    assert not alone.holds(REFERENCE, [REFERENCE])


@pytest.mark.parametrize("model", [EmbeddingModel.COMPANION, EmbeddingModel.REGISTRY])
def test_a_fused_model_unlocks_at_its_strictest_point_with_networks_measured_alone(model):
    recipe = RECIPES[model]
    rule = unlock_rule(recipe.model_id)

    assert rule is not None
    assert rule.threshold == measured_curve(recipe.model_id).points[-1].threshold
    assert [part.stop - part.start for part in rule.parts] == [p.dimension for p in recipe.parts]
    assert rule.parts[-1].stop == recipe.dimension


@pytest.mark.parametrize("model", [RECIPES[EmbeddingModel.LIGHT].model_id, "face-recognition@1.3"])
def test_a_model_of_one_network_has_no_rule(model):
    assert unlock_rule(ModelId(model)) is None


def test_every_network_of_every_model_was_measured_and_nothing_else():
    text = resources.files("consentry.faces").joinpath("part_points.json").read_text("utf-8")
    points = json.loads(text)["points"]

    assert set(points) == {part_name(part) for each in RECIPES.values() for part in each.parts}
    assert all(0 < point["fmr"] < 1e-4 for point in points.values())


def test_the_cosine_of_a_network_is_read_off_the_fused_embeddings():
    generator = np.random.default_rng(7)
    one, other = (
        [v / np.linalg.norm(v) for v in generator.standard_normal((2, 8))] for _ in range(2)
    )
    shares = (0.35, 0.65)
    a, b = (
        as_embedding(
            np.concatenate([np.sqrt(s) * v for s, v in zip(shares, each, strict=True)]).astype(
                np.float32
            )
        )
        for each in (one, other)
    )
    best = [float(np.dot(u, v)) for u, v in zip(one, other, strict=True)]
    rule = UnlockRule(
        threshold=-1.0,
        parts=(
            PartRule(start=0, stop=8, share=shares[0], threshold=best[0] - 1e-5),
            PartRule(start=8, stop=16, share=shares[1], threshold=best[1] - 1e-5),
        ),
    )
    stricter = UnlockRule(
        threshold=-1.0,
        parts=(
            rule.parts[0],
            PartRule(start=8, stop=16, share=shares[1], threshold=best[1] + 1e-5),
        ),
    )

    assert rule.holds(a, [b])
    assert not stricter.holds(a, [b])
