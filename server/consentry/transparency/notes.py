"""Signed notes: a text, and lines beneath it that say who signed it (C2SP signed-note).

    <text>
    <empty line>
    — <key name> base64(<key id> <signature>)

Two kinds of signature are known: an Ed25519 signature of the text (0x01), and a timestamped
cosignature of a checkpoint by a witness (0x04, C2SP tlog-cosignature). Signatures of unknown keys
are passed over; one of a known key that does not hold makes the whole note invalid.
Construction: https://c2sp.org/signed-note, https://c2sp.org/tlog-cosignature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consentry.kernel.errors import ProofInvalid

MAX_NOTE_BYTES = 256 * 1024
MAX_SIGNATURES = 64

_DASH = "\u2014 "
_ID_BYTES = 4
_TIME_BYTES = 8
_VKEY_PARTS = 3
_LINE_PARTS = 2
_LAST_SECOND = 253_402_300_799  # of the year 9999, as far as calendars of programs reach


class SignatureType(IntEnum):
    """What a signature is over."""

    TEXT = 0x01
    """The text of the note."""
    COSIGNATURE = 0x04
    """A time, and the text of a checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key (32 bytes, Ed25519) with the name that it signs under."""

    name: str
    type: SignatureType
    public_key: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``<name>+<key id, hex>+<base64 of type and key>``.

        Raises:
            ProofInvalid: If it is not a key of a kind that is known, in that form.
        """
        parts = text.split("+", _VKEY_PARTS - 1)  # base64 may have a plus, a name may not
        if len(parts) != _VKEY_PARTS:
            raise ProofInvalid("A verifier key has three parts with a plus between them.")
        name, key_id, material = parts[0], parts[1], decode_base64(parts[2])
        try:
            kind = SignatureType(material[0])
            Ed25519PublicKey.from_public_bytes(material[1:])
        except (ValueError, IndexError) as cause:
            raise ProofInvalid("Only Ed25519 verifier keys are known here.") from cause
        require_key_name(name)
        found = cls(name=name, type=kind, public_key=material[1:])
        if found.id.hex() != key_id:
            raise ProofInvalid("The verifier key does not match its own id: it was mistyped.")
        return found

    @property
    def id(self) -> bytes:
        """The first four bytes of a hash of name, type and key."""
        material = self.name.encode() + b"\n" + bytes([self.type]) + self.public_key
        return hashlib.sha256(material).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        material = bytes([self.type]) + self.public_key
        return f"{self.name}+{self.id.hex()}+{encode_base64(material)}"

    def verify(self, text: str, signature: bytes) -> datetime | None:
        """Verify a signature of the text of a note.

        Returns:
            When a witness cosigned; None for a plain signature.

        Raises:
            ProofInvalid: If it does not hold.
        """
        stamped: datetime | None = None
        signed = text.encode()
        if self.type is SignatureType.COSIGNATURE:
            seconds = int.from_bytes(signature[:_TIME_BYTES], "big")
            signature = signature[_TIME_BYTES:]
            if seconds > _LAST_SECOND:
                raise ProofInvalid("A cosignature has a time that no calendar reaches.")
            signed = cosigned_bytes(text, seconds)
            stamped = datetime.fromtimestamp(seconds, tz=UTC)
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, signed)
        except InvalidSignature as cause:
            raise ProofInvalid("A signature of a known key does not hold.") from cause
        return stamped


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSigner:
    """A private key with the name that it signs under. Safe to share between threads."""

    name: str
    type: SignatureType
    private_key: Ed25519PrivateKey = field(repr=False)

    @property
    def vkey(self) -> VerifierKey:
        """What verifies its signatures."""
        return VerifierKey(
            name=self.name,
            type=self.type,
            public_key=self.private_key.public_key().public_bytes_raw(),
        )

    def sign(self, text: str, now: datetime) -> NoteSignature:
        """Sign the text of a note; a cosignature also says when, to the second."""
        if self.type is SignatureType.TEXT:
            return NoteSignature(self.name, self.vkey.id, self.private_key.sign(text.encode()))
        seconds = int(now.timestamp())
        signature = self.private_key.sign(cosigned_bytes(text, seconds))
        return NoteSignature(self.name, self.vkey.id, seconds.to_bytes(8, "big") + signature)


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line. Nothing is verified yet."""

    name: str
    key_id: bytes
    signature: bytes

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a line without its newline.

        Raises:
            ProofInvalid: If it is not a signature line.
        """
        parts = line.removeprefix(_DASH).split(" ")
        if not line.startswith(_DASH) or len(parts) != _LINE_PARTS:
            raise ProofInvalid("A signature line is a dash, a key name and a signature.")
        require_key_name(parts[0])
        data = decode_base64(parts[1])
        if len(data) <= _ID_BYTES:
            raise ProofInvalid("A signature line has no signature.")
        return cls(parts[0], data[:_ID_BYTES], data[_ID_BYTES:])

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures. Nothing is verified yet."""

    text: str
    signatures: tuple[NoteSignature, ...]

    @classmethod
    def parse(cls, data: bytes | str) -> Self:
        """Read a note.

        Raises:
            ProofInvalid: If it is not in the form of one.
        """
        try:
            whole = data if isinstance(data, str) else data.decode("utf-8")
        except UnicodeDecodeError as cause:
            raise ProofInvalid("A note is a text in UTF-8.") from cause
        if len(whole) > MAX_NOTE_BYTES or any(c < " " and c != "\n" for c in whole):
            raise ProofInvalid("A note is too long, or has control characters.")
        text, gap, lines = whole.rpartition("\n\n")
        if not gap or not lines.endswith("\n"):
            raise ProofInvalid("A note has an empty line before its signatures.")
        signatures = lines[:-1].split("\n")
        if len(signatures) > MAX_SIGNATURES:
            raise ProofInvalid(f"A note has at most {MAX_SIGNATURES} signatures here.")
        return cls(text + "\n", tuple(NoteSignature.parse(line) for line in signatures))

    def __str__(self) -> str:
        return self.text + "\n" + "".join(map(str, self.signatures))

    def signed_by(self, keys: Iterable[VerifierKey]) -> dict[VerifierKey, datetime | None]:
        """Verify the signatures of known keys.

        Returns:
            Those that signed, each with the time of its cosignature; of several of one witness the
            newest. May be empty.

        Raises:
            ProofInvalid: If a signature that names a known key does not hold.
        """
        found: dict[VerifierKey, datetime | None] = {}
        for key in keys:
            for each in self.signatures:
                if (each.name, each.key_id) == (key.name, key.id):
                    stamped, before = key.verify(self.text, each.signature), found.get(key)
                    found[key] = max(filter(None, (stamped, before)), default=None)
        return found

    def with_signatures(self, more: Iterable[NoteSignature]) -> Note:
        """Return it with signatures that it did not have."""
        return Note(self.text, tuple(dict.fromkeys((*self.signatures, *more))))


def cosigned_bytes(text: str, seconds: int) -> bytes:
    """Return what a witness signs: a header, the time, and the text of the checkpoint."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def require_key_name(name: str) -> None:
    """Pass when it may be the name of a key.

    Raises:
        ProofInvalid: If it is empty, or has a space or a plus.
    """
    if not name or "+" in name or any(c.isspace() or c < " " for c in name):
        raise ProofInvalid("The name of a key is not empty and has no spaces and no plus.")


def encode_base64(data: bytes) -> str:
    """Encode with padding (RFC 4648, section 4)."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Decode the one canonical spelling.

    Raises:
        ProofInvalid: If there is no padding, another alphabet, or a last letter with stray bits.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as cause:
        raise ProofInvalid("A part of it is not base64.") from cause
    if encode_base64(data) != text:
        raise ProofInvalid("A part of it is not canonical base64.")
    return data
