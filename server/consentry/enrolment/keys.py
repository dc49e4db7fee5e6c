"""Data keys of the enrolled, for other rooms that seal something to a subject."""

from __future__ import annotations

from dataclasses import dataclass

from consentry.enrolment.ports import SubjectStore
from consentry.kernel.errors import NotFound
from consentry.kernel.ids import SubjectId
from consentry.vault.custody import Custody
from consentry.vault.keys import DataKey, WrappedKey


@dataclass(frozen=True, slots=True)
class SubjectKeyRing:
    """Open the data key of a subject while the vault is unlocked."""

    store: SubjectStore
    custody: Custody

    def open(self, subject: SubjectId) -> DataKey:
        """Return a subject's data key. Does not keep the vault open: a check may have asked.

        Raises:
            VaultAbsent, VaultLocked: If the keys are not in memory.
            NotFound: If nobody is enrolled by that identifier.
        """
        keys = self.custody.glance()
        for stored in self.store.subjects():
            if stored.subject == subject:
                return keys.open_subject_key(WrappedKey(stored.wrapped_key))
        raise NotFound("There is nobody enrolled by that identifier (any more).")
