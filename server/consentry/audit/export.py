"""The files of an export: JSON, CSV, a report to read and a plot. Each is a function of the figures alone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from consentry.audit.disclosure import SUM, Table
from consentry.audit.figures import NOT_IN_THE_LOG, Figures
from consentry.audit.plots import day_plot
from consentry.audit.report import report
from consentry.transparency.notes import encode_base64

Json: TypeAlias = str | int | float | Sequence["Json"] | Mapping[str, "Json"] | None

FORMAT = "consentry.audit-export/1"
FIGURES = "figures.json"
PLOT = "days.svg"


def export_files(figures: Figures) -> Mapping[str, bytes]:
    """Return name and content of each file. The same figures always make the same bytes."""
    return {
        FIGURES: _json(figures),
        **{f"{name}.csv": _csv(table) for name, table in figures.tables.items()},
        "report.md": report(figures, PLOT).encode(),
        PLOT: day_plot(figures.tables["days"]).encode(),
    }


def _json(figures: Figures) -> bytes:
    stated = figures.beside.stated
    document: dict[str, Json] = {
        "format": FORMAT,
        "log": {
            "origin": figures.origin,
            "size": figures.size,
            "root": encode_base64(figures.root),
        },
        "threshold": figures.threshold,
        "entries": {
            "verdict": figures.verdicts,
            "subject": figures.changes,
            "versions": len(figures.announced),
            "renewed": figures.renewals,
        },
        "tables": {name: _rows(table) for name, table in figures.tables.items()},
        "versions": [
            {
                "index": each.index,
                "day": each.day.isoformat(),
                "program": each.versions.program,
                "policy": each.versions.policy,
                "engines": dict(sorted(each.versions.engines.items())),
                "models": dict(sorted(each.versions.models.items())),
            }
            for each in figures.announced
        ],
        "error_rates": [
            {
                "engine": rate.engine,
                "threshold": rate.threshold,
                "fmr": rate.fmr,
                "fnmr": rate.fnmr,
                "mated_pairs": rate.mated_pairs,
                "non_mated_pairs": rate.non_mated_pairs,
                "source": rate.source,
            }
            for rate in figures.rates
        ],
        "engine_rates": [
            {
                "engine": each.engine,
                "measure": each.measure,
                "rate": each.rate,
                "of": each.of,
                "source": each.source,
            }
            for each in figures.beside.engine_rates
        ],
        "stated": None
        if stated is None
        else {"day": stated.day.isoformat(), "contests_open": stated.contests_open},
        "tried": [
            {"trial": each.trial.value, "sent": each.sent, "right": each.right}
            for each in figures.beside.tried
        ],
        "not_in_the_log": NOT_IN_THE_LOG,
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _rows(table: Table) -> list[Json]:
    return [
        {
            "row": row,
            "counts": {column: table.cells[row, column] for column in table.columns},
            "sum": table.cells[row, SUM],
        }
        for row in (*table.rows, SUM)
    ]


def _csv(table: Table) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["row", *table.columns, "sum"])
    for row in (*table.rows, SUM):
        counts = [table.cells[row, column] for column in (*table.columns, SUM)]
        writer.writerow([row, *("held back" if each is None else each for each in counts)])
    return out.getvalue().encode()
