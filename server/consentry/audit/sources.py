"""Logs as an audit reads them: that of this installation, and any log as it was at a head."""

from __future__ import annotations

from dataclasses import dataclass

from consentry.audit.ports import LogSource
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.ports import LogView
from consentry.transparency.tiles import Tile


@dataclass(frozen=True, slots=True)
class ViewedLog:
    """`consentry.audit.ports.LogSource` over a look at the log."""

    view: LogView

    @property
    def has_tree(self) -> bool:
        """It always has."""
        return True

    def heads(self) -> tuple[SignedCheckpoint, ...]:
        """Return every head that is kept."""
        return self.view.heads()

    def read(self, tile: Tile) -> bytes:
        """Return a tile of hashes, or a bundle of entries."""
        return self.view.read(tile)


@dataclass(frozen=True, slots=True)
class AtHead:
    """A log as it was at one head, however much it has grown since."""

    source: LogSource
    signed: SignedCheckpoint

    @property
    def has_tree(self) -> bool:
        """As the log itself."""
        return self.source.has_tree

    def heads(self) -> tuple[SignedCheckpoint, ...]:
        """Return that one head."""
        return (self.signed,)

    def read(self, tile: Tile) -> bytes:
        """Return a tile of hashes, or a bundle of entries."""
        return self.source.read(tile)
