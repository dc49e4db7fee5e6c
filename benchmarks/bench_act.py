"""A whole photo of one megapixel: a check with everything on, beside face_recognition, in turns.

    python benchmarks/bench_act.py [--faces DIR] [--rounds 5] [--templates 10000]

    act               read the prompt and the text in it, decode, detect at all turns, embed, search, decide, sign, keep
    inform            decode, detect, embed, search, decide: a picture in a feed, nothing is asked
    face_recognition  load_image_file, face_locations, face_encodings: it neither searches nor decides

Checks run through the real services, in a home that is thrown away, with random templates of as many
subjects enrolled. Faces of 30 to 240 px are pasted into photographs; DIR is a folder of folders of
photos, one a person, as LFW is laid out. Without it one public-domain portrait is pasted.
`CONSENTRY_ENGINE_THREADS=1` gives both sides one thread where the machine has more than two cores.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

# As the program has it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import face_recognition
from bench_detect import Square
from consentry.checks.check import CheckImages, CheckResult
from consentry.imagery.decoding import decode
from consentry.kernel.taxonomy import Mode
from stage import PROMPT, Scene, filled_home, in_turns, median_ms, portraits, request, scenes

_COUNTS = (0, 1, 3, 6)
_TARGETS = {"act": 3.0, "inform": 6.0}


@dataclass
class Watched:
    """Stands before a part of a check and adds up the time of its calls."""

    part: object
    title: str
    seconds: defaultdict[str, float] = field(repr=False)

    def __getattr__(self, name: str) -> object:
        """Pass everything on; a call is timed."""
        found = getattr(self.part, name)
        if not callable(found):
            return found

        def call(*given: object, **named: object) -> object:
            began = time.process_time()
            try:
                return found(*given, **named)
            finally:
                self.seconds[f"{self.title}.{name}"] += time.process_time() - began

        return call


def theirs(file: bytes) -> list[Square]:
    """All that face_recognition does for a photo."""
    pixels = face_recognition.load_image_file(io.BytesIO(file))
    places = face_recognition.face_locations(pixels)
    face_recognition.face_encodings(pixels, places)
    return [
        Square((left + right) / 2, (top + bottom) / 2, float(bottom - top))
        for top, right, bottom, left in places
    ]


def ours(check: CheckImages, mode: Mode, file: bytes) -> CheckResult:
    """One check."""
    return check(request(file, mode, PROMPT if mode is Mode.ACT else None))


def found_by(result: CheckResult) -> list[Square]:
    """Where the faces are that a check found."""
    return [
        Square(face.box.x + face.box.w / 2, face.box.y + face.box.h / 2, face.long_side)
        for face in result.images[0].faces
    ]


def compare(check: CheckImages, photos: list[Scene], rounds: int) -> None:
    """Print times and found faces for photos of the same number of faces."""
    walls: dict[str, list[float]] = defaultdict(list)
    cpus: dict[str, list[float]] = defaultdict(list)
    found: dict[str, int] = defaultdict(int)
    extra: dict[str, int] = defaultdict(int)
    for photo in photos:
        calls: dict[str, Callable[[], object]] = {
            "face_recognition": partial(theirs, photo.file),
            "inform": partial(ours, check, Mode.INFORM, photo.file),
            "act": partial(ours, check, Mode.ACT, photo.file),
        }
        seen = {
            "face_recognition": theirs(photo.file),
            "inform": found_by(ours(check, Mode.INFORM, photo.file)),
            "act": found_by(ours(check, Mode.ACT, photo.file)),
        }
        for name, took in in_turns(rounds, calls).items():
            walls[name].append(median_ms(took))
            cpus[name].append(median_ms(took, cpu=True))
            hits = sum(face.is_found(seen[name]) for face in photo.placed)
            found[name] += hits
            extra[name] += len(seen[name]) - hits
    pasted = sum(len(photo.placed) for photo in photos)
    print(f"\n{photos[0].title} a photo, {len(photos)} photos (medians of {rounds} rounds each)")
    of = statistics.median
    for name, each in walls.items():
        wall, cpu = of(each), of(cpus[name])
        ratio = of(a / b for a, b in zip(walls["face_recognition"], each, strict=True))
        by_cpu = of(a / b for a, b in zip(cpus["face_recognition"], cpus[name], strict=True))
        target = f"  (target {_TARGETS[name]:.0f} x)" if name in _TARGETS else ""
        print(
            f"  {name:17} {wall:7.0f} ms, processor {cpu:7.0f} ms; {ratio:5.1f} x, by processor "
            f"{by_cpu:5.1f} x{target}; found {found[name]} of {pasted}, {extra[name]} elsewhere"
        )


def explain(check: CheckImages, photos: list[Scene], rounds: int) -> None:
    """Print where the processor time of a check goes, in the mean over all photos."""
    for mode in (Mode.INFORM, Mode.ACT):
        seconds: defaultdict[str, float] = defaultdict(float)
        parts = ("faces", "persons", "text", "gallery", "intent", "consents", "signer", "receipts")
        watched = replace(
            check,
            **{name: Watched(getattr(check, name), name, seconds) for name in parts},  # type: ignore[arg-type]
        )
        whole = 0.0
        for photo in photos * rounds:
            began = time.process_time()
            ours(watched, mode, photo.file)
            whole += time.process_time() - began
            began = time.process_time()
            decode(photo.file, check.limits)
            seconds["decode"] += time.process_time() - began
        runs = len(photos) * rounds
        print(
            f"\nWhere {mode.value} spends its processor time: {1e3 * whole / runs:.1f} ms a check"
        )
        seconds["rest"] = whole - sum(seconds.values())
        for title, each in sorted(seconds.items(), key=lambda item: -item[1]):
            if each / whole > 0.002:
                print(f"  {title:22} {1e3 * each / runs:7.1f} ms  {100 * each / whole:4.1f} %")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--faces", type=Path, help="labelled photos, a folder a person")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--photos", type=int, default=3, help="for each number of faces")
    parser.add_argument("--templates", type=int, default=10_000)
    asked = parser.parse_args()
    people = portraits(asked.faces, 200)
    with filled_home(asked.templates) as home:
        check = home.services.check
        print(f"{home.services.gallery.size():,} templates of {check.faces.model_id}")
        every = []
        for count in _COUNTS:
            photos = scenes(people, (count,), asked.photos, seed=count)
            compare(check, photos, asked.rounds)
            every += photos
        explain(check, every, asked.rounds)


if __name__ == "__main__":
    main()
