"""A whole run: folders in, a report out."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from consentry import __version__
from consentry.evaluation import card, documents, operating_points, report
from consentry.evaluation.attack import AttackRun
from consentry.evaluation.folders import PhotoSet, read_folder
from consentry.evaluation.measuring import Measured, SeenSet, measure
from consentry.evaluation.observation import Outcome
from consentry.evaluation.observing import Engine, Progress, observe, open_engines
from consentry.evaluation.robustness import RobustnessRun
from consentry.evaluation.sizes import measure_sizes
from consentry.evaluation.work import WorkFolder
from consentry.inference.sessions import ModelStore
from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest, StorageFailed

REPORT_FILE = "report.md"
DOCUMENT_FILE = "report.json"
CARD_FILE = "robustness.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be measured, and where it is written.

    Attributes:
        folders: Sets whose pairs choose and score thresholds.
        hard: Sets that are scored apart.
        pairs: A list of pairs of the one folder; None for its own ``pairs.tsv``.
        models: By the names that settings use.
        workers: Threads, at least 1.
        out: The folder of the report; made if it is not there.
        work: The folder of what was seen so far.
        fresh: Whether to begin anew.
        keeps_work: Whether the work folder stays when all is done.
        points: A file of operating curves to write; None for none.
        part_points: A file for the strictest point of each network alone; None for none.
        source: What the curves shall name as their source.
        command: What writes the report again, without paths of this machine.
        note: About the data, in Markdown.
        probes: How many photos the robustness card alters; 0 for no card.
        altered: Models of the card, by the names that settings use; empty for all but the reference.
        attacks: Whether the card has the white-box attack too.
    """

    folders: tuple[Path, ...]
    hard: tuple[Path, ...]
    pairs: Path | None
    models: tuple[str, ...]
    workers: int
    out: Path
    work: Path
    fresh: bool
    keeps_work: bool
    points: Path | None
    part_points: Path | None
    source: str
    command: str
    note: str
    probes: int = 0
    altered: tuple[str, ...] = ()
    attacks: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a run.

    Attributes:
        models: The figures.
        unreadable: Files that could not be read, with the code of the error. For the terminal only.
        robustness: The card; None where it was not asked for.
    """

    models: tuple[Measured, ...]
    unreadable: tuple[tuple[Path, str], ...]
    robustness: card.Robustness | None


def evaluate(plan: Plan, models: ModelStore, clock: Clock, progress: Progress) -> Done:
    """Measure, and write the report, its figures and its plots.

    Raises:
        BadRequest: If a folder, a list or a model's name is not what it should be.
        ModelUnavailable: If a model file is missing or not the pinned one.
        StorageFailed: If the work folder or the report cannot be written.
    """
    _check(plan)
    sets = _sets(plan)
    engines = _engines(plan.models, models)
    curves = None if plan.points is None else operating_points.read(plan.points)
    with WorkFolder(plan.work, fresh=plan.fresh) as work:
        seen = _seen(sets, engines, work, progress, workers=plan.workers, hard=len(plan.hard))
        measured = tuple(measure(seen, engine.model_id) for engine in engines)
        robustness = None
        if plan.probes:
            robustness = _robustness(plan, seen, measured, engines, models, work, progress)
        date = clock.now().date().isoformat()
        heading = report.Heading(
            command=plan.command, version=__version__, date=date, note=plan.note
        )
        figures = documents.document(seen, measured, version=__version__, date=date)
        written = {
            plan.out / report.DET_FILE: report.det(measured),
            plan.out / REPORT_FILE: report.markdown(seen, measured, heading=heading),
        }
        if robustness is not None:
            figures["robustness"] = card.document(robustness)
            written[plan.out / CARD_FILE] = card.markdown(robustness, heading)
            written |= {plan.out / name: text for name, text in card.plots(robustness).items()}
        written[plan.out / DOCUMENT_FILE] = json.dumps(figures, indent=1) + "\n"
        if plan.points is not None:
            written[plan.points] = operating_points.merged(curves, measured, plan.source)
        if plan.part_points is not None:
            written[plan.part_points] = operating_points.part_points(seen, engines)
        for path, text in written.items():
            write(path, text)
        if not plan.keeps_work:
            work.delete()
    return Done(measured, tuple(_unreadable(seen, engines[0])), robustness)


def _robustness(  # noqa: PLR0913, PLR0917 -- the parts of one run, passed on once
    plan: Plan,
    seen: Sequence[SeenSet],
    measured: Sequence[Measured],
    engines: Sequence[Engine],
    models: ModelStore,
    work: WorkFolder,
    progress: Progress,
) -> card.Robustness:
    """Alter the photos of the first set, at the thresholds that this run measured.

    The reference engine is left out: it is here to be compared with, and takes seconds a picture.
    """
    first = seen[0]
    engines = [engine for engine in engines if engine.recipe is not None]
    if not engines:
        raise BadRequest(
            "The robustness card is for companion, light and registry; name one of them."
        )
    curves = {
        each.model_id: curve
        for each in measured
        if (curve := operating_points.curve(each, plan.source)) is not None
    }

    def step(what: str) -> Progress:
        return lambda done, fraction: progress(f"{what}, {done}", fraction)

    altered = _engines(plan.altered, models) if plan.altered else engines
    cards = RobustnessRun(first, altered, curves, work, probes=plan.probes).run(
        step("altered"), workers=plan.workers
    )
    sizes = measure_sizes(first, engines[0], models, work, step("sizes"), workers=plan.workers)
    attacks = None
    if plan.attacks:
        attacked = AttackRun(first, engines, models, work, probes=plan.probes // 2)
        attacks = attacked.run(step("attacked"), workers=plan.workers)
    return card.Robustness(first.photos.name, tuple(cards), sizes, attacks)


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        StorageFailed: If it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as cause:
        raise StorageFailed(f"the report cannot be written ({cause.strerror})") from cause


def _check(plan: Plan) -> None:
    missing = [name for name in plan.altered if name not in plan.models]
    if missing:
        raise BadRequest(
            "A model of the robustness card is one of those that are measured: name it twice."
        )


def _sets(plan: Plan) -> list[PhotoSet]:
    if plan.pairs is not None and len(plan.folders) > 1:
        raise BadRequest("A list of pairs belongs to one folder; give one, or leave --pairs out.")
    sets = [read_folder(folder, plan.pairs) for folder in plan.folders]
    sets += [read_folder(folder) for folder in plan.hard]
    names = [each.name for each in sets]
    if len(set(names)) < len(names):
        raise BadRequest("Two of the folders have the same name; give each once.")
    return sets


def _engines(names: Sequence[str], models: ModelStore) -> list[Engine]:
    try:
        return open_engines(names, models)
    except ValueError as cause:
        raise BadRequest(f"{str(cause).capitalize()}.") from cause


def _seen(
    sets: Sequence[PhotoSet],
    engines: Sequence[Engine],
    work: WorkFolder,
    progress: Progress,
    *,
    workers: int,
    hard: int,
) -> list[SeenSet]:
    total = sum(len(each.photos) for each in sets)
    found = []
    before = 0
    for number, each in enumerate(sets):

        def step(what: str, fraction: float, each: PhotoSet = each, before: int = before) -> None:
            progress(f"{each.name}, {what}", (before + fraction * len(each.photos)) / total)

        seen = observe(each.photos, engines, work, step, workers=workers)
        found.append(SeenSet(each, tuple(seen), is_hard=number >= len(sets) - hard))
        before += len(each.photos)
    return found


def _unreadable(sets: Sequence[SeenSet], engine: Engine) -> list[tuple[Path, str]]:
    return [
        (seen.photo.path, seen.by_model[engine.model_id].error)
        for each in sets
        for seen in each.seen
        if seen.by_model[engine.model_id].outcome is Outcome.UNREADABLE
    ]
