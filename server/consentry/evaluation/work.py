"""The work folder: what was seen so far, so that a run that was stopped goes on.

    OUT/work/observations.jsonl    one line a photo and model, appended as it is made

It holds embeddings of the people on the photos, in the clear: the folder is 0700 and the file 0600, and both go
when the run is done. A line names its photo by the SHA-256 of the file, never by path, and the model by what it
was made with, so that a line of another model, or of changed code, is passed over. A line that a crash cut off is too.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self, TypedDict, cast

import numpy as np

from consentry.faces.detect import DetectedFace, Landmarks
from consentry.kernel.biometrics import Box, Embedding, as_embedding
from consentry.kernel.errors import StorageFailed

_FILE = "observations.jsonl"
_OWNER_ONLY = 0o600
_OWNER_ONLY_FOLDER = 0o700


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
    embedding: Embedding | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """What an observation is of: the photo's SHA-256 and the model's fingerprint, both hexadecimal."""

    photo: str
    engine: str


class WorkFolder:
    """Observations on disk and in memory. Thread-safe: ``_lock`` guards the file and the dictionary.

    Raises:
        StorageFailed: If the folder cannot be made or written.
    """

    def __init__(self, folder: Path, *, fresh: bool) -> None:
        self._folder = folder
        self._path = folder / _FILE
        self._lock = Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY_FOLDER)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if fresh else 0)
            self._file = os.fdopen(os.open(self._path, flags, _OWNER_ONLY), "r+b")
            self._path.chmod(_OWNER_ONLY)
            self._seen = dict(_read(self._file.read()))
            # The next line must not be joined to one that was cut off.
            self._file.write(b"\n")
        except OSError as cause:
            raise StorageFailed(
                f"the work folder cannot be written ({cause.strerror}); choose another with --work"
            ) from cause

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        """Close the file, and leave it."""
        self._file.close()

    def __len__(self) -> int:
        """Return how many observations there are."""
        with self._lock:
            return len(self._seen)

    def get(self, key: Key) -> Observation | None:
        """Return what was seen before, if anything."""
        with self._lock:
            return self._seen.get(key)

    def put(self, key: Key, observation: Observation) -> None:
        """Keep an observation; it outlives the process from here on.

        Raises:
            StorageFailed: If it cannot be written.
        """
        line = json.dumps(_row(key, observation), separators=(",", ":")).encode() + b"\n"
        with self._lock:
            try:
                self._file.write(line)
                self._file.flush()
            except OSError as cause:
                raise StorageFailed(
                    f"the work folder cannot be written ({cause.strerror}); make room, and go on"
                ) from cause
            self._seen[key] = observation

    def delete(self) -> None:
        """Delete what the folder held, and the folder if nothing else is in it."""
        self._file.close()
        self._path.unlink(missing_ok=True)
        if not any(self._folder.iterdir()):
            self._folder.rmdir()


class _Row(TypedDict):
    """An observation as the file holds it."""

    photo: str
    engine: str
    outcome: str
    error: str
    box: tuple[float, float, float, float] | None
    landmarks: Landmarks | None
    score: float | None
    embedding: str | None


def _row(key: Key, observation: Observation) -> _Row:
    face, embedding = observation.face, observation.embedding
    text = None
    if embedding is not None:
        text = base64.b64encode(embedding.astype("<f4").tobytes()).decode()
    return {
        "photo": key.photo,
        "engine": key.engine,
        "outcome": observation.outcome.value,
        "error": observation.error,
        "box": None if face is None else (face.box.x, face.box.y, face.box.w, face.box.h),
        "landmarks": None if face is None else face.landmarks,
        "score": None if face is None else face.score,
        "embedding": text,
    }


def _read(data: bytes) -> Iterator[tuple[Key, Observation]]:
    for line in data.splitlines():
        try:
            row = cast("_Row", json.loads(line))
            yield Key(row["photo"], row["engine"]), _observation(row)
        except (ValueError, KeyError, TypeError):
            # Cut off by a crash, or damaged: the photo is looked at again.
            continue


def _observation(row: _Row) -> Observation:
    face, embedding = None, None
    box, points, score = row["box"], row["landmarks"], row["score"]
    if box is not None and points is not None and score is not None:
        first, second, nose, third, fourth = ((float(x), float(y)) for x, y in points)
        face = DetectedFace(Box(*box), (first, second, nose, third, fourth), score)
    if (text := row["embedding"]) is not None:
        values = np.frombuffer(base64.b64decode(text, validate=True), "<f4")
        embedding = as_embedding(values.astype(np.float32))
    return Observation(Outcome(row["outcome"]), face, embedding, row["error"])
