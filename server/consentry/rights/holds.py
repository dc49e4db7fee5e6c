"""A legal hold: a law or a court forbids to delete records, so retention leaves them.

It holds receipts and what opens the log, never a template, key or name: erasing somebody under a hold
destroys all that is hers. Whoever is enrolled can see that there is one, why and until when.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NewType, Protocol

from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest
from consentry.kernel.ids import Random

HoldId = NewType("HoldId", str)

LONGEST_HOLD_DAYS = 731
"""Two years; a longer one is placed again, so that somebody asks whether it is still needed."""
MAX_TEXT_CHARS = 200
_ID_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A legal hold. ``reason`` and ``placed_by`` are shown to everybody enrolled."""

    hold: HoldId
    reason: str
    placed_by: str
    placed_at: datetime
    until: datetime


class HoldStore(Protocol):
    """Durable holds."""

    def add(self, hold: Hold) -> None:
        """Keep a hold.

        Raises:
            StorageFull: If the disk is full. Nothing was kept.
        """

    def remove(self, hold: HoldId) -> None:
        """Forget a hold: it is lifted.

        Raises:
            NotFound: If there is none.
        """

    def all(self) -> Sequence[Hold]:
        """Return every hold, also those that have ended, oldest first."""


@dataclass(frozen=True, slots=True)
class HoldDesk:
    """Place, show and lift holds. Stateless; safe to share between threads."""

    store: HoldStore
    clock: Clock
    random: Random = os.urandom

    def place(self, *, reason: str, placed_by: str, until: datetime) -> Hold:
        """Place a hold on records until a moment.

        Raises:
            BadRequest: If a text is empty, too long or not printable, or the moment is past or too
                far away.
        """
        now = self.clock.now()
        if not now < until <= now + timedelta(days=LONGEST_HOLD_DAYS):
            raise BadRequest(
                f"A hold ends within {LONGEST_HOLD_DAYS} days; place it again if it is still needed."
            )
        number = base64.b32encode(self.random(_ID_BYTES)).decode("ascii").rstrip("=").lower()
        hold = Hold(
            hold=HoldId(f"hld_{number}"),
            reason=_text(reason),
            placed_by=_text(placed_by),
            placed_at=now,
            until=until,
        )
        self.store.add(hold)
        return hold

    def lift(self, hold: HoldId) -> None:
        """End a hold before its time.

        Raises:
            NotFound: If there is none.
        """
        self.store.remove(hold)

    def active(self) -> tuple[Hold, ...]:
        """Return the holds that are in force now, oldest first."""
        now = self.clock.now()
        return tuple(hold for hold in self.store.all() if hold.until > now)


def _text(text: str) -> str:
    text = " ".join(text.split())
    if not 1 <= len(text) <= MAX_TEXT_CHARS or not text.isprintable():
        raise BadRequest(f"Reason and name have 1 to {MAX_TEXT_CHARS} printable characters.")
    return text
