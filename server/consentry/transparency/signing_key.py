"""The Ed25519 key that signs receipts, and the file that it lives in.

A key is made only when asked for: a fresh key under an old installation would leave the receipts of
the old one without a key to verify them. The file is PKCS #8 PEM, readable by its owner only.
Construction: RFC 8032 (Ed25519), RFC 8410 (PKCS #8 form).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from consentry.kernel.errors import SigningKeyUnusable
from consentry.kernel.ids import Random

_SEED_BYTES = 32
_MAX_FILE_BYTES = 4096
_OWNER_ONLY = 0o600
_DAMAGED = (
    "The receipt key is damaged or not an Ed25519 key in PKCS #8 PEM. "
    "Put a sound copy in its place."
)


def new_signing_key(random: Random = os.urandom) -> Ed25519PrivateKey:
    """Return a fresh key from 32 bytes of ``random``."""
    return Ed25519PrivateKey.from_private_bytes(random(_SEED_BYTES))


def encode_signing_key(key: Ed25519PrivateKey) -> bytes:
    """Return the key as PKCS #8 PEM, not encrypted: it belongs in a place safe in itself."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def decode_signing_key(pem: bytes) -> Ed25519PrivateKey:
    """Read a key from PKCS #8 PEM.

    Raises:
        SigningKeyUnusable: If it is damaged, encrypted, or not an Ed25519 key (not told apart).
    """
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as cause:
        raise SigningKeyUnusable(_DAMAGED) from cause
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyUnusable(_DAMAGED)
    return key


def create_signing_key(path: Path, *, random: Random = os.urandom) -> Ed25519PrivateKey:
    """Make a key and its file, whole or not at all, readable by the owner only.

    Args:
        path: Where; the folder must exist.
        random: Where the key comes from.

    Raises:
        SigningKeyUnusable: If there is a file already (it is left alone), or the folder cannot be
            written to.
    """
    key = new_signing_key(random)
    draft = path.with_name(f".{path.name}.{random(8).hex()}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(encode_signing_key(key))
                file.flush()
                os.fsync(file.fileno())
            # A hard link, unlike a rename, fails when the name is taken: of two processes that
            # start at once one makes the key and the other is told so.
            os.link(draft, path)
        finally:
            draft.unlink()
        _sync_folder(path.parent)
    except FileExistsError as cause:
        raise SigningKeyUnusable(
            "There is a receipt key already, and it was left as it is. Move it away to make a new "
            "one; receipts that it signed then need its public key to be verified."
        ) from cause
    except OSError as cause:
        raise SigningKeyUnusable(
            "The receipt key could not be written. Check that the data folder exists, is yours and "
            "has room."
        ) from cause
    return key


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """Read a key from its file.

    Raises:
        SigningKeyUnusable: If the file is missing, not a plain file, damaged, or (on POSIX) owned
            by or open to anybody else.
    """
    try:
        # O_NONBLOCK: a named pipe in the key's place must not hang the start.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        handle = os.open(path, flags)
        with os.fdopen(handle, "rb") as file:
            _require_private(os.fstat(file.fileno()))
            pem = file.read(_MAX_FILE_BYTES + 1)
    except OSError as cause:
        raise SigningKeyUnusable(
            "The receipt key could not be read. Put the old file back. If it is lost, begin in a new "
            "data folder (CONSENTRY_HOME) and restore a backup there, or enrol again."
        ) from cause
    if len(pem) > _MAX_FILE_BYTES:
        raise SigningKeyUnusable(_DAMAGED)
    return decode_signing_key(pem)


def _require_private(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SigningKeyUnusable("The receipt key is not a plain file. Put the file itself there.")
    if os.name != "posix":
        return
    if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SigningKeyUnusable(
            "The receipt key can be read by others, so anybody could have signed with it. "
            "Make the file yours alone (`chmod 600`), and a new key if others were there."
        )


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder survive a power cut. Windows has no such call and needs none."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
