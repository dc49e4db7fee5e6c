"""Tiles: the tree and its entries in files of 256 (C2SP tlog-tiles).

    tile/<level>/<index>[.p/<width>]      256 hashes, or ``width`` of the last one
    tile/entries/<index>[.p/<width>]      the entries under a tile of level 0, each with its length

A whole tile never changes. Any proof can be computed from a few of them, by anybody.
Construction: https://c2sp.org/tlog-tiles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from consentry.kernel.errors import ProofInvalid
from consentry.transparency.tree import HASH_BYTES, node_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_LEVEL = 63
MAX_ENTRY_BYTES = 0xFFFF
"""An entry's length is written in two bytes."""

_PATH = re.compile(
    r"(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile.

    Attributes:
        level: 0 to 63; None for the entries themselves.
        index: Within the level, from 0.
        width: 1 to 256 hashes (or entries); 256 for a whole tile.
    """

    level: int | None
    index: int
    width: int = WIDTH

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read what comes after ``tile/`` in a path, in its one spelling.

        Raises:
            ProofInvalid: If it is not the path of a tile.
        """
        found = _PATH.fullmatch(path)
        if found is None:
            raise ProofInvalid("That is not the path of a tile.")
        level = None if found[1] == "entries" else int(found[1])
        width = WIDTH if found[3] is None else int(found[3])
        tile = cls(level, int(re.sub(r"[x/]", "", found[2])), width)
        is_whole_as_partial = found[3] is not None and width >= WIDTH
        if is_whole_as_partial or (level or 0) > MAX_LEVEL or tile.path() != path:
            raise ProofInvalid("That is not the path of a tile.")
        return tile

    def path(self) -> str:
        """Return what comes after ``tile/`` in its path."""
        digits = f"{self.index:03d}"
        digits = digits.rjust(-(-len(digits) // 3) * 3, "0")
        groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        place = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        suffix = "" if self.width == WIDTH else f".p/{self.width}"
        return f"{'entries' if self.level is None else self.level}/{place}{suffix}"

    @property
    def first(self) -> int:
        """The first hash of the level (or the first entry) that is in it."""
        return self.index * WIDTH

    def is_in(self, size: int) -> bool:
        """Whether a tree of that size has it, whole or so far."""
        return self.first + self.width <= size >> HEIGHT * (self.level or 0)


def tiles_of(size: int) -> Iterator[Tile]:
    """Return every tile of hashes of a tree of that size, lowest level first."""
    level, width = 0, size
    while width:
        for first in range(0, width, WIDTH):
            yield Tile(level, first // WIDTH, min(WIDTH, width - first))
        level, width = level + 1, width >> HEIGHT


def bundles_of(size: int) -> Iterator[Tile]:
    """Return every bundle of entries of a tree of that size."""
    for first in range(0, size, WIDTH):
        yield Tile(None, first // WIDTH, min(WIDTH, size - first))


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return entries, each after its length in two bytes, big-endian.

    Raises:
        ValueError: If an entry is longer than `MAX_ENTRY_BYTES`.
    """
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise ValueError("an entry has at most 65,535 bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes, width: int) -> tuple[bytes, ...]:
    """Read a bundle of ``width`` entries.

    Raises:
        ProofInvalid: If it holds more, fewer, or is cut short.
    """
    entries: list[bytes] = []
    place = 0
    while place < len(data) and len(entries) < width:
        end = place + 2 + int.from_bytes(data[place : place + 2], "big")
        if end > len(data) or place + 2 > len(data):
            raise ProofInvalid("A bundle of entries is cut short.")
        entries.append(data[place + 2 : end])
        place = end
    if len(entries) != width or place != len(data):
        raise ProofInvalid("A bundle has not as many entries as its place in the log.")
    return tuple(entries)


def split_hashes(data: bytes, width: int) -> tuple[bytes, ...]:
    """Read a tile of ``width`` hashes.

    Raises:
        ProofInvalid: If it has another length.
    """
    if len(data) != width * HASH_BYTES:
        raise ProofInvalid("A tile has not as many hashes as its place in the tree.")
    return tuple(data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES))


@dataclass(slots=True)
class TileNodes:
    """`consentry.transparency.tree.Nodes` over the tiles of a tree of one size.

    Each tile is read once and kept, so an instance lives for one proof, or for one pass. Not for
    use by several threads.

    Attributes:
        size: Of the tree: how wide its last tiles are.
        read: Returns the bytes of a tile of hashes.
        keep: How many tiles are kept at most; a proof needs fewer.
    """

    size: int
    read: Callable[[Tile], bytes]
    keep: int = 64
    _kept: dict[Tile, list[list[bytes]]] = field(default_factory=dict)

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a whole subtree."""
        tile_level, height = divmod(level, HEIGHT)
        first = index << height
        tile = Tile(tile_level, first // WIDTH, self._width(tile_level, first // WIDTH))
        within = (first % WIDTH) >> height
        rows = self._rows(tile)
        while len(rows) <= height:
            below = rows[-1]
            rows.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
        if within >= len(rows[height]):
            raise ValueError("a tree has only the subtrees that are whole in it")
        return rows[height][within]

    def _width(self, level: int, index: int) -> int:
        return max(0, min(WIDTH, (self.size >> HEIGHT * level) - index * WIDTH))

    def _rows(self, tile: Tile) -> list[list[bytes]]:
        if tile.width == 0:
            raise ValueError("a tree has only the subtrees that are whole in it")
        rows = self._kept.get(tile)
        if rows is None:
            if len(self._kept) >= self.keep:
                self._kept.pop(next(iter(self._kept)))
            rows = [list(split_hashes(self.read(tile), tile.width))]
            self._kept[tile] = rows
        return rows
