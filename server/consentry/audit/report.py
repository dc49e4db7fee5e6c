"""The report that people read, in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from consentry.audit.disclosure import SUM, Table
from consentry.audit.figures import CHANGES, NOT_IN_THE_LOG, Figures
from consentry.transparency.notes import encode_base64

_HELD_BACK = "held back"
_MARKS = frozenset("\\`*[]<>|&!")
_TITLES = {
    "days": "By day",
    "reasons": "By reason",
    "deciders": "By laws and engines",
    "purpose": "By purpose",
    "region": "By region",
    "platform": "By platform",
    CHANGES: "Changes of enrolments, by day",
}
_REMARKS = {
    "days": "Days as the operator's clock said, in UTC.",
    "reasons": "Reasons that were given together are joined by a plus sign.",
    "purpose": "As declared. Entries commit to it; only what was opened for this export is known.",
    "region": "As declared. Entries commit to it; only what was opened for this export is known.",
    "platform": "As declared. Entries commit to it; only what was opened for this export is known.",
    CHANGES: "Nobody can tell enrolling, changing and revoking apart: entries only commit to which it was.",
}


def report(figures: Figures, plot: str) -> str:
    """Return the report. ``plot`` is the file name of the plot."""
    parts = [
        "# What a Consentry log says",
        "",
        f"Log {_plain(figures.origin)}, the first {figures.size} entries.",
        f"Root `{encode_base64(figures.root)}`; the signed head is in `checkpoint`.",
        "All but the error rates is made again from the entries by `consentry audit recompute`.",
        "",
        f"Counts below {figures.threshold} are held back, and so are others from which they could be computed.",
        "",
        f"- Verdicts: {_count(figures.verdicts)}",
        f"- Changes of enrolments: {_count(figures.changes)}",
        f"- Announcements of versions: {len(figures.announced)}",
        f"- Losses that the log admits: {figures.renewals}",
        "",
        f"![Verdicts by day]({plot})",
        "",
    ]
    for name, table in figures.tables.items():
        parts += [f"## {_TITLES[name]}", ""]
        if name in _REMARKS:
            parts += [_REMARKS[name], ""]
        parts += [*_table(table), ""]
    parts += [
        "## Versions",
        "",
        *_versions(figures),
        "",
        "## Error rates",
        "",
        *_rates(figures),
        "",
    ]
    parts += [
        "## False refusals and appeals",
        "",
        "No entry shows these. Each says who says it.",
        "",
        *_beside(figures),
        "",
    ]
    parts += ["## What the log cannot say", "", *(f"- {each}" for each in NOT_IN_THE_LOG), ""]
    return "\n".join(parts)


def _table(table: Table) -> list[str]:
    if not table.rows:
        return ["None."]
    rows = [
        [
            "all" if row == SUM else _plain(row),
            *(_count(table.cells[row, column]) for column in (*table.columns, SUM)),
        ]
        for row in (*table.rows, SUM)
    ]
    return _lines(["", *table.columns, "all"], rows)


def _versions(figures: Figures) -> list[str]:
    if not figures.announced:
        return ["None."]
    rows = [
        [
            str(each.index),
            each.day.isoformat(),
            _plain(each.versions.program),
            _plain(each.versions.policy),
            _plain(", ".join(f"{k} {v}" for k, v in sorted(each.versions.engines.items()))),
            str(len(each.versions.models)),
        ]
        for each in figures.announced
    ]
    head = ["from entry", "day", "program", "laws", "engines", "model files"]
    return [*_lines(head, rows), "", "SHA-256 of each model file: in `figures.json`."]


def _rates(figures: Figures) -> list[str]:
    if not figures.rates:
        return ["No engine of this log has error rates that ship as data."]
    rows = [
        [
            rate.engine,
            f"{rate.threshold:g}",
            f"{rate.fmr:.2g}",
            f"{rate.fnmr:.2g}",
            f"{rate.non_mated_pairs} and {rate.mated_pairs}",
            rate.source,
        ]
        for rate in figures.rates
    ]
    head = ["engine", "similarity", "FMR", "FNMR", "pairs of two people, of one", "measured in"]
    return [
        "FMR: part of the pairs of two people that match by mistake.",
        "FNMR: part of the pairs of one person that do not match.",
        "Measured by the makers of Consentry; no entry shows them.",
        "",
        *_lines(head, rows),
    ]


def _beside(figures: Figures) -> list[str]:
    beside = figures.beside
    measured = [
        [each.engine, each.measure, f"{each.rate:.1%}", str(each.of), each.source]
        for each in beside.engine_rates
    ]
    tried = [[each.trial.value, str(each.sent), str(each.right)] for each in beside.tried]
    lines = ["### Measured by the makers of Consentry", ""]
    lines += (
        _lines(["engine", "what went wrong", "part", "of", "measured in"], measured)
        if measured
        else ["Nothing of the engines of this log."]
    )
    lines += ["", "### Tried by the auditor", ""]
    lines += _lines(["what", "sent", "answered as the laws say"], tried) if tried else ["Nothing."]
    lines += ["", "### Stated by the operator", ""]
    stated = beside.stated
    if stated is None:
        return [*lines, "Nothing."]
    count = _count(stated.contests_open)
    return [*lines, f"Contested identities (appeals) open on {stated.day}: {count}."]


def _lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(each)} |" for each in (head, ["---"] * len(head), *rows)]


def _count(count: int | None) -> str:
    return _HELD_BACK if count is None else str(count)


def _plain(text: str) -> str:
    """Return text of strangers as it may stand in a cell: it makes no column, link, tag or line."""
    return "".join(
        " " if not c.isprintable() else f"&#{ord(c)};" if c in _MARKS else c for c in text
    )
