"""Bearer tokens: 256 random bits, shown once, kept as a digest, with scopes and an end.

cst_<52 letters a-z and digits 2-7>   base32 of 32 random bytes, lower case, no padding
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Collection, Sequence
from datetime import timedelta

from consentry.accounts.budgets import BudgetState, GuessBudget
from consentry.accounts.ports import StoredToken, TokenStore
from consentry.accounts.principals import Door, Principal, Scope
from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest, Conflict, Unauthenticated
from consentry.kernel.ids import Random, TokenId, new_token_id

SECRET_PREFIX = "cst_"  # noqa: S105 -- the public start of every secret, for secret scanners
MAX_NAME_CHARS = 80
MAX_LIFETIME_DAYS = 3650
MAX_TOKENS = 256
_SECRET_BYTES = 32
_SECRET_FORM = re.compile(r"cst_[a-z2-7]{52}", re.ASCII)
_GUESSES = 30
_GUESS_WINDOW_S = 60
# Wrong, expired, revoked and unknown are not told apart.
_REFUSED = "This token does not hold: it may be wrong, revoked or expired."


class Tokens:
    """Issue, check and revoke bearer tokens. Safe to share between threads: the store decides."""

    def __init__(self, store: TokenStore, clock: Clock, random: Random = os.urandom) -> None:
        self._store = store
        self._clock = clock
        self._random = random
        self._guesses = GuessBudget("bearer", clock, quota=_GUESSES, window_s=_GUESS_WINDOW_S)

    def issue(
        self, name: str, scopes: Collection[Scope], *, expires_in_days: int | None
    ) -> tuple[StoredToken, str]:
        """Make a token.

        Args:
            name: What its owner calls it, 1 to `MAX_NAME_CHARS` printable characters.
            scopes: At least one.
            expires_in_days: 1 to `MAX_LIFETIME_DAYS`; None for one that holds until it is revoked.

        Returns:
            The token as it is stored, and its secret, which cannot be had a second time.

        Raises:
            BadRequest: If the name, the scopes or the lifetime are out of range.
            Conflict: If there are `MAX_TOKENS` already.
            StorageFull: If the disk is full. Nothing was kept.
        """
        name = checked_name(name)
        if not scopes:
            raise BadRequest("A token needs at least one scope: without one it can do nothing.")
        if expires_in_days is not None and not 1 <= expires_in_days <= MAX_LIFETIME_DAYS:
            raise BadRequest(f"A token lives 1 to {MAX_LIFETIME_DAYS} days.")
        if len(self._store.list()) >= MAX_TOKENS:
            raise Conflict(f"There are {MAX_TOKENS} tokens already. Revoke those you do not use.")
        secret = SECRET_PREFIX + encode_secret(self._random(_SECRET_BYTES))
        now = self._clock.now()
        token = StoredToken(
            token=new_token_id(self._random),
            name=name,
            digest=_digest(secret),
            scopes=frozenset(scope.value for scope in scopes),
            created_at=now,
            last_used_day=None,
            expires_at=None if expires_in_days is None else now + timedelta(days=expires_in_days),
        )
        self._store.add(token)
        return token, secret

    def authenticate(self, secret: str) -> Principal:
        """Return who a secret belongs to, and note the day.

        Raises:
            Unauthenticated: If it is malformed, unknown, revoked or expired (not told apart).
            TooManyRequests: In place of that, after many wrong ones. A right one always passes.
        """
        token = self._find(secret)
        if token is None:
            self._guesses.note_failure()
            raise Unauthenticated(_REFUSED)
        today = self._clock.now().date()
        if token.last_used_day != today:
            self._store.touch(token.token, today)
        known = {scope.value: scope for scope in Scope}
        return Principal(
            door=Door.TOKEN,
            # A scope that this version does not know grants nothing.
            scopes=frozenset(known[scope] for scope in token.scopes if scope in known),
            name=token.name,
            token=token.token,
        )

    def revoke(self, token: TokenId) -> None:
        """Forget a token: the very next request with it is refused.

        Raises:
            NotFound: If there is none.
        """
        self._store.remove(token)

    def list(self) -> Sequence[StoredToken]:
        """Return all tokens, oldest first, also expired ones: they can be seen and removed."""
        return self._store.list()

    def guesses(self) -> BudgetState:
        """Return what is left of the budget for wrong secrets."""
        return self._guesses.state()

    def _find(self, secret: str) -> StoredToken | None:
        if _SECRET_FORM.fullmatch(secret) is None:
            return None
        digest = _digest(secret)
        # Looked up by digest, so the time it takes says nothing about the secret.
        token = self._store.find_by_digest(digest)
        if token is None or not hmac.compare_digest(token.digest, digest):
            return None
        if token.expires_at is not None and token.expires_at <= self._clock.now():
            return None
        return token


def checked_name(name: str) -> str:
    """Return a token's name with its white space tidied.

    Raises:
        BadRequest: If it does not have 1 to `MAX_NAME_CHARS` printable characters.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= MAX_NAME_CHARS or not name.isprintable():
        raise BadRequest(f"A token's name has 1 to {MAX_NAME_CHARS} printable characters.")
    return name


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()


def encode_secret(data: bytes) -> str:
    """Write random bytes in the letters of a secret: base32, lower case, no padding."""
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()
