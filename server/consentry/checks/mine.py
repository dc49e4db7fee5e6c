"""Her view: every check in which her face or her name mattered, opened with her key alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from consentry.checks.digests import QUIET, Digest, MyDigests, SeenCheck, bursts, digest_of
from consentry.checks.ports import ReceiptStore
from consentry.checks.sightings import (
    How,
    Sighting,
    SightingStore,
    StoredSighting,
    how_of,
    place_of,
    read_sighting,
)
from consentry.kernel.clock import Clock
from consentry.kernel.errors import NotFound
from consentry.kernel.ids import SubjectId
from consentry.transparency.receipts import LogPlace
from consentry.vault.lids import ReaderKey, open_box

MAX_SHOWN = 200
MAX_TRIED = 5_000
"""Checks whose lids are tried for one page: some two seconds of work."""


class ReaderKeys(Protocol):
    """`consentry.enrolment.reading.ReadingKeys`."""

    def open(self, subject: SubjectId) -> tuple[ReaderKey, ...]:
        """Return every key of hers that is open."""


class Presence(Protocol):
    """`consentry.enrolment.people.VerifyActor`."""

    def __call__(self, subject: SubjectId) -> SubjectId:
        """Pass when a subject has just proved herself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MyCheck:
    """A check, as she sees it.

    Attributes:
        sighting: When, for whom, what for, and what was answered.
        how: Her face, her name, or perhaps her face.
        receipt: The signed verdict (compact JWS); None when it is not kept any more.
        log: Where its entry is.
    """

    sighting: Sighting
    how: How
    receipt: str | None = field(repr=False)
    log: LogPlace | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MyChecks:
    """A page.

    Attributes:
        checks: Newest first.
        before: Ask for what is before this moment to go on; None when there is no more.
        kept_days: For how long they are kept.
    """

    checks: tuple[MyCheck, ...]
    before: datetime | None
    kept_days: int


@dataclass(frozen=True, slots=True)
class ReadMyChecks:
    """Stateless; safe to share between threads."""

    sightings: SightingStore
    receipts: ReceiptStore
    keys: ReaderKeys
    presence: Presence
    clock: Clock
    kept_days: int

    def __call__(self, subject: SubjectId, *, before: datetime | None, limit: int) -> MyChecks:
        """Return a page of a subject's checks.

        Args:
            subject: Who reads. She must have proved herself just now.
            before: Only checks before this moment.
            limit: 1 to `MAX_SHOWN`.

        Raises:
            Forbidden: If she has not proved herself just now.
            VaultAbsent, VaultLocked: If her key is not in memory.
            NotFound: If nobody is enrolled by that identifier.
            SealBroken: If a box that is hers is damaged.
        """
        self.presence(subject)
        keys = self.keys.open(subject)
        tried = self.sightings.newest(MAX_TRIED, before)
        found: list[MyCheck] = []
        reached = before
        for stored in tried:
            # Those of one moment stay on one page: the next begins before it.
            if len(found) >= limit and stored.at != reached:
                break
            reached = stored.at
            mine = _mine(stored, keys)
            if mine is not None:
                found.append(self._with_receipt(*mine))
        is_end = len(tried) < MAX_TRIED and (not tried or reached == tried[-1].at)
        return MyChecks(
            checks=tuple(found), before=None if is_end else reached, kept_days=self.kept_days
        )

    def digests(
        self,
        subject: SubjectId,
        *,
        before: datetime | None,
        limit: int,
        quiet: timedelta = QUIET,
    ) -> MyDigests:
        """Return a page of a subject's checks, those that came close upon one another as one.

        Args:
            subject: Who reads. She must have proved herself just now.
            before: Only checks before this moment.
            limit: Of digests; 1 to `MAX_SHOWN`.
            quiet: How long nothing came between two of them.

        Raises:
            Forbidden, VaultAbsent, VaultLocked, NotFound, SealBroken: As above.
        """
        self.presence(subject)
        keys = self.keys.open(subject)
        tried = self.sightings.newest(MAX_TRIED, before)
        mine = (_mine(stored, keys) for stored in tried)
        seen = (SeenCheck(sighting=each[0], how=each[1]) for each in mine if each is not None)
        is_cut = len(tried) == MAX_TRIED
        digests: list[Digest] = []
        parts = bursts(seen, quiet=quiet)
        for burst in parts:
            if len(digests) == limit:
                # To the second, and the next one is further away than that.
                return MyDigests(
                    digests=tuple(digests), before=digests[-1].first, kept_days=self.kept_days
                )
            digests.append(digest_of(burst, goes_on=False))
        before = tried[-1].at if is_cut else None
        if is_cut and digests and digests[-1].first - tried[-1].at <= quiet:
            digests[-1] = replace(digests[-1], goes_on=True)
        return MyDigests(digests=tuple(digests), before=before, kept_days=self.kept_days)

    def sweep(self) -> int:
        """Destroy what is older than it is kept, and return how many. For a timer."""
        return self.sightings.sweep(before=self.clock.now() - timedelta(days=self.kept_days))

    def _with_receipt(self, sighting: Sighting, how: How) -> MyCheck:
        try:
            receipt = self.receipts.get(sighting.check)
        except NotFound:
            return MyCheck(sighting=sighting, how=how, receipt=None, log=None)
        return MyCheck(sighting=sighting, how=how, receipt=receipt.jws, log=receipt.log)


def _mine(stored: StoredSighting, keys: Sequence[ReaderKey]) -> tuple[Sighting, How] | None:
    for box in stored.boxes:
        opened = open_box(box, keys, place=place_of(stored.check))
        if opened is not None:
            return read_sighting(opened.body), how_of(opened.mark)
    return None
