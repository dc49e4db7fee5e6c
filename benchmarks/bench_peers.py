"""Beside other programs, in turns: face_recognition, deepface, numpy and faiss.

    python benchmarks/bench_peers.py [--faces DIR] [--rounds 5] [--rows 100000]

deepface and faiss-cpu are not among our dependencies. Where they are not installed, that is said and
they are left out; a copy somewhere else is used with PYTHONPATH. deepface downloads its weights when
it is first used, and is not let: it is timed only where they are in its folder already.
Start it with OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1, so that all have one thread; compared is
processor time, of all threads of this process.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import face_recognition
import numpy as np
from bench_detect import Picture
from bench_gallery import unit_rows
from consentry.faces.pipeline import open_pipeline
from consentry.gallery.flat import FlatIndex
from consentry.gallery.index import Batch
from consentry.imagery.decoding import decode
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import as_pixels
from consentry.kernel.ids import ModelId
from consentry.settings import load_settings
from stage import in_turns, median_ms, portraits, scenes

_MIN_SCORE = 0.5


def show(title: str, rounds: int, calls: dict[str, Callable[[], object]]) -> None:
    """Run in turns and print; ratios are to the first."""
    took = in_turns(rounds, calls)
    first = median_ms(next(iter(took.values())), cpu=True)
    print(f"\n{title} (medians of {rounds} rounds)")
    for name, each in took.items():
        cpu = median_ms(each, cpu=True)
        print(
            f"  {name:26} processor {cpu:9.2f} ms  {first / cpu:6.2f} x   wall {median_ms(each):9.2f} ms"
        )


def photos(people: list[Picture], rounds: int) -> None:
    """Detect, embed and the whole of a photo of one megapixel."""
    store = ModelStore(load_settings().models_dir, threads=1)
    pipeline = open_pipeline("companion", store)
    peer = deepface()
    for scene in (scenes(people, (count,), 1, seed=count)[0] for count in (1, 3, 6)):
        pixels = as_pixels(decode(scene.file).views[0])
        places = face_recognition.face_locations(pixels)
        faces = pipeline.detect(pixels, thorough=False)
        calls: dict[str, Callable[[], object]] = {
            "face_recognition": partial(face_recognition.face_locations, pixels),
            "ours": partial(pipeline.detect, pixels, thorough=False),
            "ours, thorough": partial(pipeline.detect, pixels, thorough=True),
        }
        show(f"{scene.title}: detect", rounds, calls)
        calls = {
            f"face_recognition, {len(places)}": partial(
                face_recognition.face_encodings, pixels, places
            ),
            f"ours, {len(faces)}": partial(pipeline.describe, pixels, faces),
        }
        show(f"{scene.title}: embed what each found", rounds, calls)
        calls = {
            "face_recognition": lambda pixels=pixels: face_recognition.face_encodings(
                pixels, face_recognition.face_locations(pixels)
            ),
            "ours": partial(pipeline.observe, pixels, thorough=False),
            "ours, thorough": partial(pipeline.observe, pixels, thorough=True),
        }
        for name, represent in peer.items():
            calls[name] = partial(represent, pixels)
        show(f"{scene.title}: whole", rounds, calls)


def deepface() -> dict[str, Callable[[Picture], object]]:
    """Deepface with its default and its fastest models, as far as they can run here."""
    if importlib.util.find_spec("deepface") is None:
        print("deepface: not installed, left out")
        return {}
    from deepface import DeepFace  # type: ignore[import-not-found]  # optional

    weights = Path(os.environ.get("DEEPFACE_HOME", Path.home())) / ".deepface" / "weights"
    wanted = {
        "VGG-Face": "vgg_face_weights.h5",
        "SFace": "face_recognition_sface_2021dec.onnx",
    }
    found = {}
    for model, file in wanted.items():
        if not (weights / file).exists():
            print(f"deepface {model}: its weights are not on this machine, left out")
            continue
        found[f"deepface {model}"] = partial(
            DeepFace.represent,
            model_name=model,
            detector_backend="opencv",
            enforce_detection=False,
        )
    return found


def galleries(rows: int, rounds: int) -> None:
    """Search beside numpy's product and faiss, exact all three."""
    for dimension in (192, 704):
        vectors = unit_rows(rows, dimension)
        index = FlatIndex(ModelId("bench@1"), dimension)
        index.load([Batch(range(1, rows + 1), vectors)], 0)
        peer = faiss_index(vectors)
        for batch in (1, 32):
            probes = np.ascontiguousarray(vectors[:batch])
            calls: dict[str, Callable[[], object]] = {
                "numpy, X @ q": lambda v=vectors, p=probes: v @ p.T,
                "ours": lambda i=index, p=probes: i.search(p, _MIN_SCORE, 0),
            }
            if peer is not None:
                calls["faiss, flat, best 10"] = lambda s=peer, p=probes: s(p, 10)
            show(f"Search {rows:,} x {dimension}, {batch} probes at once", rounds, calls)


def faiss_index(vectors: np.ndarray) -> Callable[..., object] | None:
    """The search of faiss' exact index, or None where it is not installed."""
    if importlib.util.find_spec("faiss") is None:
        print("faiss: not installed, left out")
        return None
    import faiss  # type: ignore[import-not-found]  # optional

    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    search: Callable[..., object] = index.search
    return search


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--faces", type=Path, help="labelled photos, a folder a person")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--only", choices=["photos", "galleries"])
    asked = parser.parse_args()
    if asked.only != "galleries":
        photos(portraits(asked.faces, 200), asked.rounds)
    if asked.only != "photos":
        galleries(asked.rows, asked.rounds)


if __name__ == "__main__":
    main()
