"""What accounts ask of a store. Implementations pass ``tests/contracts/token_store.py``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from consentry.kernel.ids import KeyId, TokenId


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


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySecret:
    """One secret of an API key, as a digest.

    Attributes:
        digest: SHA-256 of the secret, 32 bytes. The secret has 256 random bits: no salt is needed.
        made_at: UTC.
        ends_at: UTC, excluded; None while no newer secret has taken its place.
    """

    digest: bytes
    made_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """An API key of a platform as the store holds it.

    Attributes:
        key: Opaque identifier; the same before and after a rotation.
        name: What the operator calls it, 1 to 80 characters.
        platform: Whom it speaks for, 1 to 200 characters.
        scopes: Values of `consentry.accounts.principals.Scope`.
        faces_per_hour, faces_per_day: How many faces it may have searched for.
        created_at: UTC.
        last_used_day: UTC day of the last use, None when never used. No finer: it is no log of use.
        expires_at: UTC; None when it holds until it is revoked.
        secrets: One, or two while a rotation overlaps; oldest first.
    """

    key: KeyId
    name: str
    platform: str
    scopes: frozenset[str]
    faces_per_hour: int
    faces_per_day: int
    created_at: datetime
    last_used_day: date | None
    expires_at: datetime | None
    secrets: tuple[KeySecret, ...]


class KeyStore(Protocol):
    """Durable API keys. What it promises is tested by ``tests/unit/storage/test_stored_keys.py``."""

    def add(self, key: StoredKey) -> None:
        """Keep a key with its secrets; it has reached the disk when this returns.

        Raises:
            Conflict: If there is one of this identifier or digest already.
            StorageFull: If the disk is full. Nothing was kept.
        """

    def find_by_digest(self, digest: bytes) -> StoredKey | None:
        """Return the key that has a secret of this digest, or None. Expired ones are returned too."""

    def list(self) -> Sequence[StoredKey]:
        """Return all keys, oldest first."""

    def rotate(self, key: KeyId, secret: KeySecret, *, now: datetime, others_end: datetime) -> None:
        """Add a secret; secrets that have ended go, the others end at ``others_end`` at the latest.

        Raises:
            NotFound: If there is no such key.
        """

    def remove(self, key: KeyId) -> None:
        """Forget a key and its secrets; when this returns, none of them authenticates anybody.

        Raises:
            NotFound: If there is none.
        """

    def touch(self, key: KeyId, day: date) -> None:
        """Note the day of use. A key that was removed in between is passed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """How many faces a platform has had searched for, by all of its keys.

    Attributes:
        in_hour, in_day: In the hour and in the UTC day that were asked about.
        was_spent: Whether the last request was granted; True when nothing was asked for.
    """

    in_hour: int
    in_day: int
    was_spent: bool


class ProbeStore(Protocol):
    """Durable counts of faces searched. The same."""

    def spend(self, key: KeyId, hour: int, faces: int, *, per_hour: int, per_day: int) -> Spending:
        """Count faces, all of them or, when that would pass a quota, none.

        Args:
            key: Who spends. What other keys of its platform spent counts too.
            hour: Whole hours since 1970, UTC; its day is ``hour // 24``.
            faces: How many; with 0 nothing is written.
            per_hour: Most in that hour.
            per_day: Most in that day.
        """
