"""What accounts ask of a store. Implementations pass ``tests/contracts/token_store.py``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from consentry.kernel.ids import TokenId


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """A bearer token as the store holds it: the secret itself cannot be had back from it.

    Attributes:
        token: Opaque identifier; may be shown and logged.
        name: What its owner calls it, 1 to 80 characters.
        digest: SHA-256 of the secret, 32 bytes. The secret has 256 random bits: no salt is needed.
        scopes: Values of `consentry.accounts.principals.Scope`.
        created_at: UTC.
        last_used_day: UTC day of the last use, None when never used. No finer: it is no log of use.
        expires_at: UTC; None when it holds until it is revoked.
    """

    token: TokenId
    name: str
    digest: bytes
    scopes: frozenset[str]
    created_at: datetime
    last_used_day: date | None
    expires_at: datetime | None


class TokenStore(Protocol):
    """Durable bearer tokens."""

    def add(self, token: StoredToken) -> None:
        """Keep a token; it has reached the disk when this returns.

        Raises:
            Conflict: If there is one of this identifier or digest already.
            StorageFull: If the disk is full. Nothing was kept.
        """

    def find_by_digest(self, digest: bytes) -> StoredToken | None:
        """Return the token whose digest it is, or None. Expired ones are returned too."""

    def list(self) -> Sequence[StoredToken]:
        """Return all tokens, oldest first."""

    def remove(self, token: TokenId) -> None:
        """Forget a token; when this returns, it authenticates nobody.

        Raises:
            NotFound: If there is none.
        """

    def touch(self, token: TokenId, day: date) -> None:
        """Note the day of use. A token that was removed in between is passed over."""
