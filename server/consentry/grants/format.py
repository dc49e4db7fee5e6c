"""The consent token itself: a JWS that says what it is for, and never whose it is.

    header   {"alg": "EdDSA", "kid": ..., "typ": "consentry-consent+jwt"}
    claims   iss jti aud iat exp purpose region prompt images
    prompt   HMAC-SHA-256 under a salt that only the server has, of the words; null in a session
    images   the same of each picture, in the order of the request

The salt stays behind, so a token that is found says nothing about words or pictures; once the salt
is destroyed it never will. Specification: docs/specs/consent-token.md. Construction: JWS compact
serialisation (RFC 7515), EdDSA (RFC 8037), explicitly typed (RFC 8725, 3.11).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consentry.kernel.errors import ReceiptInvalid
from consentry.kernel.ids import ConsentTokenId
from consentry.kernel.taxonomy import Purpose
from consentry.transparency.jwks import decode_base64url, encode_base64url, thumbprint

TOKEN_TYPE = "consentry-consent+jwt"  # noqa: S105 -- a media type, not a secret
MAX_TOKEN_CHARS = 32_768
SALT_BYTES = 32

_ALGORITHM = "EdDSA"
_JWS_PARTS = 3
_IMAGE = b"consentry consent v1 image"
_WORDS = b"consentry consent v1 words"
_CLAIMS = frozenset({"iss", "jti", "aud", "iat", "exp", "purpose", "region", "prompt", "images"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClaims:
    """What a token says. The digests are 32 bytes each.

    Attributes:
        token: The ``jti``.
        platform: Who alone may use it.
        purpose: What it must be said to be for.
        region: What must be stated; None when nothing may be.
        words: Digest of the words; None when any words will do (a session).
        images: Digest of each picture.
        issued_at, valid_until: UTC, whole seconds; the end is excluded.
    """

    token: ConsentTokenId
    platform: str
    purpose: Purpose
    region: str | None
    words: bytes | None
    images: tuple[bytes, ...]
    issued_at: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSigner:
    """Signs and verifies the tokens of this installation. Holds no state but its key.

    Attributes:
        private_key: The one that signs receipts too; the type in the header keeps the two apart.
        issuer: Who says so.
    """

    private_key: Ed25519PrivateKey = field(repr=False)
    issuer: str

    def sign(self, claims: TokenClaims) -> str:
        """Return the token."""
        payload = {
            "iss": self.issuer,
            "jti": claims.token,
            "aud": claims.platform,
            "iat": int(claims.issued_at.timestamp()),
            "exp": int(claims.valid_until.timestamp()),
            "purpose": claims.purpose.value,
            "region": claims.region,
            "prompt": None if claims.words is None else encode_base64url(claims.words),
            "images": [encode_base64url(each) for each in claims.images],
        }
        return jwt.PyJWS().encode(
            json.dumps(payload, separators=(",", ":")).encode(),
            self.private_key,
            algorithm=_ALGORITHM,
            headers=self._header(),
        )

    def verify(self, jws: str) -> TokenClaims | None:
        """Return what a token says, or None when this installation has not signed exactly this.

        Another algorithm, another key, another type, a member too many and a broken signature are
        not told apart. Whether it has lapsed is not looked at.
        """
        parts = jws.split(".")
        if len(jws) > MAX_TOKEN_CHARS or len(parts) != _JWS_PARTS:
            return None
        try:
            # The library passes over padding; a token has one spelling.
            for part in parts:
                decode_base64url(part)
            header = json.loads(decode_base64url(parts[0]))
            # Compared whole, before any part of it chooses how the signature is verified.
            if header != {"alg": _ALGORITHM, **self._header()}:
                return None
            payload = jwt.PyJWS().decode(
                jws, self.private_key.public_key(), algorithms=[_ALGORITHM]
            )
            return self._claims(json.loads(payload))
        except (ReceiptInvalid, jwt.InvalidTokenError, ValueError, RecursionError):
            return None

    def _header(self) -> dict[str, str]:
        return {"kid": thumbprint(self.private_key.public_key()), "typ": TOKEN_TYPE}

    def _claims(self, claims: object) -> TokenClaims:
        """Read claims that carry our own signature.

        Raises:
            ValueError: If they are not of the form that this version writes.
        """
        if not isinstance(claims, dict) or set(claims) != _CLAIMS or claims["iss"] != self.issuer:
            raise ValueError("not the claims of a consent token")
        region, words, images = claims["region"], claims["prompt"], claims["images"]
        if not isinstance(images, list):
            raise ValueError("the pictures are a list")  # noqa: TRY004 -- one error for a form that is not ours
        return TokenClaims(
            token=ConsentTokenId(_text(claims["jti"])),
            platform=_text(claims["aud"]),
            purpose=Purpose(_text(claims["purpose"])),
            region=None if region is None else _text(region),
            words=None if words is None else decode_base64url(_text(words)),
            images=tuple(decode_base64url(_text(each)) for each in images),
            issued_at=_moment(claims["iat"]),
            valid_until=_moment(claims["exp"]),
        )


def picture_digest(salt: bytes, sha256: bytes) -> bytes:
    """Return the salted digest of a picture, given the SHA-256 of its bytes as they are sent."""
    return hmac.digest(salt, _IMAGE + b"\x00" + sha256, "sha256")


def words_digest(salt: bytes, prompt: str | None, context: Sequence[str]) -> bytes:
    """Return the salted digest of a conversation: of every turn, in order.

    The words are normalised first: NFC, and any white space is one space. A changed word, a turn
    more or less, and a turn moved from the context to the prompt, are another conversation.
    """
    turns = [None if prompt is None else _normalised(prompt), *map(_normalised, context)]
    data = json.dumps(turns, separators=(",", ":"), ensure_ascii=False)
    encoded = data.encode("utf-8", "surrogatepass")
    return hmac.digest(salt, _WORDS + b"\x00" + hashlib.sha256(encoded).digest(), "sha256")


def _normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is a text")  # noqa: TRY004 -- one error for a form that is not ours
    return value


def _moment(value: object) -> datetime:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("a time is a whole number of seconds")  # noqa: TRY004 -- as above
    try:
        return datetime.fromtimestamp(value, tz=UTC)
    except (OverflowError, OSError) as cause:
        raise ValueError("a time is within the calendar") from cause
