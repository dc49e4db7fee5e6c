"""Checks about her that came close upon one another, told to her once.

    ├─ 9:02 ─ 9:03 ─ … ─ 9:41 ─┤  quiet  ├─ 11:15 ─┤      two digests, of 300 checks and of one

After a public appearance hundreds may ask for the same within minutes. A list of each would bury
what else there was, and be one more harm; nothing of it is kept: it is made when she reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeVar

from consentry.checks.sightings import How, Sighting
from consentry.kernel.taxonomy import IntentCategory, Verdict

QUIET = timedelta(minutes=10)
"""How long nothing has to come until what comes next is told apart."""
MAX_NEWEST = 20
MAX_PLATFORMS = 20

_TOLD_FIRST = (Verdict.ALLOW, Verdict.NEEDS_CONSENT, Verdict.REFUSE)

_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCheck:
    """A check of hers, without its receipt."""

    sighting: Sighting
    how: How


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Checks of hers between which it was never quiet.

    Attributes:
        count: How many; at least one.
        first, last: When the earliest and the latest was answered, UTC, to the second.
        goes_on: Whether there may be earlier ones that were not read.
        verdicts, categories, hows: How many of each, commonest first. They add up to ``count``.
        platforms: The same by who asked, of at most `MAX_PLATFORMS`; None who did not say.
        other_platforms: How many asked by others than those.
        newest: At most `MAX_NEWEST` of them: what was let through, what needs her consent, what was
            refused; each newest first.
    """

    count: int
    first: datetime
    last: datetime
    goes_on: bool
    verdicts: Mapping[Verdict, int]
    categories: Mapping[IntentCategory, int]
    hows: Mapping[How, int]
    platforms: Mapping[str | None, int]
    other_platforms: int
    newest: tuple[SeenCheck, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MyDigests:
    """A page.

    Attributes:
        digests: Newest first.
        before: Ask for what is before this moment to go on; None when there is no more.
        kept_days: For how long checks are kept.
    """

    digests: tuple[Digest, ...]
    before: datetime | None
    kept_days: int


def bursts(checks: Iterable[SeenCheck], *, quiet: timedelta) -> Iterator[tuple[SeenCheck, ...]]:
    """Part checks where nothing came for longer than ``quiet``.

    Args:
        checks: Newest first.
        quiet: At least nothing.
    """
    burst: list[SeenCheck] = []
    for check in checks:
        if burst and burst[-1].sighting.at - check.sighting.at > quiet:
            yield tuple(burst)
            burst = []
        burst.append(check)
    if burst:
        yield tuple(burst)


def digest_of(burst: tuple[SeenCheck, ...], *, goes_on: bool) -> Digest:
    """Return what is told of a burst.

    Args:
        burst: At least one check, newest first.
        goes_on: Whether there may be earlier ones that were not read.
    """
    by_platform = Counter(each.sighting.platform for each in burst)
    named = by_platform.most_common(MAX_PLATFORMS)
    return Digest(
        count=len(burst),
        first=burst[-1].sighting.at,
        last=burst[0].sighting.at,
        goes_on=goes_on,
        verdicts=_counted(each.sighting.verdict for each in burst),
        categories=_counted(each.sighting.category for each in burst),
        hows=_counted(each.how for each in burst),
        platforms=MappingProxyType(dict(named)),
        other_platforms=len(burst) - sum(count for _, count in named),
        # A flood of what was refused anyway must not bury the one thing that was let through.
        newest=tuple(
            sorted(burst, key=lambda each: _TOLD_FIRST.index(each.sighting.verdict))[:MAX_NEWEST]
        ),
    )


def _counted(values: Iterable[_Key]) -> Mapping[_Key, int]:
    return MappingProxyType(dict(Counter(values).most_common()))
