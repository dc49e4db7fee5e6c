# ruff: noqa: T201, INP001 -- a script that stands alone, to be read and run by people who do not trust us
"""Verify a Consentry erasure receipt, without Consentry; with proofs, that the log records it.

    pip install cryptography          (and verify_receipt.py beside this file)
    python verify_erasure.py erasure.json --keys jwks.json [--log VKEY --witness VKEY ... --quorum N]

erasure.json   what `consentry revoke`, `erase` or `log prove FILE` gave out
jwks.json      the issuer's /.well-known/jwks.json; VKEY: its /log/key. From a place that you trust.

Exit code 0 when everything holds. Specification: docs/specs/erasure-receipt.md of Consentry.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import sys
from pathlib import Path

import verify_receipt as known
from cryptography.exceptions import InvalidSignature

TYPE = "consentry-erasure+jwt"
CLAIMS = {"iss", "jti", "iat", "scope", "people", "destroyed", "entries", "log"}
LABEL = b"consentry log v1 "


def is_about(entry: bytes, salt: bytes, subject: str) -> bool:
    """Say whether an entry commits to the revocation of a subject (docs/specs/log-entry.md)."""
    says = json.loads(entry, object_pairs_hook=known.once)
    known.require(set(says) == {"v", "kind", "day", "change"}, "an entry is of another form")
    known.require((says["v"], says["kind"]) == (1, "subject"), "an entry is of another kind")
    stated = json.dumps({"change": "revoked", "subject": subject}, separators=(",", ":"))
    own_salt = hmac.digest(salt, LABEL + b"salt change", "sha256")
    message = LABEL + b"change\x00" + hashlib.sha256(stated.encode()).digest()
    return hmac.digest(own_salt, message, "sha256") == known.b64url(says["change"])


def verify(document: dict, jwks: dict, asked: argparse.Namespace) -> dict:
    """Verify receipt, entries and proofs; return what the receipt says."""
    says = known.claims_of(document["receipt"], jwks, TYPE, CLAIMS)
    entries = {known.b64url(e["entry"]): e for e in document.get("entries", [])}
    if entries:
        leaves = sorted(hashlib.sha256(b"\x00" + entry).digest() for entry in entries)
        digest = hashlib.sha256(b"".join(leaves)).digest()
        known.require(digest == known.b64url(says["entries"]), "the entries are others")
        known.require(len(entries) == says["people"], "it is of more people, or fewer")
        for entry, e in entries.items():
            own = is_about(entry, known.b64url(e["salt"]), e["subject"])
            known.require(own, "an entry is about somebody else")
    proved = set()
    for proof in document.get("proofs", []) if asked.log else []:
        entry, _, origin, _, _ = known.proved(proof, asked.log, asked.witness, asked.quorum)
        known.require(says["log"] in {None, origin}, "a proof is of another log")
        proved.add(entry)
    known.require(not asked.log or proved == set(entries), "an entry is not proved")
    return says | {"proved": len(proved), "shown": len(entries)}


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description="Verify a Consentry erasure receipt.")
    parser.add_argument("erasure", type=Path)
    parser.add_argument("--keys", type=Path, required=True, help="the issuer's key set")
    parser.add_argument("--log", help="the log's verifier key")
    parser.add_argument("--witness", action="append", default=[], help="a witness's verifier key")
    parser.add_argument("--quorum", type=int, default=0, help="how many witnesses must agree")
    asked = parser.parse_args()
    try:
        jwks = json.loads(asked.keys.read_bytes())
        document = json.loads(asked.erasure.read_bytes(), object_pairs_hook=known.once)
        says = verify(document, jwks, asked)
    except (known.Doubt, InvalidSignature, ValueError, KeyError, TypeError, AttributeError) as no:
        print(f"DOES NOT HOLD: {no or type(no).__name__}", file=sys.stderr)
        return 1
    counts = ", ".join(f"{count} {name}" for name, count in says["destroyed"].items())
    print(f"holds: {says['jti']} erased {says['people']} ({says['scope']}): {counts}")
    print(f"  entries shown: {says['shown']}, proved in the log: {says['proved']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
