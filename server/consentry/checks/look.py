"""See what the machine sees in a picture: boxes, landmarks and quality; never an embedding, never who."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from consentry.faces.pipeline import Face
from consentry.imagery.decoding import decode
from consentry.imagery.limits import Limits
from consentry.kernel.biometrics import Pixels
from consentry.kernel.ids import ModelId


class FaceReader(Protocol):
    """What looking asks of a face pipeline (`consentry.faces.pipeline.FacePipeline`)."""

    @property
    def model_id(self) -> ModelId:
        """The embedding model."""

    def observe(self, pixels: Pixels, *, thorough: bool) -> tuple[Face, ...]:
        """Find and describe every face, largest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Faces of one picture.

    Attributes:
        width, height: Pixels of the upright picture that the boxes are in.
        faces: Of the first frame, largest first. Their embeddings stay in this process.
    """

    width: int
    height: int
    faces: Sequence[Face]


@dataclass(frozen=True, slots=True)
class LookAtFaces:
    """Find the faces in one picture."""

    faces: FaceReader
    limits: Limits

    def __call__(self, image: bytes) -> Look:
        """Decode, detect and rate.

        Raises:
            ImageError: If the picture is not read.
            ModelUnavailable: If a model file is missing.
        """
        decoded = decode(image, self.limits)
        return Look(
            width=decoded.width,
            height=decoded.height,
            faces=self.faces.observe(decoded.views[0], thorough=True),
        )
