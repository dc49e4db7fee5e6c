"""Data keys, and the key ring that opens them while the vault is unlocked.

    epoch secret (32 random bytes, numbered) --HKDF "wrap"------> AES-KW key of the epoch
                                             --HKDF "home"------> key of one kind of home-level
                                             value --HKDF "transform"-> seed of the cancelable
                                             transform

Construction: RFC 3394 (AES-KW), RFC 5869 (HKDF-SHA-256). One secret, one use: an epoch secret
    itself encrypts nothing.
Format of a wrapped key and of a home-level value: docs/specs/sealed-template.md.
"""

from __future__ import annotations

import hmac
import os
import threading
from collections.abc import Collection, Mapping
from typing import NewType, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from consentry.kernel.errors import SealBroken, VaultLocked
from consentry.kernel.ids import Random

WrappedKey = NewType("WrappedKey", bytes)
"""A data key under an epoch key, 45 bytes: version 0x01 | epoch u32 | AES-KW. Destroying it is
crypto-erasure."""

SealedHome = NewType("SealedHome", bytes)
"""A value of the home, not of one subject: type 0x41 | epoch u32 | nonce | AES-256-GCM."""

KEY_BYTES = 32
WRAPPED_BYTES = KEY_BYTES + 8
EPOCH_BYTES = 4
MAX_EPOCH = 2 ** (8 * EPOCH_BYTES) - 1

_WRAPPED_KEY_V1 = b"\x01"
_HOME_VALUE_V1 = b"\x41"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_INFO_WRAP = b"consentry/v1/epoch/wrap"
_INFO_TRANSFORM = b"consentry/v1/epoch/transform"
_INFO_HOME = b"consentry/v1/epoch/home/"


