"""A box with several lids: sealed to a few readers, without a word on whom, or on how many.

    box  = 0x51 | lid x LIDS | nonce (12) | AES-256-GCM(content key, body padded to BODY_BYTES)
    lid  = HPKE to one reader's key: content key (32) | mark (1)

Every box has `LIDS` lids; those that nobody needs are made to keys that nobody has. So boxes for
one, for several and for nobody are alike, and take the same work. Who has a reader's key tries every
lid; whoever has none cannot even count whose they are.

Construction: RFC 9180, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; NIST SP
800-38D. Specification: docs/specs/sighting.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NewType, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from consentry.kernel.errors import SealBroken
from consentry.kernel.ids import Random
from consentry.vault.keys import KEY_BYTES

ReaderAddress = NewType("ReaderAddress", bytes)
"""The public half of a `ReaderKey`: 32 bytes. Closes lids and opens none."""

SealedBox = NewType("SealedBox", bytes)
"""A box; all are `BOX_BYTES` long."""

LIDS = 4
BODY_BYTES = 512

_BOX_V1 = b"\x51"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_LID_BYTES = 32 + KEY_BYTES + 1 + _TAG_BYTES
_LIDS_END = 1 + LIDS * _LID_BYTES
BOX_BYTES = _LIDS_END + _NONCE_BYTES + BODY_BYTES + _TAG_BYTES
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_INFO = b"consentry/v1/lid/"
_BROKEN = "a sealed value failed authentication"


class ReaderKey:
    """What opens the lids of one reader. Redacts itself; cannot be pickled or copied."""

    __slots__ = ("_private",)

    def __init__(self, secret: bytes) -> None:
        """Take 32 secret bytes, uniform."""
        self._private = X25519PrivateKey.from_private_bytes(secret)

    @property
    def secret(self) -> bytes:
        """The 32 bytes. Never log, never send, never store unwrapped."""
        return self._private.private_bytes_raw()

    @property
    def address(self) -> ReaderAddress:
        """What lids for this reader are closed with."""
        return ReaderAddress(self._private.public_key().public_bytes_raw())

    def opened(self, lid: bytes, place: str) -> bytes | None:
        """Return what a lid holds, or None when it is not this reader's (or damaged: not told apart)."""
        try:
            return _SUITE.decrypt(lid, self._private, info=_INFO + place.encode())
        except InvalidTag:
            return None

    def __repr__(self) -> str:
        return f"ReaderKey(<{KEY_BYTES} bytes>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a reader's key is never pickled or copied")


@dataclass(frozen=True, slots=True)
class Opened:
    """What a reader found in a box: the body, and the mark on the lid that was hers."""

    body: bytes
    mark: int


def seal_box(
    body: bytes,
    readers: Iterable[tuple[ReaderAddress, int]],
    *,
    place: str,
    random: Random = os.urandom,
) -> SealedBox:
    """Seal a body to at most `LIDS` readers.

    Args:
        body: At most `BODY_BYTES`, without a zero byte at its end; padded.
        readers: Each with a mark, 0 to 255, for that reader alone.
        place: What the box is about; it does not open in another place.
        random: Source of the content key, nonce, decoys and order. HPKE takes its own from OpenSSL.

    Raises:
        ValueError: If the body is too long, or there are too many readers.
    """
    closed = list(readers)
    if len(body) > BODY_BYTES or len(closed) > LIDS:
        raise ValueError(f"a box takes {BODY_BYTES} bytes and {LIDS} readers")
    # Made like a reader's own address, so that a decoy costs what she would.
    decoys = [(ReaderKey(random(KEY_BYTES)).address, 0) for _ in range(LIDS - len(closed))]
    content, nonce = random(KEY_BYTES), random(_NONCE_BYTES)
    info = _INFO + place.encode()
    lids = [
        _SUITE.encrypt(
            content + bytes([mark]), X25519PublicKey.from_public_bytes(address), info=info
        )
        for address, mark in (*closed, *decoys)
    ]
    # In random order: a reader's own place would tell how many are before her.
    shuffled = [lid for _, lid in sorted((random(KEY_BYTES), lid) for lid in lids)]
    padded = body + bytes(BODY_BYTES - len(body))
    sealed = AESGCM(content).encrypt(nonce, padded, _BOX_V1 + place.encode())
    return SealedBox(_BOX_V1 + b"".join(shuffled) + nonce + sealed)


def open_box(box: bytes, keys: Sequence[ReaderKey], *, place: str) -> Opened | None:
    """Return what is in a box for the holder of any of these keys; None when no lid is hers.

    Raises:
        SealBroken: If it is no box of version 1, or a lid opens and the body does not authenticate.
    """
    if len(box) != BOX_BYTES or box[:1] != _BOX_V1:
        raise SealBroken("not a box of version 1")
    for start in range(1, _LIDS_END, _LID_BYTES):
        for key in keys:
            held = key.opened(box[start : start + _LID_BYTES], place)
            if held is not None:
                return Opened(body=_body(box, held[:KEY_BYTES], place), mark=held[KEY_BYTES])
    return None


def _body(box: bytes, content: bytes, place: str) -> bytes:
    nonce, sealed = box[_LIDS_END : _LIDS_END + _NONCE_BYTES], box[_LIDS_END + _NONCE_BYTES :]
    try:
        padded = AESGCM(content).decrypt(nonce, sealed, _BOX_V1 + place.encode())
    except InvalidTag as cause:
        raise SealBroken(_BROKEN) from cause
    return padded.rstrip(b"\0")
