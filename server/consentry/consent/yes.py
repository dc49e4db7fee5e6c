"""What each subject protects, and what she has agreed to (laws 3 to 7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from consentry.consent.authority import Authority, Grant, Permit
from consentry.consent.jurisdiction import rules_for
from consentry.consent.request import Request
from consentry.kernel.ids import ConsentTokenId, GrantId, SubjectId
from consentry.kernel.taxonomy import (
    Assessment,
    IntentCategory,
    PrivateReason,
    Purpose,
    SubjectPolicy,
)


@dataclass(frozen=True, slots=True)
class Yes:
    """What each subject protects and has agreed to."""

    policies: Mapping[SubjectId, SubjectPolicy]
    authority: Authority
    now: datetime

    def needs_consent(
        self, subject: SubjectId, intent: Assessment, request: Request
    ) -> PrivateReason | None:
        """Return why a use of her needs consent, or None when she does not protect it."""
        policy = self.policies.get(subject, SubjectPolicy.EVERY_EDIT)
        if _covers(policy, intent, request):
            return PrivateReason.SUBJECT_PRESENT
        if request.purpose in rules_for(request.region).asks_for:
            return PrivateReason.REGION_TIGHTENED
        return None

    def without(self, spent: Collection[GrantId | ConsentTokenId]) -> Yes:
        """Return what is left when these are used up."""
        authority = replace(
            self.authority,
            grants=tuple(each for each in self.authority.grants if each.grant not in spent),
            permits=tuple(each for each in self.authority.permits if each.token not in spent),
        )
        return replace(self, authority=authority)

    def agreed(
        self, subject: SubjectId, intent: Assessment, request: Request
    ) -> GrantId | ConsentTokenId | None:
        """Return the grant or token by which she has agreed, the least costly first."""
        for grant in sorted(self.authority.grants, key=_cost):
            if grant.subject == subject and _grants(grant, intent, request, self.now):
                return grant.grant
        for permit in self.authority.permits:
            if permit.subject == subject and holds(permit, intent, request, self.now):
                return permit.token
        return None


def _cost(grant: Grant) -> tuple[bool, str]:
    """A grant for any number of uses is used before one that is counted."""
    return (grant.uses_left is not None, grant.grant)


def _grants(grant: Grant, intent: Assessment, request: Request, now: datetime) -> bool:
    return (
        grant.valid_from <= now
        and (grant.valid_until is None or now < grant.valid_until)
        and (grant.uses_left is None or grant.uses_left > 0)
        and request.purpose in grant.purposes
        and intent.category in grant.categories
        and grant.platform in {None, request.platform}
        and (grant.regions is None or request.region in grant.regions)
    )


def holds(permit: Permit, intent: Assessment, request: Request, now: datetime) -> bool:
    """Whether a token covers this use, by its terms; what unlocks is for `decide` to say."""
    return (
        permit.valid_from <= now < permit.valid_until
        and permit.platform == request.platform
        and permit.region == request.region
        and permit.purpose is request.purpose
        and intent.category in permit.categories
    )


def _covers(policy: SubjectPolicy, intent: Assessment, request: Request) -> bool:
    """Whether what a subject protects includes what is asked.

    Revealing requests were settled before.
    """
    match policy:
        case SubjectPolicy.EVERY_EDIT:
            return True
        case SubjectPolicy.INTIMATE_AND_IMPERSONATING:
            return intent.category in {
                IntentCategory.FACE_SWAP,
                IntentCategory.IMPERSONATION,
            } or request.purpose in {Purpose.FACE_SWAP, Purpose.IMPERSONATION}
