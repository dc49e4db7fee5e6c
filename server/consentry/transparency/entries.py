"""What stands in the log (docs/specs/log-entry.md).

    verdict    a verdict of an ``act`` check: what, why, by which laws and models
    subject    an enrolment, a change of what is protected, or a revocation: nobody sees which
    versions   the laws and models that decide from here on
    renewed    the log was put back from a backup, and goes on under another origin

In the clear: kind, day, verdict, public reasons, versions. Committed to under a random salt: region,
platform and purpose of a verdict; who and what of a change. A salt lies in an erasable row beside the
log; without it nobody, not even the operator, can say what an entry is about, and every proof holds.

Construction: RFC 8785 canonical JSON; HMAC-SHA-256 commitments.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias

from consentry.kernel.errors import ProofInvalid
from consentry.kernel.ids import SubjectId
from consentry.kernel.taxonomy import PublicReason, Purpose, Verdict
from consentry.transparency import canonical
from consentry.transparency.canonical import Canonical
from consentry.transparency.jwks import encode_base64url

ENTRY_VERSION = 1
SALT_BYTES = 32

# 32 bytes in their one spelling: the last letter carries four bits.
_COMMITMENT = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]", re.ASCII)
_LABEL = "consentry log v1 "
_MEMBERS = {
    "verdict": {
        "verdict",
        "reasons",
        "policy",
        "engines",
        "receipt",
        "platform",
        "purpose",
        "region",
    },
    "subject": {"change"},
    "versions": {"program", "policy", "engines", "models"},
    "renewed": {"origin", "size", "root"},
}
_NOT_ONE = "It is not an entry of a Consentry log."


class SubjectChange(StrEnum):
    """What became of an enrolment. Committed to, never in the clear."""

    ENROLLED = "enrolled"
    POLICY_CHANGED = "policy_changed"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """What decides.

    Attributes:
        program: Version of Consentry.
        policy: Version of the laws.
        engines: Name of each engine to its version.
        models: Name of each model file to its SHA-256, in hex.
    """

    program: str
    policy: str
    engines: Mapping[str, str]
    models: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictEntry:
    """A verdict. ``platform``, ``purpose`` and ``region`` are commitments, 32 bytes each."""

    day: date
    verdict: Verdict
    reasons: tuple[PublicReason, ...]
    policy: str
    engines: Mapping[str, str]
    receipt: bytes
    """SHA-256 of the receipt (its JWS), which commits to the inputs."""
    platform: bytes
    purpose: bytes
    region: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectEntry:
    """A change of an enrolment: a day and a commitment, always of one shape and length."""

    day: date
    change: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionsEntry:
    """The laws and models that decide from here on."""

    day: date
    versions: Versions


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewedEntry:
    """The log lost entries that it had signed, and says so: what it had signed last, and where."""

    day: date
    origin: str
    size: int
    root: bytes


Entry: TypeAlias = VerdictEntry | SubjectEntry | VersionsEntry | RenewedEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What opens the commitments of one entry. Erased, it unlinks the entry for good.

    Attributes:
        salt: 32 random bytes; that of each value is derived from it, so one can be opened alone.
        values: What was committed to, by name.
    """

    salt: bytes = field(repr=False)
    values: Mapping[str, str] = field(repr=False)

    def salt_of(self, name: str) -> bytes:
        """Return what opens one value, and no other."""
        return hmac.digest(self.salt, f"{_LABEL}salt {name}".encode(), "sha256")

    def commit(self, name: str) -> bytes:
        """Return the commitment to one value, 32 bytes."""
        return commitment(name, self.values[name], self.salt_of(name))


def commitment(name: str, value: str, salt: bytes) -> bytes:
    """Commit to one value: HMAC-SHA-256 under its salt, of label, zero byte, SHA-256 of the value."""
    message = f"{_LABEL}{name}".encode() + b"\x00" + hashlib.sha256(value.encode()).digest()
    return hmac.digest(salt, message, "sha256")


def verify_opened(committed: bytes, name: str, value: str, salt: bytes) -> None:
    """Pass when a commitment of an entry is to this value.

    Raises:
        ProofInvalid: If it is not, or this is not its salt (not told apart).
    """
    if not hmac.compare_digest(committed, commitment(name, value, salt)):
        raise ProofInvalid("The entry is not about this, or that is not its salt.")


def circumstances(
    *, platform: str | None, purpose: Purpose, region: str | None, salt: bytes
) -> Opening:
    """Return what a verdict's entry commits to. What was not stated is the empty text."""
    return Opening(
        salt=salt,
        values={
            "platform": _plain(platform),
            "purpose": purpose.value,
            "region": _plain(region),
        },
    )


