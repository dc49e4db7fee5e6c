"""A whole Merkle tree in memory, by the definition and nothing else: the oracle of the real ones."""

from __future__ import annotations

from dataclasses import dataclass

from consentry.transparency.tiles import HEIGHT, Tile
from consentry.transparency.tree import leaf_hash, node_hash


def entry(n: int) -> bytes:
    return f"entry {n}".encode()


@dataclass
class WholeTree:
    """`consentry.transparency.tree.Nodes` over the leaves themselves."""

    leaves: list[bytes]

    @classmethod
    def of(cls, size: int) -> WholeTree:
        return cls([leaf_hash(entry(n)) for n in range(size)])

    def __post_init__(self):
        self._rows = [self.leaves]

    def node(self, level: int, index: int) -> bytes:
        while len(self._rows) <= level:
            below = self._rows[-1]
            self._rows.append(
                [node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
            )
        return self._rows[level][index]

    def tile(self, tile: Tile) -> bytes:
        return b"".join(self.node(HEIGHT * tile.level, tile.first + i) for i in range(tile.width))


def by_definition(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, over leaf hashes, written down as it stands there."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return node_hash(by_definition(hashes[:k]), by_definition(hashes[k:]))
