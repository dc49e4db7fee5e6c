"""The vault header, version 1: what lies on the disk between a passphrase and the epoch keys.

    magic "CSVH" | version 1 | kdf 1 | memory u32 | iterations u32 | lanes u8 | salt (16)
    | count u16 | count x (epoch u32 | AES-KW (40)) | HMAC-SHA-256 (32)

Integers are big-endian, epochs ascend, nothing may follow. Wrapping and MAC keys come from the root
key by HKDF. A wrong passphrase and any changed byte end in one error. Specification:
docs/specs/vault-header.md.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from consentry.kernel.errors import SealBroken, WrongPassphrase
from consentry.vault.keys import WRAPPED_BYTES, derive, unwrap, wrap
from consentry.vault.rootkey import SALT_BYTES, Argon2Cost, KdfParameters, RootKeySource

MAX_EPOCHS = 1024

_MAGIC = b"CSVH"
_VERSION = 1
_KDF_ARGON2ID = 1
_FIXED = struct.Struct(f">4sBBIIB{SALT_BYTES}sH")
_ENTRY = struct.Struct(f">I{WRAPPED_BYTES}s")
_MAC_BYTES = 32
_INFO_WRAP = b"consentry/v1/header/wrap"
_INFO_MAC = b"consentry/v1/header/mac"

WRONG = "the passphrase does not open the vault, or its key file is damaged"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RootKeys:
    """The two keys under the root key, and the parameters that lead to it. Secret.

    Attributes:
        parameters: Written into the header; not secret.
        wrapping: 32 bytes, AES-KW key of the epoch keys.
        mac: 32 bytes, HMAC-SHA-256 key of the header.
    """

    parameters: KdfParameters
    wrapping: bytearray
    mac: bytearray

    def wipe(self) -> None:
        """Overwrite the keys; best effort."""
        for secret in (self.wrapping, self.mac):
            secret[:] = bytes(len(secret))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OpenedHeader:
    """A header in the open. Secret; its repr shows nothing."""

    root: RootKeys
    epochs: dict[int, bytes]


def derive_root_keys(source: RootKeySource, parameters: KdfParameters) -> RootKeys:
    """Ask ``source`` for the root key and derive the two keys that a header uses."""
    root_key = source.root_key(parameters)
    return RootKeys(
        parameters=parameters,
        wrapping=bytearray(derive(root_key, _INFO_WRAP)),
        mac=bytearray(derive(root_key, _INFO_MAC)),
    )


def build_header(root: RootKeys, epochs: Mapping[int, bytes]) -> bytes:
    """Return the header that holds ``epochs`` (number to 32 secret bytes) under ``root``.

    Raises:
        ValueError: If there are no epochs, or more than `MAX_EPOCHS`.
    """
    if not 0 < len(epochs) <= MAX_EPOCHS:
        raise ValueError(f"a header holds 1 to {MAX_EPOCHS} epochs")
    cost, salt = root.parameters.cost, root.parameters.salt
    fixed = _FIXED.pack(
        _MAGIC,
        _VERSION,
        _KDF_ARGON2ID,
        cost.memory_kib,
        cost.iterations,
        cost.lanes,
        salt,
        len(epochs),
    )
    entries = [_ENTRY.pack(n, wrap(root.wrapping, epochs[n])) for n in sorted(epochs)]
    body = fixed + b"".join(entries)
    return body + hmac.digest(root.mac, body, "sha256")


def open_header(data: bytes, source: RootKeySource) -> OpenedHeader:
    """Open a header.

    Raises:
        WrongPassphrase: If the source is the wrong one, or any byte was changed, added or removed,
            or the stored cost is out of bounds (then nothing is derived). The cases are not told
            apart, on purpose.
        Overloaded: If the machine lacks the memory now.
    """
    parameters, entries = _parse(data)
    root = derive_root_keys(source, parameters)
    if not hmac.compare_digest(
        hmac.digest(root.mac, data[:-_MAC_BYTES], "sha256"), data[-_MAC_BYTES:]
    ):
        root.wipe()
        raise WrongPassphrase(WRONG)
    try:
        epochs = {number: unwrap(root.wrapping, wrapped) for number, wrapped in entries}
    except SealBroken as cause:
        raise WrongPassphrase(WRONG) from cause
    return OpenedHeader(root=root, epochs=epochs)


def _parse(data: bytes) -> tuple[KdfParameters, list[tuple[int, bytes]]]:
    if len(data) < _FIXED.size + _ENTRY.size + _MAC_BYTES:
        raise WrongPassphrase(WRONG)
    magic, version, kdf, memory_kib, iterations, lanes, salt, count = _FIXED.unpack_from(data)
    is_known = (magic, version, kdf) == (_MAGIC, _VERSION, _KDF_ARGON2ID)
    is_whole = len(data) == _FIXED.size + count * _ENTRY.size + _MAC_BYTES
    if not is_known or not is_whole or count > MAX_EPOCHS:
        raise WrongPassphrase(WRONG)
    try:
        cost = Argon2Cost(memory_kib=memory_kib, iterations=iterations, lanes=lanes)
    except ValueError as cause:
        raise WrongPassphrase(WRONG) from cause
    entries = [
        (int(number), bytes(wrapped))
        for number, wrapped in _ENTRY.iter_unpack(data[_FIXED.size : -_MAC_BYTES])
    ]
    numbers = [number for number, _ in entries]
    if numbers[0] < 1 or numbers != sorted(set(numbers)):
        raise WrongPassphrase(WRONG)
    return KdfParameters(cost=cost, salt=bytes(salt)), entries
