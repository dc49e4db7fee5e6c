"""Opening a signed statement: a JWS of one type, by a key of a set, whose payload is a plain object.

Construction: JWS compact serialisation (RFC 7515), EdDSA (RFC 8037), typed (RFC 8725, 3.11).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consentry.kernel.errors import ReceiptInvalid
from consentry.transparency.jwks import JwkSet, decode_base64url, find_key, thumbprint

Json: TypeAlias = str | int | Sequence["Json"] | Mapping[str, "Json"] | None

MAX_JWS_CHARS = 65_536

_ALGORITHM = "EdDSA"
_JWS_PARTS = 3


def sign_jws(claims: Mapping[str, Json], private_key: Ed25519PrivateKey, typ: str) -> str:
    """Return a JWS in compact form; the key is named by its thumbprint."""
    return jwt.PyJWS().encode(
        json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode(),
        private_key,
        algorithm=_ALGORITHM,
        headers={"typ": typ, "kid": thumbprint(private_key.public_key())},
    )


def open_jws(jws: str, jwks: JwkSet, typ: str) -> Mapping[str, object]:
    """Verify a JWS, and return its payload.

    Raises:
        ReceiptInvalid: If it is longer than any of ours, or not in the one canonical form; if its
            header is not exactly that of ``typ``; if the key is unknown or the signature does not
            hold; if its payload is not a plain JSON object.
    """
    if len(jws) > MAX_JWS_CHARS:
        raise ReceiptInvalid("It is longer than any receipt.")
    header, payload, _ = _parts(jws)
    key = find_key(jwks, _kid_of(_parse_object(header), typ))
    try:
        jwt.PyJWS().decode(jws, key, algorithms=[_ALGORITHM])
    except jwt.InvalidTokenError as cause:
        raise ReceiptInvalid("Its signature does not hold.") from cause
    return _parse_object(payload)


def claimed(jws: str) -> Mapping[str, object]:
    """Return the payload of a JWS. Nothing is verified: for one's own.

    Raises:
        ReceiptInvalid: If it is not in the form of one.
    """
    return _parse_object(_parts(jws)[1])


def claimed_type(jws: str) -> str | None:
    """Return what a JWS says it is, to choose how it is verified. Nothing is verified by this.

    Raises:
        ReceiptInvalid: If it is not in the form of a JWS.
    """
    typ = _parse_object(_parts(jws)[0]).get("typ")
    return typ if isinstance(typ, str) else None


def _parts(jws: str) -> tuple[bytes, bytes, bytes]:
    parts = jws.split(".")
    if len(parts) != _JWS_PARTS:
        raise ReceiptInvalid("It is not a JWS in compact form.")
    header, payload, signature = (decode_base64url(part) for part in parts)
    return header, payload, signature


def _kid_of(header: Mapping[str, object], typ: str) -> str:
    kid = header.get("kid")
    if set(header) != {"alg", "kid", "typ"} or not isinstance(kid, str):
        raise ReceiptInvalid("Its header is not that of a receipt.")
    if header["alg"] != _ALGORITHM or header["typ"] != typ:
        raise ReceiptInvalid("Its header is not that of a receipt.")
    return kid


def _parse_object(data: bytes) -> Mapping[str, object]:
    """Parse a JSON object. A doubled member is refused: readers differ in which they take."""
    try:
        found = json.loads(
            data.decode("utf-8"), object_pairs_hook=_members, parse_constant=_no_constant
        )
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


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
