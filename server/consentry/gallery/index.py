"""What a search index is: the words, and the promise that every backend keeps.

    store  --snapshot-->  load(rows, revision)
           --changes--->  apply(changes, after, revision)
    probe  ------------>  search(probes, ...)  -->  every row at or above min_score, or
    IndexIncomplete

A missed row is a person who is not protected, so an index that cannot be whole and fresh raises
instead of answering. Implementations pass ``tests/contracts/template_index.py``, which compares
them with a loop over all rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from consentry.kernel.ids import ModelId

Vector = npt.NDArray[np.float32]
"""Shape ``(d,)``, float32, finite, L2 norm 1. Personal data: never log, never send."""

Matrix = npt.NDArray[np.float32]
"""Shape ``(n, d)``, float32; each row is a `Vector`."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row that came, was replaced, or went.

    Attributes:
        row: Positive; what the store calls the template.
        vector: The reference, or None when the row is gone. Not shown by ``repr``.
    """

    row: int
    vector: Vector | None

    def __repr__(self) -> str:
        return f"Change(row={self.row}, {'removed' if self.vector is None else 'present'})"


@dataclass(frozen=True, slots=True)
class Hit:
    """A row at or above the asked score (1:N). ``score`` is the cosine similarity, in [-1, 1]."""

    row: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The whole answer to one search.

    Attributes:
        hits: One tuple a probe, in the order of the probes; each by score descending, then row
            ascending.
        revision: The state that was searched.
        rows_scanned: How many rows each probe was compared with: all of them.
    """

    hits: tuple[tuple[Hit, ...], ...]
    revision: int
    rows_scanned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStats:
    """What an index holds.

    Attributes:
        revision: The state it is at; None until it is loaded, and after `clear`.
        count: Rows that can be found.
        size_bytes: Memory in use for vectors and row numbers.
        model: The model whose references these are; no other model's probe belongs here.
        dimension: Length of each vector.
    """

    revision: int | None
    count: int
    size_bytes: int
    model: ModelId
    dimension: int


class Batch(NamedTuple):
    """Some rows of a snapshot and their vectors, ``(n, d)`` float32 of norm 1, in the same order."""

    rows: Sequence[int]
    vectors: Matrix


class TemplateIndex(Protocol):
    """References of one model in memory, searchable. Safe to share between threads."""

    def load(self, batches: Iterable[Batch], revision: int) -> None:
        """Replace everything by a snapshot of the store.

        The old state answers until the new one is whole.

        Args:
            batches: In pieces of some thousands, so that no row is handled by itself.
            revision: The state that the snapshot shows.

        Raises:
            ValueError: If a row is not positive or comes twice, or a vector is not a `Vector` of
                this dimension.
        """

    def apply(self, changes: Sequence[Change], *, after: int, revision: int) -> int:
        """Bring the index from one revision to a later one, and return the one it is at.

        All at once: no search sees half of it. When this returns, no search, not even one
        that began before, can still find a removed row. Idempotent: what is known already changes
        nothing. ``changes`` may be empty: then nothing of this model happened up to ``revision``.

        Args:
            changes: Everything that happened after ``after`` up to ``revision``. Where a row comes
                twice the last wins. Removing a row that is not there is no error.
            after: The revision that the changes begin at. May be older than the index, never newer.
            revision: The revision that they lead to.

        Raises:
            IndexIncomplete: If the index is not loaded, or is older than ``after``: changes in
                between are missing.
            ValueError: If a row or a vector is malformed, or ``revision < after``. Nothing was
                applied.
        """

    def search(
        self, probes: Matrix, min_score: float, min_revision: int, *, best_only: bool = False
    ) -> SearchResult:
        """Find every row whose similarity to a probe is ``>= min_score`` (1:N).

        Args:
            probes: Shape ``(n, d)``; ``n`` may be 0. More probes a call cost less each.
            min_score: In [-1, 1], inclusive.
            min_revision: The store's revision, asked just before.
            best_only: Keep only the first hit of each probe.

        Raises:
            IndexIncomplete: If the index is not loaded, older than ``min_revision``, or did not
                compare every row.
            ValueError: If a probe is not a `Vector` of this dimension, or ``min_score`` is not a
                score.
        """

    def stats(self) -> IndexStats:
        """Return what the index holds. Cheap."""

    def clear(self) -> None:
        """Forget everything and overwrite its memory, best effort. Searches raise until `load`."""
