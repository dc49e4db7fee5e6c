"""What enrolment asks of a store. Implementations pass ``tests/contracts/subject_store.py``.

Every method that changes something is one transaction, and has reached the disk when it returns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import NamedTuple, Protocol

from consentry.kernel.biometrics import SealedTemplate
from consentry.kernel.ids import AliasId, ContestId, ModelId, SubjectId, TemplateId
from consentry.kernel.taxonomy import SubjectPolicy
from consentry.transparency.erasure import Destroyed
from consentry.vault.backup_keys import BackupKey


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSubject:
    """An enrolled person as the store holds her: nothing here is readable without the vault.

    Attributes:
        subject: Opaque identifier.
        wrapped_key: Her data key, wrapped by an epoch key (`consentry.vault.keys.WrappedKey`).
        sealed_name: Her display name, sealed under her data key.
        policy: What she chose to protect.
        enrolled_at: UTC.
        own_passphrase: Check of a passphrase of her own, sealed under her data key
            (`consentry.enrolment.passphrases`); None while she has none.
        has_shared: Whether somebody else was ever enrolled beside her. Kept by the store, and never
            taken back: a home's passphrase that two people knew proves nobody any more.
    """

    subject: SubjectId
    wrapped_key: bytes
    sealed_name: bytes
    policy: SubjectPolicy
    enrolled_at: datetime
    own_passphrase: bytes | None = None
    has_shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTemplate:
    """A sealed template on its way into the store."""

    template: TemplateId
    model: ModelId
    sealed: SealedTemplate


class StoredTemplate(NamedTuple):
    """A sealed template as the store holds it. ``row`` is a positive integer that is never used twice."""

    row: int
    subject: SubjectId
    template: TemplateId
    model: ModelId
    sealed: SealedTemplate


TemplateColumns = tuple[int, SubjectId, TemplateId, ModelId, SealedTemplate]
"""The values of a `StoredTemplate` in their order, not made one: a gallery reads a million of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateSnapshot:
    """All templates of one model at one revision, read in one transaction.

    Attributes:
        revision: The revision that ``blocks`` and ``subjects`` are the state of.
        subjects: Every enrolled subject, also those without a template of this model.
        blocks: The templates, ordered by row, some hundreds at a time and never none; consumed
            while the snapshot is open.
    """

    revision: int
    subjects: tuple[StoredSubject, ...]
    blocks: Iterator[Sequence[TemplateColumns]]

    @property
    def templates(self) -> Iterator[StoredTemplate]:
        """The same one by one."""
        return map(StoredTemplate._make, chain.from_iterable(self.blocks))


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateChanges:
    """What happened to the templates of one model after a revision, up to ``revision``.

    Attributes:
        revision: The state that applying the changes leads to.
        subjects: Subjects of the ``added`` templates.
        added: Templates added since and still there, ordered by row.
        removed: Rows removed since, ascending; may name rows that the reader never saw.
    """

    revision: int
    subjects: tuple[StoredSubject, ...]
    added: tuple[StoredTemplate, ...]
    removed: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What an erasure led to.

    Attributes:
        revision: The state of the templates that it led to.
        destroyed: What was destroyed, and the entries of the log that record it.
    """

    revision: int
    destroyed: Destroyed


class SubjectStore(Protocol):
    """Durable subjects and sealed templates, with a revision that every change advances."""

    def revision(self) -> int:
        """Return the current revision: 0 for a new store. Cheap; asked before every search."""

    def add_subject(self, subject: StoredSubject, templates: Sequence[NewTemplate]) -> int:
        """Add a subject with her templates, and return the new revision.

        With a second subject everybody ``has_shared``, from then on.

        Raises:
            Conflict: If the subject or a template is there already. Nothing was kept.
            StorageFull: If the disk is full. Nothing was kept.
        """

    def add_templates(self, subject: SubjectId, templates: Sequence[NewTemplate]) -> int:
        """Add templates to a subject, and return the new revision.

        Raises:
            NotFound: If there is no such subject (she may just have been revoked).
            Conflict: If a template is there already.
            StorageFull: If the disk is full.
        """

    def remove_subject(self, subject: SubjectId) -> Removed:
        """Destroy a subject's key, name and templates, and return what that was.

        With them goes everything that she has agreed to, been asked or is called. When this
        returns, no byte of them is left in the database file or its journal.

        Raises:
            NotFound: If there is no such subject.
        """

    def subjects(self) -> tuple[StoredSubject, ...]:
        """Return all subjects, oldest first."""

    def template_counts(self) -> Mapping[tuple[SubjectId, ModelId], int]:
        """Return how many templates each subject has of each model."""

    def templates_of(self, subject: SubjectId, model: ModelId) -> Sequence[StoredTemplate]:
        """Return a subject's templates of one model, ordered by row."""

    def snapshot(self, model: ModelId) -> AbstractContextManager[TemplateSnapshot]:
        """Open a consistent view of all templates of one model."""

    def changes_since(self, revision: int, model: ModelId) -> TemplateChanges | None:
        """Return what changed after ``revision``, or None when that is not known any more: take a snapshot."""

    def set_policy(self, subject: SubjectId, policy: SubjectPolicy) -> None:
        """Replace what a subject protects; the next check goes by it.

        Raises:
            NotFound: If there is no such subject.
        """

    def set_own_passphrase(self, subject: SubjectId, sealed: bytes) -> None:
        """Keep the sealed check of a passphrase of a subject's own; the one before is erased.

        Raises:
            NotFound: If there is no such subject.
            StorageFull: If the disk is full. Nothing was kept.
        """

    def rewrap_keys(self, wrapped: Mapping[SubjectId, bytes]) -> None:
        """Replace the wrapped keys of subjects that are still there; others are passed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlias:
    """A protected name as the store holds it: sealed under its subject's data key."""

    alias: AliasId
    subject: SubjectId
    sealed: bytes
    added_at: datetime


