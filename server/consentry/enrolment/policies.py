"""Changing what a subject protects."""

from __future__ import annotations

from dataclasses import dataclass

from consentry.enrolment.ports import SubjectStore
from consentry.enrolment.references import ReferenceGallery
from consentry.kernel.errors import Forbidden, NotFound
from consentry.kernel.ids import SubjectId
from consentry.kernel.taxonomy import SubjectPolicy
from consentry.vault.custody import Custody

FRESH_S = 300.0


@dataclass(frozen=True, slots=True)
class SetPolicy:
    """Choose anew what is protected; the next check goes by it."""

    store: SubjectStore
    custody: Custody
    gallery: ReferenceGallery

    def __call__(self, subject: SubjectId, policy: SubjectPolicy) -> None:
        """Protect more, at any time; or less, with the passphrase within the last five minutes.

        Raises:
            Forbidden: If it protects less, and the passphrase was not given just now.
            NotFound: If nobody is enrolled by that identifier.
        """
        known = {stored.subject: stored.policy for stored in self.store.subjects()}
        if subject not in known:
            raise NotFound("There is nobody enrolled by that identifier (any more).")
        is_less = policy is not SubjectPolicy.EVERY_EDIT and known[subject] is not policy
        if is_less and not self.custody.was_verified_within(FRESH_S):
            raise Forbidden(
                "Protecting less needs the passphrase within the last five minutes: unlock again, "
                "then retry."
            )
        self.store.set_policy(subject, policy)
        self.gallery.refresh()
