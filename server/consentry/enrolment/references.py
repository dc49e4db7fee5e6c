"""The gallery of this home: sealed templates opened into memory while the vault is unlocked, and only then.

    store (sealed) --unseal--> cancelable transform --> index (memory)      on unlock, and after every change
    lock           --wipe----> nothing in memory matches anybody

Every search first asks the store for its revision, so a change made by another process is seen by the very next
search, and a revocation that has been answered can match no more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np

from consentry.enrolment.ports import StoredSubject, SubjectStore, TemplateColumns
from consentry.gallery.index import Batch, Change, Hit, Matrix, TemplateIndex
from consentry.kernel.biometrics import Embedding
from consentry.kernel.errors import IndexIncomplete, VaultAbsent, VaultLocked
from consentry.kernel.ids import ModelId, SubjectId
from consentry.kernel.taxonomy import SubjectPolicy
from consentry.vault.custody import Custody, VaultState
from consentry.vault.envelope import BulkUnsealer
from consentry.vault.keys import DataKey, KeyRing, WrappedKey
from consentry.vault.transform import CancelableTransform


class GalleryState(StrEnum):
    """Whether the gallery can answer."""

    EMPTY = "empty"
    LOCKED = "locked"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject whose best template reached the threshold. Private: never leaves the process with its score."""

    subject: SubjectId
    score: float

    def __repr__(self) -> str:
        return "Candidate(<private>)"


class Transform(Protocol):
    """A secret rotation of embeddings; see `consentry.vault.transform`."""

    def apply(self, matrix: Matrix) -> Matrix:
        """Rotate rows of shape ``(n, d)``."""


