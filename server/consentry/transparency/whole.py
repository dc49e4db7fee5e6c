"""Verifying a whole log: that its entries are entries, and make the heads that were signed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from consentry.kernel.errors import ProofInvalid
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.entries import (
    Entry,
    RenewedEntry,
    SubjectEntry,
    VerdictEntry,
    VersionsEntry,
    decode_entry,
)
from consentry.transparency.tree import EMPTY_ROOT, Frontier, Nodes, leaf_hash, root

Kinds: TypeAlias = dict[str, int]

_BATCH = 4096


def verify_whole(
    entries: Iterable[tuple[int, bytes]], heads: Sequence[SignedCheckpoint], nodes: Nodes
) -> Kinds:
    """Pass when the entries make every head, and the stored hashes are those of the entries.

    Args:
        entries: All of them in order, each with its index from 0.
        heads: That were signed; the signatures are the caller's to verify.
        nodes: The stored tree, which proofs are made from.

    Returns:
        How many entries there are of each kind.

    Raises:
        ProofInvalid: If an entry is none, is missing or moved, or a head is of other entries.
    """
    expected = {each.checkpoint.size: each.checkpoint.root for each in heads}
    if any(expected[each.checkpoint.size] != each.checkpoint.root for each in heads):
        raise ProofInvalid("Two heads of one size were signed that are not the same: a fork.")
    frontier, kinds = Frontier.empty(), Counter[str]()
    waiting: list[bytes] = []
    _compare(expected.pop(0, EMPTY_ROOT), EMPTY_ROOT, 0)
    for index, data in entries:
        if index != frontier.size + len(waiting):
            raise ProofInvalid(f"Entry {index} is not where it belongs: one before it is missing.")
        kinds[_kind(data, index)] += 1
        waiting.append(leaf_hash(data))
        is_head = index + 1 in expected
        if is_head or len(waiting) == _BATCH:
            frontier, waiting = frontier.append(waiting)[0], []
        if is_head:
            _compare(expected.pop(index + 1), frontier.root(), index + 1)
    frontier = frontier.append(waiting)[0]
    if expected:
        raise ProofInvalid(
            f"A head of {min(expected)} entries was signed, and the log has only {frontier.size}."
        )
    if frontier.size:
        _compare(frontier.root(), root(nodes, frontier.size), frontier.size)
    return dict(kinds)


def _compare(signed: bytes, found: bytes, size: int) -> None:
    if signed != found:
        raise ProofInvalid(f"The first {size} entries are not those of the head that was signed.")


def _kind(data: bytes, index: int) -> str:
    try:
        entry: Entry = decode_entry(data)
    except ProofInvalid as cause:
        raise ProofInvalid(f"Entry {index}: {cause}") from cause
    match entry:
        case VerdictEntry():
            return f"verdict {entry.verdict.value}"
        case SubjectEntry():
            return "subject"
        case VersionsEntry():
            return "versions"
        case RenewedEntry():
            return "renewed"
