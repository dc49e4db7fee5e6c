"""Faces, side by side with face_recognition in one run: chips, detection, whole photos.

    python benchmarks/bench_faces.py [--models-dir DIR] [--runs N]

Each pair is measured in turns, so that other work on the machine slows both alike. Trust the ratios.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from consentry.faces.align import ARCFACE_112, DLIB_150, chip
from consentry.faces.detect import Detector
from consentry.faces.embed import RECIPES, Embedder, EmbeddingModel, FusedEmbedder
from consentry.faces.pipeline import REFERENCE_MODEL, open_pipeline
from consentry.faces.reference import engine
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Pixels, as_pixels
from PIL import Image
from skimage import data

Work = Callable[[], object]


def milliseconds(work: Work) -> float:
    """Time one run."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def compare(title: str, runs: int, rows: dict[str, Work]) -> None:
    """Run all rows in turns; print medians, and ratios to the first."""
    for work in rows.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(runs):
        for name, work in rows.items():
            times[name].append(milliseconds(work))
    print(f"\n{title} (median of {runs})")
    first = statistics.median(next(iter(times.values())))
    for name, values in times.items():
        median = statistics.median(values)
        print(f"  {name:24} {median:9.1f} ms   {first / median:5.1f} x")


def photo(side: int) -> Pixels:
    """The astronaut, at another size."""
    whole = Image.fromarray(data.astronaut())  # type: ignore[no-untyped-call]  # skimage has no types
    return as_pixels(np.asarray(whole.resize((side, side), Image.Resampling.BICUBIC)))


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--models-dir", type=Path, default=Path.home() / ".cache" / "consentry" / "models"
    )
    parser.add_argument("--runs", type=int, default=9)
    arguments = parser.parse_args()
    runs: int = arguments.runs
    one = ModelStore(arguments.models_dir, threads=1)
    detector = Detector(one)
    dlib_engine = engine()

    picture = photo(512)
    landmarks = detector.detect(picture, thorough=False)[0].landmarks
    large = chip(picture, landmarks, DLIB_150)[None]
    small = chip(picture, landmarks, ARCFACE_112)[None]
    large_bytes = large[0].round().astype(np.uint8)
    sessions: dict[str, Work] = {}
    for part in RECIPES[EmbeddingModel.REGISTRY].parts:
        ready = Embedder(part, one).ready(large if part.template is DLIB_150 else small)
        sessions[part.network] = partial(one.session(part.network).run, ready)
    encode = partial(dlib_engine.api.face_encoder.compute_face_descriptor, large_bytes)
    compare(
        "One aligned chip, not mirrored, one thread", runs, {REFERENCE_MODEL: encode} | sessions
    )

    embedders: dict[str, Work] = {
        name: partial(FusedEmbedder(RECIPES[name], one).embed, picture, [landmarks])
        for name in EmbeddingModel
    }
    encode = partial(dlib_engine.face_encodings, picture, [(76, 265, 166, 175)])
    compare(
        "One face, one thread: cut its chips, embed", runs, {REFERENCE_MODEL: encode} | embedders
    )

    for side in (256, 512, 1024):
        scene = photo(side)
        rows: dict[str, Work] = {
            REFERENCE_MODEL: partial(dlib_engine.face_locations, scene),
            "centerface": partial(detector.detect, scene, thorough=False),
            "centerface, thorough": partial(detector.detect, scene, thorough=True),
        }
        compare(f"Detect, {side} x {side}, one thread", runs, rows)

    both = ModelStore(arguments.models_dir, threads=2)
    for side in (512, 1024):
        scene = photo(side)
        whole: dict[str, Work] = {
            name: partial(open_pipeline(name, both).observe, scene, thorough=False)
            for name in (REFERENCE_MODEL, *EmbeddingModel)
        }
        compare(f"Whole photo, {side} x {side}, two threads: detect, judge, embed", runs, whole)


if __name__ == "__main__":
    main()
