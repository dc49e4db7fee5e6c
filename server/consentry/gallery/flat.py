"""Exact search in memory: every probe against every row, in numpy. The oracle for any other index.

    row id --_slots--> segment << 16 | offset
    segment:  rows    [ 7 | 0 | 9 | 12 | ...unused ]    row 0: a free slot, zeroed
              vectors [ v | 0 | v | v  | ...unused ]    float32, up to 65,536 rows

Rows are compared in blocks that stay in the cache while all probes of a batch pass over them. The
float32 product only picks candidates, with a margin that covers its worst rounding; their scores
are then computed in float64. So a score does not depend on how many probes or rows were in the
call, and a row at the threshold is never lost to rounding.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from consentry.gallery.index import Batch, Change, Hit, IndexStats, Matrix, SearchResult, Vector
from consentry.kernel.biometrics import has_unit_rows
from consentry.kernel.errors import IndexIncomplete
from consentry.kernel.ids import ModelId

SEGMENT_ROWS = 65_536
SCORES_AT_ONCE = 262_144
"""How many scores are worked out before they are looked through: they stay in a core's cache."""

_FIRST_SEGMENT_ROWS = 1_024
_OFFSET_BITS = 16
_FREE = 0


class FlatIndex:
    """Exact index of one model. See `consentry.gallery.index.TemplateIndex`.

    ``_gate`` guards everything below it: a search holds it shared, a change holds it alone. So a
    change waits for the searches that run (milliseconds), goes before those that queue, and none
    ever sees half of it.
    """

    def __init__(self, model: ModelId, dimension: int) -> None:
        if dimension < 1:
            raise ValueError("a vector has at least one dimension")
        self._model = model
        self._dimension = dimension
        self._gate = _Gate()
        self._rows = _Rows(dimension)
        self._revision: int | None = None

    def load(self, batches: Iterable[Batch], revision: int) -> None:
        """Replace everything by a snapshot of the store."""
        fresh = _Rows(self._dimension)
        for batch in batches:
            if len(batch.rows) != len(batch.vectors):
                raise ValueError("a batch has one vector for each row")
            vectors = _as_vectors(batch.vectors, self._dimension)
            if batch.rows and _as_row(min(batch.rows)) and not fresh.append(batch.rows, vectors):
                raise ValueError("a row comes twice in a snapshot")
        with self._gate.alone():
            old, self._rows = self._rows, fresh
            self._revision = revision
            old.wipe()

    def apply(self, changes: Sequence[Change], *, after: int, revision: int) -> int:
        """Bring the index from one revision to a later one, all at once."""
        if revision < after:
            raise ValueError("changes lead to a later revision, not an earlier one")
        for change in changes:
            _as_row(change.row)
        vectors = iter(
            _as_matrix([c.vector for c in changes if c.vector is not None], self._dimension)
        )
        with self._gate.alone():
            if self._revision is None:
                raise IndexIncomplete("the gallery is not loaded yet: load a snapshot first")
            if self._revision < after:
                raise IndexIncomplete("changes are missing in between: load a snapshot")
            if self._revision >= revision:
                return self._revision
            for change in changes:
                if change.vector is None:
                    self._rows.discard(change.row)
                else:
                    self._rows.put(change.row, next(vectors))
            self._revision = revision
            return revision

    def search(
        self, probes: Matrix, min_score: float, min_revision: int, *, best_only: bool = False
    ) -> SearchResult:
        """Find every row whose similarity to a probe is ``>= min_score`` (1:N)."""
        checked = _as_vectors(probes, self._dimension)
        if not -1.0 <= min_score <= 1.0:
            raise ValueError("a score lies in [-1, 1]")
        with self._gate.shared():
            if self._revision is None:
                raise IndexIncomplete("the gallery is not loaded yet; try again when it is")
            if self._revision < min_revision:
                raise IndexIncomplete("the gallery is older than the store; refresh it first")
            scanned, hits = self._rows.search(checked, min_score)
            if scanned != len(self._rows):
                raise IndexIncomplete("not every row was compared; load the gallery again")
            revision = self._revision
        for found in hits:
            found.sort(key=lambda hit: (-hit.score, hit.row))
        kept = 1 if best_only else None
        return SearchResult(
            hits=tuple(tuple(found[:kept]) for found in hits),
            revision=revision,
            rows_scanned=scanned,
        )

    def stats(self) -> IndexStats:
        """Return what the index holds."""
        with self._gate.shared():
            return IndexStats(
                revision=self._revision,
                count=len(self._rows),
                size_bytes=self._rows.size_bytes,
                model=self._model,
                dimension=self._dimension,
            )

    def clear(self) -> None:
        """Forget everything and overwrite its memory (best effort).

        Copies in swap, and those that numpy made on the way, are out of reach.
        """
        with self._gate.alone():
            self._rows.wipe()
            self._rows = _Rows(self._dimension)
            self._revision = None


