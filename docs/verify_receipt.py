# ruff: noqa: T201, INP001 -- a script that stands alone, to be read and run by people who do not trust us
"""Verify a Consentry receipt and its place in the log, without Consentry.

    pip install cryptography
    python verify_receipt.py proof.json --keys jwks.json --log VKEY [--witness VKEY ... --quorum N]

proof.json   what `consentry log prove`, or GET /v1/checks/{id}/proof, gave out
jwks.json    the issuer's /.well-known/jwks.json; VKEY: its /log/key. Get both from a place that you
             trust, once, and keep them: whoever gives you these decides what you believe.

Exit code 0 when everything holds. Specifications: docs/specs/receipt.md, log-entry.md, log.md of
Consentry; RFC 7515, RFC 8037, RFC 6962; c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature,
tlog-proof. It needs no network and no clock.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

CLAIMS = {"iss", "jti", "iat", "mode", "verdict", "reasons", "obligations", "policy", "engines"}
CLAIMS |= {"images", "prompt", "context", "circumstances", "log"}
ENTRY = {"v", "kind", "day", "verdict", "reasons", "policy", "engines", "receipt"}
ENTRY |= {"platform", "purpose", "region"}
TEXT, COSIGNATURE = 1, 4


class Doubt(Exception):
    """Something does not hold."""


def require(holds: bool, what: str) -> None:  # noqa: FBT001 -- reads as a sentence
    """Raise unless it holds."""
    if not holds:
        raise Doubt(what)


def b64url(text: str) -> bytes:
    """Decode base64url without padding, in its one spelling."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    require(base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text, "not canonical base64url")
    return data


def b64(text: str) -> bytes:
    """Decode base64 with padding, in its one spelling."""
    data = base64.b64decode(text, validate=True)
    require(base64.b64encode(data).decode() == text, "not canonical base64")
    return data


def thumbprint(x: str) -> str:
    """Name an Ed25519 key (RFC 7638)."""
    jwk = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(jwk.encode()).digest()).rstrip(b"=").decode()


def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object of its members, each of which is there once."""
    require(len(dict(pairs)) == len(pairs), "a member is there twice")
    return dict(pairs)


def claims_of(receipt: str, jwks: dict, typ: str, members: set[str]) -> dict:
    """Verify the signature of a receipt of a type, and return what it says."""
    header, payload, signature = receipt.split(".")
    head = json.loads(b64url(header), object_pairs_hook=once)
    require(set(head) == {"alg", "kid", "typ"}, "the header of the receipt is another")
    require(head["alg"] == "EdDSA", "the algorithm is another")
    require(head["typ"] == typ, "it is not a receipt")
    keys = [k["x"] for k in jwks["keys"] if (k.get("kty"), k.get("crv")) == ("OKP", "Ed25519")]
    named = [x for x in keys if thumbprint(x) == head["kid"]]
    require(len(named) > 0, "the receipt is signed with a key that is not in the key set")
    key = Ed25519PublicKey.from_public_bytes(b64url(named[0]))
    key.verify(b64url(signature), f"{header}.{payload}".encode())
    claims = json.loads(b64url(payload), object_pairs_hook=once)
    require(set(claims) == members, "the receipt has claims too many or too few, or names no log")
    return claims


def signed_by(text: str, lines: list[str], vkey: str, kind: int) -> bool:
    """Say whether a note has a signature of a key; one that does not hold is an error."""
    name, key_id, material = vkey.split("+", 2)
    raw = b64(material)
    require(raw[0] == kind, "that verifier key is of another kind")
    found = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    require(found.hex() == key_id, "that verifier key was mistyped")
    signed = False
    for line in lines:
        dash, who, blob = line.split(" ")
        data = b64(blob)
        if dash != "\u2014" or who != name or data[:4] != found:
            continue
        message, signature = text.encode(), data[4:]
        if kind == COSIGNATURE:
            seconds, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
        Ed25519PublicKey.from_public_bytes(raw[1:]).verify(signature, message)
        signed = True
    return signed


def included(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that a proof of inclusion leads to (RFC 9162, 2.1.3.2)."""
    require(0 <= index < size, "the entry is beyond the log")
    place, last, node = index, size - 1, leaf
    for sibling in path:
        require(last > 0, "the proof is too long")
        if place & 1 or place == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        place, last = place >> 1, last >> 1
    require(last == 0, "the proof is too short")
    return node


