"""Erasure receipts: what was destroyed, said under a signature (docs/specs/erasure-receipt.md).

    counts + entries of the log ──sign──> jws (says nothing about whom)
                                          + entries with their salts (for her, kept nowhere else)
    jws + key set ──verify_erasure──> claims
    claims + entries + salts ──require_about──> "these entries record it, and they are about her"

An entry comes into the log with the next batch, so the receipt names it by its hash and not by its
place: a log that grew with each erasure would tell when somebody left.

Construction: as `consentry.transparency.receipts`; RFC 6962 leaf hashes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consentry.kernel.clock import Clock
from consentry.kernel.errors import ProofInvalid, ReceiptInvalid
from consentry.kernel.ids import Random, SubjectId
from consentry.transparency.entries import (
    SubjectChange,
    SubjectEntry,
    decode_entry,
    subject_change,
)
from consentry.transparency.jwks import JwkSet, decode_base64url, encode_base64url
from consentry.transparency.jws import Json, open_jws, sign_jws
from consentry.transparency.policy import TrustPolicy
from consentry.transparency.proofs import LogProof
from consentry.transparency.tree import leaf_hash

ERASURE_TYPE = "consentry-erasure+jwt"

_ID_BYTES = 16
_DIGEST_BYTES = 32
_CLAIMS = {"iss", "jti", "iat", "scope", "people", "destroyed", "entries", "log"}


class ErasureScope(StrEnum):
    """What was erased."""

    PERSON = "person"
    HOME = "home"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedEntry:
    """The entry that records one erasure, and what opens it.

    Attributes:
        subject: Whose it was.
        entry: The bytes that come into the log.
        salt: Opens the entry. Kept nowhere; lost, nobody can say any more whom the entry is about.
    """

    subject: SubjectId
    entry: bytes
    salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroyed:
    """What an erasure destroyed, as the store counted it in the transaction that did it.

    Attributes:
        counts: Name of a kind of thing to how many of it; never zero.
        entries: One a person.
        log: Origin of the log that they come into; None where no log has begun.
    """

    counts: Mapping[str, int]
    entries: Sequence[ErasedEntry]
    log: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedErasure:
    """An erasure receipt, and the entries that travel beside it, never in it."""

    jws: str
    erasure: str
    entries: Sequence[ErasedEntry] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureClaims:
    """What a verified erasure receipt says. ``entries`` is the digest of their leaf hashes."""

    issuer: str
    erasure: str
    erased_at: datetime
    scope: ErasureScope
    people: int
    destroyed: Mapping[str, int]
    entries: bytes
    log: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureSigner:
    """Signs what was destroyed, with the key of receipts. Safe to share between threads."""

    private_key: Ed25519PrivateKey = field(repr=False)
    issuer: str
    clock: Clock
    random: Random = os.urandom

    def sign(self, scope: ErasureScope, destroyed: Destroyed) -> SignedErasure:
        """Return the receipt of an erasure that has been carried out."""
        number = base64.b32encode(self.random(_ID_BYTES)).decode("ascii").rstrip("=").lower()
        claims: dict[str, Json] = {
            "iss": self.issuer,
            "jti": f"ers_{number}",
            "iat": int(self.clock.now().timestamp()),
            "scope": scope.value,
            "people": len(destroyed.entries),
            "destroyed": dict(sorted(destroyed.counts.items())),
            "entries": encode_base64url(entries_digest([e.entry for e in destroyed.entries])),
            "log": destroyed.log,
        }
        return SignedErasure(
            jws=sign_jws(claims, self.private_key, ERASURE_TYPE),
            erasure=f"ers_{number}",
            entries=tuple(destroyed.entries),
        )


def entries_digest(entries: Sequence[bytes]) -> bytes:
    """Return SHA-256 of the RFC 6962 leaf hashes of entries, in ascending order."""
    return hashlib.sha256(b"".join(sorted(map(leaf_hash, entries)))).digest()


def verify_erasure(jws: str, jwks: JwkSet) -> ErasureClaims:
    """Verify signature and form of an erasure receipt. Needs no network and no clock.

    Raises:
        ReceiptInvalid: As `consentry.transparency.receipts.verify_receipt`.
    """
    claims = open_jws(jws, jwks, ERASURE_TYPE)
    if set(claims) != _CLAIMS:
        raise ReceiptInvalid("It has claims too many or too few.")
    log = claims["log"]
    try:
        scope = ErasureScope(_text(claims["scope"]))
        erased_at = datetime.fromtimestamp(_count(claims["iat"]), tz=UTC)
    except (ValueError, OverflowError, OSError) as cause:
        raise ReceiptInvalid("A claim has a value that is not in the vocabulary.") from cause
    digest = decode_base64url(_text(claims["entries"]))
    destroyed = claims["destroyed"]
    if len(digest) != _DIGEST_BYTES or not isinstance(destroyed, dict):
        raise ReceiptInvalid("A claim is of another type.")
    return ErasureClaims(
        issuer=_text(claims["iss"]),
        erasure=_text(claims["jti"]),
        erased_at=erased_at,
        scope=scope,
        people=_count(claims["people"]),
        destroyed={_text(name): _count(count) for name, count in destroyed.items()},
        entries=digest,
        log=None if log is None else _text(log),
    )


def require_about(claims: ErasureClaims, entries: Sequence[ErasedEntry]) -> None:
    """Pass when these entries, and no others, record the erasure, each of the subject that it names.

    Raises:
        ReceiptInvalid: If an entry, salt or subject differs, is missing or too much (not told apart).
    """
    found = entries_digest([each.entry for each in entries])
    is_same = hmac.compare_digest(found, claims.entries) and len(entries) == claims.people
    if not is_same or not all(map(_is_of_its_subject, entries)):
        raise ReceiptInvalid("These entries do not record it, or these are not their salts.")


def require_logged(
    claims: ErasureClaims, entries: Sequence[bytes], proofs: Sequence[LogProof], policy: TrustPolicy
) -> None:
    """Pass when every entry is proved to stand in the log that the receipt names.

    Raises:
        ProofInvalid: If a proof is missing, of another entry or another log, or does not hold.
    """
    if sorted(entries) != sorted(proof.entry for proof in proofs):
        raise ProofInvalid("The proofs are not of the entries that record this erasure.")
    for proof in proofs:
        if claims.log not in {None, proof.signed.checkpoint.origin}:
            raise ProofInvalid("A proof is of another log than the one that the receipt names.")
        proof.verify(policy)


def _is_of_its_subject(erased: ErasedEntry) -> bool:
    try:
        entry = decode_entry(erased.entry)
    except ProofInvalid:
        return False
    opening = subject_change(SubjectChange.REVOKED, erased.subject, erased.salt)
    return isinstance(entry, SubjectEntry) and hmac.compare_digest(
        entry.change, opening.commit("change")
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ReceiptInvalid("A claim that is a text is missing or of another type.")
    return value


def _count(value: object) -> int:
    # bool is an int to Python; 1.0 is an int to some readers and not to others.
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ReceiptInvalid("A claim that is a number is missing or of another type.")
    return value
