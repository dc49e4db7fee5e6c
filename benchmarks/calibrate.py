"""Measures the operating curves and writes the report.

    python benchmarks/calibrate.py DIR [--models-dir DIR] [--without-reference]

``DIR`` holds labelled faces: ``faces-lfw-dev/NAME/*.jpg``, ``faces-congress-pd/*.jpg`` (one photo a person)
and ``faces-cfp-dev/NUMBER/{frontal,profile}/*.jpg``. Writes ``server/consentry/faces/operating_curves.json`` and
``docs/calibration/2026-11-lfw-dev.md``. No name and no picture goes into either.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from consentry.faces.align import ARCFACE_112
from consentry.faces.detect import DetectedFace, Detector
from consentry.faces.embed import RECIPES, EmbeddingModel, FusedEmbedder
from consentry.faces.pipeline import REFERENCE_MODEL, Face, open_pipeline
from consentry.faces.quality import IDENTIFIABLE_EYE_PX, eye_distance_px
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Embedding, Pixels, as_pixels
from PIL import Image

ROOT = Path(__file__).parents[1]
REPORT = "docs/calibration/2026-11-lfw-dev.md"
CURVES = ROOT / "server" / "consentry" / "faces" / "operating_curves.json"
# A rate is only given where it rests on this many false matches.
FEWEST_FALSE_MATCHES = 5
TARGETS = tuple(
    round(step * 10.0**-power, 9)
    for power in (2, 3, 4, 5)
    for step in (1, 0.7, 0.5, 0.3, 0.2, 0.15)
)
EYE_SIZES_PX = (5, 6, 8, 10, 12, 14, 16, 20, 24, 32)
SIZE_PROBES = 160
SEED = 20261121

INTRODUCTION = """\
# Calibration on labelled photos, November 2026

Written by `python benchmarks/calibrate.py DIR`; do not edit. The curves in
`server/consentry/faces/operating_curves.json` are from the same run.

- **Data.** {photos} photos of {people} adults from Labeled Faces in the Wild (news photos, deep-funneled), and
  {portraits} official portraits of as many members of the United States Congress. Several people are in both
  sets, so no pair goes across them. Several groups of people are barely in either set: these rates promise
  nothing for them.
- **Protocol.** All pairs within one half of the identities choose each threshold; all pairs within the other
  half score it. Per half: {non_mated[0]:,} and {non_mated[1]:,} non-mated pairs, {mated[0]} and {mated[1]}
  mated pairs. An operating point carries the larger of the two halves' rates. A threshold is given only where
  {fewest} false matches or more of the calibrating half stand behind it: below that, nothing is promised.
- **Intervals.** FMR: Wilson, 95 %. FNMR: bootstrap over subjects, 95 %. Pairs of the same photos depend on one
  another, so the FMR intervals are somewhat too narrow.
- **What these rates may flatter.** Neither MobileFaceNet's package says what it was trained on, so people of
  these sets may have been among it; then their rates are too good. dlib's author says that he kept the
  identities of LFW out.
- **What was chosen on these same photos, by both halves.** That pixels outside a picture are black (repeating
  the edge was tried on CFP and was worse); the identifiable size; the detector's scores and the limits of
  quality. Shares of 0.5, 0.6 and 0.7 for the 192-D part, and three for the fused model, were compared on LFW
  and CFP: the differences were small, and the equal shares that were there before were kept. Only the
  thresholds were chosen on one half and scored on the other.
- Similarity is cosine; FMR and FNMR are fractions of comparisons, of faces that were found (ISO/IEC 19795-1).
"""

WORST_SUBJECTS = """\
## The subjects it serves worst

At the point of FMR 1e-3, scoring half: mean over subjects, the worst tenth of them, the single worst, how many
have no error at all, and how many are in any false match.

| model | mean FNMR | worst tenth | worst | without error | in a false match |
|---|---|---|---|---|---|"""

HARD_SET = """\
## A hard set: tight crops, frontal and profile

{photos} crops of {people} people (CFP), not used for any threshold (but see above), at the point of FMR 1e-3 above.

| model | no face | FNMR, frontal pairs | FMR | FNMR, frontal against profile | FMR |
|---|---|---|---|---|---|"""

SIZES = """\
## The identifiable size

{probes} photos, shrunk and laid on a larger canvas, against all others at full size, with `{model}` at the
point of FMR 1e-4. Eyes are measured in pixels of the picture, as if the face looked straight ahead
({template_px:.1f} px in a 112-pixel chip); the whole face is about twice as wide. A face is called identifiable
from {limit_px:.0f} px (`IDENTIFIABLE_EYE_PX`): the smallest size at which more than half of the pairs are still
matched. The last column shows whether small faces are taken for others more often.
"""

TURNED = """\
## Turned pictures

