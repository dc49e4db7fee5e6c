"""The robustness card: who is still known after a picture was altered?

A gallery holds one reference of every person with several photos; another photo of each is a probe. Each probe is
altered, then goes the whole way of a check in `act` mode: a thorough look, every face described, every face searched at
the thresholds of a check with so many comparisons. People who are not in the gallery go the same way: whom are they
taken for?
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources

import numpy as np
import numpy.typing as npt
from PIL import Image

from consentry.evaluation.measuring import SeenSet
from consentry.evaluation.observing import (
    Engine,
    Progress,
    by_detector,
    embed,
    in_parallel,
    read_photo,
)
from consentry.evaluation.rates import Rate, wilson
from consentry.evaluation.transforms import TRANSFORMS, UNTOUCHED, Scene, Transform
from consentry.evaluation.work import JsonObject, Key, WorkFolder
from consentry.faces.curve import OperatingCurve
from consentry.faces.detect import DetectedFace
from consentry.kernel.biometrics import Embedding, Pixels
from consentry.kernel.errors import BadRequest

MATCH_FPIR = 1e-3
POSSIBLE_FPIR = 5e-3
"""The rates of false alarms that one check may have: those of `consentry.checks.check`."""

ENOUGH = 0.9
"""Of the untransformed rate: below this a transform is called a weakness."""

_SEED = 20261121
_OTHERS = 15
_FEWEST_PEOPLE = 4


@dataclass(frozen=True, slots=True)
class Probe:
    """A photo to alter.

    Attributes:
        number: Of the photo in its set.
        face: The labelled face.
        own: Row of the person's reference in the gallery; None for somebody who is not in it.
    """

    number: int
    face: DetectedFace
    own: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """Who is asked, and who stands in the gallery, for one model.

    Attributes:
        references: Shape ``(n, d)``: one photo of each person.
        probes: Of people in the gallery, then of others.
    """

    references: npt.NDArray[np.float32] = field(repr=False)
    probes: tuple[Probe, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """One altered probe, searched by one model.

    Attributes:
        faces: That were found and described.
        own: Best similarity of any face to the person's own reference; None for strangers and without a face.
        other: Best similarity of any face to anybody else's; None without a face.
    """

    faces: int
    own: float | None
    other: float | None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What one transform does to one model.

    Attributes:
        transform: Its name.
        says: What it does.
        found: Probes in which any face was described.
        known: Probes of enrolled people that match their own reference.
        possible: Likewise, at the point of a possible match.
        strangers: Probes of strangers that match anybody.
        strangers_possible: Likewise, at the point of a possible match.
    """

    transform: str
    says: str
    found: Rate
    known: Rate
    possible: Rate
    strangers: Rate
    strangers_possible: Rate


@dataclass(frozen=True, slots=True)
class Card:
    """The card of one model.

    Attributes:
        model_id: The model.
        gallery: People enrolled.
        known, strangers: Probes of each kind.
        match, possible: Thresholds of a check of one face.
        rows: One for each transform; the first is the untouched photo.
    """

    model_id: str
    gallery: int
    known: int
    strangers: int
    match: float
    possible: float
    rows: tuple[Outcomes, ...]

    def ratio(self, row: Outcomes) -> float:
        """Return the part of the untransformed rate that is left."""
        before = self.rows[0].known.value
        return row.known.value / before if before else math.nan


