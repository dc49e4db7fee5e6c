"""Sampling: entries that an auditor picks herself, so that nobody can choose which receipts she sees."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence

from consentry.audit.findings import Finding, FindingKind
from consentry.audit.ports import LogSource
from consentry.kernel.errors import NotFound, ProofInvalid, StorageFailed
from consentry.kernel.ids import Random
from consentry.transparency.entries import VerdictEntry, decode_entry
from consentry.transparency.tiles import WIDTH, Tile, decode_bundle

_BYTES = 16


def pick(source: LogSource, count: int, *, random: Random = os.urandom) -> Sequence[int]:
    """Return the indices of at most ``count`` entries under the newest head that a log shows, ascending.

    The head is not verified here: who lies about it is found out when the log is read.
    """
    size = max((each.checkpoint.size for each in source.heads()), default=0)
    picked: set[int] = set()
    while len(picked) < min(count, size):
        # 128 bits over at most 2^63: no index is more likely than another by anything that counts.
        picked.add(int.from_bytes(random(_BYTES), "big") % size)
    return sorted(picked)


def without_receipt(
    source: LogSource, picked: Sequence[int], found: Collection[int], size: int
) -> tuple[Finding, ...]:
    """Return a finding for each picked entry that is a verdict, and for which no receipt was given.

    Args:
        source: The log.
        picked: Indices.
        found: Those of them for which a receipt was given.
        size: How many entries could be read and verified.
    """
    read: dict[int, Mapping[int, bytes]] = {}
    findings = []
    for index in picked:
        if index in found or index >= size:
            continue
        number = index // WIDTH
        if number not in read:
            read[number] = _bundle(source, number, size)
        if _is_verdict(read[number].get(index)):
            findings.append(
                Finding(
                    FindingKind.RECEIPT,
                    f"Entry {index} is a verdict, and its receipt was not given.",
                    index,
                )
            )
    return tuple(findings)


def _bundle(source: LogSource, number: int, size: int) -> Mapping[int, bytes]:
    tile = Tile(None, number, min(WIDTH, size - number * WIDTH))
    try:
        return dict(enumerate(decode_bundle(source.read(tile), tile.width), number * WIDTH))
    except (NotFound, StorageFailed, ProofInvalid):
        return {}  # told already, when the whole log was read


def _is_verdict(data: bytes | None) -> bool:
    try:
        return data is not None and isinstance(decode_entry(data), VerdictEntry)
    except ProofInvalid:
        return False