class ReferenceGallery:
    """1:N search over the references of everybody enrolled in this home. Safe to share between threads."""

    def __init__(
        self,
        store: SubjectStore,
        custody: Custody,
        *,
        model: ModelId,
        dimension: int,
        new_index: Callable[[ModelId, int], TemplateIndex],
    ) -> None:
        self._store = store
        self._custody = custody
        self._model = model
        self._dimension = dimension
        self._new_index = new_index
        self._lock = threading.Lock()
        # Guarded by _lock. None while locked; rebuilt from the store on first use after an unlock.
        self._index: TemplateIndex | None = None
        self._transform: Transform | None = None
        self._revision = 0
        self._subject_of: dict[int, SubjectId] = {}
        self._bare: frozenset[SubjectId] = frozenset()
        # Replaced whole, never changed: read and written without a lock.
        self._known: tuple[int, tuple[StoredSubject, ...]] = (-1, ())
        custody.on_lock(self.wipe)

    @property
    def model(self) -> ModelId:
        """The embedding model whose templates are searched."""
        return self._model

    def state(self) -> GalleryState:
        """Say whether a search would be answered. Opens nothing."""
        if not self._roster():
            return GalleryState.EMPTY
        if self._custody.state is not VaultState.UNLOCKED:
            return GalleryState.LOCKED
        return GalleryState.READY

    def size(self) -> int:
        """Return how many references a search compares with; 0 while locked."""
        with self._lock:
            return 0 if self._index is None else self._index.stats().count

    def policies(self) -> dict[SubjectId, SubjectPolicy]:
        """Return what each enrolled subject chose to protect."""
        return {s.subject: s.policy for s in self._roster()}

    def search(
        self, probes: Sequence[Embedding], *, min_score: float
    ) -> tuple[tuple[Candidate, ...], ...]:
        """Compare each probe with every reference (1:N identification, open set).

        Args:
            probes: Embeddings of this gallery's model.
            min_score: Cosine similarity from which a reference is a candidate.

        Returns:
            For each probe the subjects that reached ``min_score``, best first, each once.

        Raises:
            VaultLocked: If somebody is enrolled and the vault is locked.
            IndexIncomplete: If a subject has no template of this model, or the index is not whole.
        """
        if not probes or not self._roster():
            return tuple(() for _ in probes)
        keys = self._custody.glance()
        with self._lock:
            index, transform = self._fresh(keys)
            if self._bare:
                raise IndexIncomplete(
                    f"{len(self._bare)} enrolled people have no template of the model "
                    f"{self._model}, so they would be missed. Start with the model they were "
                    "enrolled with, or revoke them and enrol them again with this one."
                )
            # Searched under the lock: once a revocation has been answered, no search that began
            # before it may still come back with her.
            found = index.search(transform.apply(np.stack(probes)), min_score, self._revision)
            return tuple(_best_per_subject(hits, self._subject_of) for hits in found.hits)

    def refresh(self) -> None:
        """Bring the index up to the store's revision now, if the vault is unlocked."""
        try:
            keys = self._custody.glance()
        except (VaultAbsent, VaultLocked):
            return  # nothing is in memory, so nothing is out of date
        with self._lock:
            self._fresh(keys)

    def wipe(self) -> None:
        """Forget every reference. Called at each lock."""
        with self._lock:
            if self._index is not None:
                self._index.clear()
            self._index = None
            self._transform = None
            self._subject_of = {}
            self._bare = frozenset()

    def _roster(self) -> tuple[StoredSubject, ...]:
        """Return everybody enrolled, as of the store's present revision."""
        revision = self._store.revision()
        known, subjects = self._known
        if known != revision:
            # What changes in between is read again next time: the revision is the older one.
            subjects = self._store.subjects()
            self._known = revision, subjects
        return subjects

    def _fresh(self, keys: KeyRing) -> tuple[TemplateIndex, Transform]:
        """Return the index at the store's present revision. Called with ``_lock`` held.

        ``keys`` is fetched before the lock is taken: custody runs `wipe` while it holds its own.
        """
        if self._index is None or self._transform is None:
            return self._load(keys)
        if self._store.revision() == self._revision:
            return self._index, self._transform
        changes = self._store.changes_since(self._revision, self._model)
        if changes is None:
            return self._load(keys)
        opener = _Opener(keys, changes.subjects, self._model, self._dimension)
        vectors = self._transform.apply(opener.open(changes.added))
        self._index.apply(
            [
                *(Change(row, None) for row in changes.removed),
                *(
                    Change(template.row, vector)
                    for template, vector in zip(changes.added, vectors, strict=True)
                ),
            ],
            after=self._revision,
            revision=changes.revision,
        )
        for row in changes.removed:
            self._subject_of.pop(row, None)
        self._subject_of.update({t.row: t.subject for t in changes.added})
        self._revision = changes.revision
        self._note_bare()
        return self._index, self._transform

    def _load(self, keys: KeyRing) -> tuple[TemplateIndex, Transform]:
        index = self._new_index(self._model, self._dimension)
        transform = CancelableTransform(keys.transform_seed, self._dimension)
        subject_of: dict[int, SubjectId] = {}
        with self._store.snapshot(self._model) as snapshot:
            opener = _Opener(keys, snapshot.subjects, self._model, self._dimension)

            def batches() -> Iterator[Batch]:
                for block in snapshot.blocks:
                    rows, subjects, *_ = zip(*block, strict=True)
                    subject_of.update(zip(rows, subjects, strict=True))
                    yield Batch(rows, transform.apply(opener.open(block)))

            index.load(batches(), snapshot.revision)
            self._known = snapshot.revision, snapshot.subjects
        self._index, self._transform = index, transform
        self._subject_of, self._revision = subject_of, snapshot.revision
        self._note_bare()
        return index, transform

    def _note_bare(self) -> None:
        covered = set(self._subject_of.values())
        self._bare = frozenset(s.subject for s in self._roster()) - covered


class _Opener:
    """Opens templates with their subjects' data keys; lives for one load."""

    def __init__(
        self, keys: KeyRing, subjects: Sequence[StoredSubject], model: ModelId, dimension: int
    ) -> None:
        self._keys = keys
        self._wrapped = {s.subject: s.wrapped_key for s in subjects}
        self._unsealer = BulkUnsealer(model, dimension)

    def open(self, templates: Sequence[TemplateColumns]) -> Matrix:
        if not templates:
            return np.empty((0, self._unsealer.dimension), np.float32)
        _, subjects, names, _, sealed = zip(*templates, strict=True)
        return self._unsealer.unseal(subjects, names, sealed, self._key_of)

    def _key_of(self, subject: SubjectId) -> DataKey:
        return self._keys.open_subject_key(WrappedKey(self._wrapped[subject]))


def _best_per_subject(
    hits: Sequence[Hit], subject_of: dict[int, SubjectId]
) -> tuple[Candidate, ...]:
    best: dict[SubjectId, float] = {}
    for hit in hits:
        subject = subject_of[hit.row]
        best[subject] = max(hit.score, best.get(subject, hit.score))
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Candidate(subject, score) for subject, score in ranked)