{probes} photos, turned by quarter turns, in a thorough look: is the labelled face found where it is, and are
there more faces than in the upright picture?
"""

Scores = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Found = TypeVar("Found", DetectedFace, Face)


@dataclass(frozen=True, slots=True)
class Photo:
    """One labelled photo. ``embeddings`` lacks the models that found no face."""

    path: Path
    subject: str
    is_frontal: bool
    face: DetectedFace | None
    embeddings: dict[str, Embedding]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Scores of all pairs of one set; ``is_mated`` says which are of one person."""

    scores: Scores
    is_mated: Flags
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]

    @property
    def mated(self) -> Scores:
        """Scores of pairs of one person."""
        return self.scores[self.is_mated]

    @property
    def non_mated(self) -> Scores:
        """Scores of pairs of two people."""
        return self.scores[~self.is_mated]


def read(path: Path) -> Pixels:
    """Decode one photo."""
    with Image.open(path) as image:
        return as_pixels(np.asarray(image.convert("RGB")))


def central(faces: Iterable[Found], pixels: Pixels) -> Found | None:
    """Choose the labelled face: the one nearest the middle, larger ones preferred."""
    height, width = pixels.shape[:2]

    def distance(face: Found) -> float:
        box = face.box
        return math.hypot(box.x + box.w / 2 - width / 2, box.y + box.h / 2 - height / 2) - box.w / 4

    return min(faces, key=distance, default=None)


class Observer:
    """Detects once and embeds with every model."""

    def __init__(self, models: ModelStore, *, with_reference: bool) -> None:
        self._detector = Detector(models)
        self._embedders = [FusedEmbedder(RECIPES[name], models) for name in EmbeddingModel]
        self._reference = open_pipeline(REFERENCE_MODEL, models) if with_reference else None

    def __call__(self, path: Path, subject: str, *, is_frontal: bool = True) -> Photo:
        """Observe one photo."""
        pixels = read(path)
        face = central(self._detector.detect(pixels, thorough=False), pixels)
        embeddings: dict[str, Embedding] = {}
        if face is not None:
            for embedder in self._embedders:
                (embeddings[embedder.recipe.model_id],) = embedder.embed(pixels, [face.landmarks])
        if self._reference is not None:
            seen = self._reference.observe(pixels, thorough=False)
            chosen = central(seen, pixels)
            if chosen is not None and chosen.embedding is not None:
                embeddings[self._reference.model_id] = chosen.embedding
        return Photo(path, subject, is_frontal, face, embeddings)


def half(subject: str) -> int:
    """Which half of the identities a subject belongs to: 0 calibrates, 1 scores."""
    return hashlib.sha256(subject.encode()).digest()[0] & 1


def pairs(photos: Sequence[Photo], model: str) -> Pairs:
    """Compare every photo with every other."""
    known = [photo for photo in photos if model in photo.embeddings]
    rows = np.stack([photo.embeddings[model] for photo in known])
    subjects = np.array([photo.subject for photo in known])
    first, second = np.triu_indices(len(known), 1)
    scores = (rows @ rows.T)[first, second]
    return Pairs(scores, subjects[first] == subjects[second], first, second)


