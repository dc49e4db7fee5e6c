"""The published white-box attack on an embedder: projected gradient descent on the photo itself.

Somebody who holds the weights changes every value of a photo by at most ``eps`` of 255, so that nobody sees it, in the
direction that moves its embedding away from the person's own reference (to dodge), or towards somebody else's (to
impersonate). Then the altered photo goes the whole way: a thorough look, every face described. Which model, and which
part of a model that the attacker did not know, still tells the truth?

Method: Madry et al., Towards deep learning models resistant to adversarial attacks, 2018 (L-infinity, random start), on
embeddings as in Cherepanova et al., LowKey, 2021.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from consentry.evaluation.comparisons import TICKS, compare
from consentry.evaluation.measuring import SeenSet, cut, points, sample
from consentry.evaluation.observing import Engine, Progress, embed, in_parallel, read_photo
from consentry.evaluation.rates import Rate, wilson
from consentry.evaluation.robustness import choose
from consentry.evaluation.work import JsonObject, Key, WorkFolder
from consentry.faces.align import Template, fit
from consentry.faces.detect import Landmarks
from consentry.faces.embed import Part
from consentry.inference.gradients import Gradient
from consentry.inference.registry import ModelName
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Embedding, Pixels, as_pixels

Floats = npt.NDArray[np.float32]

EPSILONS = (2, 4, 8)
_STEPS = 12
_REACH = 2.5  # of all steps together, in units of eps
_JPEG_QUALITY = 75
_SEED = 20261121
# The strictest of these that the pairs support is where a face counts as known.
_FMRS = ("1e-4", "1e-3", "1e-2")


class Goal(StrEnum):
    """What the attacker wants."""

    DODGE = "dodge"
    IMPERSONATE = "impersonate"


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack.

    Attributes:
        known: Names of the parts that the attacker holds.
        goal: What for.
        eps: Largest change of a value, of 255.
        is_recoded: Whether the photo is then saved as a JPEG, as most sites do.
    """

    known: tuple[str, ...]
    goal: Goal
    eps: int
    is_recoded: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """One model, or one part of one, that looks at the attacked photo.

    Attributes:
        name: Of the model, or of the part's network.
        model_id: The model whose embedding is looked at.
        columns: Of the embedding.
        threshold: In ticks, at ``fmr``.
        fmr: Name of the false match rate (`consentry.evaluation.measuring.FMRS`).
    """

    name: str
    model_id: str
    columns: slice
    threshold: int
    fmr: str


@dataclass(frozen=True, slots=True)
class Fate:
    """What one view says after one attack.

    Attributes:
        attack: The attack.
        view: Name of the view.
        fooled: Probes at which the attacker got what he wanted.
    """

    attack: Attack
    view: str
    fooled: Rate


@dataclass(frozen=True, slots=True)
class AttackReport:
    """All attacks.

    Attributes:
        views: Who looked.
        fates: For each attack and view.
        untouched: For each view, own faces missed and other people's taken for the target, without an attack.
        probes: How many photos were attacked.
    """

    views: tuple[View, ...]
    fates: tuple[Fate, ...]
    untouched: dict[str, dict[Goal, Rate]]
    probes: int


@dataclass(frozen=True, slots=True)
class _Target:
    """A photo to attack, the person's reference, and whom to be taken for."""

    place: int
    number: int
    own: int
    other: int


@dataclass(frozen=True, slots=True)
class Slope:
    """Where an attack stands, and which way is up.

    Attributes:
        cosine: Weighted mean of the parts' cosines to their references.
        by_pixels: Its gradient by the photo's values, ``(height, width, 3)``.
        embeddings: Of each part, not normalised.
    """

    cosine: float
    by_pixels: Floats
    embeddings: tuple[Floats, ...]


