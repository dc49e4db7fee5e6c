"""Deleting what is due, a few hundred rows at a time.

Each piece is a transaction of its own, so nothing waits for it long, a crash leaves nothing half done,
and running it again goes on where it stopped. It says how many, never what.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from consentry.kernel.clock import Clock
from consentry.rights.holds import HoldDesk
from consentry.rights.periods import Periods

_LOG = logging.getLogger(__name__)
_PIECE_ROWS = 500
_PAUSE_S = 0.01


class Due(StrEnum):
    """What can be due, by the name of its table."""

    RECEIPTS = "receipts"
    OPENINGS = "log_openings"
    FEED = "feed"
    TOKENS = "tokens"
    KEYS = "api_keys"
    SECRETS = "api_key_secrets"
    SPENDING = "probe_spending"


HELD = frozenset({Due.RECEIPTS, Due.OPENINGS})
"""What a legal hold keeps: records, and nothing by which anybody could be recognised."""


class RetentionStore(Protocol):
    """Deletes by age."""

    def count(self, due: Due, before: datetime) -> int:
        """Return how much ended, or was made, before a moment."""

    def delete(self, due: Due, before: datetime, most: int) -> int:
        """Delete at most so many, the oldest first, in one transaction, and return how many it was.

        Raises:
            StorageFull: If the disk is full. Nothing was deleted.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionReport:
    """What a run did, or would do.

    Attributes:
        counts: Table to number; those with nothing due are there, too, with 0.
        held: Tables that a legal hold keeps; what would be due of them is in ``counts`` as 0.
        is_dry: Whether nothing was deleted.
    """

    counts: Mapping[str, int]
    held: tuple[str, ...]
    is_dry: bool


@dataclass(frozen=True, slots=True)
class EnforceRetention:
    """Stateless; safe to share between threads and processes.

    Attributes:
        store: Deletes.
        holds: What must not be deleted.
        periods: How long things are kept.
        sweeps: Name to what destroys, on a timer of its own, what has lapsed of that name.
    """

    store: RetentionStore
    holds: HoldDesk
    periods: Periods
    sweeps: Mapping[str, Callable[[], int]]
    clock: Clock

    def __call__(self, *, is_dry: bool) -> RetentionReport:
        """Delete what is due; with ``is_dry`` only count it."""
        held = HELD if self.holds.active() else frozenset[Due]()
        counts: dict[str, int] = {}
        for due, before in self._cutoffs().items():
            if due in held:
                counts[due.value] = 0
            elif is_dry:
                counts[due.value] = self.store.count(due, before)
            else:
                counts[due.value] = sum(self._pieces(due, before))
        if not is_dry:
            counts |= {name: sweep() for name, sweep in self.sweeps.items()}
            gone = {name: count for name, count in counts.items() if count}
            _LOG.info("retention: deleted %s", gone or "nothing")
        return RetentionReport(
            counts=counts, held=tuple(sorted(due.value for due in held)), is_dry=is_dry
        )

    def _pieces(self, due: Due, before: datetime) -> Iterator[int]:
        while count := self.store.delete(due, before, _PIECE_ROWS):
            yield count
            # Others wait for the write lock, too.
            time.sleep(_PAUSE_S)

    def _cutoffs(self) -> dict[Due, datetime]:
        now = self.clock.now()
        lapsed = now - timedelta(days=self.periods.lapsed_days)
        return {
            Due.RECEIPTS: now - timedelta(days=self.periods.receipts_days),
            Due.OPENINGS: now - timedelta(days=self.periods.openings_days),
            Due.FEED: now - timedelta(days=self.periods.feed_days),
            Due.TOKENS: lapsed,
            Due.KEYS: lapsed,
            Due.SECRETS: lapsed,
            Due.SPENDING: now.replace(hour=0, minute=0, second=0, microsecond=0),
        }