class DataKey:
    """The key of one subject. Redacts itself; cannot be pickled or copied."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"a data key has {KEY_BYTES} bytes")
        self._secret = bytes(secret)

    @property
    def secret(self) -> bytes:
        """The 32 bytes. Never log, never send, never store unwrapped."""
        return self._secret

    def __repr__(self) -> str:
        return f"DataKey(<{KEY_BYTES} bytes>)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataKey) and hmac.compare_digest(self._secret, other._secret)

    __hash__ = None  # type: ignore[assignment]  # keys are for no set

    def __reduce__(self) -> NoReturn:
        raise TypeError("a data key is never pickled or copied")


def derive(secret: bytes | bytearray, info: bytes) -> bytes:
    """Return 32 bytes derived from a random ``secret`` for the one use that ``info`` names.

    Construction: RFC 5869, SHA-256, no salt (the secret is uniform already).
    """
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(secret)


def wrap(wrapping: bytes | bytearray, secret: bytes | bytearray) -> bytes:
    """Return ``secret`` (32 bytes) under AES-KW: 40 bytes, deterministic (RFC 3394)."""
    return aes_key_wrap(bytes(wrapping), bytes(secret))


def unwrap(wrapping: bytes | bytearray, wrapped: bytes) -> bytes:
    """Return the secret that `wrap` took.

    Raises:
        SealBroken: If the length is not 40 bytes, or the key or any byte differs (not told apart).
    """
    if len(wrapped) != WRAPPED_BYTES:
        raise SealBroken("not a wrapped key")
    try:
        return aes_key_unwrap(bytes(wrapping), wrapped)
    except InvalidUnwrap as cause:
        raise SealBroken("a wrapped key failed authentication") from cause


def epoch_of(wrapped: WrappedKey) -> int:
    """Return the number of the epoch whose key opens ``wrapped``.

    Raises:
        SealBroken: If it is not a wrapped key of version 1.
    """
    if len(wrapped) != 1 + EPOCH_BYTES + WRAPPED_BYTES or wrapped[:1] != _WRAPPED_KEY_V1:
        raise SealBroken("not a wrapped key of version 1")
    return int.from_bytes(wrapped[1 : 1 + EPOCH_BYTES], "big")


def home_epoch_of(sealed: SealedHome) -> int:
    """Return the number of the epoch whose key opens ``sealed``.

    Raises:
        SealBroken: If it is not a home-level value of version 1.
    """
    shortest = 1 + EPOCH_BYTES + _NONCE_BYTES + _TAG_BYTES
    if len(sealed) < shortest or sealed[:1] != _HOME_VALUE_V1:
        raise SealBroken("not a home-level value of version 1")
    return int.from_bytes(sealed[1 : 1 + EPOCH_BYTES], "big")


class KeyRing:
    """The epoch keys in the open: only exists while the vault is unlocked.

    Thread-safe: ``_lock`` guards ``_epochs`` and ``_wrapping``, and a closed ring has none. A ring's current epoch
    and transform seed never change; rotation makes a new ring and closes this one.
    """

    def __init__(self, epochs: Mapping[int, bytes | bytearray]) -> None:
        """Take over the epoch secrets.

        Args:
            epochs: Epoch number (1 or more) to 32 secret bytes; the highest number is the current
                epoch.

        Raises:
            ValueError: If there is no epoch.
        """
        if not epochs:
            raise ValueError("a key ring has at least one epoch")
        self._lock = threading.Lock()
        self._epochs = {number: bytearray(secret) for number, secret in epochs.items()}
        # Derived at first use and kept: a gallery opens thousands of subjects' keys with it.
        self._wrapping: dict[int, bytearray] = {}
        self._current = max(epochs)

    @property
    def epoch(self) -> int:
        """The number of the current epoch. A closed ring knows it too: holders compare."""
        return self._current

    @property
    def transform_seed(self) -> bytes:
        """32 secret bytes for this epoch's `transform.CancelableTransform`.

        Raises:
            VaultLocked: If the ring was closed.
        """
        return self._derive(self._current, _INFO_TRANSFORM)

    def require_open(self) -> None:
        """Check that the vault was not locked meanwhile, for example after loading a gallery.

        Raises:
            VaultLocked: If the ring was closed.
        """
        self._derive(self._current, _INFO_WRAP)

    def new_subject_key(self, random: Random = os.urandom) -> tuple[DataKey, WrappedKey]:
        """Return a fresh data key, open and wrapped under the current epoch.

        Raises:
            VaultLocked: If the ring was closed.
        """
        key = DataKey(random(KEY_BYTES))
        return key, self._wrap(key)

    def open_subject_key(self, wrapped: WrappedKey) -> DataKey:
        """Return the data key that was wrapped under any epoch that this ring still holds.

        Raises:
            VaultLocked: If the ring was closed.
            SealBroken: If the epoch is unknown or was retired, or any byte differs (not told
                apart).
        """
        number = epoch_of(wrapped)
        return DataKey(unwrap(self._wrapping_key(number), wrapped[1 + EPOCH_BYTES :]))

    def rewrap(self, wrapped: WrappedKey) -> WrappedKey:
        """Return the same data key under the current epoch. What it seals is untouched.

        Raises:
            VaultLocked: If the ring was closed.
            SealBroken: As `open_subject_key`.
        """
        return self._wrap(self.open_subject_key(wrapped))

    def seal_home(self, value: bytes, *, label: str, random: Random = os.urandom) -> SealedHome:
        """Seal a value of the home (not of one subject) under the current epoch.

        Args:
            value: The plaintext.
            label: What kind of value it is; it does not open under another label.
            random: Source of the nonce.

        Raises:
            VaultLocked: If the ring was closed.
        """
        head = _HOME_VALUE_V1 + self._current.to_bytes(EPOCH_BYTES, "big")
        nonce = random(_NONCE_BYTES)
        key = self._derive(self._current, _INFO_HOME + label.encode("utf-8"))
        return SealedHome(head + nonce + AESGCM(key).encrypt(nonce, value, head))

    def unseal_home(self, sealed: SealedHome, *, label: str) -> bytes:
        """Return the plaintext of `seal_home`.

        Raises:
            VaultLocked: If the ring was closed.
            SealBroken: If the epoch is unknown or was retired, or the label or any byte differs
                (not told apart).
        """
        number = home_epoch_of(sealed)
        head, body = sealed[: 1 + EPOCH_BYTES], sealed[1 + EPOCH_BYTES :]
        key = self._derive(number, _INFO_HOME + label.encode("utf-8"))
        try:
            return AESGCM(key).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], head)
        except InvalidTag as cause:
            raise SealBroken("a home-level value failed authentication") from cause

    def secrets(self) -> dict[int, bytes]:
        """Return the epoch secrets in the open, for writing a vault header and nothing else.

        Raises:
            VaultLocked: If the ring was closed.
        """
        with self._lock:
            if not self._epochs:
                raise VaultLocked("the vault was locked; unlock it and try again")
            return {number: bytes(secret) for number, secret in self._epochs.items()}

    def forget(self, numbers: Collection[int]) -> None:
        """Destroy epoch keys. What is still wrapped under them opens never again.

        Raises:
            ValueError: If the current epoch is among ``numbers``.
        """
        if self._current in numbers:
            raise ValueError("the current epoch cannot be forgotten")
        with self._lock:
            for number in numbers:
                _wipe(self._epochs.pop(number, bytearray()))
                _wipe(self._wrapping.pop(number, bytearray()))

    def close(self) -> None:
        """Overwrite and drop the keys. Idempotent.

        Best effort: Python and its libraries may have made copies (docs/limitations.md).
        """
        with self._lock:
            for secret in (*self._epochs.values(), *self._wrapping.values()):
                _wipe(secret)
            self._epochs.clear()
            self._wrapping.clear()

    def __repr__(self) -> str:
        return f"KeyRing(<epoch {self._current}>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key ring is never pickled or copied")

    def _wrap(self, key: DataKey) -> WrappedKey:
        body = wrap(self._derive(self._current, _INFO_WRAP), key.secret)
        return WrappedKey(_WRAPPED_KEY_V1 + self._current.to_bytes(EPOCH_BYTES, "big") + body)

    def _wrapping_key(self, number: int) -> bytes:
        with self._lock:
            kept = self._wrapping.get(number)
            if kept is not None:
                return bytes(kept)
        derived = self._derive(number, _INFO_WRAP)
        with self._lock:
            if number in self._epochs:  # not closed or retired meanwhile
                self._wrapping[number] = bytearray(derived)
        return derived

    def _derive(self, number: int, info: bytes) -> bytes:
        with self._lock:
            if not self._epochs:
                raise VaultLocked("the vault was locked; unlock it and try again")
            secret = self._epochs.get(number)
            if secret is None:
                raise SealBroken("no key of this vault opens that")
            return derive(secret, info)


def _wipe(secret: bytearray) -> None:
    secret[:] = bytes(len(secret))
