"""Receipts: verdicts that anybody can verify, offline, for ever (docs/specs/receipt.md).

    statement + inputs ──sign──> jws (public)  + salts (for the one who asked)
    jws + key set ──verify_receipt──> claims
    claims + salts + the inputs themselves ──verify_commitment──> "it was about these"

A receipt holds no picture, no prompt and no digest of either: it commits to them with an HMAC under
a fresh random salt each. Without the salts nobody can test whether a receipt is about a given
picture; with them, the holder can prove it. A lost or erased salt unlinks the receipt for good.

Construction: JWS compact serialisation (RFC 7515), EdDSA (RFC 8037), typed (RFC 8725, 3.11).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consentry.kernel.clock import Clock
from consentry.kernel.errors import ReceiptInvalid
from consentry.kernel.ids import CheckId, Random
from consentry.kernel.taxonomy import Mode, Obligation, PublicReason, Purpose, Verdict
from consentry.transparency.jwks import (
    JwkSet,
    decode_base64url,
    encode_base64url,
    to_jwks,
)
from consentry.transparency.jws import MAX_JWS_CHARS, Json, claimed, open_jws, sign_jws

RECEIPT_TYPE = "consentry-receipt+jwt"
MAX_RECEIPT_CHARS = MAX_JWS_CHARS

_SALT_BYTES = 32
_COMMITMENT_BYTES = 32
_IMAGE = b"consentry receipt v1 image"
_PROMPT = b"consentry receipt v1 prompt"
_TURN = b"consentry receipt v1 turn"
_CIRCUMSTANCES = b"consentry receipt v1 circumstances"
_LOG = "log"
_MAX_INDEX = 2**53 - 1
_CLAIMS = frozenset(
    {
        "iss",
        "jti",
        "iat",
        "mode",
        "verdict",
        "reasons",
        "obligations",
        "policy",
        "engines",
        "images",
        "prompt",
        "context",
        "circumstances",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPlace:
    """Where the entry of a receipt stands: in which log, and at which index."""

    origin: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptStatement:
    """What a receipt says.

    Attributes:
        check: Identifier of the check.
        mode: Always `ACT`: a check that only informs leaves no receipt behind.
        verdict: What was decided.
        reasons: Public reasons.
        obligations: What the caller must still do.
        policy_version: Of the laws.
        engines: Name of each engine that took part to its version, for example
            ``{"faces": "mfn192+sface@1", "intent": "composition@2"}``.
    """

    check: CheckId
    mode: Mode
    verdict: Verdict
    reasons: tuple[PublicReason, ...]
    obligations: tuple[Obligation, ...]
    policy_version: str
    engines: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptInputs:
    """What a check was about. Committed to, never contained.

    Attributes:
        images: The files as they were sent, in order.
        prompt: What was asked for; None when nothing was written.
        context: Earlier turns of the conversation, oldest first.
        purpose: What the caller said it was for.
        region: What the platform stated.
        platform: Who asked.
    """

    images: tuple[bytes, ...] = field(repr=False)
    prompt: str | None = field(repr=False)
    context: tuple[str, ...] = field(repr=False)
    purpose: Purpose
    region: str | None
    platform: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptSalts:
    """The 32-byte salts of one receipt, in the order of its inputs. For the one who asked only."""

    images: tuple[bytes, ...] = field(repr=False)
    prompt: bytes | None = field(repr=False)
    context: tuple[bytes, ...] = field(repr=False)
    circumstances: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedReceipt:
    """A receipt but for its place in the log, which is known only when it is kept."""

    salts: ReceiptSalts
    _claims: Mapping[str, Json] = field(repr=False)
    _private_key: Ed25519PrivateKey = field(repr=False)

    def sign(self, place: LogPlace | None) -> str:
        """Return the JWS; None for a place makes a receipt of version 1, which names no log."""
        claims = dict(self._claims)
        if place is not None:
            claims[_LOG] = {"origin": place.origin, "index": place.index}
        return sign_jws(claims, self._private_key, RECEIPT_TYPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReceipt:
    """A receipt, and the salts that travel beside it, never in it."""

    jws: str
    salts: ReceiptSalts


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptClaims:
    """What a verified receipt says. The commitments are 32 bytes each."""

    issuer: str
    check: CheckId
    issued_at: datetime
    mode: Mode
    verdict: Verdict
    reasons: tuple[PublicReason, ...]
    obligations: tuple[Obligation, ...]
    policy_version: str
    engines: Mapping[str, str]
    images: tuple[bytes, ...]
    prompt: bytes | None
    context: tuple[bytes, ...]
    circumstances: bytes
    log: LogPlace | None = None
    """Where its entry is; None for a receipt of version 1, which names no log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptSigner:
    """Signs verdicts. Holds no state but its key; safe to share between threads.

    Attributes:
        private_key: Of this installation.
        issuer: A URL or an installation id: who says so.
        clock: Where the time comes from.
        random: Where the salts come from.
    """

    private_key: Ed25519PrivateKey = field(repr=False)
    issuer: str
    clock: Clock
    random: Random = os.urandom

    def sign(
        self, statement: ReceiptStatement, inputs: ReceiptInputs, place: LogPlace | None = None
    ) -> SignedReceipt:
        """Sign a verdict whose place in the log is known, or that is in no log.

        Raises:
            ValueError: If the mode is not `ACT`.
        """
        unsigned = self.draft(statement, inputs)
        return SignedReceipt(jws=unsigned.sign(place), salts=unsigned.salts)

    def draft(self, statement: ReceiptStatement, inputs: ReceiptInputs) -> UnsignedReceipt:
        """Say all that a receipt says but its place in the log.

        Raises:
            ValueError: If the mode is not `ACT`.
        """
        if statement.mode is not Mode.ACT:
            raise ValueError("a check that only informs leaves no receipt")
        salts = ReceiptSalts(
            images=tuple(self.random(_SALT_BYTES) for _ in inputs.images),
            prompt=None if inputs.prompt is None else self.random(_SALT_BYTES),
            context=tuple(self.random(_SALT_BYTES) for _ in inputs.context),
            circumstances=self.random(_SALT_BYTES),
        )
        commitments = _commit(inputs, salts)
        claims: dict[str, Json] = {
            "iss": self.issuer,
            "jti": statement.check,
            "iat": int(self.clock.now().timestamp()),
            "mode": statement.mode.value,
            "verdict": statement.verdict.value,
            "reasons": [reason.value for reason in statement.reasons],
            "obligations": [obligation.value for obligation in statement.obligations],
            "policy": statement.policy_version,
            "engines": dict(sorted(statement.engines.items())),
            "images": [encode_base64url(each) for each in commitments.images],
            "prompt": None if commitments.prompt is None else encode_base64url(commitments.prompt),
            "context": [encode_base64url(each) for each in commitments.context],
            "circumstances": encode_base64url(commitments.circumstances),
        }
        return UnsignedReceipt(salts=salts, _claims=claims, _private_key=self.private_key)

    def jwks(self) -> JwkSet:
        """Return the public key that verifies what this signs."""
        return to_jwks([self.private_key.public_key()])


