"""Backup keys: one a person, kept in the home and beside no backup. Destroyed, no backup opens her.

    backup key (32 random bytes) --HKDF "label"----> 16 bytes that name her section in a backup
                                 --HKDF "section"--> AES-256-GCM key of that section

A backup is sealed by the passphrase and, within, in one section a person. Whoever erases her cannot
reach the copies of a backup, but she need not: without the backup key her section is noise. The keys
leave the home in a small key file of their own, which is written anew after an erasure.

Format: docs/specs/sealed-backup.md, "People apart". Decision: docs/adr/0032-erasure-reaches-backups.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consentry.kernel.errors import BadRequest, SealBroken
from consentry.kernel.ids import Random
from consentry.vault.keys import KEY_BYTES, derive

LABEL_BYTES = 16
MAX_KEY_FILE_BYTES = 64 * 1024 * 1024

_FIRST_LINE = "consentry-backup-keys/1"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_CHECK_DIGITS = 8
_INFO_LABEL = b"consentry/v1/backup-key/label"
_INFO_SECTION = b"consentry/v1/backup-key/section"


@dataclass(frozen=True, slots=True, eq=False)
class BackupKey:
    """The backup key of one person. Shows itself nowhere."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Check the length.

        Raises:
            ValueError: If it does not have 32 bytes.
        """
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a backup key has {KEY_BYTES} bytes")

    @property
    def label(self) -> bytes:
        """What names her section, 16 bytes. Says nothing about the key, nor about her."""
        return derive(self.secret, _INFO_LABEL)[:LABEL_BYTES]

    def seal(self, section: bytes, random: Random = os.urandom) -> bytes:
        """Return a section that opens with this key alone: nonce, ciphertext, tag."""
        nonce = random(_NONCE_BYTES)
        return nonce + self._aead().encrypt(nonce, section, self.label)

    def open(self, sealed: bytes) -> bytes:
        """Return the section that `seal` took.

        Raises:
            SealBroken: If it is of another key, or any byte differs (not told apart).
        """
        if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
            raise SealBroken("a section of a backup failed authentication")
        try:
            return self._aead().decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self.label)
        except InvalidTag as cause:
            raise SealBroken("a section of a backup failed authentication") from cause

    def _aead(self) -> AESGCM:
        return AESGCM(derive(self.secret, _INFO_SECTION))


def new_backup_key(random: Random = os.urandom) -> BackupKey:
    """Return a fresh backup key."""
    return BackupKey(random(KEY_BYTES))


def write_key_file(keys: Iterable[BackupKey]) -> str:
    """Return the key file of a home: a line a person, that can be printed and typed in again.

    The lines are in an order that says nothing about who was enrolled first.
    """
    lines = sorted(f"{_text(key.secret)} {_check(key.secret)}" for key in keys)
    return "\n".join((_FIRST_LINE, *lines)) + "\n"


def read_key_file(data: bytes) -> Sequence[BackupKey]:
    """Read a key file.

    Raises:
        BadRequest: If it is none, or a line was mistyped; says which line, never what is in it.
    """
    try:
        first, *lines = data.decode("ascii").splitlines() or [""]
    except UnicodeDecodeError as cause:
        raise BadRequest(_NOT_ONE) from cause
    if first.strip() != _FIRST_LINE:
        raise BadRequest(_NOT_ONE)
    numbered = [(number, line.split()) for number, line in enumerate(lines, start=2)]
    return tuple(_key_of(number, words) for number, words in numbered if words)


_NOT_ONE = f"That is not a key file: its first line is {_FIRST_LINE!r}, and it goes with a backup."


def _key_of(number: int, words: Sequence[str]) -> BackupKey:
    mistyped = f"Line {number} of the key file does not hold: something in it was mistyped."
    try:
        text, check = words
        secret = base64.b64decode(text + "=", altchars=b"-_", validate=True)
        key = BackupKey(secret)
    except (ValueError, binascii.Error) as cause:
        raise BadRequest(mistyped) from cause
    # One spelling: the last letter of 43 carries four bits.
    if _text(secret) != text or not hmac.compare_digest(_check(secret), check.lower()):
        raise BadRequest(mistyped)
    return key


def _text(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode("ascii")


def _check(secret: bytes) -> str:
    """Digits by which a slip of the pen is noticed; they tell nothing of 256 random bits."""
    return hashlib.sha256(secret).hexdigest()[:_CHECK_DIGITS]