class AliasStore(Protocol):
    """Durable protected names. Every change advances the revision of `SubjectStore`."""

    def add(self, alias: StoredAlias) -> None:
        """Keep a name.

        Raises:
            NotFound: If the subject is not enrolled (any more).
            StorageFull: If the disk is full. Nothing was kept.
        """

    def replace(self, alias: AliasId, sealed: bytes) -> None:
        """Keep what is newly known of a name in place of what was.

        Raises:
            NotFound: If there is none.
            StorageFull: If the disk is full. Nothing was kept.
        """

    def remove(self, alias: AliasId, *, at: datetime) -> None:
        """Forget a name, to the last byte.

        Raises:
            NotFound: If there is none.
        """

    def all(self) -> tuple[StoredAlias, ...]:
        """Return every name, oldest first. Cheap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredContest:
    """Two subjects who claim one face, until somebody has found out whose it is."""

    contest: ContestId
    claimant: SubjectId
    respondent: SubjectId
    opened_at: datetime


class ContestStore(Protocol):
    """Durable contests. They end with either of the two enrolments."""

    def open(self, contest: StoredContest) -> None:
        """Keep a contest.

        Raises:
            NotFound: If one of the two is not enrolled (any more).
        """

    def close(self, contest: ContestId, *, at: datetime) -> None:
        """Forget a contest: it is settled.

        Raises:
            NotFound: If there is none.
        """

    def all(self) -> tuple[StoredContest, ...]:
        """Return every open contest, oldest first. Cheap; asked before every check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeContents:
    """What is put back from a backup: everything that protects, and no yes."""

    header: bytes
    subjects: Sequence[StoredSubject]
    templates: Sequence[tuple[SubjectId, NewTemplate]]
    aliases: Sequence[StoredAlias] = ()
    contests: Sequence[StoredContest] = ()
    backup_keys: Mapping[SubjectId, bytes] = field(default_factory=dict, repr=False)
    """Of those whose key file came with the backup: it goes on to open them."""


class BackupKeyStore(Protocol):
    """The backup keys of a home. Each goes with its subject, to the last byte."""

    def keep_for_all(self) -> Mapping[SubjectId, BackupKey]:
        """Return everybody's backup key; who has none yet is given one, which is on the disk then.

        Raises:
            StorageFull: If the disk is full. Nothing was kept.
        """


class HomeStore(Protocol):
    """A home as a whole: put back, or erased."""

    def erase(self) -> Removed:
        """Destroy the vault header and every subject with her key, name and templates.

        One transaction; when this returns, no byte of them is left in the database file or its
        journal, and the revision has advanced.
        """

    def restore(self, contents: HomeContents) -> None:
        """Put everything into a home that has no vault, in one transaction.

        Raises:
            VaultExists: If there is a vault already. Nothing was changed.
            StorageFull: If the disk is full. Nothing was kept.
        """
