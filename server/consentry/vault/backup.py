"""A sealed backup file, version 1: any bytes under a passphrase of their own.

    header = magic "CSNTRYBK" | version 1 | kdf 1 | memory u32 | iterations u32 | lanes u8
             | salt (16)
    file   = header | chunk 0 | chunk 1 | ... | last chunk

A chunk is AES-256-GCM over 64 KiB (the last: 1 to 64 KiB, or 0 if all is empty) with nonce =
counter u88 | is-last u8 and the header as AAD: a chunk that is missing, moved, doubled or the last
too soon fails. The key is fresh with each salt, so that counters never repeat under one key.
Specification: docs/specs/sealed-backup.md. Construction: STREAM (Hoang, Reyhanitabar, Rogaway,
Vizár 2015).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consentry.kernel.errors import WrongPassphrase
from consentry.kernel.ids import Random
from consentry.vault.keys import derive
from consentry.vault.passphrase import Passphrase
from consentry.vault.rootkey import (
    DEFAULT_COST,
    SALT_BYTES,
    Argon2Cost,
    KdfParameters,
    PassphraseSource,
    RootKeySource,
)

CHUNK_BYTES = 64 * 1024

_MAGIC = b"CSNTRYBK"
_VERSION = 1
_KDF_ARGON2ID = 1
_HEADER = struct.Struct(f">8sBBIIB{SALT_BYTES}s")
_TAG_BYTES = 16
_COUNTER_BYTES = 11
_INFO = b"consentry/v1/backup"
_WRONG = "the passphrase does not open the backup, or the file is damaged or cut short"


def export_backup(
    payload: bytes | Iterable[bytes],
    passphrase: Passphrase,
    *,
    cost: Argon2Cost = DEFAULT_COST,
    random: Random = os.urandom,
) -> bytes:
    """Seal a payload under a passphrase. What the payload means is the caller's business.

    Args:
        payload: The plaintext, whole or in pieces of any size; how it is cut leaves no trace.
        passphrase: Protects the file alone; need not be that of the vault.
        cost: What each guess at the file costs.
        random: Source of the salt.

    Raises:
        WeakPassphrase: If the passphrase protects nothing.
        Overloaded: If the machine lacks the memory for Argon2id now.
    """
    passphrase.require_strong()
    parameters = KdfParameters(cost=cost, salt=random(SALT_BYTES))
    header = _HEADER.pack(
        _MAGIC,
        _VERSION,
        _KDF_ARGON2ID,
        cost.memory_kib,
        cost.iterations,
        cost.lanes,
        parameters.salt,
    )
    aead = _aead(PassphraseSource(passphrase), parameters)
    pieces = [payload] if isinstance(payload, bytes) else payload
    sealed = [
        aead.encrypt(_nonce(counter, is_last=is_last), chunk, header)
        for counter, (chunk, is_last) in enumerate(_chunks(pieces))
    ]
    return header + b"".join(sealed)


def open_backup(data: bytes, passphrase: Passphrase) -> bytes:
    """Return the payload of `export_backup`, whole or not at all.

    Raises:
        WrongPassphrase: If the passphrase is wrong, any byte was changed, added or removed, or the
            stored cost is out of bounds (then nothing is derived). The cases are not told apart, on
            purpose.
        Overloaded: If the machine lacks the memory for Argon2id now.
    """
    header, body = data[: _HEADER.size], memoryview(data)[_HEADER.size :]
    aead = _aead(PassphraseSource(passphrase), _parse(header))
    sealed_chunk = CHUNK_BYTES + _TAG_BYTES
    starts = range(0, max(len(body), 1), sealed_chunk)
    plain: list[bytes] = []
    for counter, start in enumerate(starts):
        is_last = counter == len(starts) - 1
        chunk = body[start : start + sealed_chunk]
        try:
            plain.append(aead.decrypt(_nonce(counter, is_last=is_last), chunk, header))
        except InvalidTag as cause:
            raise WrongPassphrase(_WRONG) from cause
    if len(plain) > 1 and not plain[-1]:
        # One payload has one file: an empty chunk may only stand for an empty payload.
        raise WrongPassphrase(_WRONG)
    return b"".join(plain)


def _parse(header: bytes) -> KdfParameters:
    if len(header) != _HEADER.size:
        raise WrongPassphrase(_WRONG)
    magic, version, kdf, memory_kib, iterations, lanes, salt = _HEADER.unpack(header)
    if (magic, version, kdf) != (_MAGIC, _VERSION, _KDF_ARGON2ID):
        raise WrongPassphrase(_WRONG)
    try:
        cost = Argon2Cost(memory_kib=memory_kib, iterations=iterations, lanes=lanes)
    except ValueError as cause:
        raise WrongPassphrase(_WRONG) from cause
    return KdfParameters(cost=cost, salt=bytes(salt))


def _aead(source: RootKeySource, parameters: KdfParameters) -> AESGCM:
    return AESGCM(derive(source.root_key(parameters), _INFO))


def _nonce(counter: int, *, is_last: bool) -> bytes:
    return counter.to_bytes(_COUNTER_BYTES, "big") + bytes([is_last])


def _chunks(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Cut into full chunks; one is held back, as only the end of the payload tells the last."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) > CHUNK_BYTES:
            yield bytes(held[:CHUNK_BYTES]), False
            del held[:CHUNK_BYTES]
    yield bytes(held), True