class Surrogate:
    """Parts of a model, with gradients by the photo's own values. Any number of threads may use it."""

    def __init__(self, parts: Sequence[Part], models: ModelStore) -> None:
        self._models = models
        self._parts = [(part, Gradient(part.network, models)) for part in parts]

    def embed(self, pixels: Floats, face: Landmarks) -> tuple[Floats, ...]:
        """Return each part's embedding, not normalised."""
        found = []
        for part, _ in self._parts:
            inputs = _ready(part, Sampler(face, part.template, pixels.shape[:2]).read(pixels))
            rows = self._models.session(part.network).run(inputs)[0]
            found.append(np.asarray(rows.sum(axis=0), np.float32))
        return tuple(found)

    def gradient(
        self,
        pixels: Floats,
        face: Landmarks,
        references: Sequence[Floats],
        before: Sequence[Floats],
    ) -> Slope:
        """Return how like the references the photo is, and the gradient of that.

        Args:
            pixels: Shape ``(height, width, 3)``, 0 to 255.
            face: Where the face is.
            references: One embedding of L2 norm 1 for each part.
            before: Embeddings of the parts here or, to save a pass, at the step before: the gradient of a cosine
                needs to know where it is, and a step is small.
        """
        total, slope = 0.0, np.zeros_like(pixels)
        weights = sum(part.weight for part, _ in self._parts)
        rows = []
        for (part, gradient), reference, last in zip(self._parts, references, before, strict=True):
            sampler = Sampler(face, part.template, pixels.shape[:2])
            inputs = _ready(part, sampler.read(pixels))
            length = float(np.linalg.norm(last))
            direction = (reference - float(last @ reference) * last / length**2) / length
            found, back = gradient(inputs, np.repeat(direction[None], len(inputs), axis=0))
            row = np.asarray(found.sum(axis=0), np.float32)
            share = part.weight / weights
            total += share * float(row @ reference) / float(np.linalg.norm(row))
            slope += share * sampler.spread(_unready(part, back))
            rows.append(row)
        return Slope(total, slope, tuple(rows))


class Sampler:
    """Reads a chip from a photo by bilinear interpolation, and spreads a chip's gradient back over the photo."""

    def __init__(self, face: Landmarks, template: Template, size: tuple[int, ...]) -> None:
        height, width = size[0], size[1]
        back = fit(face, template.points).inverse()
        across = np.arange(template.side_px, dtype=np.float64)
        x = back.a * across[None, :] - back.b * across[:, None] + back.dx
        y = back.b * across[None, :] + back.a * across[:, None] + back.dy
        left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
        places, shares = [], []
        for down in (0, 1):
            for right in (0, 1):
                column, row = left + right, top + down
                share = (1 - np.abs(x - column)) * (1 - np.abs(y - row))
                inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
                places.append(np.where(inside, row * width + column, 0))
                shares.append(np.where(inside, share, 0.0))
        self._size = (height, width)
        self._places = np.stack(places)
        self._shares = np.stack(shares).astype(np.float32)

    def read(self, pixels: Floats) -> Floats:
        """Return the chip, ``(side, side, 3)``."""
        flat = pixels.reshape(-1, 3)
        return np.asarray((flat[self._places] * self._shares[..., None]).sum(axis=0), np.float32)

    def spread(self, chip: Floats) -> Floats:
        """Return what a change of each value of the photo adds, given what one of the chip adds."""
        height, width = self._size
        weighted = (self._shares[..., None] * chip[None]).reshape(-1, 3)
        places = self._places.ravel()
        channels = [
            np.bincount(places, weights=weighted[:, c], minlength=height * width) for c in range(3)
        ]
        return np.stack(channels, axis=1).reshape(height, width, 3).astype(np.float32)


def _ready(part: Part, chip: Floats) -> Floats:
    values = (chip - np.array(part.mean, np.float32)) / np.float32(part.divisor)
    planes = values.transpose(2, 0, 1)[None]
    if part.adds_mirrored:
        planes = np.concatenate([planes, planes[..., ::-1]])
    return np.ascontiguousarray(planes, np.float32)


def _unready(part: Part, gradient: Floats) -> Floats:
    planes = gradient[0] + gradient[1][..., ::-1] if part.adds_mirrored else gradient[0]
    return np.asarray(planes.transpose(1, 2, 0) / np.float32(part.divisor), np.float32)


