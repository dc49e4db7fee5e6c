"""Whether a receipt is genuine, and about what was asked (docs/specs/receipt.md).

Written apart from the issuer's own code, from the same specification and against the same vectors.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consentry.client.question import Json, Question
from consentry.kernel.errors import ReceiptInvalid
from consentry.kernel.taxonomy import Mode, Obligation, PublicReason, Verdict

_MAX_CHARS = 65_536
_PARTS = 3
_KEY_BYTES = 32
_COMMITMENT_BYTES = 32
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
_LOG = "log"  # of version 2 only
_MAX_INDEX = 2**53 - 1
_LAST_SECOND = 253_402_300_799  # of the year 9999, as far as calendars of programs reach
_WORDS = frozenset(
    word.value for kind in (Mode, Verdict, PublicReason, Obligation) for word in kind
)
_LABEL = "consentry receipt v1 "


@dataclass(frozen=True, slots=True)
class KeySet:
    """The public keys of an issuer, by thumbprint (RFC 7638)."""

    keys: Mapping[str, Ed25519PublicKey]

    @classmethod
    def from_json(cls, text: str | bytes) -> KeySet:
        """Read a JSON Web Key Set, for example the ``/.well-known/jwks.json`` that you pinned.

        Keys that are not Ed25519 keys are left out. The name that a set gives a key plays no part.

        Raises:
            ReceiptInvalid: If it is no key set, or has no Ed25519 key.
        """
        found: dict[str, Ed25519PublicKey] = {}
        for jwk in _list(_parse(text).get("keys")):
            if isinstance(jwk, dict) and (jwk.get("kty"), jwk.get("crv")) == ("OKP", "Ed25519"):
                x = _text(jwk.get("x"))
                raw = _decoded(x)
                if len(raw) != _KEY_BYTES:
                    raise ReceiptInvalid("A key of the set is no Ed25519 key.")
                found[_thumbprint(x)] = Ed25519PublicKey.from_public_bytes(raw)
        if not found:
            raise ReceiptInvalid("The key set has no Ed25519 key.")
        return cls(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Salts:
    """What opens a receipt's commitments, base64url. Keep them with what was checked."""

    images: tuple[str, ...] = field(repr=False)
    prompt: str | None = field(repr=False)
    context: tuple[str, ...] = field(repr=False)
    circumstances: str = field(repr=False)

    def to_json(self) -> Json:
        """Return them as they came."""
        return {
            "images": list(self.images),
            "prompt": self.prompt,
            "context": list(self.context),
            "circumstances": self.circumstances,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a genuine receipt says, as far as a platform acts on it."""

    check: str
    mode: str
    verdict: str
    reasons: tuple[str, ...]
    obligations: tuple[str, ...]
    images: tuple[str, ...]
    prompt: str | None
    context: tuple[str, ...]
    circumstances: str
    log_origin: str | None = None
    log_index: int | None = None
    """Where the verdict stands in the issuer's log; None for a receipt of version 1."""


def kid_of(receipt: str) -> str:
    """Return the name of the key that a receipt says it was signed with. Nothing is verified yet.

    Raises:
        ReceiptInvalid: If it is not in the form of a receipt.
    """
    return _kid(_parse(_decoded(_parts(receipt)[0])))


def verify(receipt: str, keys: KeySet) -> Claims:
    """Verify signature and form of a receipt.

    Raises:
        ReceiptInvalid: If it is not a receipt of one of these keys.
    """
    header, payload, signature = _parts(receipt)
    key = keys.keys.get(_kid(_parse(_decoded(header))))
    if key is None:
        raise ReceiptInvalid("It was signed with a key that is not in the key set.")
    try:
        key.verify(_decoded(signature), f"{header}.{payload}".encode("ascii"))
    except InvalidSignature as cause:
        raise ReceiptInvalid("Its signature does not hold.") from cause
    claims = _parse(_decoded(payload))
    _require_form(claims)
    origin, index = _place(claims)
    return Claims(
        check=_text(claims.get("jti")),
        mode=_text(claims.get("mode")),
        verdict=_text(claims.get("verdict")),
        reasons=_texts(claims.get("reasons")),
        obligations=_texts(claims.get("obligations")),
        images=_texts(claims.get("images")),
        prompt=None if claims.get("prompt") is None else _text(claims.get("prompt")),
        context=_texts(claims.get("context")),
        circumstances=_text(claims.get("circumstances")),
        log_origin=origin,
        log_index=index,
    )


def verify_about(claims: Claims, salts: Salts, question: Question, platform: str) -> None:
    """Verify that a receipt is about this question of this platform, and nothing else.

    Raises:
        ReceiptInvalid: If anything differs, is missing or is too much (not told apart).
    """
    _verify(claims, salts, (question, question.pictures()), platform)


def verify_about_results(
    claims: Claims, salts: Salts, made: tuple[Sequence[bytes], Question], platform: str
) -> None:
    """Verify that a receipt is about these results of this question, and nothing else.

    Raises:
        ReceiptInvalid: If anything differs, is missing or is too much (not told apart).
    """
    results, question = made
    # Each picture that went in once, behind all that came out.
    pictures = (*results, *dict.fromkeys(question.pictures()))
    _verify(claims, salts, (question, pictures), platform)


def _verify(
    claims: Claims, salts: Salts, asked: tuple[Question, tuple[bytes, ...]], platform: str
) -> None:
    question, pictures = asked
    prompt, context = question.words()
    circumstances = json.dumps(
        {"platform": platform, "purpose": question.purpose.value, "region": question.region},
        separators=(",", ":"),
        ensure_ascii=False,
    )
    is_about_it = (
        len(salts.images) == len(pictures)
        and len(salts.context) == len(context)
        and (salts.prompt is None) is (prompt is None)
        and claims.images
        == tuple(
            _commitment(salt, "image", picture)
            for salt, picture in zip(salts.images, pictures, strict=True)
        )
        and claims.context
        == tuple(
            _commitment(salt, "turn", _bytes(turn))
            for salt, turn in zip(salts.context, context, strict=True)
        )
        and claims.prompt
        == (
            None
            if prompt is None or salts.prompt is None
            else _commitment(salts.prompt, "prompt", _bytes(prompt))
        )
        and claims.circumstances
        == _commitment(
            salts.circumstances, "circumstances", circumstances.encode("utf-8", "surrogatepass")
        )
    )
    if not is_about_it:
        raise ReceiptInvalid("It is not about this question, or these are not its salts.")


def _require_form(claims: Mapping[str, object]) -> None:
    """Refuse claims too many or too few, and what `Claims` does not hold but the form demands."""
    engines, issued_at = claims.get("engines"), claims.get("iat")
    is_formed = (
        set(claims) - {_LOG} == _CLAIMS
        and isinstance(engines, dict)
        and type(issued_at) is int  # a bool is an int to Python
        and 0 <= issued_at <= _LAST_SECOND
    )
    if not is_formed or not isinstance(engines, dict):
        raise ReceiptInvalid("It has not the claims of a receipt.")
    for text in (claims.get("iss"), claims.get("policy"), *engines, *engines.values()):
        _text(text)
    for commitment in (
        *_texts(claims.get("images")),
        *_texts(claims.get("context")),
        _text(claims.get("circumstances")),
        *([] if claims.get("prompt") is None else [_text(claims.get("prompt"))]),
    ):
        if len(_decoded(commitment)) != _COMMITMENT_BYTES:
            raise ReceiptInvalid("A commitment is 32 bytes long.")
    words = (claims.get("mode"), claims.get("verdict"), *_texts(claims.get("reasons")))
    if not {*words, *_texts(claims.get("obligations"))} <= _WORDS or claims.get("mode") != "act":
        raise ReceiptInvalid("It uses a word that this version does not know.")


def _place(claims: Mapping[str, object]) -> tuple[str, int] | tuple[None, None]:
    if _LOG not in claims:
        return None, None
    place = claims[_LOG]
    if not isinstance(place, dict) or set(place) != {"origin", "index"}:
        raise ReceiptInvalid("Its place in the log has not the form of one.")
    index = place["index"]
    if type(index) is not int or not 0 <= index <= _MAX_INDEX:  # a bool is an int to Python
        raise ReceiptInvalid("Its place in the log has not the form of one.")
    return _text(place["origin"]), index


def _commitment(salt: str, kind: str, data: bytes) -> str:
    message = (_LABEL + kind).encode("ascii") + b"\x00" + hashlib.sha256(data).digest()
    return _encoded(hmac.digest(_decoded(salt), message, "sha256"))


def _bytes(text: str) -> bytes:
    return unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")


def _parts(receipt: str) -> tuple[str, str, str]:
    parts = receipt.split(".") if len(receipt) <= _MAX_CHARS else []
    if len(parts) != _PARTS:
        raise ReceiptInvalid("It is not a JWS in compact form.")
    return parts[0], parts[1], parts[2]


def _kid(header: Mapping[str, object]) -> str:
    wanted = {"alg": "EdDSA", "typ": "consentry-receipt+jwt"}
    if {name: value for name, value in header.items() if name != "kid"} != wanted:
        raise ReceiptInvalid("Its header is not that of a receipt.")
    return _text(header.get("kid"))


def _thumbprint(x: str) -> str:
    members = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    return _encoded(hashlib.sha256(members.encode("ascii")).digest())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as cause:
        raise ReceiptInvalid("A part of it is not base64url.") from cause
    if _encoded(data) != text:
        raise ReceiptInvalid("A part of it is not canonical base64url.")
    return data


def _parse(data: str | bytes) -> Mapping[str, object]:
    try:
        # Decoded here: json would also guess UTF-16 and UTF-32.
        text = data if isinstance(data, str) else data.decode("utf-8")
        found = json.loads(text, object_pairs_hook=_members)
    except (ValueError, RecursionError) as cause:
        raise ReceiptInvalid("A part of it is not a plain JSON object.") from cause
    if not isinstance(found, dict):
        raise ReceiptInvalid("A part of it is not a plain JSON object.")
    return found


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member appears twice")
    return members


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ReceiptInvalid("A member that is a text is missing or of another type.")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ReceiptInvalid("A member that is a list is missing or of another type.")
    return value


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(each) for each in _list(value))