def proved(proof: str, log: str, witnesses: list[str], quorum: int) -> tuple:
    """Verify a proof, its head and cosignatures; return entry, place, origin, size and cosigners."""
    head, _, note = proof.partition("\n\n")
    header, extra, index, *path = head.split("\n")
    require(header == "c2sp.org/tlog-proof@v1", "it is not a proof")
    require(extra.startswith("extra ") and index.startswith("index "), "it is not a proof")
    entry_bytes, place = b64(extra[6:]), int(index[6:])
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    origin, size, root = text.split("\n")[:3]
    lines = signatures.removesuffix("\n").split("\n")
    require(log.split("+", 1)[0] == origin, "the head is of another log")
    require(signed_by(text, lines, log, TEXT), "the log has not signed the head")
    leaf = hashlib.sha256(b"\x00" + entry_bytes).digest()
    found = included(leaf, place, int(size), [b64(each) for each in path])
    require(found == b64(root), "the entry is not in the log")
    count = sum(signed_by(text, lines, each, COSIGNATURE) for each in set(witnesses))
    require(count >= quorum, f"{count} of the witnesses cosigned, {quorum} are wanted")
    return entry_bytes, place, origin, int(size), count


def verify(document: dict, jwks: dict, log: str, witnesses: list[str], quorum: int) -> dict:
    """Verify receipt, entry, proof, head and cosignatures; return what the receipt says."""
    receipt = document["receipt"]
    claims = claims_of(receipt, jwks, "consentry-receipt+jwt", CLAIMS)
    found, place, origin, size, count = proved(document["proof"], log, witnesses, quorum)
    require(claims["log"] == {"origin": origin, "index": place}, "the proof is of another place")
    entry = json.loads(found, object_pairs_hook=once)
    require(set(entry) == ENTRY and entry["v"] == 1, "the entry is no verdict of version 1")
    require(entry["kind"] == "verdict", "the entry is no verdict")
    digest = hashlib.sha256(receipt.encode()).digest()
    require(b64url(entry["receipt"]) == digest, "the entry is of another receipt")
    for name in ("verdict", "reasons", "policy", "engines"):
        require(entry[name] == claims[name], f"log and receipt differ in {name}")
    return claims | {"size": size, "cosigned": count}


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description="Verify a Consentry receipt and its log entry.")
    parser.add_argument("proof", type=Path)
    parser.add_argument("--keys", type=Path, required=True, help="the issuer's key set")
    parser.add_argument("--log", required=True, help="the log's verifier key")
    parser.add_argument("--witness", action="append", default=[], help="a witness's verifier key")
    parser.add_argument("--quorum", type=int, default=0, help="how many witnesses must agree")
    asked = parser.parse_args()
    try:
        jwks = json.loads(asked.keys.read_bytes())
        document = json.loads(asked.proof.read_bytes(), object_pairs_hook=once)
        says = verify(document, jwks, asked.log, asked.witness, asked.quorum)
    except (Doubt, InvalidSignature, ValueError, KeyError, TypeError, AttributeError) as doubt:
        print(f"DOES NOT HOLD: {doubt or type(doubt).__name__}", file=sys.stderr)
        return 1
    reasons = " ".join(says["reasons"])
    print(f"holds: {says['jti']} {says['verdict']} {reasons}".rstrip())
    print(f"  at {says['log']['index']} of {says['size']} in {says['log']['origin']}")
    print(f"  laws {says['policy']}, cosigned by {says['cosigned']} of {len(asked.witness)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
