"""How small may a face be and still be known? Behind `consentry.faces.quality.IDENTIFIABLE_EYE_PX`.

Photos are shrunk until the eyes are so far apart, laid on a larger picture, found, embedded whatever their size, and
compared with all other photos of the set as they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from consentry.evaluation.comparisons import compare, ticks
from consentry.evaluation.measuring import SeenSet, points, sample
from consentry.evaluation.observation import Observation, Outcome, as_row, from_row
from consentry.evaluation.observing import Engine, Progress, central, in_parallel, read_photo
from consentry.evaluation.rates import Rate, wilson
from consentry.evaluation.work import Key, WorkFolder
from consentry.faces.embed import FusedEmbedder
from consentry.faces.quality import eye_distance_px
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Pixels, as_pixels

EYE_SIZES_PX = (5, 6, 8, 10, 12, 14, 16, 20, 24, 32)
_PROBES = 60
_SEED = 20261121
_CANVAS_PX = 640
_GREY = 120
_FMRS = ("1e-4", "1e-3", "1e-2")


@dataclass(frozen=True, slots=True)
class SizeRow:
    """What became of faces of one size.

    Attributes:
        eye_px: Distance of the eyes in pixels of the picture.
        found: Of all probes.
        missed: Mated pairs below the threshold, of those found.
        matched: Non-mated pairs at or above it.
    """

    eye_px: int
    found: Rate
    missed: Rate
    matched: Rate


@dataclass(frozen=True, slots=True)
class SizeTable:
    """All sizes, for one model.

    Attributes:
        model_id: The model.
        fmr: Name of the false match rate of the threshold, on all pairs at full size.
        threshold: In ticks.
        probes: How many photos were shrunk.
        rows: One for each size.
    """

    model_id: str
    fmr: str
    threshold: int
    probes: int
    rows: tuple[SizeRow, ...]


def measure_sizes(
    seen: SeenSet,
    engine: Engine,
    models: ModelStore,
    work: WorkFolder,
    progress: Progress,
    *,
    workers: int,
) -> SizeTable | None:
    """Shrink photos step by step; None when the pairs support no threshold, or the engine has no parts.

    Raises:
        ModelUnavailable: If a model file is missing or not the pinned one.
        StorageFailed: If the work folder cannot be written.
    """
    if engine.recipe is None:
        return None
    whole = sample(seen, engine.model_id, list(range(len(seen.seen))))
    pairs = compare(sample(seen, engine.model_id, [0] * len(seen.seen)))
    known = points(pairs.non_mated(), pairs.mated(), 0)
    fmr, point = next(((f, p) for f in _FMRS if (p := known[f]) is not None), ("", None))
    if point is None:
        return None
    counts = np.bincount(whole.subjects)
    several = np.flatnonzero(counts[whole.subjects] > 1)
    probes = np.random.default_rng(_SEED).permutation(several)[:_PROBES]
    embedder = FusedEmbedder(engine.recipe, models)
    shrinker = _Shrinker(seen, engine, embedder, work)
    jobs = [(int(whole.groups[probe]), eye_px) for eye_px in EYE_SIZES_PX for probe in probes]
    found = dict(
        zip(
            jobs,
            in_parallel(lambda job: shrinker.look(*job), jobs, progress, workers=workers),
            strict=True,
        )
    )
    rows = []
    for eye_px in EYE_SIZES_PX:
        kept = [
            (int(probe), row)
            for probe in probes
            if (row := found[int(whole.groups[probe]), eye_px].embedding) is not None
        ]
        rows.append(
            _counted(eye_px, kept, whole.rows, whole.subjects, point.threshold, len(probes))
        )
    return SizeTable(engine.model_id, fmr, point.threshold, len(probes), tuple(rows))


class _Shrinker:
    def __init__(
        self, seen: SeenSet, engine: Engine, embedder: FusedEmbedder, work: WorkFolder
    ) -> None:
        self._seen, self._engine, self._embedder, self._work = seen, engine, embedder, work

    def look(self, number: int, eye_px: int) -> Observation:
        photo = self._seen.photos.photos[number]
        digest = hashlib.sha256(photo.path.read_bytes()).hexdigest()
        key = Key(f"{digest} eyes {eye_px}", self._engine.fingerprint)
        row = self._work.get(key)
        kept = None if row is None else from_row(row)
        if kept is None:
            kept = self._seen_small(number, eye_px)
            self._work.put(key, as_row(kept))
        return kept

    def _seen_small(self, number: int, eye_px: int) -> Observation:
        face = self._seen.seen[number].by_model[self._engine.model_id].face
        if face is None:
            return Observation(Outcome.NO_FACE)
        pixels = read_photo(self._seen.photos.photos[number].path)
        small = _on_canvas(pixels, eye_px / eye_distance_px(face.landmarks))
        seen = central(self._engine.pipeline.detect(small, thorough=True), small)
        if seen is None:
            return Observation(Outcome.NO_FACE)
        (embedding,) = self._embedder.embed(small, [seen.landmarks])
        return Observation(Outcome.EMBEDDED, seen, embedding)


def _on_canvas(pixels: Pixels, factor: float) -> Pixels:
    """Shrink a photo and lay it on a plain picture, so that the detector sees small faces as small."""
    width, height = (max(8, round(side * factor)) for side in pixels.shape[1::-1])
    small = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
    canvas = Image.new("RGB", (_CANVAS_PX, _CANVAS_PX), (_GREY, _GREY, _GREY))
    canvas.paste(small, ((_CANVAS_PX - width) // 2, (_CANVAS_PX - height) // 2))
    return as_pixels(np.array(canvas))


def _counted(
    eye_px: int,
    kept: Sequence[tuple[int, np.ndarray[tuple[int], np.dtype[np.float32]]]],
    rows: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    subjects: np.ndarray[tuple[int], np.dtype[np.int64]],
    threshold: int,
    probes: int,
) -> SizeRow:
    if not kept:
        return SizeRow(eye_px, wilson(0, probes), wilson(0, 0), wilson(0, 0))
    places = np.array([place for place, _ in kept])
    scores = ticks(np.stack([row for _, row in kept]) @ rows.T)
    is_mated = subjects[places][:, None] == subjects[None]
    non_mated = scores[~is_mated]
    is_mated[np.arange(len(places)), places] = False
    mated = scores[is_mated]
    return SizeRow(
        eye_px,
        wilson(len(kept), probes),
        wilson(int((mated < threshold).sum()), len(mated)),
        wilson(int((non_mated >= threshold).sum()), len(non_mated)),
    )
