"""What an audit reads from."""

from __future__ import annotations

from typing import Protocol

from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.tiles import Tile


class LogSource(Protocol):
    """A log as it shows itself: a data folder of one's own, an address, or a folder of files."""

    @property
    def has_tree(self) -> bool:
        """Whether it shows tiles of hashes too, and not the entries alone."""

    def heads(self) -> tuple[SignedCheckpoint, ...]:
        """Return every head that it shows, none verified. May be empty."""

    def read(self, tile: Tile) -> bytes:
        """Return a tile of hashes, or a bundle of entries.

        Raises:
            NotFound, StorageFailed: If there is none.
            Unreachable: If it does not answer.
        """