def wilson(errors: int, count: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a rate (Wilson's score)."""
    if count == 0:
        return (0.0, 1.0)
    z, rate = 1.96, errors / count
    middle = (rate + z**2 / (2 * count)) / (1 + z**2 / count)
    spread = z * math.sqrt(rate * (1 - rate) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return (max(0.0, middle - spread), min(1.0, middle + spread))


def by_subject(photos: Sequence[Photo], model: str, threshold: float) -> dict[str, list[bool]]:
    """For each subject, whether each of her mated pairs was missed."""
    known = [photo for photo in photos if model in photo.embeddings]
    found = pairs(photos, model)
    missed: dict[str, list[bool]] = defaultdict(list)
    for i in np.flatnonzero(found.is_mated):
        missed[known[found.first[i]].subject].append(bool(found.scores[i] < threshold))
    return missed


def bootstrap(missed: dict[str, list[bool]]) -> tuple[float, float]:
    """95 % interval of FNMR, drawing subjects (not pairs, which depend on one another) with replacement."""
    random = np.random.default_rng(SEED)
    errors = np.array([sum(each) for each in missed.values()])
    counts = np.array([len(each) for each in missed.values()])
    drawn = random.integers(0, len(counts), (2000, len(counts)))
    rates = errors[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(rates, [2.5, 97.5])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a curve, with the counts behind it."""

    threshold: float
    false_matches: tuple[int, int]  # in the calibrating and in the scoring half
    non_mated: tuple[int, int]
    false_non_matches: tuple[int, int]
    mated: tuple[int, int]
    fnmr_interval: tuple[float, float]

    @property
    def fmr(self) -> float:
        """The larger of the two halves' rates."""
        return max(a / b for a, b in zip(self.false_matches, self.non_mated, strict=True))

    @property
    def fnmr(self) -> float:
        """The larger of the two halves' rates."""
        return max(a / b for a, b in zip(self.false_non_matches, self.mated, strict=True))


def curve(lfw: Sequence[Photo], congress: Sequence[Photo], model: str) -> list[Row]:
    """Choose thresholds on one half of the identities, and count errors on both."""
    mated: list[Scores] = []
    non_mated: list[Scores] = []
    for which in (0, 1):
        own = pairs([photo for photo in lfw if half(photo.subject) == which], model)
        others = pairs([photo for photo in congress if half(photo.subject) == which], model)
        mated.append(own.mated)
        # Never across the two sets: several people are in both.
        non_mated.append(np.sort(np.concatenate([own.non_mated, others.non_mated]))[::-1])
    scoring = [photo for photo in lfw if half(photo.subject) == 1]
    rows = []
    for target in TARGETS:
        wanted = int(target * len(non_mated[0]))
        if wanted < FEWEST_FALSE_MATCHES:
            break
        # Just above the first score that must not match any more, to four places, upwards.
        threshold = math.floor(float(non_mated[0][wanted]) * 1e4 + 1) / 1e4
        matches = [int((scores >= threshold).sum()) for scores in non_mated]
        misses = [int((scores < threshold).sum()) for scores in mated]
        rows.append(
            Row(
                threshold,
                (matches[0], matches[1]),
                (len(non_mated[0]), len(non_mated[1])),
                (misses[0], misses[1]),
                (len(mated[0]), len(mated[1])),
                bootstrap(by_subject(scoring, model, threshold)),
            )
        )
    return rows


def falling(rows: Sequence[Row]) -> list[Row]:
    """Keep the rows whose false match rate falls as the threshold rises."""
    kept: list[Row] = []
    for row in rows:
        if not kept or (row.threshold > kept[-1].threshold and row.fmr < kept[-1].fmr):
            kept.append(row)
    return kept


def nearest(rows: Sequence[Row], fmr: float) -> Row:
    """Return the loosest row with at most that false match rate, or the strictest."""
    return next((row for row in rows if row.fmr <= fmr), rows[-1])


def percent(rate: float) -> str:
    """Write a rate for people."""
    return f"{100 * rate:.2f} %"


def curve_table(rows: Sequence[Row]) -> list[str]:
    """Write one model's table."""
    lines = [
        (
            "| threshold | FMR, calibrating half | FMR, scoring half (95 %) | FNMR, calibrating half | "
            "FNMR, scoring half (95 %, by subject) |"
        ),
        "|---|---|---|---|---|",
    ]
    for row in rows:
        low, high = wilson(row.false_matches[1], row.non_mated[1])
        lines.append(
            f"| {row.threshold:.4f} | {row.false_matches[0] / row.non_mated[0]:.1e} "
            f"| {row.false_matches[1] / row.non_mated[1]:.1e} ({low:.1e} to {high:.1e}) "
            f"| {percent(row.false_non_matches[0] / row.mated[0])} "
            f"| {percent(row.false_non_matches[1] / row.mated[1])} "
            f"({percent(row.fnmr_interval[0])} to {percent(row.fnmr_interval[1])}) |"
        )
    return lines


def worst_subjects(lfw: Sequence[Photo], model: str, row: Row) -> str:
    """Say how unevenly the errors fall."""
    scoring = [photo for photo in lfw if half(photo.subject) == 1]
    missed = by_subject(scoring, model, row.threshold)
    rates = sorted((sum(each) / len(each) for each in missed.values()), reverse=True)
    decile = rates[: max(1, len(rates) // 10)]
    known = [photo for photo in scoring if model in photo.embeddings]
    found = pairs(scoring, model)
    wrong = np.flatnonzero(~found.is_mated & (found.scores >= row.threshold))
    touched = {known[i].subject for i in found.first[wrong]} | {
        known[i].subject for i in found.second[wrong]
    }
    return (
        f"| `{model}` | {percent(sum(rates) / len(rates))} | {percent(sum(decile) / len(decile))} | "
        f"{percent(rates[0])} | {sum(rate == 0 for rate in rates)} of {len(rates)} | "
        f"{len(touched)} of {len({photo.subject for photo in known})} |"
    )


def hard_set(photos: Sequence[Photo], model: str, row: Row) -> str:
    """Count errors on tight frontal and profile crops, at a threshold chosen elsewhere."""
    known = [photo for photo in photos if model in photo.embeddings]
    found = pairs(photos, model)
    frontal = np.array([photo.is_frontal for photo in known])
    both = frontal[found.first] & frontal[found.second]
    mixed = frontal[found.first] ^ frontal[found.second]
    cells = []
    for chosen in (both, mixed):
        mated = found.scores[chosen & found.is_mated]
        non_mated = found.scores[chosen & ~found.is_mated]
        matches = int((non_mated >= row.threshold).sum())
        cells.append(
            f"{percent(float((mated < row.threshold).mean()))} | {matches / len(non_mated):.1e}"
        )
    return f"| `{model}` | {percent(1 - len(known) / len(photos))} | {' | '.join(cells)} |"


def small_on_canvas(pixels: Pixels, factor: float) -> Pixels:
    """Shrink a photo and lay it on a grey canvas, so that the detector sees small faces as small."""
    height, width = (max(8, round(side * factor)) for side in pixels.shape[:2])
    small = np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))
    canvas = np.full((640, 640, 3), 120, np.uint8)
    small = small[:640, :640]
    top, left = (640 - small.shape[0]) // 2, (640 - small.shape[1]) // 2
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return as_pixels(canvas)


def size_table(lfw: Sequence[Photo], models: ModelStore, row: Row) -> list[str]:
    """Shrink labelled faces step by step: which are still found, and still known?"""
    recipe = RECIPES[EmbeddingModel.COMPANION]
    detector, embedder = Detector(models), FusedEmbedder(recipe, models)
    gallery = np.stack([photo.embeddings[recipe.model_id] for photo in lfw])
    subjects = np.array([photo.subject for photo in lfw])
    several = np.array([i for i in range(len(lfw)) if (subjects == subjects[i]).sum() > 1])
    random = np.random.default_rng(SEED)
    probes = random.permutation(several)[:SIZE_PROBES]
    lines = [
        "| eyes apart | found | FNMR of those found | FMR |",
        "|---|---|---|---|",
    ]
    for eye_px in EYE_SIZES_PX:
        kept: list[int] = []
        rows: list[Embedding] = []
        for i in probes:
            face = lfw[i].face
            if face is None:
                continue
            pixels = small_on_canvas(read(lfw[i].path), eye_px / eye_distance_px(face.landmarks))
            seen = central(detector.detect(pixels, thorough=False), pixels)
            if seen is not None:
                kept.append(int(i))
                rows += embedder.embed(pixels, [seen.landmarks])
        if not rows:
            lines.append(f"| {eye_px} px | 0.00 % | - | - |")
            continue
        scores = np.stack(rows) @ gallery.T
        mated = subjects[kept][:, None] == subjects[None]
        non_mated = ~mated
        mated[np.arange(len(kept)), kept] = False
        lines.append(
            f"| {eye_px} px | {percent(len(kept) / len(probes))} "
            f"| {percent(float((scores[mated] < row.threshold).mean()))} "
            f"| {float((scores[non_mated] >= row.threshold).mean()):.1e} |"
        )
    return lines


def turned_table(lfw: Sequence[Photo], models: ModelStore) -> list[str]:
    """Turn photos by quarter turns: are their faces still found by a thorough look?"""
    detector = Detector(models)
    probes = np.random.default_rng(SEED).permutation(len(lfw))[:SIZE_PROBES]
    lines = ["| turned by | found | more faces than upright |", "|---|---|---|"]
    upright = {i: len(detector.detect(read(lfw[i].path), thorough=True)) for i in probes}
    for turns in (1, 2, 3):
        found = more = 0
        for i in probes:
            pixels = read(lfw[i].path)
            turned = detector.detect(as_pixels(np.rot90(pixels, turns)), thorough=True)
            middle = central(turned, pixels)
            known = lfw[i].face
            if middle is not None and known is not None:
                # The labelled face is in the middle, so its middle may not move far.
                here = (middle.box.x + middle.box.w / 2, middle.box.y + middle.box.h / 2)
                there = (known.box.x + known.box.w / 2, known.box.y + known.box.h / 2)
                for _ in range(turns):
                    there = (there[1], pixels.shape[1] - there[0])
                found += math.dist(here, there) < known.box.w / 2
            more += len(turned) > upright[i]
        lines.append(
            f"| {90 * turns} degrees | {percent(found / len(probes))} | {percent(more / len(probes))} |"
        )
    return lines


def observe_all(folder: Path, observer: Observer) -> dict[str, list[Photo]]:
    """Observe all three sets."""
    jobs = {
        "lfw": [
            (path, path.parent.name, True)
            for path in sorted((folder / "faces-lfw-dev").glob("*/*.jpg"))
        ],
        "congress": [
            (path, path.stem, True) for path in sorted((folder / "faces-congress-pd").glob("*.jpg"))
        ],
        "cfp": [
            (path, path.parents[1].name, path.parent.name == "frontal")
            for path in sorted((folder / "faces-cfp-dev").glob("*/*/*.jpg"))
        ],
    }
    found: dict[str, list[Photo]] = {}
    with ThreadPoolExecutor(2) as pool:
        for name, work in jobs.items():
            found[name] = []
            for photo in pool.map(lambda job: observer(job[0], job[1], is_frontal=job[2]), work):
                found[name].append(photo)
                if len(found[name]) % 100 == 0:
                    print(f"{name}: {len(found[name])} of {len(work)}", file=sys.stderr)
    return found


def report(found: dict[str, list[Photo]], curves: dict[str, list[Row]], models: ModelStore) -> str:
    """Write the report."""
    lfw, congress, cfp = found["lfw"], found["congress"], found["cfp"]
    one = next(iter(curves.values()))[0]
    companion = RECIPES[EmbeddingModel.COMPANION].model_id
    lines = [
        INTRODUCTION.format(
            photos=len(lfw),
            people=len({photo.subject for photo in lfw}),
            portraits=len(congress),
            non_mated=one.non_mated,
            mated=one.mated,
            fewest=FEWEST_FALSE_MATCHES,
        ),
        "## Faces found",
        "",
        "| missed by | LFW | Congress | CFP, tight crops |",
        "|---|---|---|---|",
    ]
    for model in curves:
        rates = [
            percent(sum(model not in photo.embeddings for photo in photos) / len(photos))
            for photos in (lfw, congress, cfp)
        ]
        lines.append(f"| `{model}` | {' | '.join(rates)} |")
    for model, rows in curves.items():
        lines += ["", f"## `{model}`", "", *curve_table(rows)]
    lines += [
        "",
        WORST_SUBJECTS,
        *(worst_subjects(lfw, model, nearest(rows, 1e-3)) for model, rows in curves.items()),
        "",
        HARD_SET.format(photos=len(cfp), people=len({photo.subject for photo in cfp})),
        *(hard_set(cfp, model, nearest(rows, 1e-3)) for model, rows in curves.items()),
        "",
        SIZES.format(
            probes=SIZE_PROBES,
            model=companion,
            template_px=ARCFACE_112.points[1][0] - ARCFACE_112.points[0][0],
            limit_px=IDENTIFIABLE_EYE_PX,
        ),
        *size_table(lfw, models, nearest(curves[companion], 1e-4)),
        "",
        TURNED.format(probes=SIZE_PROBES),
        *turned_table(lfw, models),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Run the whole calibration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--models-dir", type=Path, default=Path.home() / ".cache" / "consentry" / "models"
    )
    parser.add_argument("--without-reference", action="store_true")
    arguments = parser.parse_args()
    models = ModelStore(arguments.models_dir, threads=1)
    found = observe_all(
        arguments.folder, Observer(models, with_reference=not arguments.without_reference)
    )
    names: list[str] = [RECIPES[name].model_id for name in EmbeddingModel]
    if not arguments.without_reference:
        names.append(open_pipeline(REFERENCE_MODEL, models).model_id)
    curves = {name: falling(curve(found["lfw"], found["congress"], name)) for name in names}
    rows = {
        name: {
            "points": [[row.threshold, row.fmr, row.fnmr] for row in rows],
            "mated_pairs": sum(rows[0].mated),
            "non_mated_pairs": sum(rows[0].non_mated),
            "source": REPORT,
        }
        for name, rows in curves.items()
    }
    CURVES.write_text(json.dumps({"curves": rows}, indent=1) + "\n", encoding="utf-8")
    (ROOT / REPORT).write_text(report(found, curves, models), encoding="utf-8")


if __name__ == "__main__":
    main()
