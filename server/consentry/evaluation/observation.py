"""One photo, seen by one model; and how the work folder holds that."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

import numpy as np

from consentry.evaluation.work import JsonObject
from consentry.faces.detect import DetectedFace
from consentry.kernel.biometrics import Box, Embedding, as_embedding


class Outcome(StrEnum):
    """What became of one photo with one model."""

    EMBEDDED = "embedded"
    NO_FACE = "no_face"
    TOO_SMALL = "too_small"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Observation:
    """One photo, seen by one model.

    Attributes:
        outcome: Whether there is an embedding, and why not.
        face: The labelled face; None where none was found.
        embedding: Of that face.
        error: Code of the error (docs/errors.md) of a photo that was not read; else empty.
    """

    outcome: Outcome
    face: DetectedFace | None = None
    embedding: Embedding | None = field(default=None, repr=False)
    error: str = ""


def as_row(observation: Observation) -> JsonObject:
    """Return an observation as the work folder holds it."""
    face, embedding = observation.face, observation.embedding
    text = None
    if embedding is not None:
        text = base64.b64encode(embedding.astype("<f4").tobytes()).decode()
    return {
        "outcome": observation.outcome.value,
        "error": observation.error,
        "box": None if face is None else [face.box.x, face.box.y, face.box.w, face.box.h],
        "landmarks": None if face is None else [[x, y] for x, y in face.landmarks],
        "score": None if face is None else face.score,
        "embedding": text,
    }


def from_row(row: JsonObject) -> Observation | None:
    """Return the observation that a row holds; None for a damaged one."""
    try:
        return _observation(row)
    except (ValueError, KeyError, TypeError):
        return None


def _observation(row: JsonObject) -> Observation:
    face, embedding = None, None
    if row["box"] is not None:
        box = cast("list[float]", row["box"])
        points = cast("list[tuple[float, float]]", row["landmarks"])
        first, second, nose, third, fourth = ((float(x), float(y)) for x, y in points)
        score = cast("float", row["score"])
        face = DetectedFace(Box(*box), (first, second, nose, third, fourth), score)
    if isinstance(text := row["embedding"], str):
        values = np.frombuffer(base64.b64decode(text, validate=True), "<f4")
        embedding = as_embedding(values.astype(np.float32))
    return Observation(Outcome(str(row["outcome"])), face, embedding, str(row["error"]))
