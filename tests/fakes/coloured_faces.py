"""A face pipeline for pictures in which a person is a coloured square of `SQUARE` pixels on gray.

The same colour is the same person: her embedding is drawn from the colour. `blend` makes somebody who is as like
another person as is asked for, so that thresholds can be tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from consentry.faces.curve import OperatingCurve
from consentry.faces.detect import DetectedFace
from consentry.faces.pipeline import Face
from consentry.faces.quality import Quality, QualityIssue
from consentry.kernel.biometrics import Box, Embedding, OperatingPoint, Pixels, as_embedding
from consentry.kernel.ids import ModelId
from PIL import Image

SQUARE = 32
DIMENSION = 16
GRAY = (128, 128, 128)
THRESHOLDS = {"possible": 0.5, "match": 0.7}

Colour = tuple[int, int, int]


class StepCurve(OperatingCurve):
    """Two thresholds: 0.5 for what may err more often than once in a thousand, 0.7 for the rest."""

    def __init__(self) -> None:
        pass

    def at_fmr(self, fmr: float) -> OperatingPoint:
        return _point(THRESHOLDS["possible"] if fmr >= 1e-2 else THRESHOLDS["match"])

    def for_identification(self, fpir: float, comparisons: int) -> OperatingPoint:
        return _point(THRESHOLDS["possible"] if fpir > 1e-3 else THRESHOLDS["match"])

    def most_comparisons(self, fpir: float) -> int:
        return 1000


def _point(threshold: float) -> OperatingPoint:
    return OperatingPoint(
        threshold=threshold,
        fmr=0.0,
        fnmr=0.0,
        model="colours@1",
        source="tests/fakes/coloured_faces.py",
    )


class ColouredFaces:
    """Implements what checks and enrolment ask of a face pipeline."""

    model_id = ModelId("colours@1")
    dimension = DIMENSION
    operating_curve = StepCurve()

    def __init__(self) -> None:
        self.looks = 0
        self.descriptions = 0
        self.mirrored: list[bool] = []
        self.blends: dict[Colour, Embedding] = {}
        self.small: set[Colour] = set()
        self.blurred: set[Colour] = set()
        self.failure: Exception | None = None

    def detect(self, pixels: Pixels, *, thorough: bool) -> tuple[DetectedFace, ...]:
        self.looks += 1
        if self.failure is not None:
            raise self.failure
        found = []
        for top in range(0, pixels.shape[0] - SQUARE + 1, SQUARE):
            for left in range(0, pixels.shape[1] - SQUARE + 1, SQUARE):
                if tuple(pixels[top + SQUARE // 2, left + SQUARE // 2]) != GRAY:
                    middle = (left + SQUARE / 2, top + SQUARE / 2)
                    found.append(DetectedFace(Box(left, top, SQUARE, SQUARE), (middle,) * 5, 0.9))
        return tuple(found)

    def describe(
        self, pixels: Pixels, detected: Sequence[DetectedFace], *, mirrored: bool = True
    ) -> tuple[Face, ...]:
        self.descriptions += 1
        self.mirrored.append(mirrored)
        return tuple(self._face(pixels, each) for each in detected)

    def observe(self, pixels: Pixels, *, thorough: bool) -> tuple[Face, ...]:
        return self.describe(pixels, self.detect(pixels, thorough=thorough))

    def embedding(self, colour: Colour) -> Embedding:
        if colour in self.blends:
            return self.blends[colour]
        seed = int.from_bytes(bytes(colour), "big")
        drawn = np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)
        return as_embedding(drawn / np.linalg.norm(drawn))

    def blend(self, colour: Colour, like: Colour, similarity: float) -> None:
        """Make ``colour`` a person whose similarity to ``like`` is exactly that."""
        toward = self.embedding(like)
        other = self.embedding((1, 2, 3))
        across = other - np.dot(other, toward) * toward
        across /= np.linalg.norm(across)
        mixed = similarity * toward + np.sqrt(1 - similarity**2) * across
        self.blends[colour] = as_embedding(mixed.astype(np.float32))

    def _face(self, pixels: Pixels, detected: DetectedFace) -> Face:
        x, y = detected.landmarks[0]
        red, green, blue = (int(v) for v in pixels[int(y), int(x)])
        colour = (red, green, blue)
        if colour in self.small:
            issues, score = (QualityIssue.TOO_SMALL,), 0.1
        elif colour in self.blurred:
            issues, score = (QualityIssue.BLURRED,), 0.1
        else:
            issues, score = (), 0.9
        return Face(
            box=detected.box,
            landmarks=detected.landmarks,
            score=detected.score,
            quality=Quality(score=score, issues=issues),
            embedding=None if colour in self.small else self.embedding(colour),
        )


def picture(*colours: Colour, columns: int = 4, image_format: str = "PNG") -> bytes:
    """Encode a picture of these people, in rows of ``columns``, with a gray margin below."""
    rows = max(1, -(-len(colours) // columns))
    image = Image.new("RGB", (columns * SQUARE, rows * SQUARE + SQUARE), GRAY)
    for place, colour in enumerate(colours):
        image.paste(
            Image.new("RGB", (SQUARE, SQUARE), colour),
            ((place % columns) * SQUARE, (place // columns) * SQUARE),
        )
    encoded = BytesIO()
    image.save(encoded, image_format)
    return encoded.getvalue()