def perturb(
    surrogate: Surrogate,
    pixels: Pixels,
    face: Landmarks,
    references: Sequence[Floats],
    attack: Attack,
    random: np.random.Generator,
) -> Pixels:
    """Return the attacked photo: no value differs by more than ``attack.eps``."""
    start = pixels.astype(np.float32)
    low, high = np.maximum(start - attack.eps, 0), np.minimum(start + attack.eps, 255)
    now = np.clip(start + random.uniform(-attack.eps, attack.eps, start.shape), low, high)
    sense = -1.0 if attack.goal is Goal.DODGE else 1.0
    before = surrogate.embed(now.astype(np.float32), face)
    for _ in range(_STEPS):
        slope = surrogate.gradient(now.astype(np.float32), face, references, before)
        step = sense * _REACH * attack.eps / _STEPS
        now, before = np.clip(now + step * np.sign(slope.by_pixels), low, high), slope.embeddings
    return as_pixels(np.rint(now).astype(np.uint8))


def _recoded(pixels: Pixels) -> Pixels:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=_JPEG_QUALITY)
    with Image.open(file) as again:
        return as_pixels(np.asarray(again.convert("RGB")))


class AttackRun:
    """Attacks probes and looks at them; what the work folder has is not done again.

    Args:
        seen: The set whose people are attacked.
        engines: The models that look; the first that has parts is attacked.
        models: The models folder.
        work: Where results are kept.
        probes: How many photos are attacked, at most.

    Raises:
        BadRequest: If there are too few people.
        ModelUnavailable: If a model file is missing, or ``onnx`` is not installed.
    """

    def __init__(
        self,
        seen: SeenSet,
        engines: Sequence[Engine],
        models: ModelStore,
        work: WorkFolder,
        *,
        probes: int,
    ) -> None:
        self._seen = seen
        self._engines = [engine for engine in engines if engine.recipe is not None]
        self._work = work
        self._views = tuple(_views(seen, self._engines))
        names = [engine.model_id for engine in self._engines]
        references, known, _ = choose(seen, names, probes=probes)
        self._references = references
        self._targets = [
            _Target(place, number, own, (own + 1) % len(references))
            for place, (number, own) in enumerate(known)
        ]
        parts = self._engines[0].recipe.parts if self._engines[0].recipe else ()
        self._known = [(parts[0],), *([parts] if len(parts) > 1 else [])]
        self._surrogates = {_names(known): Surrogate(known, models) for known in self._known}

    def run(self, progress: Progress, *, workers: int) -> AttackReport:
        """Attack every probe in every way.

        Raises:
            StorageFailed: If the work folder cannot be written.
        """
        plain = [
            Attack(_names(known), goal, eps)
            for known in self._known
            for goal in Goal
            for eps in EPSILONS
        ]
        nothing = Attack((), Goal.DODGE, 0)
        jobs = [(attack, target) for attack in [nothing, *plain] for target in self._targets]
        by_attack: dict[Attack, list[dict[str, tuple[float, float]]]] = {}
        for found in in_parallel(lambda job: self._try(*job), jobs, progress, workers=workers):
            for attack, scores in found.items():
                by_attack.setdefault(attack, []).append(scores)
        attacks = [attack for attack in by_attack if attack != nothing]
        return AttackReport(
            views=self._views,
            fates=tuple(
                Fate(attack, view.name, _fooled(view, attack.goal, by_attack[attack]))
                for attack in attacks
                for view in self._views
            ),
            untouched={
                view.name: {goal: _fooled(view, goal, by_attack[nothing]) for goal in Goal}
                for view in self._views
            },
            probes=len(self._targets),
        )

    def _try(self, attack: Attack, target: _Target) -> dict[Attack, dict[str, tuple[float, float]]]:
        """Return for each view the best similarity to the own and to the other reference.

        The strongest attack is looked at twice: as it is, and saved as a JPEG.
        """
        ways = [attack]
        if attack.eps == EPSILONS[-1]:
            ways.append(replace(attack, is_recoded=True))
        engines = hashlib.sha256(" ".join(e.fingerprint for e in self._engines).encode())
        digest = self._digest(target)
        keys = {way: Key(f"{digest} {way}", engines.hexdigest()) for way in ways}
        kept = {way: _scores(self._work.get(key), self._views) for way, key in keys.items()}
        found = {way: scores for way, scores in kept.items() if scores is not None}
        missing = [way for way in ways if way not in found]
        if missing:
            pixels = self._attacked(attack, target)
            for way in missing:
                scores = self._look(_recoded(pixels) if way.is_recoded else pixels, target)
                self._work.put(keys[way], {name: list(pair) for name, pair in scores.items()})
                found[way] = scores
        return {way: found[way] for way in ways}

    def _attacked(self, attack: Attack, target: _Target) -> Pixels:
        pixels = read_photo(self._seen.photos.photos[target.number].path)
        if not attack.known:
            return pixels
        surrogate = self._surrogates[attack.known]
        wanted = target.own if attack.goal is Goal.DODGE else target.other
        number = self._references[wanted]
        reference = read_photo(self._seen.photos.photos[number].path).astype(np.float32)
        references = [
            np.asarray(row / np.linalg.norm(row), np.float32)
            for row in surrogate.embed(reference, self._face(number))
        ]
        random = np.random.default_rng([_SEED, target.place, attack.eps])
        return perturb(surrogate, pixels, self._face(target.number), references, attack, random)

    def _look(self, pixels: Pixels, target: _Target) -> dict[str, tuple[float, float]]:
        faces = self._engines[0].pipeline.detect(pixels, thorough=True)
        found = embed(self._engines, pixels, faces)
        seen: dict[str, tuple[float, float]] = {}
        for view in self._views:
            rows = [row for row in found[view.model_id] if row is not None]
            own, other = (
                self._best(view, rows, self._references[row]) for row in (target.own, target.other)
            )
            seen[view.name] = (own, other)
        return seen

    def _best(self, view: View, rows: Sequence[Embedding], reference: int) -> float:
        if not rows:
            return -1.0
        own = self._seen.seen[reference].by_model[view.model_id].embedding
        if own is None:
            raise ValueError("only photos with an embedding are chosen")
        wanted, given = own[view.columns], np.stack(rows)[:, view.columns]
        scores = given @ wanted / (np.linalg.norm(given, axis=1) * np.linalg.norm(wanted))
        return float(scores.max())

    def _face(self, number: int) -> Landmarks:
        face = self._seen.seen[number].by_model[self._engines[0].model_id].face
        if face is None:
            raise ValueError("only photos with a face are chosen")
        return face.landmarks

    def _digest(self, target: _Target) -> str:
        digest = hashlib.sha256()
        for number in (
            target.number,
            self._references[target.own],
            self._references[target.other],
        ):
            digest.update(read_photo(self._seen.photos.photos[number].path).tobytes())
        return digest.hexdigest()


