"""How often somebody may guess, and how many faces a platform may have searched for.

GuessBudget   wrong secrets, in memory: a right one is never held up by somebody else's wrong ones
ProbeBudget   faces searched by the API keys of a platform, in the store: a restart gives nothing back
"""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass

from consentry.accounts.ports import ProbeStore, Spending
from consentry.kernel.clock import Clock
from consentry.kernel.errors import TooManyRequests
from consentry.kernel.ids import KeyId

HOUR_S = 3600
DAY_S = 24 * HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """What is left of a budget, as the ``RateLimit`` fields tell it.

    Attributes:
        name: Of the budget.
        unit: What is counted; None for requests.
        quota: How many a window takes.
        window_s: Seconds.
        remaining: How many are still free.
        reset_s: Seconds until one more is free; 0 when nothing was used.
    """

    name: str
    quota: int
    window_s: int
    remaining: int
    reset_s: int
    unit: str | None = None


class GuessBudget:
    """Failures in a sliding window. One per kind of secret and process; safe between threads.

    Ask only *after* a guess turned out wrong: then a flood of wrong guesses cannot lock out the one
    who knows the secret. Every secret here has at least 80 random bits, so what the budget stops is
    the noise; it does not carry the security.
    """

    def __init__(self, name: str, clock: Clock, *, quota: int, window_s: int) -> None:
        self._name = name
        self._clock = clock
        self._quota = quota
        self._window_s = window_s
        self._lock = threading.Lock()
        self._failures: deque[float] = deque(maxlen=quota)  # guarded by _lock

    def note_failure(self) -> None:
        """Count a wrong guess.

        Raises:
            TooManyRequests: If the window had been used up before it.
        """
        now = self._clock.monotonic()
        with self._lock:
            self._forget(now)
            if len(self._failures) == self._quota:
                # Not counted: else a steady flood would keep the window shut for ever.
                wait = math.ceil(self._failures[0] + self._window_s - now)
                raise TooManyRequests(
                    f"Too many wrong guesses. Wait {max(1, wait)} s.", retry_after_s=max(1, wait)
                )
            self._failures.append(now)

    def state(self) -> BudgetState:
        """Return what is left."""
        now = self._clock.monotonic()
        with self._lock:
            self._forget(now)
            reset = math.ceil(self._failures[0] + self._window_s - now) if self._failures else 0
            return BudgetState(
                name=self._name,
                quota=self._quota,
                window_s=self._window_s,
                remaining=self._quota - len(self._failures),
                reset_s=max(0, reset),
            )

    def _forget(self, now: float) -> None:
        while self._failures and now - self._failures[0] >= self._window_s:
            self._failures.popleft()


@dataclass(frozen=True, slots=True)
class ProbeQuota:
    """How many faces an API key may have searched for, in an hour and in a UTC day."""

    per_hour: int
    per_day: int


class ProbeBudget:
    """Faces searched by API keys. Safe to share between threads and processes: the store counts.

    All keys of one platform spend together, each up to its own quota: a second key is no second budget.

    What is counted is the faces that were found in what was sent, at least one a check, whether or
    not anybody was searched for and found: neither a refusal nor what is left of a budget tells
    anything about who is enrolled. A check that the budget does not cover has no verdict.
    """

    def __init__(self, store: ProbeStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def spend(self, key: KeyId, quota: ProbeQuota, faces: int) -> tuple[BudgetState, ...]:
        """Count the faces of one check, and return what is left to its key.

        Raises:
            TooManyRequests: If fewer are left. Nothing was counted.
        """
        now = int(self._clock.now().timestamp())
        found = self._store.spend(
            key, now // HOUR_S, faces, per_hour=quota.per_hour, per_day=quota.per_day
        )
        states = _states(found, quota, now)
        if not found.was_spent:
            short = [state for state in states if state.remaining < faces]
            wait = max(state.reset_s for state in short)
            raise TooManyRequests(
                f"This key may have {short[-1].remaining} more faces searched in this window, and "
                f"the check has {faces}. Wait {wait} s, or ask the operator for a larger budget.",
                retry_after_s=wait,
            )
        return states

    def states(self, key: KeyId, quota: ProbeQuota) -> tuple[BudgetState, ...]:
        """Return what is left."""
        return self.spend(key, quota, 0)


@dataclass(frozen=True, slots=True)
class KeyCharge:
    """Charges one API key for what is done in its name, without remembering what is left."""

    budget: ProbeBudget
    key: KeyId
    quota: ProbeQuota

    def spend(self, faces: int) -> None:
        """Count the faces of one check.

        Raises:
            TooManyRequests: If fewer are left.
        """
        self.budget.spend(self.key, self.quota, faces)


def _states(found: Spending, quota: ProbeQuota, now: int) -> tuple[BudgetState, ...]:
    return tuple(
        BudgetState(
            name=name,
            unit="faces",
            quota=most,
            window_s=window_s,
            remaining=max(0, most - spent),
            reset_s=window_s - now % window_s,
        )
        for name, most, spent, window_s in (
            ("faces-hour", quota.per_hour, found.in_hour, HOUR_S),
            ("faces-day", quota.per_day, found.in_day, DAY_S),
        )
    )