class _Segment:
    """A fixed piece of memory. The first ``used`` slots have held a row; some may be free again."""

    __slots__ = ("rows", "used", "vectors")

    def __init__(self, capacity: int, dimension: int) -> None:
        self.vectors: Matrix = np.zeros((capacity, dimension), dtype=np.float32)
        self.rows: npt.NDArray[np.int64] = np.zeros(capacity, dtype=np.int64)
        self.used = 0


class _Rows:
    """Segments and the slot map. Not thread-safe: `FlatIndex` holds the gate."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._segments: list[_Segment] = []
        self._slots: dict[int, int] = {}
        self._free: list[int] = []
        # Worst rounding of a float32 product of two vectors of norm <= 1 + tolerance, doubled.
        # Source: Higham, Accuracy and Stability of Numerical Algorithms, 3.1 (gamma_n).
        self._margin = 2 * (dimension + 2) * float(np.finfo(np.float32).eps)

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, row: int) -> bool:
        return row in self._slots

    @property
    def size_bytes(self) -> int:
        """Bytes of the slots that have held a row: the rest is not backed by memory yet."""
        return sum(s.used * (self._dimension * 4 + 8) for s in self._segments)

    def put(self, row: int, vector: Vector) -> None:
        slot = self._slots.get(row)
        if slot is None:
            slot = self._slots[row] = self._take_slot()
        segment, offset = self._at(slot)
        segment.vectors[offset] = vector
        segment.rows[offset] = row

    def append(self, rows: Sequence[int], vectors: Matrix) -> bool:
        """Put many new rows behind those that are there; False, if one is there already."""
        done = 0
        while done < len(rows):
            first = self._take_slot()
            segment, offset = self._at(first)
            count = min(len(rows) - done, len(segment.rows) - offset)
            segment.used += count - 1
            taken = rows[done : done + count]
            segment.vectors[offset : offset + count] = vectors[done : done + count]
            segment.rows[offset : offset + count] = taken
            before = len(self._slots)
            self._slots.update(zip(taken, range(first, first + count), strict=True))
            if len(self._slots) != before + count:
                return False
            done += count
        return True

    def discard(self, row: int) -> None:
        slot = self._slots.pop(row, None)
        if slot is None:
            return
        segment, offset = self._at(slot)
        segment.rows[offset] = _FREE
        segment.vectors[offset] = 0.0
        self._free.append(slot)

    def wipe(self) -> None:
        for segment in self._segments:
            segment.vectors[: segment.used] = 0.0
            segment.rows[: segment.used] = _FREE
            segment.used = 0
        self._segments.clear()
        self._slots.clear()
        self._free.clear()

    def search(self, probes: Matrix, min_score: float) -> tuple[int, list[list[Hit]]]:
        """Return how many rows were compared, and the unsorted hits of each probe.

        Raises:
            IndexIncomplete: If a score is not a number: the memory of a row is damaged.
        """
        hits: list[list[Hit]] = [[] for _ in range(len(probes))]
        # One probe is a vector, not a matrix of one column: the product then streams the rows as they
        # lie, 4 % faster.
        columns = probes[0] if len(probes) == 1 else np.ascontiguousarray(probes.T)
        # A vector may be a hair longer than 1, so a score may lie below -1 until it is clipped.
        floor = np.float32(min_score - self._margin if min_score > -1.0 else -np.inf)
        scanned = 0
        rows_at_once = max(1, SCORES_AT_ONCE // max(1, len(probes)))
        for segment in self._segments:
            for start in range(0, segment.used, rows_at_once):
                stop = min(start + rows_at_once, segment.used)
                rows, vectors = segment.rows[start:stop], segment.vectors[start:stop]
                rough = vectors @ columns
                scanned += int(np.count_nonzero(rows))
                # One pass tells both: the maximum of anything with a NaN in it is NaN, which is not
                # less than anything.
                best = rough.max() if len(probes) else -np.inf
                if best < floor:
                    continue
                if np.isnan(best):
                    raise IndexIncomplete("a row is damaged in memory; load the gallery again")
                # Of the flat view: with two axes numpy takes ten times as long.
                at, probe = np.divmod(np.flatnonzero(rough >= floor), len(probes))
                live = rows[at] != _FREE
                self._keep(
                    (rows[at[live]], vectors[at[live]]), (probes, probe[live]), min_score, hits
                )
        return scanned, hits

    @staticmethod
    def _keep(
        candidates: tuple[npt.NDArray[np.int64], Matrix],
        probes: tuple[Matrix, npt.NDArray[np.intp]],
        min_score: float,
        hits: list[list[Hit]],
    ) -> None:
        rows, vectors = candidates
        matrix, which = probes
        # Summed row by row: a pair has the same score in whatever company it is computed.
        exact = (vectors.astype(np.float64) * matrix[which]).sum(axis=1).clip(-1.0, 1.0)
        for row, probe, score in zip(rows.tolist(), which.tolist(), exact.tolist(), strict=True):
            if score >= min_score:
                hits[probe].append(Hit(row, score))

    def _at(self, slot: int) -> tuple[_Segment, int]:
        return self._segments[slot >> _OFFSET_BITS], slot & (SEGMENT_ROWS - 1)

    def _take_slot(self) -> int:
        if self._free:
            return self._free.pop()
        if not self._segments or self._segments[-1].used == len(self._segments[-1].rows):
            # A gallery of a few people reserves no room for sixty-five thousand.
            capacity = SEGMENT_ROWS if self._segments else _FIRST_SEGMENT_ROWS
            self._segments.append(_Segment(capacity, self._dimension))
        segment = self._segments[-1]
        segment.used += 1
        return (len(self._segments) - 1) << _OFFSET_BITS | (segment.used - 1)


class _Gate:
    """Many pass together, or one alone. Not reentrant.

    Whoever wants to be alone goes first, so a stream of searches cannot keep a removal waiting.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._is_alone = False
        self._wanting_alone = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._is_alone and not self._wanting_alone)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._changed:
            self._wanting_alone += 1
            try:
                self._changed.wait_for(lambda: not self._is_alone and not self._inside)
                self._is_alone = True
            finally:
                self._wanting_alone -= 1
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._is_alone = False
                self._changed.notify_all()


def _as_row(row: int) -> int:
    if row < 1:
        raise ValueError("a row is a positive integer")
    return row


def _as_matrix(vectors: Sequence[Vector], dimension: int) -> Matrix:
    for vector in vectors:
        if vector.dtype != np.float32 or vector.shape != (dimension,):
            raise ValueError(f"a vector here is ({dimension},) float32")
    if not vectors:
        return np.empty((0, dimension), dtype=np.float32)
    return _of_norm_1(np.stack(vectors))


def _as_vectors(matrix: Matrix, dimension: int) -> Matrix:
    if matrix.dtype != np.float32 or matrix.shape[1:] != (dimension,):
        raise ValueError(f"vectors here are (n, {dimension}) float32, not {matrix.shape}")
    return _of_norm_1(matrix)


def _of_norm_1(matrix: Matrix) -> Matrix:
    if not has_unit_rows(matrix):
        raise ValueError("a vector is finite and has L2 norm 1")
    return matrix
