"""Changing what a subject protects."""

from __future__ import annotations

from dataclasses import dataclass

from consentry.enrolment.people import VerifyActor
from consentry.enrolment.ports import SubjectStore
from consentry.enrolment.references import ReferenceGallery
from consentry.kernel.errors import NotFound
from consentry.kernel.ids import SubjectId
from consentry.kernel.taxonomy import SubjectPolicy


@dataclass(frozen=True, slots=True)
class SetPolicy:
    """Choose anew what is protected; the next check goes by it."""

    store: SubjectStore
    actor: VerifyActor
    gallery: ReferenceGallery

    def __call__(self, subject: SubjectId, policy: SubjectPolicy) -> None:
        """Protect more, at any time; or less, with her passphrase within the last five minutes.

        Raises:
            Forbidden: If it protects less, and she has not just proved herself.
            NotFound: If nobody is enrolled by that identifier.
        """
        known = {stored.subject: stored.policy for stored in self.store.subjects()}
        if subject not in known:
            raise NotFound("There is nobody enrolled by that identifier (any more).")
        is_less = policy is not SubjectPolicy.EVERY_EDIT and known[subject] is not policy
        if is_less:
            self.actor.require_to_loosen(subject)
        self.store.set_policy(subject, policy)
        self.gallery.refresh()
