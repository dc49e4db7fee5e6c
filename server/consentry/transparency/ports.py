"""What the log asks of others. Stores pass ``tests/contracts/log_store.py``."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.notes import NoteSignature, VerifierKey
from consentry.transparency.tiles import Tile
from consentry.transparency.tree import Nodes


class HeadMemory(Protocol):
    """The last head that was signed, remembered outside of the database: a backup does not reach it."""

    def read(self) -> SignedCheckpoint | None:
        """Return it; None when nothing was signed yet.

        Raises:
            LogInconsistent: If it is damaged.
        """

    def keep(self, signed: SignedCheckpoint) -> None:
        """Remember it; it has reached the disk when this returns.

        Raises:
            StorageFailed, StorageFull: If it could not be written. The old one is still there.
        """

    def set_aside(self) -> None:
        """Put a damaged one aside: nothing is remembered any more."""


class LogView(Protocol):
    """A consistent look at the log, as of one moment."""

    @property
    def origin(self) -> str:
        """Which log it is."""

    @property
    def size(self) -> int:
        """How many entries it has."""

    def read(self, tile: Tile) -> bytes:
        """Return a tile of hashes, or a bundle of entries.

        Raises:
            NotFound: If the log has not come so far.
        """

    def nodes(self, size: int) -> Nodes:
        """Return the tree of its first ``size`` entries, to prove from."""

    def entry(self, index: int) -> bytes:
        """Return one entry.

        Raises:
            NotFound: If the log has not come so far.
        """

    def heads(self) -> tuple[SignedCheckpoint, ...]:
        """Return what was signed of this log and its former origins, newest last."""


class HeldLog(LogView, Protocol):
    """The log while nobody can append to it."""

    def keep(self, signed: SignedCheckpoint) -> None:
        """Keep a head that is signed, in the transaction that holds the log."""

    def is_renounced(self, signed: SignedCheckpoint) -> bool:
        """Whether this log has said in public that it goes on without what that head says."""


class LogStore(Protocol):
    """The durable log. What is appended is appended by the stores of what it records."""

    def view(self) -> AbstractContextManager[LogView]:
        """Look at the log."""

    def hold(self) -> AbstractContextManager[HeldLog]:
        """Keep everybody from appending, over all processes, while the block runs."""

    def take_in(self) -> int:
        """Bring waiting entries into the log, in random order, and return its size.

        Raises:
            LogInconsistent: If the log is older than what was signed of it.
        """

    def published(self) -> SignedCheckpoint | None:
        """Return the newest head that enough witnesses cosigned; None when there is none yet."""

    def note_cosigned(self, signed: SignedCheckpoint, *, is_published: bool) -> None:
        """Keep the cosignatures of a head that was kept before."""

    def renew(self) -> str:
        """Go on under a new origin, with an entry that tells so, and return the origin."""


class WitnessLine(Protocol):
    """A way to one witness."""

    @property
    def name(self) -> str:
        """What the trust policy calls it."""

    @property
    def vkey(self) -> VerifierKey:
        """What verifies its cosignatures."""

    def submit(self, old: int, proof: tuple[bytes, ...], signed: SignedCheckpoint) -> WitnessReply:
        """Ask for a cosignature (C2SP tlog-witness, ``add-checkpoint``).

        Raises:
            Unreachable: If there is no answer, or none that can be understood.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessReply:
    """What a witness answered.

    Attributes:
        signatures: Its cosignatures; empty when it did not sign.
        size: The size that it has seen last, when that is not what was expected; else None.
        has_refused: It holds the head for a fork, or does not know the log.
    """

    signatures: tuple[NoteSignature, ...] = ()
    size: int | None = None
    has_refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """The last head of a log that was cosigned here."""

    signed: SignedCheckpoint
    stamped_at: datetime


class WitnessMemory(Protocol):
    """What a witness has cosigned. A block is atomic, over all processes."""

    def turn(self) -> AbstractContextManager[WitnessTurn]:
        """Take a turn: whatever is kept is on the disk when the block ends."""

    def last(self, origin_hash: str) -> Witnessed | None:
        """Return what was cosigned last of a log, by the SHA-256 of its origin, in hex."""


class WitnessTurn(Protocol):
    """One turn of a witness."""

    def last(self, origin: str) -> Witnessed | None:
        """Return what was cosigned last of a log; None for nothing."""

    def keep(self, witnessed: Witnessed) -> None:
        """Replace it."""
