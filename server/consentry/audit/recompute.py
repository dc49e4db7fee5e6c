"""Recomputing an export: do the entries say what it says?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date

from consentry.audit.beside import Beside, EngineRate, Stated, Tried
from consentry.audit.canary import Trial
from consentry.audit.examine import Audited
from consentry.audit.export import FIGURES, FORMAT, export_files
from consentry.audit.figures import figures_of
from consentry.audit.findings import Finding, FindingKind
from consentry.audit.rates import Rate
from consentry.kernel.errors import BadRequest

_NOT_ONE = "figures.json is not that of an export."


def recomputed(audited: Audited, read: Callable[[str], bytes]) -> tuple[Finding, ...]:
    """Make every file of an export again, and say which differ.

    The threshold and what stands beside the entries are taken from the export: no log shows them.

    Args:
        audited: The log up to the head of the export.
        read: Returns a file of the export by name.

    Raises:
        BadRequest: If it is no export, or the log cannot be read up to its head.
    """
    threshold, rates, beside = _given(read(FIGURES))
    files = export_files(figures_of(audited, threshold, rates, beside))
    return tuple(
        Finding(FindingKind.COUNT, f"{name} does not say what the entries say.")
        for name, data in files.items()
        if read(name) != data
    )


def _given(data: bytes) -> tuple[int, tuple[Rate, ...], Beside]:
    try:
        document = json.loads(data)
        if document["format"] != FORMAT:
            raise BadRequest(f"{_NOT_ONE} This version of Consentry reads {FORMAT}.")
        threshold = document["threshold"]
        rates = tuple(_rate(each) for each in document["error_rates"])
        beside = Beside(
            engine_rates=tuple(map(EngineRate.of_members, document["engine_rates"])),
            stated=_stated(document["stated"]),
            tried=tuple(
                Tried(trial=Trial(each["trial"]), sent=int(each["sent"]), right=int(each["right"]))
                for each in document["tried"]
            ),
        )
    except (ValueError, KeyError, TypeError) as cause:
        raise BadRequest(_NOT_ONE) from cause
    if type(threshold) is not int or threshold < 1:
        raise BadRequest(_NOT_ONE)
    return threshold, rates, beside


def _stated(members: Mapping[str, str | int | None] | None) -> Stated | None:
    if members is None:
        return None
    count = members["contests_open"]
    return Stated(
        day=date.fromisoformat(str(members["day"])),
        contests_open=None if count is None else int(count),
    )


def _rate(members: Mapping[str, str | int | float]) -> Rate:
    engine, source = members["engine"], members["source"]
    if not isinstance(engine, str) or not isinstance(source, str):
        raise BadRequest(_NOT_ONE)
    return Rate(
        engine=engine,
        threshold=float(members["threshold"]),
        fmr=float(members["fmr"]),
        fnmr=float(members["fnmr"]),
        mated_pairs=int(members["mated_pairs"]),
        non_mated_pairs=int(members["non_mated_pairs"]),
        source=source,
    )
