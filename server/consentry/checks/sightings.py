"""What a check leaves for those whose face or name mattered in it: readable by them alone.

    check ──> who was seen or named ──> a box (vault.lids) beside the receipt, alike for nobody
                │
                └─ refused before any search: looked for afterwards, and the box is replaced

Every kept check has a box, and all boxes are alike, so nobody without a reader's key can tell whose
checks they were, or count them by person (docs/adr/0033). Format: docs/specs/sighting.md.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol, TypedDict

from consentry.consent.findings import ImageFinding, MatchLevel
from consentry.kernel.errors import NotFound, SealBroken, VaultAbsent, VaultLocked
from consentry.kernel.ids import CheckId, Random, SubjectId
from consentry.kernel.taxonomy import IntentCategory, PublicReason, Purpose, Verdict
from consentry.transparency.receipts import ReceiptInputs
from consentry.vault.lids import LIDS, ReaderAddress, SealedBox, seal_box

MAX_PLATFORM_BYTES = 200


class How(StrEnum):
    """Why a check is hers. Sealed for her alone; of several, the surest."""

    FACE = "face"
    NAME = "name"
    POSSIBLE = "possible"
    """A face that may be hers, and may be somebody else's."""

    @property
    def mark(self) -> int:
        """What stands on her lid."""
        return _MARKS.index(self)


_MARKS = (How.FACE, How.NAME, How.POSSIBLE)


class Stage(StrEnum):
    """What was looked at."""

    REQUEST = "request"
    RESULT = "result"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A check as those will read it whom it was about.

    Attributes:
        check: Its receipt tells what was answered, and where that is in the log.
        at: When, UTC, to the second.
        stage, category, purpose, region, platform: What for, and who asked.
        verdict, reasons: As the receipt says.
    """

    check: CheckId
    at: datetime
    stage: Stage
    category: IntentCategory
    purpose: Purpose
    region: str | None
    platform: str | None
    verdict: Verdict
    reasons: tuple[PublicReason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Who mattered in a check, and in which.

    Attributes:
        stage: Whether a request was checked, or what came of one.
        category: What was asked for.
        subjects: Who, and by what.
    """

    stage: Stage
    category: IntentCategory
    subjects: Mapping[SubjectId, How] = field(repr=False)

    def sighting(
        self,
        check: CheckId,
        at: datetime,
        inputs: ReceiptInputs,
        verdict: Verdict,
        reasons: tuple[PublicReason, ...],
    ) -> Sighting:
        """Return what is sealed of it, once the check is answered."""
        return Sighting(
            check=check,
            at=at,
            stage=self.stage,
            category=self.category,
            purpose=inputs.purpose,
            region=inputs.region,
            platform=inputs.platform,
            verdict=verdict,
            reasons=reasons,
        )


@dataclass(frozen=True, slots=True)
class StoredSighting:
    """The boxes of one check as the store holds them: at least one. ``at`` is when it was answered."""

    check: CheckId
    at: datetime
    boxes: tuple[SealedBox, ...] = field(repr=False)


class SightingStore(Protocol):
    """Durable sightings. They are added with their receipt (`ReceiptStore`)."""

    def replace(self, check: CheckId, boxes: Sequence[SealedBox]) -> None:
        """Put boxes in the place of those of a check; nothing when they have been swept."""

    def newest(self, limit: int, before: datetime | None) -> Sequence[StoredSighting]:
        """Return those of at most ``limit`` checks before a moment (None: now), newest first."""

    def sweep(self, *, before: datetime) -> int:
        """Remove those of checks before a moment, and return how many boxes it was."""


class Addresses(Protocol):
    """`consentry.enrolment.reading.ReadingKeys`."""

    def address(self, subject: SubjectId) -> ReaderAddress:
        """Return where a note for a subject is sealed to."""