def subject_change(change: SubjectChange, subject: SubjectId, salt: bytes) -> Opening:
    """Return what the entry of a change commits to, as one value."""
    stated = canonical.encode({"change": change.value, "subject": subject}).decode()
    return Opening(salt=salt, values={"change": stated})


def receipt_digest(jws: str) -> bytes:
    """Return what an entry holds of a receipt."""
    return hashlib.sha256(jws.encode("ascii")).digest()


def encode_entry(entry: Entry) -> bytes:
    """Return the bytes that are hashed."""
    match entry:
        case VerdictEntry():
            members: dict[str, Canonical] = {
                "kind": "verdict",
                "verdict": entry.verdict.value,
                "reasons": [reason.value for reason in entry.reasons],
                "policy": entry.policy,
                "engines": dict(entry.engines),
                "receipt": encode_base64url(entry.receipt),
                "platform": encode_base64url(entry.platform),
                "purpose": encode_base64url(entry.purpose),
                "region": encode_base64url(entry.region),
            }
        case SubjectEntry():
            members = {"kind": "subject", "change": encode_base64url(entry.change)}
        case VersionsEntry():
            versions = entry.versions
            members = {
                "kind": "versions",
                "program": versions.program,
                "policy": versions.policy,
                "engines": dict(versions.engines),
                "models": dict(versions.models),
            }
        case RenewedEntry():
            members = {
                "kind": "renewed",
                "origin": entry.origin,
                "size": entry.size,
                "root": encode_base64url(entry.root),
            }
    return canonical.encode({"v": ENTRY_VERSION, "day": entry.day.isoformat(), **members})


def decode_entry(data: bytes) -> Entry:
    """Read an entry.

    Raises:
        ProofInvalid: If it is not one of this version: another spelling, kind, member or word.
    """
    members = canonical.decode(data)
    if members.pop("v", None) != ENTRY_VERSION:
        raise ProofInvalid("The entry is of a version that is not known here.")
    kind = _text(members.pop("kind", None))
    if _MEMBERS.get(kind) != members.keys() - {"day"}:
        raise ProofInvalid(_NOT_ONE)
    try:
        return _entry_of(kind, _day(_text(members.get("day"))), members)
    except ValueError as cause:
        raise ProofInvalid(_NOT_ONE) from cause


def _entry_of(kind: str, day: date, members: Mapping[str, Canonical]) -> Entry:
    match kind:
        case "verdict":
            return VerdictEntry(
                day=day,
                verdict=Verdict(_text(members["verdict"])),
                reasons=tuple(PublicReason(each) for each in _texts(members["reasons"])),
                policy=_text(members["policy"]),
                engines=_texts_by_name(members["engines"]),
                receipt=_hash(members["receipt"]),
                platform=_hash(members["platform"]),
                purpose=_hash(members["purpose"]),
                region=_hash(members["region"]),
            )
        case "subject":
            return SubjectEntry(day=day, change=_hash(members["change"]))
        case "versions":
            versions = Versions(
                program=_text(members["program"]),
                policy=_text(members["policy"]),
                engines=_texts_by_name(members["engines"]),
                models=_texts_by_name(members["models"]),
            )
            return VersionsEntry(day=day, versions=versions)
        case _:
            size = members["size"]
            if not isinstance(size, int) or size < 0:
                raise ProofInvalid(_NOT_ONE)
            return RenewedEntry(
                day=day, origin=_text(members["origin"]), size=size, root=_hash(members["root"])
            )


def _plain(value: str | None) -> str:
    # A lone surrogate of a careless client must not stop the verdict.
    return (value or "").encode("utf-8", "replace").decode("utf-8")


def _text(value: Canonical | None) -> str:
    if not isinstance(value, str):
        raise ProofInvalid(_NOT_ONE)
    return value


def _texts(value: Canonical) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, list):
        raise ProofInvalid(_NOT_ONE)
    return tuple(_text(each) for each in value)


def _texts_by_name(value: Canonical) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise ProofInvalid(_NOT_ONE)
    return {name: _text(each) for name, each in value.items()}


def _hash(value: Canonical) -> bytes:
    text = _text(value)
    if not _COMMITMENT.fullmatch(text):
        raise ProofInvalid(_NOT_ONE)
    return base64.urlsafe_b64decode(text + "=")


@lru_cache(maxsize=1024)
def _day(text: str) -> date:
    """Read a day in its one form; a log has many entries of each."""
    found = date.fromisoformat(text)
    if found.isoformat() != text:
        raise ProofInvalid(_NOT_ONE)
    return found
