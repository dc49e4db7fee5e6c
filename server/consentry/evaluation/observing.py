"""The observation stage: every photo through every model, on several threads, each face once.

The labelled face of a photo is the one nearest its middle, larger ones preferred. A file that is no readable picture
is counted and passed over. Models that share a detector share one look.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from consentry import __version__
from consentry.evaluation.folders import Photo
from consentry.evaluation.observation import Observation, Outcome, as_row, from_row
from consentry.evaluation.work import Key, WorkFolder
from consentry.faces.detect import DetectedFace
from consentry.faces.embed import RECIPES, EmbeddingModel, Part, Recipe
from consentry.faces.pipeline import REFERENCE_MODEL, FacePipeline, open_pipeline
from consentry.imagery.decoding import decode
from consentry.imagery.limits import Limits
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Embedding, Pixels, as_embedding
from consentry.kernel.errors import CorruptImage, ImageError

Job = TypeVar("Job")
Result = TypeVar("Result")

Progress = Callable[[str, float], None]
"""Called with what is done and the fraction of it that is done, 0 to 1."""

# A refused photo of a data set is lost, while a door may ask for a smaller one.
_LIMITS = Limits(max_bytes=200 * 1024 * 1024)


@dataclass(frozen=True, slots=True)
class Engine:
    """A model that is measured.

    Attributes:
        model_id: The model.
        pipeline: The way from pixels to its embeddings.
        fingerprint: SHA-256, hexadecimal, over all that its observations depend on.
        detector: Engines with the same one share a look.
        recipe: Its parts; None for an engine that has none.
    """

    model_id: str
    pipeline: FacePipeline
    fingerprint: str
    detector: str
    recipe: Recipe | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One photo and what each model saw.

    Attributes:
        photo: The photo.
        by_model: One observation for each model.
    """

    photo: Photo
    by_model: dict[str, Observation] = field(repr=False)


def open_engines(names: Sequence[str], models: ModelStore) -> list[Engine]:
    """Open models by the names that settings use. Loads nothing yet.

    Raises:
        ValueError: If there is no model by one of the names.
    """
    return [_engine(name, open_pipeline(name, models)) for name in dict.fromkeys(names)]


def _engine(name: str, pipeline: FacePipeline) -> Engine:
    is_reference = name == REFERENCE_MODEL
    text = f"{pipeline.model_id} {pipeline.preprocessing_hash} {__version__} "
    code = _code(("reference.py",) if is_reference else None)
    fingerprint = hashlib.sha256((text + code).encode()).hexdigest()
    if is_reference:
        return Engine(str(pipeline.model_id), pipeline, fingerprint, REFERENCE_MODEL)
    recipe = RECIPES[EmbeddingModel(name)]
    return Engine(str(pipeline.model_id), pipeline, fingerprint, "", recipe)


def _code(names: Sequence[str] | None) -> str:
    """Hash the code between a file and an embedding: what it made is used again only while it stays the same."""
    digest = hashlib.sha256()
    package = resources.files("consentry")
    for module in sorted((package / "faces").iterdir(), key=lambda entry: entry.name):
        if module.name.endswith(".py") and (names is None or module.name in names):
            digest.update(module.read_bytes())
    for name in ("decoding.py", "views.py"):
        digest.update((package / "imagery" / name).read_bytes())
    return digest.hexdigest()


def central(faces: Iterable[DetectedFace], pixels: Pixels) -> DetectedFace | None:
    """Choose the labelled face: the one nearest the middle, larger ones preferred."""
    height, width = pixels.shape[:2]

    def distance(face: DetectedFace) -> float:
        box = face.box
        return math.hypot(box.x + box.w / 2 - width / 2, box.y + box.h / 2 - height / 2) - box.w / 4

    return min(faces, key=distance, default=None)


def read_photo(path: Path) -> Pixels:
    """Decode a photo as every door does.

    Raises:
        ImageError: If it is not read.
    """
    return _decoded(_bytes(path))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as cause:
        raise CorruptImage(f"the file cannot be read ({cause.strerror})") from cause


def _decoded(data: bytes) -> Pixels:
    return decode(data, _LIMITS).views[0]


def observe(
    photos: Sequence[Photo],
    engines: Sequence[Engine],
    work: WorkFolder,
    progress: Progress,
    *,
    workers: int,
) -> list[Seen]:
    """Look at every photo with every model; what the work folder has is not looked at again.

    Args:
        photos: Any number.
        engines: The models.
        work: Where observations are kept as they are made.
        progress: Told after each photo.
        workers: Threads, at least 1. At most twice as many photos are in memory.

    Raises:
        ModelUnavailable: If a model file is missing or not the pinned one.
        StorageFailed: If the work folder cannot be written.
    """

    def look(photo: Photo) -> Seen:
        return Seen(photo, _look(photo, engines, work))

    return in_parallel(look, photos, progress, workers=workers)