def choose(
    seen: SeenSet, models: Sequence[str], *, probes: int
) -> tuple[list[int], list[tuple[int, int]], list[int]]:
    """Choose whose photos are used: references, probes of enrolled people, probes of strangers.

    People with one photo are strangers; where there are fewer than half as many as ``probes``, others are taken out of
    the gallery. Only photos that every model embeds are chosen.

    Args:
        seen: The set.
        models: The models that must have embedded them.
        probes: At most so many of enrolled people, and half as many of strangers.

    Returns:
        Photos of the references; for each probe its photo and the row of its reference; photos of the strangers.

    Raises:
        BadRequest: If the set has too few people with several usable photos.
    """
    by_subject: dict[str, list[int]] = {}
    for number, one in enumerate(seen.seen):
        if all(one.by_model[model].embedding is not None for model in models):
            by_subject.setdefault(one.photo.subject, []).append(number)
    random = np.random.default_rng(_SEED)
    several = sorted(name for name, photos in by_subject.items() if len(photos) > 1)
    several = [several[i] for i in random.permutation(len(several))]
    alone = sorted(name for name, photos in by_subject.items() if len(photos) == 1)
    strangers = [by_subject[alone[i]][0] for i in random.permutation(len(alone))]
    missing = probes // 2 - len(strangers)
    if missing > 0:
        moved, several = several[: len(several) // 4], several[len(several) // 4 :]
        strangers += [by_subject[name][0] for name in moved[:missing]]
    if len(several) < _FEWEST_PEOPLE or len(strangers) < _FEWEST_PEOPLE:
        raise BadRequest(
            "The robustness card needs more people: several with two photos or more, and some others."
        )
    references = [by_subject[name][0] for name in several]
    known = [(by_subject[name][1], row) for row, name in enumerate(several)][:probes]
    return references, known, strangers[: max(probes // 2, _FEWEST_PEOPLE)]


class RobustnessRun:
    """Alters, looks and searches; what the work folder has is not done again.

    Args:
        seen: The set whose photos are altered.
        engines: The models.
        curves: Of each model.
        work: Where results are kept.
        probes: At most so many of enrolled people, and half as many of others.
        transforms: What is done to them; the first changes nothing.

    Raises:
        BadRequest: If a model has no curve, or the set too few people.
    """

    def __init__(
        self,
        seen: SeenSet,
        engines: Sequence[Engine],
        curves: Mapping[str, OperatingCurve],
        work: WorkFolder,
        *,
        probes: int,
        transforms: Sequence[Transform] = TRANSFORMS,
    ) -> None:
        missing = [engine.model_id for engine in engines if engine.model_id not in curves]
        if missing:
            raise BadRequest(
                "The robustness card needs thresholds, and the photos support none: it takes more people, or more "
                "photos of them."
            )
        self._curves = curves
        self._transforms = transforms
        self._seen = seen
        self._engines = engines
        self._work = work
        models = [engine.model_id for engine in engines]
        references, known, strangers = choose(seen, models, probes=probes)
        self._known, self._strangers = len(known), len(strangers)
        self._lines = {model: self._line(model, references, known, strangers) for model in models}
        self._set = self._digest(references)

    def run(self, progress: Progress, *, workers: int) -> list[Card]:
        """Return one card for each model.

        Raises:
            ModelUnavailable: If a model file is missing or not the pinned one.
            StorageFailed: If the work folder cannot be written.
        """
        places = range(self._known + self._strangers)
        jobs = [(place, transform) for place in places for transform in self._transforms]
        trials = in_parallel(lambda job: self._try(*job), jobs, progress, workers=workers)
        found = {
            (place, transform.name): trial
            for (place, transform), trial in zip(jobs, trials, strict=True)
        }
        return [self._card(engine, found) for engine in self._engines]

    def _line(
        self,
        model: str,
        references: Sequence[int],
        known: Sequence[tuple[int, int]],
        strangers: Sequence[int],
    ) -> Line:
        rows = [self._embedding(model, number) for number in references]
        probes = [Probe(number, self._face(model, number), own) for number, own in known]
        probes += [Probe(number, self._face(model, number), None) for number in strangers]
        return Line(np.stack(rows), tuple(probes))

    def _embedding(self, model: str, number: int) -> Embedding:
        embedding = self._seen.seen[number].by_model[model].embedding
        if embedding is None:
            raise ValueError("only photos with an embedding are chosen")
        return embedding

    def _face(self, model: str, number: int) -> DetectedFace:
        face = self._seen.seen[number].by_model[model].face
        if face is None:
            raise ValueError("only photos with a face are chosen")
        return face

    def _digest(self, references: Sequence[int]) -> str:
        """Hash what a trial depends on beside its own photo: the gallery, the strangers, the transforms."""
        digest = hashlib.sha256()
        first = self._engines[0].model_id
        for number in [*references, *(p.number for p in self._lines[first].probes)]:
            digest.update(self._embedding(first, number).tobytes())
        for module in ("transforms.py", "robustness.py"):
            digest.update((resources.files("consentry") / "evaluation" / module).read_bytes())
        return digest.hexdigest()

    def _try(self, place: int, transform: Transform) -> dict[str, Trial]:
        keys = {
            engine.model_id: Key(f"{self._set} {place} {transform.name}", engine.fingerprint)
            for engine in self._engines
        }
        found: dict[str, Trial] = {}
        for model, key in keys.items():
            trial = _trial(self._work.get(key))
            if trial is not None:
                found[model] = trial
        missing = [engine for engine in self._engines if engine.model_id not in found]
        if missing:
            probe = self._lines[missing[0].model_id].probes[place]
            pixels = transform(self._scene(place, probe, transform))
            for engine, trial in self._search(missing, place, pixels):
                self._work.put(keys[engine.model_id], _row(trial))
                found[engine.model_id] = trial
        return found

    def _search(
        self, engines: Sequence[Engine], place: int, pixels: Pixels
    ) -> list[tuple[Engine, Trial]]:
        trials = []
        for alike in by_detector(engines):
            faces = alike[0].pipeline.detect(pixels, thorough=True)
            rows = embed(alike, pixels, faces)
            for engine in alike:
                known = [row for row in rows[engine.model_id] if row is not None]
                line = self._lines[engine.model_id]
                trials.append((engine, searched(known, line.references, line.probes[place].own)))
        return trials

    def _scene(self, place: int, probe: Probe, transform: Transform) -> Scene:
        # Others in a collage are strangers too, and never the probe itself.
        strangers = list(range(self._known, self._known + self._strangers))
        if place in strangers:
            strangers.remove(place)
        random = np.random.default_rng([_SEED, place, *transform.name.encode()])
        drawn = random.permutation(strangers)[:_OTHERS]
        first = self._lines[self._engines[0].model_id]
        needs_others = transform.name.startswith("collage")
        others = [
            self._picture(first.probes[other].number) for other in (drawn if needs_others else ())
        ]
        return Scene(self._picture(probe.number), probe.face, others, random)

    def _picture(self, number: int) -> Image.Image:
        return Image.fromarray(read_photo(self._seen.photos.photos[number].path))

    def _card(self, engine: Engine, found: dict[tuple[int, str], dict[str, Trial]]) -> Card:
        line = self._lines[engine.model_id]
        size = len(line.references)
        curve = self._curves[engine.model_id]
        rows = []
        for transform in self._transforms:
            trials = [
                found[place, transform.name][engine.model_id]
                for place in range(self._known + self._strangers)
            ]
            known, strangers = trials[: self._known], trials[self._known :]
            match, possible = _reach(curve, size, MATCH_FPIR), _reach(curve, size, POSSIBLE_FPIR)
            rows.append(
                Outcomes(
                    transform.name,
                    transform.says,
                    found=wilson(sum(t.faces > 0 for t in trials), len(trials)),
                    known=wilson(sum(match(t, t.own) for t in known), len(known)),
                    possible=wilson(sum(possible(t, t.own) for t in known), len(known)),
                    strangers=wilson(sum(match(t, t.other) for t in strangers), len(strangers)),
                    strangers_possible=wilson(
                        sum(possible(t, t.other) for t in strangers), len(strangers)
                    ),
                )
            )
        return Card(
            engine.model_id,
            gallery=size,
            known=self._known,
            strangers=self._strangers,
            match=curve.for_identification(MATCH_FPIR, size).threshold,
            possible=curve.for_identification(POSSIBLE_FPIR, size).threshold,
            rows=tuple(rows),
        )


def searched(
    rows: Sequence[Embedding], references: npt.NDArray[np.float32], own: int | None
) -> Trial:
    """Search every face of a picture.

    Args:
        rows: Their embeddings.
        references: Shape ``(n, d)``, n at least 2.
        own: Row of the reference that should be found; None for a stranger.
    """
    if not rows:
        return Trial(0, None, None)
    best = (np.stack(rows) @ references.T).max(axis=0)
    mine = None if own is None else float(best[own])
    others = best if own is None else np.delete(best, own)
    return Trial(len(rows), mine, float(others.max()))


def _reach(
    curve: OperatingCurve, references: int, fpir: float
) -> Callable[[Trial, float | None], bool]:
    """Return whether a similarity reaches the point of a check with that many comparisons."""

    def reaches(trial: Trial, score: float | None) -> bool:
        if score is None:
            return False
        return score >= curve.for_identification(fpir, references * trial.faces).threshold

    return reaches


def _row(trial: Trial) -> JsonObject:
    return {"faces": trial.faces, "own": trial.own, "other": trial.other}


def _trial(row: JsonObject | None) -> Trial | None:
    match row:
        case {"faces": int(faces), "own": float() | None as own, "other": float() | None as other}:
            return Trial(faces, own, other)
        case _:
            return None


def weaknesses(card: Card) -> list[Outcomes]:
    """Return the transforms after which less than `ENOUGH` of the untransformed rate is left."""
    return [
        row
        for row in card.rows
        if row.transform != UNTOUCHED.name and not card.ratio(row) >= ENOUGH - 1e-9
    ]
