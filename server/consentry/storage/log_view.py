"""Reading the transparency log: tiles, entries, heads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from consentry.kernel.errors import NotFound, StorageFailed
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.tiles import WIDTH, Tile, TileNodes, encode_bundle
from consentry.transparency.tree import leaf_hash

Value: TypeAlias = int | str | bytes | None
_NOT_SO_FAR = "The log has not come so far."


class Run(Protocol):
    """Runs a statement in the transaction that is looked into, and returns its rows."""

    def __call__(self, statement: str, values: tuple[Value, ...] = ()) -> Sequence[Sequence[Value]]:
        """Run it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlLogView:
    """`consentry.transparency.ports.LogView`. Lives as long as the transaction that it looks into."""

    origin: str
    size: int
    run: Run = field(repr=False)

    def read(self, tile: Tile) -> bytes:
        """Return a tile of hashes, or a bundle of entries."""
        if not tile.is_in(self.size):
            raise NotFound(_NOT_SO_FAR)
        if tile.level is None:
            return encode_bundle(self._entries(tile.first, tile.width))
        if tile.level == 0:
            return b"".join(map(leaf_hash, self._entries(tile.first, tile.width)))
        rows = self.run(
            "SELECT hash FROM log_nodes WHERE level = ? AND number >= ? AND number < ? "
            "ORDER BY number",
            (tile.level, tile.first, tile.first + tile.width),
        )
        return b"".join(_blobs(rows, tile.width))

    def nodes(self, size: int) -> TileNodes:
        """Return the tree of its first ``size`` entries, to prove from."""
        return TileNodes(size, self.read)

    def entry(self, index: int) -> bytes:
        """Return one entry."""
        if not 0 <= index < self.size:
            raise NotFound(_NOT_SO_FAR)
        return self._entries(index, 1)[0]

    def entries(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """Return index and bytes of every entry from ``start`` on, in order; reads 256 at a time."""
        for first in range(start, self.size, WIDTH):
            width = min(WIDTH, self.size - first)
            yield from enumerate(self._entries(first, width), first)

    def heads(self) -> tuple[SignedCheckpoint, ...]:
        """Return what was signed of this log and its former origins, newest last."""
        return read_heads(self.run)

    def _entries(self, first: int, width: int) -> list[bytes]:
        rows = self.run(
            "SELECT entry FROM log_leaves WHERE leaf >= ? AND leaf < ? ORDER BY leaf",
            (first, first + width),
        )
        return _blobs(rows, width)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlHeldLog(SqlLogView):
    """`consentry.transparency.ports.HeldLog`, in a transaction that holds the write lock."""

    superseded: bytes | None = field(repr=False)

    def keep(self, signed: SignedCheckpoint) -> None:
        """Keep a head that is signed."""
        checkpoint = signed.checkpoint
        self.run(
            "INSERT INTO log_checkpoints (origin, size, note, is_published) VALUES (?, ?, ?, 0) "
            "RETURNING size",
            (checkpoint.origin, checkpoint.size, str(signed)),
        )

    def is_renounced(self, signed: SignedCheckpoint) -> bool:
        """Whether this log has said in public that it goes on without what that head says."""
        return head_digest(signed) == self.superseded


def read_heads(run: Run) -> tuple[SignedCheckpoint, ...]:
    """Return every head that is kept, of this and former origins, the newest last."""
    rows = run("SELECT note FROM log_checkpoints ORDER BY size, is_published")
    return tuple(SignedCheckpoint.parse(str(row[0])) for row in rows)


def head_digest(signed: SignedCheckpoint) -> bytes:
    """Name a signed head, whatever cosignatures it has."""
    return hashlib.sha256(signed.note.text.encode()).digest()


def _blobs(rows: Sequence[Sequence[Value]], count: int) -> list[bytes]:
    found = [row[0] for row in rows if isinstance(row[0], bytes)]
    if len(found) != count:
        raise StorageFailed(
            "A part of the log is missing from the database. Put a sound copy of it back."
        )
    return found
