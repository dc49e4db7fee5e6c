"""Who is enrolled, with names that only the unlocked vault can read; and ceasing to be."""

from __future__ import annotations

import unicodedata
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from consentry.enrolment.passphrases import FRESH_S, HOW_TO_HAVE_ONE, OwnPassphrases
from consentry.enrolment.ports import HomeStore, StoredSubject, SubjectStore
from consentry.enrolment.references import ReferenceGallery
from consentry.kernel.errors import Forbidden, NotFound
from consentry.kernel.ids import ModelId, SubjectId
from consentry.kernel.taxonomy import SubjectPolicy
from consentry.transparency.erasure import ErasureScope, ErasureSigner, SignedErasure
from consentry.vault.custody import Custody, VaultState
from consentry.vault.envelope import SealedText, unseal_text
from consentry.vault.keys import KeyRing, WrappedKey
from consentry.vault.passphrase import Passphrase

SELF_EDIT_WINDOW_S = FRESH_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An enrolled person as her owner sees her.

    Attributes:
        subject: Opaque identifier.
        name: Display name; None while the vault is locked.
        policy: What she protects.
        enrolled_at: UTC.
        templates: How many templates there are of each model.
        has_own_passphrase: Whether she is asked for a passphrase of her own.
        has_shared: Whether somebody else was ever enrolled beside her.
    """

    subject: SubjectId
    name: str | None
    policy: SubjectPolicy
    enrolled_at: datetime
    templates: dict[ModelId, int]
    has_own_passphrase: bool = False
    has_shared: bool = False

    @property
    def may_set_own_passphrase(self) -> bool:
        """Whether she can set a first one, or another one, now (docs/adr/0038)."""
        return self.has_own_passphrase or not self.has_shared


@dataclass(frozen=True, slots=True)
class People:
    """Read who is enrolled."""

    store: SubjectStore
    custody: Custody

    def all(self) -> tuple[Person, ...]:
        """Return everybody enrolled, oldest first; without names while the vault is locked."""
        counts = self.store.template_counts()
        keys = self.custody.keys() if self.custody.state is VaultState.UNLOCKED else None
        return tuple(
            Person(
                subject=stored.subject,
                name=None if keys is None else _name_of(stored, keys),
                policy=stored.policy,
                enrolled_at=stored.enrolled_at,
                templates={
                    model: count
                    for (subject, model), count in counts.items()
                    if subject == stored.subject
                },
                has_own_passphrase=stored.own_passphrase is not None,
                has_shared=stored.has_shared,
            )
            for stored in self.store.subjects()
        )

    def by_name(self, name: str) -> StoredSubject | None:
        """Return the subject of that name, case and composition aside, or None.

        Raises:
            VaultLocked: If the vault is locked: names are sealed.
        """
        keys = self.custody.keys()
        wanted = comparable(name)
        return next(
            (s for s in self.store.subjects() if comparable(_name_of(s, keys)) == wanted), None
        )

    def find(self, name_or_subject: str) -> SubjectId:
        """Return the subject of that identifier or, while unlocked, of that name.

        Raises:
            NotFound: If nobody is enrolled under it.
        """
        for stored in self.store.subjects():
            if stored.subject == name_or_subject:
                return stored.subject
        if self.custody.state is VaultState.UNLOCKED:
            stored_by_name = self.by_name(name_or_subject)
            if stored_by_name is not None:
                return stored_by_name.subject
        raise NotFound(
            "Nobody is enrolled under that name or identifier. Names can be read only while the vault is unlocked."
        )


@dataclass(frozen=True, slots=True)
class RevokeSubject:
    """End a protection: her key, name and templates are destroyed, and the next search cannot find her."""

    people: People
    store: SubjectStore
    gallery: ReferenceGallery
    signer: ErasureSigner

    def __call__(self, name_or_subject: str) -> SignedErasure:
        """Revoke by identifier (also while locked) or by name, and return the receipt of it.

        The receipt is kept nowhere: a list of them would tell who left, and when.

        Raises:
            NotFound: If nobody is enrolled under it.
        """
        removed = self.store.remove_subject(self.people.find(name_or_subject))
        self.gallery.refresh()
        return self.signer.sign(ErasureScope.PERSON, removed.destroyed)


@dataclass(frozen=True, slots=True)
class EraseHome:
    """Destroy every enrolment, and the vault with its passphrase: begin afresh.

    Needs no passphrase, because it must work when that is forgotten. ``turn`` is the lock that
    enrolling takes too, so that nobody is sealed under keys that are being destroyed.
    """

    home: HomeStore
    custody: Custody
    turn: AbstractContextManager[object]
    signer: ErasureSigner

    def __call__(self) -> SignedErasure:
        """Erase, and return the receipt of it. It is kept nowhere."""
        with self.turn:
            self.custody.lock()
            removed = self.home.erase()
        return self.signer.sign(ErasureScope.HOME, removed.destroyed)


@dataclass(frozen=True, slots=True)
class ProveSubject:
    """Take the passphrase by which a subject shows that she is there, whichever it is for her."""

    custody: Custody
    own: OwnPassphrases

    def __call__(self, subject: SubjectId, passphrase: Passphrase) -> None:
        """Prove it for `SELF_EDIT_WINDOW_S`. Opens nothing: what is locked stays locked.

        Raises:
            WrongPassphrase: If it is not hers; or, if she has none of her own, not the home's.
            TooManyRequests: After several wrong ones in a row, before the wait is over.
            NotFound: If nobody is enrolled by that identifier.
            VaultAbsent, VaultLocked: If the keys are not in memory.
            Overloaded: If the machine lacks the memory for Argon2id now.
        """
        self.custody.keys()
        if self.own.has(subject):
            self.own.prove(subject, passphrase)
        else:
            self.custody.verify_passphrase(passphrase)


@dataclass(frozen=True, slots=True)
class VerifyActor:
    """Decide whether the one who asks may be taken for an enrolled subject (a self-edit, a yes)."""

    store: SubjectStore
    custody: Custody
    own: OwnPassphrases

    def __call__(self, subject: SubjectId) -> SubjectId:
        """Return ``subject`` if she has proved herself within `SELF_EDIT_WINDOW_S`.

        By a passphrase of her own if she has one; else by the home's, if it was always hers alone: in
        a home that several people share, or have shared, it proves nobody in particular. That the
        others have left changes nothing, or any of them could leave to be taken for her.

        Raises:
            Forbidden: Otherwise.
        """
        enrolled = {stored.subject: stored for stored in self.store.subjects()}
        if subject not in enrolled:
            raise Forbidden("There is nobody enrolled by that identifier (any more).")
        if enrolled[subject].own_passphrase is not None:
            if not self.own.was_proved_within(subject, SELF_EDIT_WINDOW_S):
                raise Forbidden(
                    "This needs her own passphrase within the last five minutes: prove that it is "
                    "you, then retry."
                )
            return subject
        if enrolled[subject].has_shared:
            raise Forbidden(
                "This needs proof that it is you. The passphrase of a home in which several people "
                "are or were enrolled is no such proof: have one of your own. " + HOW_TO_HAVE_ONE
            )
        if not self.custody.was_verified_within(SELF_EDIT_WINDOW_S):
            raise Forbidden(
                "This needs the passphrase within the last five minutes: unlock again, then retry."
            )
        return subject

    def require_to_loosen(self, subject: SubjectId) -> None:
        """Pass when less may be protected of a subject: by her own proof, or by the home's.

        As `__call__`, but who shares a home and has no passphrase of her own is asked for the
        home's: otherwise she could never change her mind.

        Raises:
            Forbidden: Otherwise.
        """
        stored = next((s for s in self.store.subjects() if s.subject == subject), None)
        if stored is not None and stored.own_passphrase is not None:
            self(subject)
        elif not self.custody.was_verified_within(SELF_EDIT_WINDOW_S):
            raise Forbidden(
                "Protecting less needs the passphrase within the last five minutes: unlock again, "
                "then retry."
            )


def _name_of(stored: StoredSubject, keys: KeyRing) -> str:
    key = keys.open_subject_key(WrappedKey(stored.wrapped_key))
    return unseal_text(
        SealedText(stored.sealed_name), key=key, subject=stored.subject, label="name"
    )


def comparable(name: str) -> str:
    """Return a name in the one spelling in which names are compared: no case, one composition."""
    return unicodedata.normalize("NFKC", name).casefold()
