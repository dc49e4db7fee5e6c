"""Recomputing an export: do the entries say what it says?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from consentry.audit.examine import Audited
from consentry.audit.export import FIGURES, FORMAT, export_files
from consentry.audit.figures import figures_of
from consentry.audit.findings import Finding, FindingKind
from consentry.audit.rates import Rate
from consentry.kernel.errors import BadRequest

_NOT_ONE = "figures.json is not that of an export."


def recomputed(audited: Audited, read: Callable[[str], bytes]) -> tuple[Finding, ...]:
    """Make every file of an export again, and say which differ.

    The threshold and the error rates are taken from the export: nothing in a log shows them.

    Args:
        audited: The log up to the head of the export.
        read: Returns a file of the export by name.

    Raises:
        BadRequest: If it is no export, or the log cannot be read up to its head.
    """
    threshold, rates = _given(read(FIGURES))
    files = export_files(figures_of(audited, threshold, rates))
    return tuple(
        Finding(FindingKind.COUNT, f"{name} does not say what the entries say.")
        for name, data in files.items()
        if read(name) != data
    )


def _given(data: bytes) -> tuple[int, tuple[Rate, ...]]:
    try:
        document = json.loads(data)
        if document["format"] != FORMAT:
            raise BadRequest(f"{_NOT_ONE} This version of Consentry reads {FORMAT}.")
        threshold = document["threshold"]
        rates = tuple(_rate(each) for each in document["error_rates"])
    except (ValueError, KeyError, TypeError) as cause:
        raise BadRequest(_NOT_ONE) from cause
    if type(threshold) is not int or threshold < 1:
        raise BadRequest(_NOT_ONE)
    return threshold, rates


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
