"""Public keys as a JSON Web Key Set (RFC 7517, RFC 8037), named by thumbprint (RFC 7638)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TypedDict

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consentry.kernel.errors import ReceiptInvalid


class Jwk(TypedDict):
    """One Ed25519 public key."""

    kty: str
    crv: str
    x: str
    kid: str
    alg: str
    use: str


class JwkSet(TypedDict):
    """The keys of an installation: the one that signs now, and the ones that did before."""

    keys: list[Jwk]


def encode_base64url(data: bytes) -> str:
    """Encode without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Decode the one canonical spelling.

    Raises:
        ReceiptInvalid: If there is padding, another alphabet, or a last letter with stray bits.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as cause:
        raise ReceiptInvalid("A part of it is not base64url.") from cause
    if encode_base64url(data) != text:
        raise ReceiptInvalid("A part of it is not canonical base64url.")
    return data


def to_jwk(key: Ed25519PublicKey) -> Jwk:
    """Return a public key as a JWK whose ``kid`` is its thumbprint."""
    x = encode_base64url(key.public_bytes_raw())
    return Jwk(kty="OKP", crv="Ed25519", x=x, kid=_thumbprint(x), alg="EdDSA", use="sig")


def to_jwks(keys: Iterable[Ed25519PublicKey]) -> JwkSet:
    """Return public keys as a set, for ``/.well-known/jwks.json``."""
    return JwkSet(keys=[to_jwk(key) for key in keys])


def thumbprint(key: Ed25519PublicKey) -> str:
    """Return the name of a key: its RFC 7638 thumbprint with SHA-256, in base64url."""
    return _thumbprint(encode_base64url(key.public_bytes_raw()))


def parse_jwks(text: str | bytes) -> JwkSet:
    """Read a key set from JSON.

    Keys that are not Ed25519 keys are left out, as RFC 7517, section 5, asks.

    Raises:
        ReceiptInvalid: If it is not a key set.
    """
    try:
        found = json.loads(text)
    except ValueError as cause:
        raise ReceiptInvalid("The key set is not JSON.") from cause
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise ReceiptInvalid("The key set has no list of keys.")
    return JwkSet(keys=[_jwk_of(key) for key in found["keys"] if _is_ed25519(key)])


def find_key(keys: JwkSet, kid: str) -> Ed25519PublicKey:
    """Return the key of a name.

    A key is known by its own thumbprint, never by the name that a set gives it.

    Raises:
        ReceiptInvalid: If no key of the set has this thumbprint.
    """
    for key in keys["keys"]:
        if key["kty"] == "OKP" and key["crv"] == "Ed25519" and _thumbprint(key["x"]) == kid:
            try:
                return Ed25519PublicKey.from_public_bytes(decode_base64url(key["x"]))
            except ValueError as cause:
                raise ReceiptInvalid("The key that it names is not an Ed25519 key.") from cause
    raise ReceiptInvalid("It was signed with a key that is not in the key set.")


def _thumbprint(x: str) -> str:
    members = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    return encode_base64url(hashlib.sha256(members.encode("ascii", "replace")).digest())


def _is_ed25519(key: object) -> bool:
    return (
        isinstance(key, dict)
        and key.get("kty") == "OKP"
        and key.get("crv") == "Ed25519"
        and isinstance(key.get("x"), str)
    )


def _jwk_of(key: Mapping[str, str]) -> Jwk:
    x = key["x"]
    return Jwk(kty="OKP", crv="Ed25519", x=x, kid=_thumbprint(x), alg="EdDSA", use="sig")
