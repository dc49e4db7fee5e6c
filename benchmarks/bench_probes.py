"""Faces looked at once, compared with references looked at twice: what it costs and whether it errs more.

    python benchmarks/bench_probes.py DIR [DIR ...]

References always have the mirrored chip's embedding added, where their model has that; faces of a
picture that is only told about (`inform`) do not. Both against the same references of the same
photos, at the thresholds that ship: FMR and FNMR over all pairs of a set, and time to embed. A folder
is laid out as `consentry evaluate` reads it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from consentry.evaluation.folders import PhotoSet, read_folder
from consentry.evaluation.observing import central, read_photo
from consentry.faces.curve import measured_curve
from consentry.faces.detect import Detector
from consentry.faces.embed import RECIPES, EmbeddingModel, FusedEmbedder
from consentry.inference.sessions import ModelStore
from consentry.settings import load_settings

_MODELS = (EmbeddingModel.COMPANION, EmbeddingModel.REGISTRY)
_RATES = (1e-2, 1e-3, 1e-4)

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Seen:
    """The faces of one set: whose, and their embeddings looked at twice and once, row for row."""

    subjects: npt.NDArray[np.str_]
    twice: Rows
    once: Rows
    twice_ms: float
    once_ms: float


def seen(photos: PhotoSet, detector: Detector, embedder: FusedEmbedder) -> Seen:
    """Embed the face in the middle of each photo both ways, in turns."""
    subjects: list[str] = []
    rows: dict[bool, list[Rows]] = {True: [], False: []}
    took: dict[bool, list[float]] = {True: [], False: []}
    for photo in photos.photos:
        pixels = read_photo(photo.path)
        face = central(detector.detect(pixels, thorough=False), pixels)
        if face is None:
            continue
        subjects.append(photo.subject)
        for mirrored in (True, False):
            began = time.perf_counter()
            (row,) = embedder.embed(pixels, [face.landmarks], mirrored=mirrored)
            took[mirrored].append(1e3 * (time.perf_counter() - began))
            rows[mirrored].append(row)
    return Seen(
        np.array(subjects),
        np.stack(rows[True]),
        np.stack(rows[False]),
        statistics.median(took[True]),
        statistics.median(took[False]),
    )


def print_rates(model: EmbeddingModel, faces: Seen) -> None:
    """Print both error rates of both ways at each threshold."""
    mated = faces.subjects[:, None] == faces.subjects[None]
    others = ~np.eye(len(mated), dtype=bool)
    pairs = mated & others
    print(
        f"{model.value}: {np.count_nonzero(~mated):,} non-mated, {np.count_nonzero(pairs):,} mated "
        f"comparisons; {faces.twice_ms:.1f} ms twice, {faces.once_ms:.1f} ms once"
    )
    for rate in _RATES:
        threshold = measured_curve(RECIPES[model].model_id).at_fmr(rate).threshold
        said = []
        for name, rows in (("twice", faces.twice), ("once", faces.once)):
            scores = rows @ faces.twice.T
            fmr = np.mean(scores[~mated] >= threshold)
            fnmr = 100 * np.mean(scores[pairs] < threshold) if pairs.any() else float("nan")
            said.append(f"{name} FMR {fmr:.2e} FNMR {fnmr:.2f} %")
        print(f"  {threshold:.4f} (FMR {rate:.0e}): {'; '.join(said)}")


def main() -> None:
    """Print a table for each set."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR")
    asked = parser.parse_args()
    settings = load_settings()
    models = ModelStore(settings.models_dir, settings.engine_threads or 2)
    detector = Detector(models)
    for folder in asked.folders:
        photos = read_folder(folder)
        for model in _MODELS:
            print(photos.name, end=", ", flush=True)
            print_rates(model, seen(photos, detector, FusedEmbedder(RECIPES[model], models)))


if __name__ == "__main__":
    main()
