"""The way from pixels to embeddings, and the engines that go it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from consentry.faces.curve import OperatingCurve, measured_curve
from consentry.faces.detect import DetectedFace, Detector, Landmarks
from consentry.faces.embed import RECIPES, EmbeddingModel, FusedEmbedder, Recipe
from consentry.faces.quality import Quality, assess, is_identifiable
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Box, Embedding, Pixels
from consentry.kernel.ids import ModelId

REFERENCE_MODEL = "face-recognition"
"""The name of the engine in `reference`, beside those of `EmbeddingModel`."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a picture.

    Attributes:
        box: In pixels of the picture; may reach beyond it where the face is cut off.
        landmarks: In the same pixels.
        score: How sure the detector is, 0 to 1.
        quality: How good the face is for recognition.
        embedding: None when the face is present but too small to be identified. Never shown by
            ``repr``.
    """

    box: Box
    landmarks: Landmarks
    score: float
    quality: Quality
    embedding: Embedding | None = field(repr=False)


class FacePipeline(Protocol):
    """Pixels to faces. Every implementation may be used from any number of threads at once."""

    @property
    def model_id(self) -> ModelId:
        """The model that the embeddings belong to."""

    @property
    def dimension(self) -> int:
        """Length of an embedding."""

    @property
    def preprocessing_hash(self) -> str:
        """SHA-256, hexadecimal, over every constant between the pixels and an embedding."""

    @property
    def operating_curve(self) -> OperatingCurve:
        """What was measured for the model."""

    def detect(self, pixels: Pixels, *, thorough: bool) -> tuple[DetectedFace, ...]:
        """Find every face, largest first.

        Args:
            pixels: Shape ``(height, width, 3)``, RGB.
            thorough: Look longer: at small, turned and frame-filling faces too.

        Raises:
            ModelUnavailable: If a model file is missing or not the pinned one.
        """

    def describe(
        self, pixels: Pixels, found: Sequence[DetectedFace], *, mirrored: bool = True
    ) -> tuple[Face, ...]:
        """Judge and embed faces that `detect` found in the same pixels, in their order.

        Args:
            pixels: Shape ``(height, width, 3)``, RGB.
            found: Faces of these pixels.
            mirrored: Whether mirrored chips count, too, where the model has them: always for what
                is kept; a probe may do without.

        Raises:
            ModelUnavailable: If a model file is missing or not the pinned one.
        """

    def observe(self, pixels: Pixels, *, thorough: bool) -> tuple[Face, ...]:
        """Find, judge and embed every face, largest first: `detect`, then `describe`.

        Args:
            pixels: Shape ``(height, width, 3)``, RGB.
            thorough: Look longer: at small, turned and frame-filling faces too.

        Raises:
            ModelUnavailable: If a model file is missing or not the pinned one.
        """


class NeuralPipeline:
    """CenterFace, and a model of `embed`. Holds no state, so it needs no lock."""

    def __init__(self, recipe: Recipe, models: ModelStore) -> None:
        self._recipe = recipe
        self._detector = Detector(models)
        self._embedder = FusedEmbedder(recipe, models)

    @property
    def model_id(self) -> ModelId:
        """The model that the embeddings belong to."""
        return self._recipe.model_id

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return self._recipe.dimension

    @property
    def preprocessing_hash(self) -> str:
        """SHA-256, hexadecimal, over every constant between the pixels and an embedding."""
        return self._recipe.preprocessing_hash

    @property
    def operating_curve(self) -> OperatingCurve:
        """What was measured for the model."""
        return measured_curve(self._recipe.model_id)

    def detect(self, pixels: Pixels, *, thorough: bool) -> tuple[DetectedFace, ...]:
        """Find every face, largest first. See `FacePipeline`."""
        return self._detector.detect(pixels, thorough=thorough)

    def observe(self, pixels: Pixels, *, thorough: bool) -> tuple[Face, ...]:
        """Find, judge and embed every face, largest first. See `FacePipeline`."""
        return self.describe(pixels, self.detect(pixels, thorough=thorough))

    def describe(
        self, pixels: Pixels, found: Sequence[DetectedFace], *, mirrored: bool = True
    ) -> tuple[Face, ...]:
        """Judge and embed faces that `detect` found. See `FacePipeline`."""
        known = [face.landmarks for face in found if is_identifiable(face.landmarks)]
        embeddings = iter(self._embedder.embed(pixels, known, mirrored=mirrored))
        return tuple(
            Face(
                box=face.box,
                landmarks=face.landmarks,
                score=face.score,
                quality=assess(pixels, face),
                embedding=next(embeddings) if is_identifiable(face.landmarks) else None,
            )
            for face in found
        )


def open_pipeline(model: str, models: ModelStore) -> FacePipeline:
    """Return the engine by that name: ``companion``, ``light``, ``registry`` or ``face-recognition``.

    Loads nothing yet: networks are loaded when first used.

    Raises:
        ValueError: If there is no model by that name.
    """
    if model == REFERENCE_MODEL:
        from consentry.faces.reference import ReferencePipeline

        return ReferencePipeline()
    if model not in set(EmbeddingModel):
        names = ", ".join([*EmbeddingModel, REFERENCE_MODEL])
        raise ValueError(f"there is no model of that name; the models are {names}")
    return NeuralPipeline(RECIPES[EmbeddingModel(model)], models)
