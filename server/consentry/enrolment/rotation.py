"""Renew the key that wraps everybody's keys. It does not reach copies and backups that were made before."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from consentry.enrolment.ports import SubjectStore
from consentry.enrolment.references import ReferenceGallery
from consentry.vault.custody import Custody
from consentry.vault.keys import WrappedKey, epoch_of


@dataclass(frozen=True, slots=True)
class RotateKeys:
    """New epoch key, every subject's key rewrapped under it, old epoch keys destroyed.

    ``turn`` is the lock that enrolling takes too.
    """

    store: SubjectStore
    custody: Custody
    gallery: ReferenceGallery
    turn: AbstractContextManager[object]

    def __call__(self) -> int:
        """Rotate, and return the number of the new epoch.

        Stopped at any point, nothing is lost: old epochs are destroyed last, and only those that no
        stored key is wrapped under.

        Raises:
            VaultAbsent, VaultLocked: If there are no keys to rotate.
            Conflict: If another process changed the vault meanwhile.
        """
        with self.turn:
            epoch = self.custody.rotate()
            keys = self.custody.keys()
            self.store.rewrap_keys(
                {s.subject: keys.rewrap(WrappedKey(s.wrapped_key)) for s in self.store.subjects()}
            )
            in_use = {epoch_of(WrappedKey(s.wrapped_key)) for s in self.store.subjects()}
            self.custody.retire(in_use)
        self.gallery.refresh()
        return epoch
