"""How often somebody may guess. A right answer is never held up by somebody else's wrong ones."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass

from consentry.kernel.clock import Clock
from consentry.kernel.errors import TooManyRequests


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """What is left of a budget, as the ``RateLimit`` fields tell it.

    Attributes:
        name: Of the budget.
        quota: Failures that a window takes.
        window_s: Seconds.
        remaining: Failures still free.
        reset_s: Seconds until one more is free; 0 when nothing was used.
    """

    name: str
    quota: int
    window_s: int
    remaining: int
    reset_s: int


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
