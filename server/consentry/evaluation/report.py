"""report.md: the figures for people."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from consentry.evaluation.calibration import Row
from consentry.evaluation.comparisons import TICKS
from consentry.evaluation.identification import FPIRS
from consentry.evaluation.measuring import FMRS, Hard, Measured, Point, SeenSet
from consentry.evaluation.observation import Outcome
from consentry.evaluation.plots import Line, det_plot
from consentry.evaluation.rates import FEWEST_ERRORS, Rate

DET_FILE = "det.svg"

_HEAD = """\
# How often it errs

Written by `{command}` on {date} with Consentry {version}; do not edit. The same figures for programs:
[report.json](report.json) (docs/specs/evaluation-report.md).

{note}- **Data.** {data}
- **Protocol.** Every photo is compared with every other of its set, never across sets: people may be in both. A
  photo's face is the one nearest the middle. Similarity is cosine; FMR and FNMR are fractions of comparisons of faces
  that were found (ISO/IEC 19795-1).
- **Intervals**, 95 %. FMR: Wilson; pairs of the same photos depend on one another, so these are somewhat too narrow.
  FNMR: drawing subjects with replacement.
- **Nothing is claimed that the pairs do not support**: a rate needs {fewest} false matches or more behind its
  threshold; otherwise there is a dash.
"""

_ALL_PAIRS = """\
## Missed at a false match rate, all pairs

{non_mated:,} non-mated and {mated:,} mated pairs. Thresholds are chosen on the pairs that they are counted on; the next
section does not do that. Behind each FNMR, in brackets, its interval; "with failures" counts a mated pair as missed
when a photo of it gave no face.
"""

_HALVES = """\
## Chosen on one half of the people, scored on the other

Which half somebody is in is decided by a hash of the identity. A threshold comes from the calibrating half; FMR and
FNMR are those of the other half. The promise is the larger rate of the two. With a star, the threshold is a fixed step
that no data chose, so all pairs measure it, also those across the halves, and the promise is the upper end of the
interval.
"""

_CURVE = (
    "| threshold | promised FMR | FMR, calibrating half | FMR, scoring half (95 %) | FNMR, calibrating half "
    "| FNMR, scoring half (95 %) |"
)

_SEARCHES = """\
## Searches

People are drawn as a gallery, one photo of each enrolled, ten times; their other photos, and everybody else's, are the
probes. FNIR is the part of the mated probes that miss their own reference, at thresholds at which the given part of the
strangers (FPIR) match anybody. Chosen on these same searches.
"""

_WORST = """\
## The people it serves worst

At the point of FMR 1e-3, in the scoring half: mean over people, the worst tenth of them, the single worst, how many
have no error at all, and how many are in any false match.

| model | mean FNMR | worst tenth | worst | without error | in a false match |
|---|---|---|---|---|---|"""

_HARD = """\
## Hard sets

Not used for any threshold. First at the thresholds for FMR 1e-3 from above, then at thresholds for FMR 1e-2 chosen on
the hard pairs themselves.

| model | set | pairs | FNMR | FMR | FNMR at FMR 1e-2 | with failures |
|---|---|---|---|---|---|---|"""


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands around the figures.

    Attributes:
        command: What writes this report again, without paths of this machine.
        version: Of Consentry.
        date: Of the run, YYYY-MM-DD.
        note: About the data, in Markdown; may be empty.
        more: Lines to follow the figures.
    """

    command: str
    version: str
    date: str
    note: str
    more: Sequence[str] = ()


def markdown(
    sets: Sequence[SeenSet],
    models: Sequence[Measured],
    *,
    heading: Heading,
) -> str:
    """Write the report. It holds no name of a person and no path."""
    data = "; ".join(_set(each) for each in sets)
    note = f"{heading.note.strip()}\n" if heading.note.strip() else ""
    lines = [
        _HEAD.format(
            command=heading.command,
            date=heading.date,
            version=heading.version,
            note=note,
            data=f"{data}.",
            fewest=FEWEST_ERRORS,
        ),
        *_acquired(models),
        *_all_pairs(models),
        *_listed(models),
        *_halves(models),
        *_searches(models),
        *_worst(models),
        *_hard(models),
        *heading.more,
    ]
    return "\n".join(lines).rstrip() + "\n"


def det(models: Sequence[Measured]) -> str:
    """Draw the trade-offs of all models."""
    return det_plot(
        "Trade-off of the two errors, all pairs", [Line(m.model_id, m.det) for m in models]
    )


def percent(rate: float) -> str:
    """Write a rate for people."""
    return "-" if math.isnan(rate) else f"{100 * rate:.2f} %"


def with_interval(rate: Rate) -> str:
    """Write a rate and its interval for people."""
    if not rate.count:
        return "-"
    return f"{percent(rate.value)} ({100 * rate.low:.2f} to {100 * rate.high:.2f})"


def _set(each: SeenSet) -> str:
    role = " (hard: kept out of every threshold)" if each.is_hard else ""
    return f"`{each.photos.name}`, {len(each.photos.photos):,} photos of {each.photos.subjects:,} people{role}"


