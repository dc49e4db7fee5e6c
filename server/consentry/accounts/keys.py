"""API keys of platforms: 256 random bits, shown once, kept as a digest; rotated with an overlap.

    csk_<52 letters a-z and digits 2-7>   base32 of 32 random bytes, lower case, no padding

A key speaks for one platform, and can never do more than `PLATFORM_SCOPES`. It keeps its identifier
when it is rotated, and with it its budget and the answers that it was given.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Collection, Sequence
from datetime import timedelta

from consentry.accounts.budgets import BudgetState, GuessBudget, ProbeQuota
from consentry.accounts.ports import KeySecret, KeyStore, StoredKey
from consentry.accounts.principals import PLATFORM_SCOPES, Door, Principal, Scope
from consentry.accounts.tokens import MAX_LIFETIME_DAYS, checked_name, encode_secret
from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest, Conflict, Unauthenticated
from consentry.kernel.ids import KeyId, Random, new_key_id

SECRET_PREFIX = "csk_"  # noqa: S105 -- the public start of every secret, for secret scanners
MAX_PLATFORM_CHARS = 200
MAX_KEYS = 256
MAX_OVERLAP_HOURS = 30 * 24
MAX_FACES = 10_000_000
DEFAULT_QUOTA = ProbeQuota(per_hour=2_000, per_day=20_000)
_SECRET_BYTES = 32
_SECRET_FORM = re.compile(r"csk_[a-z2-7]{52}", re.ASCII)
_GUESSES = 30
_GUESS_WINDOW_S = 60
# Wrong, expired, revoked and unknown are not told apart.
_REFUSED = "This key does not hold: it may be wrong, rotated away, revoked or expired."


class ApiKeys:
    """Issue, check, rotate and revoke API keys. Safe to share between threads: the store decides."""

    def __init__(self, store: KeyStore, clock: Clock, random: Random = os.urandom) -> None:
        self._store = store
        self._clock = clock
        self._random = random
        self._guesses = GuessBudget("key", clock, quota=_GUESSES, window_s=_GUESS_WINDOW_S)

    def issue(
        self,
        name: str,
        platform: str,
        scopes: Collection[Scope],
        *,
        quota: ProbeQuota = DEFAULT_QUOTA,
        expires_in_days: int | None,
    ) -> tuple[StoredKey, str]:
        """Make a key.

        Args:
            name: What the operator calls it, 1 to 80 printable characters.
            platform: Whom it speaks for, 1 to `MAX_PLATFORM_CHARS` printable characters.
            scopes: At least one, of `PLATFORM_SCOPES`.
            quota: How many faces it may have searched for; each 1 to `MAX_FACES`.
            expires_in_days: 1 to `MAX_LIFETIME_DAYS`; None for one that holds until it is revoked.

        Returns:
            The key as it is stored, and its secret, which cannot be had a second time.

        Raises:
            BadRequest: If anything is out of range.
            Conflict: If there are `MAX_KEYS` already.
            StorageFull: If the disk is full. Nothing was kept.
        """
        name, platform = checked_name(name), _checked_platform(platform)
        _require_scopes(scopes)
        _require_quota(quota)
        if expires_in_days is not None and not 1 <= expires_in_days <= MAX_LIFETIME_DAYS:
            raise BadRequest(f"A key lives 1 to {MAX_LIFETIME_DAYS} days.")
        if len(self._store.list()) >= MAX_KEYS:
            raise Conflict(f"There are {MAX_KEYS} keys already. Revoke those that are not used.")
        now = self._clock.now()
        secret, stored_secret = self._new_secret()
        key = StoredKey(
            key=new_key_id(self._random),
            name=name,
            platform=platform,
            scopes=frozenset(scope.value for scope in scopes),
            faces_per_hour=quota.per_hour,
            faces_per_day=quota.per_day,
            created_at=now,
            last_used_day=None,
            expires_at=None if expires_in_days is None else now + timedelta(days=expires_in_days),
            secrets=(stored_secret,),
        )
        self._store.add(key)
        return key, secret

    def rotate(self, key: KeyId, *, overlap_hours: int) -> str:
        """Give a key a new secret, and return it; the old one ends after the overlap.

        Args:
            key: Which.
            overlap_hours: How long both hold, 0 to `MAX_OVERLAP_HOURS`; 0 ends the old one at once.

        Raises:
            BadRequest: If the overlap is out of range.
            NotFound: If there is no such key.
        """
        if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
            raise BadRequest(f"An overlap is 0 to {MAX_OVERLAP_HOURS} hours.")
        now = self._clock.now()
        secret, stored = self._new_secret()
        self._store.rotate(key, stored, now=now, others_end=now + timedelta(hours=overlap_hours))
        return secret

    def authenticate(self, secret: str) -> Principal:
        """Return who a secret belongs to, and note the day.

        Raises:
            Unauthenticated: If it is malformed, unknown, revoked or past its end (not told apart).
            TooManyRequests: In place of that, after many wrong ones. A right one always passes.
        """
        key = self._find(secret)
        if key is None:
            self._guesses.note_failure()
            raise Unauthenticated(_REFUSED)
        today = self._clock.now().date()
        if key.last_used_day != today:
            self._store.touch(key.key, today)
        return Principal(
            door=Door.KEY,
            # Whatever the store says, a key never reaches further than a platform may.
            scopes=frozenset(scope for scope in PLATFORM_SCOPES if scope.value in key.scopes),
            name=key.name,
            key=key.key,
            platform=key.platform,
            quota=ProbeQuota(per_hour=key.faces_per_hour, per_day=key.faces_per_day),
        )

    def revoke(self, key: KeyId) -> None:
        """Forget a key: the very next request with any of its secrets is refused.

        Raises:
            NotFound: If there is none.
        """
        self._store.remove(key)

    def list(self) -> Sequence[StoredKey]:
        """Return all keys, oldest first, also expired ones: they can be seen and removed."""
        return self._store.list()

    def guesses(self) -> BudgetState:
        """Return what is left of the budget for wrong secrets."""
        return self._guesses.state()

    def _new_secret(self) -> tuple[str, KeySecret]:
        secret = SECRET_PREFIX + encode_secret(self._random(_SECRET_BYTES))
        stored = KeySecret(digest=_digest(secret), made_at=self._clock.now(), ends_at=None)
        return secret, stored

    def _find(self, secret: str) -> StoredKey | None:
        if _SECRET_FORM.fullmatch(secret) is None:
            return None
        digest = _digest(secret)
        # Looked up by digest, so the time it takes says nothing about the secret.
        key = self._store.find_by_digest(digest)
        if key is None:
            return None
        now = self._clock.now()
        holds = any(
            hmac.compare_digest(each.digest, digest)
            and (each.ends_at is None or now < each.ends_at)
            for each in key.secrets
        )
        if not holds or (key.expires_at is not None and key.expires_at <= now):
            return None
        return key


def _checked_platform(platform: str) -> str:
    platform = " ".join(platform.split())
    if not 1 <= len(platform) <= MAX_PLATFORM_CHARS or not platform.isprintable():
        raise BadRequest(f"A platform's name has 1 to {MAX_PLATFORM_CHARS} printable characters.")
    return platform


def _require_scopes(scopes: Collection[Scope]) -> None:
    if not scopes:
        raise BadRequest("A key needs at least one scope: without one it can do nothing.")
    if not set(scopes) <= PLATFORM_SCOPES:
        known = ", ".join(sorted(scope.value for scope in PLATFORM_SCOPES))
        raise BadRequest(f"A key of a platform can have these scopes only: {known}.")


def _require_quota(quota: ProbeQuota) -> None:
    if not (1 <= quota.per_hour <= MAX_FACES and 1 <= quota.per_day <= MAX_FACES):
        raise BadRequest(f"A budget is 1 to {MAX_FACES} faces an hour and a day.")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()
