"""Dashboard sessions, in memory only: a restart ends them all.

    terminal --one-time entry secret--> browser --enter--> cookie + CSRF token --resume--> the owner

The entry secret belongs in the fragment of the printed address (``…/enter#<secret>``), which
browsers neither send to servers nor put into a Referer, and is posted by the page.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import threading
from dataclasses import dataclass, field
from datetime import datetime

from consentry.accounts.budgets import BudgetState, GuessBudget
from consentry.kernel.clock import Clock
from consentry.kernel.errors import Forbidden, Unauthenticated
from consentry.kernel.ids import Random

SESSION_COOKIE = "consentry_session"
"""Host-only, ``HttpOnly; SameSite=Strict; Path=/``; no ``Max-Age``, no ``Secure`` (it is http)."""

CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf_token"

ENTRY_LIFETIME_S = 600
IDLE_S = 1800
LIFETIME_S = 12 * 3600
MAX_ENTRIES = 16
MAX_SESSIONS = 32
_SECRET_BYTES = 32
_GUESSES = 10
_GUESS_WINDOW_S = 60
_NO_ENTRY = "This address has been used or has lapsed. Print a new one: consentry open."
_NO_SESSION = "The session is over. Open the dashboard again from the terminal: consentry open."


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser of the owner's.

    Attributes:
        cookie: The secret in the cookie `SESSION_COOKIE`; only `enter` ever returns it, else "".
        csrf_token: What every form and script of the dashboard sends along.
    """

    cookie: str = field(default="", repr=False)
    csrf_token: str = field(repr=False)

    def require_csrf(self, token: str | None) -> None:
        """Pass when ``token`` is this session's. Takes the same time for every wrong one.

        Raises:
            Forbidden: If it is missing or another.
        """
        if token is None or not hmac.compare_digest(
            token.encode("utf-8", "replace"), self.csrf_token.encode("ascii")
        ):
            raise Forbidden("The form does not carry this session's token. Reload the page.")


@dataclass(frozen=True, slots=True)
class _Moment:
    """A point in time on both clocks: the monotonic one stands still while a laptop sleeps."""

    monotonic: float
    wall: datetime

    def seconds_until(self, later: _Moment) -> float:
        return max(later.monotonic - self.monotonic, (later.wall - self.wall).total_seconds())


@dataclass(slots=True)
class _State:
    csrf_token: str
    entered: _Moment
    used: _Moment


class Sessions:
    """Entry secrets and sessions. One per process; safe to share between threads.

    Secrets are kept as SHA-256 digests and looked up by digest, so that neither a memory image
    nor the time a look-up takes gives one away.
    """

    def __init__(self, clock: Clock, random: Random = os.urandom) -> None:
        self._clock = clock
        self._random = random
        self._guesses = GuessBudget("entry", clock, quota=_GUESSES, window_s=_GUESS_WINDOW_S)
        self._lock = threading.Lock()
        # Both guarded by _lock; oldest first, so the first is the one to drop when full.
        self._entries: dict[bytes, _Moment] = {}
        self._sessions: dict[bytes, _State] = {}

    def new_entry(self) -> str:
        """Return a secret that opens one session within `ENTRY_LIFETIME_S`. For a terminal only."""
        secret = self._secret()
        with self._lock:
            self._forget()
            while len(self._entries) >= MAX_ENTRIES:
                del self._entries[next(iter(self._entries))]
            self._entries[_digest(secret)] = self._now()
        return secret

    def enter(self, secret: str) -> Session:
        """Use up an entry secret and open a session.

        Raises:
            Unauthenticated: If it is wrong, used or too old (not told apart).
            TooManyRequests: In place of that, after many wrong ones. A right one always passes.
        """
        now = self._now()
        cookie, csrf_token = self._secret(), self._secret()
        with self._lock:
            self._forget()
            is_known = self._entries.pop(_digest(secret), None) is not None
            if is_known:
                while len(self._sessions) >= MAX_SESSIONS:
                    del self._sessions[next(iter(self._sessions))]
                self._sessions[_digest(cookie)] = _State(csrf_token, entered=now, used=now)
        if not is_known:
            self._guesses.note_failure()
            raise Unauthenticated(_NO_ENTRY)
        return Session(cookie=cookie, csrf_token=csrf_token)

    def resume(self, cookie: str) -> Session:
        """Return the session of a cookie, and restart its idle timer.

        Raises:
            Unauthenticated: If it is unknown, ended, idle for `IDLE_S` or older than `LIFETIME_S`
                (not told apart).
        """
        with self._lock:
            self._forget()
            state = self._sessions.get(_digest(cookie))
            if state is None:
                raise Unauthenticated(_NO_SESSION)
            state.used = self._now()
            return Session(csrf_token=state.csrf_token)

    def end(self, cookie: str) -> None:
        """End a session. An unknown one is over already."""
        with self._lock:
            self._sessions.pop(_digest(cookie), None)

    def end_all(self) -> None:
        """End every session and take back every entry secret."""
        with self._lock:
            self._sessions.clear()
            self._entries.clear()

    def guesses(self) -> BudgetState:
        """Return what is left of the budget for wrong entry secrets."""
        return self._guesses.state()

    def _secret(self) -> str:
        secret = base64.urlsafe_b64encode(self._random(_SECRET_BYTES))
        return secret.decode("ascii").rstrip("=")

    def _forget(self) -> None:
        """Drop what has lapsed. Called with ``_lock`` held."""
        now = self._now()
        self._entries = {
            digest: made
            for digest, made in self._entries.items()
            if made.seconds_until(now) < ENTRY_LIFETIME_S
        }
        self._sessions = {
            digest: state
            for digest, state in self._sessions.items()
            if state.used.seconds_until(now) < IDLE_S
            and state.entered.seconds_until(now) < LIFETIME_S
        }

    def _now(self) -> _Moment:
        return _Moment(self._clock.monotonic(), self._clock.now())


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