def in_parallel(
    work: Callable[[Job], Result], jobs: Sequence[Job], progress: Progress, *, workers: int
) -> list[Result]:
    """Do jobs on several threads, a bounded number at once; results in the order of the jobs.

    The first failure, or Ctrl-C, is raised when the jobs that have begun are done.
    """
    results: dict[int, Result] = {}
    waiting = iter(enumerate(jobs))
    running: dict[Future[Result], int] = {}
    with ThreadPoolExecutor(workers) as pool:
        while True:
            for number, job in islice(waiting, 2 * workers - len(running)):
                running[pool.submit(work, job)] = number
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                results[running.pop(future)] = future.result()
            progress(f"{len(results)} of {len(jobs)}", len(results) / len(jobs))
    return [results[number] for number in range(len(jobs))]


def _look(photo: Photo, engines: Sequence[Engine], work: WorkFolder) -> dict[str, Observation]:
    try:
        data = _bytes(photo.path)
    except ImageError as error:
        return {e.model_id: Observation(Outcome.UNREADABLE, error=error.code) for e in engines}
    digest = hashlib.sha256(data).hexdigest()
    keys = {engine.model_id: Key(digest, engine.fingerprint) for engine in engines}
    found = {model: seen for model, key in keys.items() if (seen := _kept(work, key)) is not None}
    missing = [engine for engine in engines if engine.model_id not in found]
    if missing:
        made = _observations(data, missing)
        for model, observation in made.items():
            work.put(keys[model], as_row(observation))
        found |= made
    return found


def _kept(work: WorkFolder, key: Key) -> Observation | None:
    row = work.get(key)
    return None if row is None else from_row(row)


def _observations(data: bytes, engines: Sequence[Engine]) -> dict[str, Observation]:
    try:
        pixels = _decoded(data)
    except ImageError as error:
        return {e.model_id: Observation(Outcome.UNREADABLE, error=error.code) for e in engines}
    made = {}
    for alike in by_detector(engines):
        face = central(alike[0].pipeline.detect(pixels, thorough=False), pixels)
        rows = embed(alike, pixels, [] if face is None else [face])
        for engine in alike:
            (row,) = rows[engine.model_id] or (None,)
            made[engine.model_id] = _described(row, face)
    return made


def by_detector(engines: Sequence[Engine]) -> list[list[Engine]]:
    """Return the engines in groups that share a look."""
    return [
        [engine for engine in engines if engine.detector == name]
        for name in dict.fromkeys(engine.detector for engine in engines)
    ]


def _described(embedding: Embedding | None, face: DetectedFace | None) -> Observation:
    if face is None:
        return Observation(Outcome.NO_FACE)
    if embedding is None:
        return Observation(Outcome.TOO_SMALL, face)
    return Observation(Outcome.EMBEDDED, face, embedding)


def embed(
    engines: Sequence[Engine], pixels: Pixels, faces: Sequence[DetectedFace]
) -> dict[str, list[Embedding | None]]:
    """Embed faces with several models; a model whose parts another has is cut out of that one's embedding.

    Args:
        engines: Models that share a detector.
        pixels: The photo.
        faces: As the detector found them there.

    Returns:
        For each model one embedding for each face; None for a face that is too small.
    """
    found: dict[str, list[Embedding | None]] = {}
    done: list[Engine] = []
    for engine in sorted(engines, key=lambda each: -len(each.recipe.parts if each.recipe else ())):
        source = next((each for each in done if _places(engine, each) is not None), None)
        if source is None:
            described = engine.pipeline.describe(pixels, faces)
            found[engine.model_id] = [face.embedding for face in described]
            done.append(engine)
        else:
            places = _places(engine, source) or []
            found[engine.model_id] = [
                None if row is None else _cut(row, places) for row in found[source.model_id]
            ]
    return found


def _places(engine: Engine, source: Engine) -> list[tuple[slice, float]] | None:
    """Return where the parts of one model lie in another's embedding, with their shares; None if one is not there."""
    if engine.recipe is None or source.recipe is None:
        return None
    where: dict[Part, slice] = {}
    start = 0
    for part in source.recipe.parts:
        where[replace(part, weight=1.0)] = slice(start, start + part.dimension)
        start += part.dimension
    found = []
    for part in engine.recipe.parts:
        place = where.get(replace(part, weight=1.0))
        if place is None:
            return None
        found.append((place, part.weight))
    return found


def _cut(row: Embedding, places: Sequence[tuple[slice, float]]) -> Embedding:
    parts = [
        np.float32(math.sqrt(share)) * row[place] / np.linalg.norm(row[place])
        for place, share in places
    ]
    joined = np.concatenate(parts)
    return as_embedding((joined / np.linalg.norm(joined)).astype(np.float32))
