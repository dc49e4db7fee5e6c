"""The Merkle tree of RFC 6962: hashes, roots and proofs. Pure functions over a source of hashes.

    entries ──leaf_hash──> leaves ──node_hash──> ... ──> root
    Frontier    the right edge: all that appending needs, at most 64 hashes
    Nodes       where proofs read hashes of whole subtrees from (tiles, usually)

Whoever verifies needs no `Nodes`, only the proof. Verification raises; it never returns a bool.
Construction: RFC 6962, section 2.1; verification: RFC 9162, sections 2.1.3.2 and 2.1.4.2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from consentry.kernel.errors import ProofInvalid

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without entries."""

MAX_SIZE = 2**63 - 1

_APART = "The two trees are not of one history."


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry, 32 bytes. Distinct from every inner hash by its first byte."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node, 32 bytes, from those of its two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Node:
    """A subtree of 2**level leaves that begins at leaf ``index * 2**level``, and its hash."""

    level: int
    index: int
    hash: bytes


class Nodes(Protocol):
    """Where proofs read from."""

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of the subtree of 2**level leaves that begins at ``index * 2**level``.

        Asked only for subtrees that are whole in the tree which is read.
        """


@dataclass(frozen=True, slots=True)
class Frontier:
    """The whole subtrees that a tree is made of, largest first: one for each set bit of its size."""

    size: int
    peaks: tuple[bytes, ...]

    @classmethod
    def empty(cls) -> Self:
        """Return that of a tree without entries."""
        return cls(0, ())

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            ProofInvalid: If it is not the frontier of a tree of this size.
        """
        peaks = tuple(data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES))
        if size < 0 or len(data) != HASH_BYTES * size.bit_count():
            raise ProofInvalid("The right edge of the tree is damaged.")
        return cls(size, peaks)

    @classmethod
    def of(cls, nodes: Nodes, size: int) -> Self:
        """Read it from the nodes of a tree of that size or larger."""
        return cls(size, tuple(nodes.node(level, index) for level, index in _whole(0, size)))

    def to_bytes(self) -> bytes:
        """Return the hashes, one after the other."""
        return b"".join(self.peaks)

    def append(self, leaves: Iterable[bytes]) -> tuple[Self, list[Node]]:
        """Append leaf hashes.

        Returns:
            The new frontier, and every inner node that became whole, lowest first.
        """
        size, peaks, whole = self.size, list(self.peaks), []
        for leaf in leaves:
            peaks.append(leaf)
            size += 1
            for level in range(1, (size & -size).bit_length()):
                right = peaks.pop()
                peaks[-1] = node_hash(peaks[-1], right)
                whole.append(Node(level, (size >> level) - 1, peaks[-1]))
        return type(self)(size, tuple(peaks)), whole

    def root(self) -> bytes:
        """Return the root hash, 32 bytes."""
        return _fold(self.peaks) if self.peaks else EMPTY_ROOT


def root(nodes: Nodes, size: int) -> bytes:
    """Return the root hash of the tree of the first ``size`` entries."""
    return EMPTY_ROOT if size == 0 else _range(nodes, 0, size)


def inclusion_proof(nodes: Nodes, index: int, size: int) -> tuple[bytes, ...]:
    """Prove that the entry at ``index`` is in the tree of ``size`` entries.

    Returns:
        The sibling hashes from the leaf up: at most ceil(log2(size)) of them.

    Raises:
        ValueError: If the entry is not in that tree.
    """
    if not 0 <= index < size:
        raise ValueError("only an entry of the tree can be proved to be in it")
    siblings, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            siblings.append(_range(nodes, middle, end))
            end = middle
        else:
            siblings.append(_range(nodes, start, middle))
            start = middle
    return tuple(reversed(siblings))


def consistency_proof(nodes: Nodes, old: int, new: int) -> tuple[bytes, ...]:
    """Prove that the tree of ``new`` entries begins with the tree of ``old`` entries.

    Raises:
        ValueError: If the old tree is the larger one.
    """
    if not 0 <= old <= new:
        raise ValueError("a tree never shrinks")
    if old in (0, new):
        return ()
    hashes, start, end = [], 0, new
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            hashes.append(_range(nodes, middle, end))
            end = middle
        else:
            hashes.append(_range(nodes, start, middle))
            start = middle
    if start:  # else the old tree is itself a subtree, and its root is known to the verifier
        hashes.append(_range(nodes, start, end))
    return tuple(reversed(hashes))


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes
) -> None:
    """Pass when the leaf is at ``index`` of the tree of ``size`` entries with this root.

    Args:
        leaf: Hash of the entry (`leaf_hash`).
        index: From 0.
        size: Of the tree.
        proof: Sibling hashes, from the leaf up.
        expected_root: From a checkpoint that was verified.

    Raises:
        ProofInvalid: If it is not shown to be.
    """
    if not 0 <= index < size <= MAX_SIZE or any(len(each) != HASH_BYTES for each in proof):
        raise ProofInvalid("The proof of inclusion has not the form of one.")
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofInvalid("The proof of inclusion is too long for the tree.")
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    if last != 0 or found != expected_root:
        raise ProofInvalid("The entry is not in the tree, or not at this place of it.")


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Pass when the tree of ``new`` entries begins with the one of ``old`` entries.

    Raises:
        ProofInvalid: If it is not shown to: the two are of different histories.
    """
    is_trivial = old in (0, new)
    has_form = 0 <= old <= new <= MAX_SIZE and bool(proof) is not is_trivial
    if not has_form or any(len(each) != HASH_BYTES for each in proof):
        raise ProofInvalid("The proof of consistency has not the form of one.")
    if is_trivial:
        if old_root != (new_root if old == new else EMPTY_ROOT):
            raise ProofInvalid(_APART)
        return
    hashes = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    found_old = found_new = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            raise ProofInvalid("The proof of consistency is too long for the trees.")
        if place & 1 or place == last:
            found_old, found_new = node_hash(each, found_old), node_hash(each, found_new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found_new = node_hash(found_new, each)
        place, last = place >> 1, last >> 1
    if (last, found_old, found_new) != (0, old_root, new_root):
        raise ProofInvalid(_APART)


def _split(size: int) -> int:
    """Return the largest power of two below ``size`` (RFC 6962 calls it k)."""
    return 1 << (size - 1).bit_length() - 1


def _whole(start: int, end: int) -> list[tuple[int, int]]:
    """Return level and index of the whole subtrees of a range, largest first.

    ``start`` is a multiple of the largest of them, as it is wherever a proof looks.
    """
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def _range(nodes: Nodes, start: int, end: int) -> bytes:
    return _fold([nodes.node(level, index) for level, index in _whole(start, end)])


def _fold(peaks: Sequence[bytes]) -> bytes:
    found = peaks[-1]
    for each in reversed(peaks[:-1]):
        found = node_hash(each, found)
    return found
