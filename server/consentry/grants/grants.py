"""Standing consent to everyday purposes: give it, see it, take it back.

A grant never covers a revealing use: law 2 does not ask for grants. Taking it back needs no
passphrase, is told to nobody, and holds from the moment that it is answered.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from consentry.consent.authority import Grant
from consentry.grants.ports import GrantStore, Presence, StoredGrant, SubjectKeys
from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest
from consentry.kernel.ids import GrantId, Random, SubjectId, new_grant_id
from consentry.kernel.taxonomy import IntentCategory, Purpose
from consentry.vault.envelope import SealedText, seal_text, unseal_text

MAX_PLATFORM_CHARS = 200
MAX_USES = 1_000_000
MAX_DAYS = 3650
_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantTerms:
    """What somebody says yes to.

    Attributes:
        purposes: At least one; `Purpose.INTIMATE` is not for a grant.
        platform: The one platform that may use it, as it names itself; None for any.
        regions: ISO 3166 codes in which it holds; None for everywhere, also where none is stated.
        categories: What the words may ask for; `IntentCategory.NONE` is an everyday edit. No
            revealing category is for a grant.
        valid_from: None for at once.
        valid_until: None for as long as she does not take it back.
        max_uses: None for any number.
    """

    purposes: frozenset[Purpose]
    platform: str | None
    regions: frozenset[str] | None
    categories: frozenset[IntentCategory]
    valid_from: datetime | None
    valid_until: datetime | None
    max_uses: int | None


@dataclass(frozen=True, slots=True)
class GivenGrant:
    """A grant, and when it was given (UTC)."""

    grant: Grant
    given_at: datetime


@dataclass(frozen=True, slots=True)
class GrantDesk:
    """Give, list and revoke grants. Safe to share between threads: the store decides."""

    store: GrantStore
    keys: SubjectKeys
    presence: Presence
    clock: Clock
    random: Random = os.urandom

    def create(self, subject: SubjectId, terms: GrantTerms) -> Grant:
        """Give a grant; the next check goes by it.

        Raises:
            Forbidden: If the subject has not just proved herself.
            BadRequest: If the terms are out of range, or revealing.
            NotFound: If nobody is enrolled by that identifier.
            VaultAbsent, VaultLocked: If her key is not in memory.
            StorageFull: If the disk is full. Nothing was kept.
        """
        self.presence(subject)
        now = self.clock.now()
        _require_in_range(terms, now)
        grant = Grant(
            grant=new_grant_id(self.random),
            subject=subject,
            purposes=terms.purposes,
            platform=terms.platform,
            regions=terms.regions,
            categories=terms.categories,
            valid_from=terms.valid_from or now,
            valid_until=terms.valid_until,
            uses_left=terms.max_uses,
        )
        sealed = seal_text(
            _written(grant),
            key=self.keys.open(subject),
            subject=subject,
            label=_label(grant.grant),
            random=self.random,
        )
        self.store.add(
            StoredGrant(
                grant=grant.grant,
                subject=subject,
                sealed=sealed,
                uses_left=grant.uses_left,
                given_at=now,
                ends_at=grant.valid_until,
            )
        )
        return grant

    def revoke(self, grant: GrantId) -> None:
        """Take a grant back, also while the vault is locked. No check relies on it afterwards.

        Raises:
            NotFound: If there is none.
        """
        self.store.remove(grant, at=self.clock.now())

    def list(self, subject: SubjectId) -> tuple[Grant, ...]:
        """Return a subject's grants, oldest first, also those that have lapsed or are used up.

        Raises:
            VaultAbsent, VaultLocked: If her key is not in memory.
            NotFound: If nobody is enrolled by that identifier.
        """
        return self.of({subject})

    def of(self, subjects: Collection[SubjectId]) -> tuple[Grant, ...]:
        """Return the grants of these subjects, for a check.

        Raises:
            VaultAbsent, VaultLocked: If their keys are not in memory.
            SealBroken: If the terms of a grant are not what was sealed.
        """
        return tuple(self._opened(stored) for stored in self.store.of(subjects))

    def given(self, subject: SubjectId) -> tuple[GivenGrant, ...]:
        """Return a subject's grants as `list` does, with when each was given, for her records.

        Raises:
            VaultAbsent, VaultLocked: If her key is not in memory.
            NotFound: If nobody is enrolled by that identifier.
        """
        return tuple(
            GivenGrant(self._opened(stored), stored.given_at) for stored in self.store.of({subject})
        )

    def _opened(self, stored: StoredGrant) -> Grant:
        text = unseal_text(
            SealedText(stored.sealed),
            key=self.keys.open(stored.subject),
            subject=stored.subject,
            label=_label(stored.grant),
        )
        return _read(stored, text)


def checked_platform(platform: str) -> str:
    """Return the name of a platform.

    Raises:
        BadRequest: If it is empty, too long or not printable.
    """
    if not 1 <= len(platform) <= MAX_PLATFORM_CHARS or not platform.isprintable():
        raise BadRequest(f"A platform's name has 1 to {MAX_PLATFORM_CHARS} printable characters.")
    return platform


def checked_region(region: str) -> str:
    """Return a region.

    Raises:
        BadRequest: If it is not of the form of ISO 3166.
    """
    if _REGION.fullmatch(region) is None:
        raise BadRequest("A region is an ISO 3166 code in capitals, for example SE or US-IL.")
    return region


def _require_in_range(terms: GrantTerms, now: datetime) -> None:
    if not terms.purposes or not terms.categories:
        raise BadRequest("A grant names at least one purpose and one category.")
    if Purpose.INTIMATE in terms.purposes or any(each.is_revealing for each in terms.categories):
        raise BadRequest(
            "A grant never covers a revealing use. Make a token for one request, or a session for "
            "work with a studio."
        )
    if terms.platform is not None:
        checked_platform(terms.platform)
    if terms.regions is not None:
        if not terms.regions:
            raise BadRequest("A grant that holds in no region holds nowhere. Name one, or all.")
        for region in terms.regions:
            checked_region(region)
    if terms.max_uses is not None and not 1 <= terms.max_uses <= MAX_USES:
        raise BadRequest(f"A grant is for 1 to {MAX_USES} uses, or for any number.")
    _require_a_period(terms.valid_from or now, terms.valid_until, now)


def _require_a_period(begin: datetime, end: datetime | None, now: datetime) -> None:
    if begin.tzinfo is None or (end is not None and end.tzinfo is None):
        raise BadRequest("A time without a time zone could be any of twenty-six hours.")
    if end is not None and end <= max(begin, now):
        raise BadRequest("A grant ends after it begins, and not in the past.")
    if begin > now + timedelta(days=MAX_DAYS):
        raise BadRequest(f"A grant begins within {MAX_DAYS} days.")


class _Terms(TypedDict):
    """Terms as they are sealed."""

    purposes: list[str]
    platform: str | None
    regions: list[str] | None
    categories: list[str]
    valid_from: str
    valid_until: str | None


def _written(grant: Grant) -> str:
    return json.dumps(
        _Terms(
            purposes=sorted(grant.purposes),
            platform=grant.platform,
            regions=None if grant.regions is None else sorted(grant.regions),
            categories=sorted(grant.categories),
            valid_from=grant.valid_from.isoformat(),
            valid_until=None if grant.valid_until is None else grant.valid_until.isoformat(),
        )
    )


def _read(stored: StoredGrant, text: str) -> Grant:
    terms: _Terms = json.loads(text)
    regions, until = terms["regions"], terms["valid_until"]
    return Grant(
        grant=stored.grant,
        subject=stored.subject,
        purposes=frozenset(Purpose(each) for each in terms["purposes"]),
        platform=terms["platform"],
        regions=None if regions is None else frozenset(regions),
        categories=frozenset(IntentCategory(each) for each in terms["categories"]),
        valid_from=datetime.fromisoformat(terms["valid_from"]),
        valid_until=None if until is None else datetime.fromisoformat(until),
        uses_left=stored.uses_left,
    )


def _label(grant: GrantId) -> str:
    # Bound to its own identifier, so that terms cannot be moved to a row that is counted otherwise.
    return f"grant {grant}"
