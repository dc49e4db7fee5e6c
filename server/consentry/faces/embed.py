"""Chips to embeddings: three models, each a list of parts.

A part is one network: its chip, its mean and divisor, and whether the mirrored chip is added. A
model is one part or several: the parts' embeddings, each scaled by the root of its weight, one
after the other. Their cosine is then the weighted mean of the parts' cosines, so a fused model is
just a model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from consentry.faces.align import ARCFACE_112, DLIB_150, Template, chip
from consentry.faces.detect import Landmarks
from consentry.inference.registry import MODEL_FILES, ModelName
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Embedding, Pixels, as_embedding
from consentry.kernel.ids import ModelId

Matrix = npt.NDArray[np.float32]


class EmbeddingModel(StrEnum):
    """The models that run in ONNX Runtime, by the names that settings use."""

    COMPANION = "companion"
    LIGHT = "light"
    REGISTRY = "registry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One network and how a chip is made ready for it.

    Attributes:
        network: Which network.
        dimension: Length of what it returns.
        template: How its chips are aligned.
        mean: Subtracted from red, green and blue, 0 to 255.
        divisor: Divided by, afterwards.
        adds_mirrored: Whether the embedding of the mirrored chip is added before normalising.
        weight: Its share of a fused model's cosine; the shares of a model add up to 1.
    """

    network: ModelName
    dimension: int
    template: Template
    mean: tuple[float, float, float]
    divisor: float
    adds_mirrored: bool
    weight: float


_MFN192 = Part(
    network=ModelName.MFN192,
    dimension=192,
    template=ARCFACE_112,
    mean=(127.5, 127.5, 127.5),
    divisor=128.0,
    adds_mirrored=True,
    weight=1.0,
)
_SFACE = Part(
    network=ModelName.SFACE,
    dimension=128,
    template=ARCFACE_112,
    mean=(127.5, 127.5, 127.5),
    divisor=128.0,
    adds_mirrored=False,
    weight=1.0,
)
_DLIB = Part(
    network=ModelName.DLIB_RESNET,
    dimension=128,
    template=DLIB_150,
    mean=(122.782, 117.001, 104.298),
    divisor=256.0,
    adds_mirrored=True,
    weight=1.0,
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A model: its identifier and its parts. A changed part is a changed version."""

    model_id: ModelId
    parts: tuple[Part, ...]

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return sum(part.dimension for part in self.parts)

    @property
    def preprocessing_hash(self) -> str:
        """SHA-256, hexadecimal, over every constant between the pixels and the embedding.

        Templates carry it: two embeddings with different hashes are never compared. The weights
        are in it by the hash of their source, not of the built file, which may be laid out anew
        for speed.
        """
        constants = [
            asdict(part) | {"weights": MODEL_FILES[part.network].source.sha256}
            for part in self.parts
        ]
        return hashlib.sha256(json.dumps(constants, sort_keys=True).encode()).hexdigest()


def _fused(model_id: str, shares: Sequence[tuple[Part, float]]) -> Recipe:
    return Recipe(ModelId(model_id), tuple(replace(part, weight=share) for part, share in shares))


RECIPES: dict[EmbeddingModel, Recipe] = {
    EmbeddingModel.COMPANION: _fused("mfn192+sface@1", [(_MFN192, 0.35), (_SFACE, 0.65)]),
    EmbeddingModel.LIGHT: Recipe(ModelId("sface@1"), (_SFACE,)),
    EmbeddingModel.REGISTRY: _fused(
        "dlib-resnet+mfn192+sface@1",
        [(_DLIB, 0.3), (_MFN192, 0.2), (replace(_SFACE, adds_mirrored=True), 0.5)],
    ),
}
"""The shares come from a coarse grid, chosen in sight of both halves of the photos (ADR 0013)."""


class Embedder:
    """One network. Any number of threads may use one embedder: it holds no state."""

    def __init__(self, part: Part, models: ModelStore) -> None:
        self.part = part
        self._mean = np.array(part.mean, np.float32)
        self._models = models

    def embed(self, one: Matrix, *, mirrored: bool) -> Matrix:
        """Embed one chip.

        Args:
            one: Shape ``(1, side, side, 3)``, RGB, 0 to 255, aligned to the part's template.
            mirrored: See `FusedEmbedder.embed`.

        Returns:
            Shape ``(dimension,)``, of L2 norm 1.

        Raises:
            ModelUnavailable: If the network's file is missing or not the pinned one.
        """
        session = self._models.session(self.part.network)
        ready = self.ready(one)
        if mirrored and self.part.adds_mirrored:
            ready = np.concatenate([ready, ready[..., ::-1]])
        row: Matrix = _normalised(session.run(ready)[0].sum(axis=0, keepdims=True))[0]
        return row

    def ready(self, chips: Matrix) -> Matrix:
        """Return chips as the network takes them: normalised, channels first."""
        values = (chips - self._mean) / np.float32(self.part.divisor)
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2), dtype=np.float32)


class FusedEmbedder:
    """One model. Any number of threads may use one embedder: it holds no state."""

    def __init__(self, recipe: Recipe, models: ModelStore) -> None:
        self.recipe = recipe
        self._parts = [Embedder(part, models) for part in recipe.parts]
        self._models = models

    def embed(
        self, pixels: Pixels, faces: Sequence[Landmarks], *, mirrored: bool = True
    ) -> list[Embedding]:
        """Embed every face of a picture.

        Args:
            pixels: Shape ``(height, width, 3)``, RGB.
            faces: The landmarks of each.
            mirrored: Whether parts that add the mirrored chip do so. What is kept always has it; a
                probe without it takes three quarters of the processor time and errs about as rarely at the
                same thresholds (docs/calibration/2026-11-probes.md).

        Returns:
            One embedding of the recipe's dimension for each face, in the same order.

        Raises:
            ModelUnavailable: If a network's file is missing or not the pinned one.
        """
        if not faces:
            return []
        chips = {
            template: np.stack([chip(pixels, face, template) for face in faces])
            for template in dict.fromkeys(embedder.part.template for embedder in self._parts)
        }

        # A run a face and network: larger ones are no quicker a face, and these keep every thread
        # busy to the end although one network costs twice as much as another.
        runs = [(embedder, i) for embedder in self._parts for i in range(len(faces))]

        def run(piece: tuple[Embedder, int]) -> Matrix:
            embedder, i = piece
            share = np.float32(np.sqrt(embedder.part.weight))
            one = chips[embedder.part.template][i : i + 1]
            return share * embedder.embed(one, mirrored=mirrored)

        rows = self._models.each(run, runs)
        columns = [np.stack(rows[i : i + len(faces)]) for i in range(0, len(rows), len(faces))]
        return [as_embedding(row) for row in _normalised(np.concatenate(columns, axis=1))]


def _normalised(rows: Matrix) -> Matrix:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
