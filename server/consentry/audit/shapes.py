"""Reading a million entries: one that differs from an entry read before only in commitments is read by comparison.

A commitment (or the hash of a receipt) is 43 letters of base64url with nothing to escape. To put another one in
its place changes neither the form of an entry nor what is counted. So an entry is taken apart once for each
shape: what is left of it without them. Anything else, and every malformed entry, goes to `decode_entry`.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field

from consentry.transparency.entries import (
    RenewedEntry,
    SubjectEntry,
    VerdictEntry,
    VersionsEntry,
    decode_entry,
)

_NAMES = ("change", "platform", "purpose", "receipt", "region")
_COMMITTED = re.compile(
    rb'"(' + "|".join(_NAMES).encode() + rb')":"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"'
)
_MOST_SHAPES = 65_536
_LETTERS = 43


@dataclass(slots=True)
class Shape:
    """What entries have in common that differ only in commitments.

    Attributes:
        entry: One of them.
        committed: How many commitments each has.
        count: How many there were.
        announced: At which announcement of versions it was last found to agree.
        is_plain: Whether nothing in it but a commitment is called like one.
    """

    entry: VerdictEntry | SubjectEntry
    committed: int
    count: int = 0
    announced: int = -1
    is_plain: bool = True

    def committed_in(self, data: bytes, name: str) -> bytes:
        """Return what an entry of this shape committed to under a name, without taking it apart again.

        Args:
            data: An entry that was read as this shape.
            name: A commitment that verdicts have.
        """
        if not self.is_plain:
            found: bytes = getattr(decode_entry(data), name)
            return found
        # No quote stands unescaped in a value, so the name in quotes is the name.
        start = data.index(f'"{name}":"'.encode()) + len(name) + 4
        return base64.urlsafe_b64decode(data[start : start + _LETTERS] + b"=")


@dataclass(slots=True)
class ShapeReader:
    """Reads entries in order. Not for use by several threads."""

    shapes: dict[bytes, Shape] = field(default_factory=dict)
    odd: list[Shape] = field(default_factory=list)

    def read(self, data: bytes) -> Shape | VersionsEntry | RenewedEntry:
        """Return the shape of an entry, counted; or the entry itself, if it is of a kind without commitments.

        Raises:
            ProofInvalid: If it is not an entry (`decode_entry`).
        """
        rest, committed = _COMMITTED.subn(rb'"\1":0', data)
        shape = self.shapes.get(rest)
        if shape is None or shape.committed != committed:
            entry = decode_entry(data)
            if isinstance(entry, VersionsEntry | RenewedEntry):
                return entry
            # An engine may be called like a commitment; its version is counted, so it stays as it is.
            shape = Shape(entry, committed, is_plain=not _is_ambiguous(entry))
            if len(self.shapes) < _MOST_SHAPES and shape.is_plain:
                self.shapes[rest] = shape
            else:
                self.odd.append(shape)
        shape.count += 1
        return shape

    def all(self) -> list[Shape]:
        """Return every shape that was met, with its count."""
        return [*self.shapes.values(), *self.odd]


def _is_ambiguous(entry: VerdictEntry | SubjectEntry) -> bool:
    return isinstance(entry, VerdictEntry) and any(name in entry.engines for name in _NAMES)