def _acquired(models: Sequence[Measured]) -> Iterator[str]:
    yield "## Faces found"
    yield ""
    yield "Of the pictures that could be read, the part that gave no embedding (failure to acquire)."
    yield ""
    names = [one.name for one in models[0].acquired]
    yield f"| model | {' | '.join(f'`{name}`' for name in names)} |"
    yield "|---|" + "---|" * len(names)
    for each in models:
        cells = [
            f"{percent(one.rate)} ({one.outcomes[Outcome.NO_FACE]} without a face, "
            f"{one.outcomes[Outcome.TOO_SMALL]} too small)"
            for one in each.acquired
        ]
        yield f"| `{each.model_id}` | {' | '.join(cells)} |"
    unreadable = {one.name: one for one in models[0].acquired if one.outcomes[Outcome.UNREADABLE]}
    for name, one in unreadable.items():
        why = ", ".join(f"{count} `{code}`" for code, count in sorted(one.errors.items()))
        yield ""
        yield f"{one.outcomes[Outcome.UNREADABLE]} files of `{name}` could not be read: {why}."
    yield ""


def _all_pairs(models: Sequence[Measured]) -> Iterator[str]:
    known = next((p for each in models for p in each.fnmr_at_fmr.values() if p is not None), None)
    if known is None:
        yield "## Missed at a false match rate, all pairs"
        yield ""
        yield "There are too few pairs to give any rate."
        yield ""
        return
    yield _ALL_PAIRS.format(non_mated=known.fmr.count, mated=known.fnmr.count)
    yield f"![FMR against FNMR of each model]({DET_FILE})"
    yield ""
    yield from _points([(each.model_id, each.fnmr_at_fmr) for each in models])


def _points(rows: Sequence[tuple[str, dict[str, Point | None]]]) -> Iterator[str]:
    yield f"| model | {' | '.join(f'FMR {name}' for name in FMRS)} | with failures, {', '.join(FMRS)} |"
    yield "|---|" + "---|" * (len(FMRS) + 1)
    for model, points in rows:
        cells = [
            "-"
            if point is None
            else f"{with_interval(point.fnmr)} at {point.threshold / TICKS:.4f}"
            for point in points.values()
        ]
        failures = ", ".join(
            "-" if point is None else percent(point.fnmr_with_failures) for point in points.values()
        )
        yield f"| `{model}` | {' | '.join(cells)} | {failures} |"
    yield ""


def _listed(models: Sequence[Measured]) -> Iterator[str]:
    rows = [(each.model_id, each.listed) for each in models if each.listed is not None]
    if rows:
        yield "## The listed pairs only"
        yield ""
        yield "As `pairs.tsv` or `--pairs` lists them; thresholds chosen on the same pairs."
        yield ""
        yield from _points(rows)


def _halves(models: Sequence[Measured]) -> Iterator[str]:
    yield _HALVES
    for each in models:
        yield f"### `{each.model_id}`"
        yield ""
        if not each.curve:
            yield "Too few pairs for a threshold."
            yield ""
            continue
        yield _CURVE
        yield "|---|---|---|---|---|---|"
        for row in each.curve:
            yield _row(row)
        yield ""


def _row(row: Row) -> str:
    star = "" if row.is_chosen else " *"
    scoring = row.scoring
    return (
        f"| {row.threshold / TICKS:.4f} | {row.fmr:.1e}{star} | {row.calibrating.value:.1e} "
        f"| {scoring.value:.1e} ({scoring.low:.1e} to {scoring.high:.1e}) "
        f"| {percent(row.missed_calibrating.value)} | {with_interval(row.missed_scoring)} |"
    )


def _searches(models: Sequence[Measured]) -> Iterator[str]:
    if not any(each.searches for each in models):
        return
    yield _SEARCHES
    yield f"| model | set | enrolled | {' | '.join(f'FNIR at FPIR {100 * fpir:g} %' for fpir in FPIRS)} |"
    yield "|---|---|---|" + "---|" * len(FPIRS)
    for each in models:
        for name, found in each.searches:
            thresholds = [found.threshold(fpir) for fpir in FPIRS]
            cells = ["-" if t is None else with_interval(found.fnir(t)) for t in thresholds]
            yield f"| `{each.model_id}` | `{name}` | {found.size:,} | {' | '.join(cells)} |"
    yield ""


def _worst(models: Sequence[Measured]) -> Iterator[str]:
    found = [(each.model_id, each.worst) for each in models if each.worst is not None]
    if found:
        yield _WORST
        for model, worst in found:
            yield (
                f"| `{model}` | {percent(worst.mean)} | {percent(worst.worst_tenth)} | {percent(worst.worst)} "
                f"| {worst.without_error} of {worst.subjects} | {worst.touched} of {worst.people} |"
            )
        yield ""


def _hard(models: Sequence[Measured]) -> Iterator[str]:
    rows = [(each.model_id, one) for each in models for one in each.hard]
    if rows:
        yield _HARD
        for model, one in rows:
            yield f"| `{model}` | `{one.name}` | {_hard_cells(one)} |"
        yield ""


def _hard_cells(one: Hard) -> str:
    first, second = one.conditions
    kind = first if first == second else f"{first} against {second}"
    own = one.fnmr_at_fmr["1e-2"]
    return " | ".join(
        (
            kind or "all",
            "-" if one.fnmr is None else with_interval(one.fnmr),
            "-" if one.fmr is None else f"{one.fmr.value:.1e}",
            "-" if own is None else with_interval(own.fnmr),
            "-" if own is None else percent(own.fnmr_with_failures),
        )
    )