@dataclass(frozen=True, slots=True)
class SealSighting:
    """Seal a sighting to those who were seen. Stateless; safe to share between threads."""

    addresses: Addresses
    random: Random = os.urandom

    def __call__(
        self, sighting: Sighting, subjects: Mapping[SubjectId, How]
    ) -> tuple[SealedBox, ...]:
        """Return boxes for these subjects: one, also for nobody; more in a crowd of the enrolled.

        Whoever is locked away or gone meanwhile is left out: nobody could ever read it.

        Raises:
            SealBroken: If a passphrase of somebody's own is not what was sealed.
        """
        readers = []
        for subject, how in subjects.items():
            try:
                readers.append((self.addresses.address(subject), how.mark))
            except (VaultAbsent, VaultLocked, NotFound):
                continue
        body, place = _written(sighting), place_of(sighting.check)
        groups = [readers[start : start + LIDS] for start in range(0, len(readers), LIDS)]
        return tuple(
            seal_box(body, group, place=place, random=self.random) for group in groups or [[]]
        )


def seen_in(images: Sequence[ImageFinding], named: Sequence[SubjectId]) -> dict[SubjectId, How]:
    """Return whose face or name is there, each by the surest."""
    found: dict[SubjectId, How] = dict.fromkeys(named, How.NAME)
    for image in images:
        for face in image.faces:
            for match in face.matches:
                is_sure = match.level is not MatchLevel.POSSIBLE
                how = How.FACE if is_sure else How.POSSIBLE
                found[match.subject] = min(found.get(match.subject, how), how, key=_MARKS.index)
    return found


def place_of(check: CheckId) -> str:
    """Return what a box of a check is bound to."""
    return f"sighting {check}"


class _Written(TypedDict):
    """A sighting as it is sealed: JSON, keys sorted, without spaces."""

    v: int
    check: str
    at: int
    stage: str
    category: str
    purpose: str
    region: str | None
    platform: str | None
    verdict: str
    reasons: list[str]


def _written(sighting: Sighting) -> bytes:
    written = _Written(
        v=1,
        check=sighting.check,
        at=int(sighting.at.timestamp()),
        stage=sighting.stage.value,
        category=sighting.category.value,
        purpose=sighting.purpose.value,
        region=None if sighting.region is None else sighting.region[:8],
        platform=None if sighting.platform is None else _shortened(sighting.platform),
        verdict=sighting.verdict.value,
        reasons=[reason.value for reason in sighting.reasons],
    )
    body = json.dumps(written, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return body.encode()


def read_sighting(body: bytes) -> Sighting:
    """Return the sighting in an opened box.

    Raises:
        SealBroken: If it is none of version 1, though it was sealed as one.
    """
    try:
        written: _Written = json.loads(body)
        if written["v"] != 1:
            raise SealBroken("a sighting of another version")
        return Sighting(
            check=CheckId(written["check"]),
            at=datetime.fromtimestamp(written["at"], UTC),
            stage=Stage(written["stage"]),
            category=IntentCategory(written["category"]),
            purpose=Purpose(written["purpose"]),
            region=written["region"],
            platform=written["platform"],
            verdict=Verdict(written["verdict"]),
            reasons=tuple(PublicReason(each) for each in written["reasons"]),
        )
    except (ValueError, KeyError, TypeError) as cause:
        raise SealBroken("what was sealed is no sighting") from cause


def how_of(mark: int) -> How:
    """Return what the mark on a lid says.

    Raises:
        SealBroken: If no such mark was ever made.
    """
    if mark >= len(_MARKS):
        raise SealBroken("what was sealed is no sighting")
    return _MARKS[mark]


def _shortened(platform: str) -> str:
    """Return a platform's name as far as there is room; what JSON would escape is left out."""
    printable = "".join(
        char if char.isprintable() and char not in '"\\' else " " for char in platform
    )
    cut = printable.encode("utf-8", "replace")[:MAX_PLATFORM_BYTES]
    return cut.decode("utf-8", "ignore")
