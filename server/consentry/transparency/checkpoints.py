"""Checkpoints: what a log says of itself, signed (C2SP tlog-checkpoint).

    <origin>                    which log
    <size>                      how many entries
    <root hash, base64>         of its tree

A log never signs two that no consistency proof connects: `consentry.transparency.publication`.
Construction: https://c2sp.org/tlog-checkpoint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from consentry.kernel.errors import ProofInvalid
from consentry.transparency.notes import (
    Note,
    NoteSigner,
    VerifierKey,
    decode_base64,
    encode_base64,
)
from consentry.transparency.tree import HASH_BYTES, MAX_SIZE

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_LINES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The head of a log.

    Attributes:
        origin: Which log; not empty, one line.
        size: Entries.
        root: Root hash, 32 bytes.
        extensions: Further lines. Signed, and understood by nobody here.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a note.

        Raises:
            ProofInvalid: If it is not a checkpoint.
        """
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < _LINES or not text.endswith("\n") or not all(lines):
            raise ProofInvalid("A checkpoint has an origin, a size and a root hash, a line each.")
        root = decode_base64(lines[2])
        if len(root) != HASH_BYTES:
            raise ProofInvalid("The root hash of a checkpoint has 32 bytes.")
        return cls(
            origin=lines[0], size=parse_size(lines[1]), root=root, extensions=tuple(lines[_LINES:])
        )

    def text(self) -> str:
        """Return the text of the note."""
        lines = (self.origin, str(self.size), encode_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint and the note that it came in. Signatures are verified only where it is said."""

    checkpoint: Checkpoint
    note: Note

    @classmethod
    def parse(cls, data: bytes | str) -> Self:
        """Read a checkpoint with its signatures. Nothing is verified yet.

        Raises:
            ProofInvalid: If it is not one.
        """
        note = Note.parse(data)
        return cls(checkpoint=Checkpoint.parse(note.text), note=note)

    @classmethod
    def sign(cls, checkpoint: Checkpoint, signer: NoteSigner, now: datetime) -> Self:
        """Sign. Whoever calls this has made sure that it is consistent with all signed before."""
        text = checkpoint.text()
        return cls(checkpoint=checkpoint, note=Note(text, (signer.sign(text, now),)))

    def require_signed_by(self, log: VerifierKey) -> None:
        """Pass when the log itself signed it.

        Raises:
            ProofInvalid: If it is of another origin, or the signature is missing or does not hold.
        """
        if self.checkpoint.origin != log.name:
            raise ProofInvalid("The checkpoint is one of another log.")
        if log not in self.note.signed_by([log]):
            raise ProofInvalid("The checkpoint is not signed by the log.")

    def __str__(self) -> str:
        return str(self.note)


def parse_size(text: str) -> int:
    """Read the number of entries of a tree, in its one spelling.

    Raises:
        ProofInvalid: If it is none, or too large.
    """
    if not _SIZE.fullmatch(text) or int(text) > MAX_SIZE:
        raise ProofInvalid("The size of a tree is a whole number without leading zeroes.")
    return int(text)