def _names(parts: Sequence[Part]) -> tuple[str, ...]:
    return tuple(part.network.value for part in parts)


def _views(seen: SeenSet, engines: Sequence[Engine]) -> list[View]:
    """Return each model, and each part of the model that has most."""
    found = [(engine.model_id, engine.model_id, slice(None)) for engine in engines]
    largest = max(engines, key=lambda engine: len(engine.recipe.parts) if engine.recipe else 0)
    start = 0
    names: set[ModelName] = set()
    for part in largest.recipe.parts if largest.recipe else ():
        columns = slice(start, start + part.dimension)
        start += part.dimension
        if part.network not in names:
            found.append((part.network.value, largest.model_id, columns))
        names.add(part.network)
    return [view for each in found if (view := _view(seen, *each)) is not None]


def _view(seen: SeenSet, name: str, model_id: str, columns: slice) -> View | None:
    whole = sample(seen, model_id, [0] * len(seen.seen))
    pairs = compare(replace(whole, rows=cut(whole.rows, columns)))
    known = points(pairs.non_mated(), pairs.mated(), 0)
    for fmr in _FMRS:
        point = known[fmr]
        if point is not None:
            return View(name, model_id, columns, point.threshold, fmr)
    return None


def _fooled(view: View, goal: Goal, found: Sequence[dict[str, tuple[float, float]]]) -> Rate:
    threshold = view.threshold / TICKS
    if goal is Goal.DODGE:
        return wilson(sum(each[view.name][0] < threshold for each in found), len(found))
    return wilson(sum(each[view.name][1] >= threshold for each in found), len(found))


def _scores(row: JsonObject | None, views: Sequence[View]) -> dict[str, tuple[float, float]] | None:
    found: dict[str, tuple[float, float]] = {}
    for view in views:
        match row.get(view.name) if row is not None else None:
            case [float(own), float(other)]:
                found[view.name] = (own, other)
            case _:
                return None
    return found
