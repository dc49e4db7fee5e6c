"""`evaluate`: how often the models err on a folder of labelled photos. Needs no home and no passphrase."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.invocation import Invocation
from consentry.cli.problems import Problem
from consentry.cli.terminal import note, progress, say, say_table
from consentry.kernel.errors import BadRequest

if TYPE_CHECKING:
    from consentry.evaluation.evaluate import Done

_MOST_NAMED = 20
_MOST_BY_ITSELF = 4
_WORK_FOLDER = "work"


def evaluate(  # noqa: PLR0913 -- each is an option of the command
    context: typer.Context,
    *,
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR...",
            help=(
                "Labelled photos: DIR/IDENTITY/photo.jpg, or DIR/IDENTITY/CONDITION/photo.jpg; a flat folder is one "
                "photo a person. No pair goes across two folders."
            ),
        ),
    ],
    hard: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Likewise, but scored apart and kept out of every threshold. May be repeated.",
            show_default=False,
        ),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=(
                "Pairs to score too: two photos of DIR and 1 or 0, by tabs. DIR/pairs.tsv is taken by itself."
            ),
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "companion, light, registry or face-recognition (the reference; an extra). May be repeated; the first "
                "three if left out."
            ),
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path,
        typer.Option(metavar="OUT", help="The folder for report.md, report.json and the plots."),
    ] = Path("evaluation-report"),
    work: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help=(
                "Where a run keeps what it saw, so that it can go on; OUT/work if left out. It holds embeddings of the "
                "people in DIR in the clear: only you may read it, and it is deleted when the run is done."
            ),
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume/--fresh", help="Go on from the work folder, or begin anew."),
    ] = True,
    keep_work: Annotated[
        bool,
        typer.Option("--keep-work", help="Leave the work folder, with its embeddings, at the end."),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=64,
            help="Threads; as many as there are processors, at most 4, if left out.",
            show_default=False,
        ),
    ] = None,
    note_file: Annotated[
        Path | None,
        typer.Option(
            "--note",
            metavar="FILE",
            help="Markdown about the data, for the head of the report.",
            show_default=False,
        ),
    ] = None,
    robustness: Annotated[
        bool,
        typer.Option(
            "--robustness",
            help=(
                "Also alter photos of the first DIR in some fifty ways (crops, turns, filters, stickers, collages ...) "
                "and see who is still known: robustness.md."
            ),
        ),
    ] = False,
    probes: Annotated[
        int,
        typer.Option(
            metavar="N", min=4, max=10_000, help="How many photos --robustness alters, at most."
        ),
    ] = 100,
    robustness_model: Annotated[
        list[str] | None,
        typer.Option(
            help="A model of --robustness, of those of --model; all but the reference if left out. May be repeated.",
            show_default=False,
        ),
    ] = None,
    attack: Annotated[
        bool,
        typer.Option(
            "--attack",
            help=(
                "With --robustness: also the published white-box attack on the embedders, on half as many photos. "
                "Slow; needs the extra models."
            ),
        ),
    ] = False,
    write_operating_points: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the measured thresholds there, as server/consentry/faces/operating_curves.json holds them.",
            show_default=False,
        ),
    ] = None,
    write_part_points: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write each network's strictest point there, as server/consentry/faces/part_points.json holds them.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Measure how often the models err on labelled photos: DET curve, FMR and FNMR, searches, the people served worst.

    Works on a folder, offline, without a data folder or a passphrase. The report names nobody.
    """
    from consentry.evaluation.evaluate import Plan
    from consentry.evaluation.evaluate import evaluate as run
    from consentry.faces.embed import EmbeddingModel
    from consentry.inference.sessions import ModelStore
    from consentry.kernel.clock import SystemClock

    names = tuple(model or EmbeddingModel)
    hard_sets = tuple(hard or ())
    if attack and not robustness:
        raise BadRequest("--attack belongs to --robustness; give both.")
    flags = [
        *(["--robustness", "--probes", str(probes)] if robustness else []),
        *(word for name in robustness_model or () for word in ("--robustness-model", name)),
        *(["--attack"] if attack else []),
    ]
    plan = Plan(
        folders=tuple(folders),
        hard=hard_sets,
        pairs=pairs,
        models=names,
        workers=workers or min(_MOST_BY_ITSELF, os.cpu_count() or 1),
        out=report,
        work=work or report / _WORK_FOLDER,
        fresh=not resume,
        keeps_work=keep_work,
        points=write_operating_points,
        part_points=write_part_points,
        source=_shown(report / "report.md"),
        command=_command(folders, hard_sets, names, flags),
        note=_text(note_file),
        probes=probes if robustness else 0,
        altered=tuple(robustness_model or ()),
        attacks=attack,
    )
    store = ModelStore(Invocation.of(context).settings.models_dir, threads=1)
    with progress("Photos") as step:
        done = run(plan, store, SystemClock(), step)
    _tell(done)
    say(f"The report is in {report / 'report.md'}.")


def _command(
    folders: list[Path], hard: tuple[Path, ...], models: tuple[str, ...], flags: list[str]
) -> str:
    """Return what to type, with the folders' own names only: a report is shown to others."""
    words = ["consentry", "evaluate", *(folder.resolve().name for folder in folders)]
    for folder in hard:
        words += ["--hard", folder.resolve().name]
    for name in models:
        words += ["--model", name]
    return shlex.join([*words, *flags])


def _shown(path: Path) -> str:
    """Return a path as others may see it: relative to where the command runs, else its last two parts."""
    resolved = path.resolve()
    if resolved.is_relative_to(Path.cwd()):
        return resolved.relative_to(Path.cwd()).as_posix()
    return Path(*resolved.parts[-2:]).as_posix()


def _text(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise Problem(
            code=BadRequest.code,
            status=BadRequest.status,
            message=f"Cannot read {path}.",
            instance="",
        ) from cause


def _tell(done: Done) -> None:
    from consentry.evaluation.card import told
    from consentry.evaluation.measuring import FMRS
    from consentry.evaluation.report import percent

    say_table(
        ("model", *(f"FNMR at FMR {name}" for name in FMRS), "no embedding"),
        [
            (
                each.model_id,
                *("-" if p is None else percent(p.fnmr.value) for p in each.fnmr_at_fmr.values()),
                ", ".join(f"{percent(one.rate)} of {one.name}" for one in each.acquired),
            )
            for each in done.models
        ],
    )
    if done.robustness is not None:
        say_table(("model", "untouched, known", "weak against"), list(told(done.robustness.cards)))
    for path, code in done.unreadable[:_MOST_NAMED]:
        note(f"Not read: {path} [{code}]")
    if len(done.unreadable) > _MOST_NAMED:
        note(f"Not read: {len(done.unreadable) - _MOST_NAMED} more.")
