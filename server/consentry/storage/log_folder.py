"""A log as a folder of files, as C2SP tlog-tiles lays them out: ``checkpoint``, ``tile/...``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from consentry.kernel.errors import NotFound, StorageFailed
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.tiles import Tile

CHECKPOINT = "checkpoint"
_TILES = "tile"


@dataclass(frozen=True, slots=True)
class FolderLog:
    """`consentry.audit.ports.LogSource` over a copy of a log, or an export that carries its entries."""

    folder: Path

    @property
    def has_tree(self) -> bool:
        """Whether it has hashes beside the entries; an export has none, they are computed."""
        return (self.folder / _TILES / "0").is_dir()

    @property
    def has_entries(self) -> bool:
        """Whether it has entries."""
        return (self.folder / _TILES / "entries").is_dir()

    def heads(self) -> tuple[SignedCheckpoint, ...]:
        """Return the one head of the folder.

        Raises:
            NotFound: If there is none.
            ProofInvalid: If it is not in the form of one.
        """
        return (SignedCheckpoint.parse(self._bytes(CHECKPOINT)),)

    def read(self, tile: Tile) -> bytes:
        """Return a tile of hashes, or a bundle of entries."""
        return self._bytes(f"{_TILES}/{tile.path()}")

    def write(self, tile: Tile, data: bytes) -> None:
        """Write a tile.

        Raises:
            StorageFailed: If it could not be written.
        """
        path = self.folder / _TILES / tile.path()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as cause:
            raise StorageFailed("A tile of the log could not be written.") from cause

    def _bytes(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError as cause:
            raise NotFound(f"The folder has no {name}.") from cause
        except OSError as cause:
            raise StorageFailed(f"{name} of the log's folder cannot be read.") from cause