def verify_receipt(jws: str, jwks: JwkSet) -> ReceiptClaims:
    """Verify signature and form of a receipt. Needs no network and no clock.

    Args:
        jws: Compact serialisation.
        jwks: The issuer's keys. The caller answers for where they came from.

    Returns:
        Its claims.

    Raises:
        ReceiptInvalid: If any part is missing, unknown, of another type or not canonical, if the
            algorithm is not EdDSA, the key is unknown or the signature does not hold.
    """
    return _claims_of(open_jws(jws, jwks, RECEIPT_TYPE))


def claimed_place(jws: str) -> LogPlace | None:
    """Return the place in the log that a receipt names. Nothing is verified: for one's own receipts.

    Raises:
        ReceiptInvalid: If it is not in the form of a receipt.
    """
    claims = claimed(jws)
    return _place(claims[_LOG]) if _LOG in claims else None


def verify_commitment(claims: ReceiptClaims, salts: ReceiptSalts, inputs: ReceiptInputs) -> None:
    """Verify that a receipt is about these inputs: all of them, in this order, and no others.

    Args:
        claims: From `verify_receipt`.
        salts: That came with the receipt.
        inputs: The inputs themselves.

    Raises:
        ReceiptInvalid: If any input or salt differs, is missing or is too much (not told apart).
    """
    is_same_shape = (
        len(salts.images) == len(inputs.images) == len(claims.images)
        and len(salts.context) == len(inputs.context) == len(claims.context)
        and (salts.prompt is None) == (inputs.prompt is None) == (claims.prompt is None)
    )
    if not is_same_shape or not _is_same(_commit(inputs, salts), claims):
        raise ReceiptInvalid("It is not about these inputs, or these are not its salts.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Commitments:
    images: tuple[bytes, ...]
    prompt: bytes | None
    context: tuple[bytes, ...]
    circumstances: bytes


def _commit(inputs: ReceiptInputs, salts: ReceiptSalts) -> _Commitments:
    prompt = None
    if inputs.prompt is not None and salts.prompt is not None:
        prompt = _commitment(salts.prompt, _PROMPT, _text_bytes(inputs.prompt))
    return _Commitments(
        images=tuple(
            _commitment(salt, _IMAGE, image)
            for salt, image in zip(salts.images, inputs.images, strict=True)
        ),
        prompt=prompt,
        context=tuple(
            _commitment(salt, _TURN, _text_bytes(turn))
            for salt, turn in zip(salts.context, inputs.context, strict=True)
        ),
        circumstances=_commitment(
            salts.circumstances, _CIRCUMSTANCES, _circumstances_bytes(inputs)
        ),
    )


def _commitment(salt: bytes, label: bytes, data: bytes) -> bytes:
    """HMAC-SHA-256 under the salt, of the label, a zero byte, and the SHA-256 of the data."""
    return hmac.digest(salt, label + b"\x00" + hashlib.sha256(data).digest(), "sha256")


def _text_bytes(text: str) -> bytes:
    # surrogatepass: a lone surrogate from a careless client must not stop the verdict.
    return unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")


def _circumstances_bytes(inputs: ReceiptInputs) -> bytes:
    """Canonical JSON (RFC 8785) of three members whose values are strings or null."""
    members = {
        "platform": inputs.platform,
        "purpose": inputs.purpose.value,
        "region": inputs.region,
    }
    canonical = json.dumps(members, separators=(",", ":"), ensure_ascii=False)
    return canonical.encode("utf-8", "surrogatepass")


def _is_same(found: _Commitments, claims: ReceiptClaims) -> bool:
    pairs = [
        *zip(found.images, claims.images, strict=True),
        *zip(found.context, claims.context, strict=True),
        (found.circumstances, claims.circumstances),
        (found.prompt or b"", claims.prompt or b""),
    ]
    return all(hmac.compare_digest(one, other) for one, other in pairs)


def _claims_of(claims: Mapping[str, object]) -> ReceiptClaims:
    if set(claims) - {_LOG} != _CLAIMS:
        raise ReceiptInvalid("It has claims too many or too few.")
    try:
        mode = Mode(_text(claims["mode"]))
        verdict = Verdict(_text(claims["verdict"]))
        reasons = tuple(PublicReason(each) for each in _texts(claims["reasons"]))
        obligations = tuple(Obligation(each) for each in _texts(claims["obligations"]))
        issued_at = datetime.fromtimestamp(_seconds(claims["iat"]), tz=UTC)
    except (ValueError, OverflowError, OSError) as cause:
        raise ReceiptInvalid("A claim has a value that is not in the vocabulary.") from cause
    if mode is not Mode.ACT:
        raise ReceiptInvalid("Only an act leaves a receipt.")
    return ReceiptClaims(
        issuer=_text(claims["iss"]),
        check=CheckId(_text(claims["jti"])),
        issued_at=issued_at,
        mode=mode,
        verdict=verdict,
        reasons=reasons,
        obligations=obligations,
        policy_version=_text(claims["policy"]),
        engines=_engines(claims["engines"]),
        images=tuple(_commitment_of(each) for each in _texts(claims["images"])),
        prompt=None if claims["prompt"] is None else _commitment_of(_text(claims["prompt"])),
        context=tuple(_commitment_of(each) for each in _texts(claims["context"])),
        circumstances=_commitment_of(_text(claims["circumstances"])),
        log=_place(claims[_LOG]) if _LOG in claims else None,
    )


def _place(value: object) -> LogPlace:
    if not isinstance(value, dict) or set(value) != {"origin", "index"}:
        raise ReceiptInvalid("The place in the log is not an origin and an index.")
    index = value["index"]
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index <= _MAX_INDEX:
        raise ReceiptInvalid("The index in the log is not a whole number.")
    return LogPlace(origin=_text(value["origin"]), index=index)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ReceiptInvalid("A claim that is a text is missing or of another type.")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ReceiptInvalid("A claim that is a list is of another type.")
    return tuple(_text(each) for each in value)


def _seconds(value: object) -> int:
    # bool is an int to Python; 1.0 is an int to some readers and not to others.
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ReceiptInvalid("The time of issue is not a whole number of seconds.")
    return value


def _engines(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise ReceiptInvalid("The engines are of another type.")
    return {_text(name): _text(version) for name, version in value.items()}


def _commitment_of(text: str) -> bytes:
    data = decode_base64url(text)
    if len(data) != _COMMITMENT_BYTES:
        raise ReceiptInvalid("A commitment is 32 bytes long.")
    return data
