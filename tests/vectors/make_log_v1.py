"""Write ``log_v1.json``: entries, a proved receipt of version 2, and every way of spoiling them.

Run ``python tests/vectors/make_log_v1.py`` after a change of the format; never edit the file.
Everything is put together here by hand with `cryptography`, `hashlib` and `hmac` alone, from the
specifications, so that the vectors do not inherit a mistake of the code that they test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TARGET = Path(__file__).with_name("log_v1.json")
ORIGIN = "log.example/one/0001020304050607"
SIZE, INDEX = 260, 257
SALT = bytes(range(32))
ISSUER, LOG, WITNESS, OTHER = (
    Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3, 4)
)
VALUES = {"platform": "chirp", "purpose": "edit", "region": "GB"}
CLAIMS = {
    "iss": "https://consentry.example",
    "jti": "chk_aaaaaaaaaaaaaaaaaaaaaaaaaa",
    "iat": 1_795_262_400,
    "mode": "act",
    "verdict": "needs_consent",
    "reasons": ["consent_required"],
    "obligations": [],
    "policy": "consentry-policy@2",
    "engines": {"faces": "mfn192+sface@1", "intent": "composition@2"},
    "images": [],
    "prompt": None,
    "context": [],
    "circumstances": "XCQib044dVXnFkN3ecXFfRn7EryTb47iGLHEdKk5LzQ",
    "log": {"origin": ORIGIN, "index": INDEX},
}


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def canonical(value: object) -> bytes:
    # Names in these vectors are ASCII, for which Python's order is that of RFC 8785.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def commit(name: str, value: str) -> str:
    salt = hmac.digest(SALT, f"consentry log v1 salt {name}".encode(), "sha256")
    digest = hashlib.sha256(value.encode()).digest()
    return b64url(hmac.digest(salt, f"consentry log v1 {name}".encode() + b"\0" + digest, "sha256"))


def receipt(claims: Mapping[str, object], key: Ed25519PrivateKey = ISSUER) -> str:
    x = b64url(key.public_key().public_bytes_raw())
    jwk = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    kid = b64url(hashlib.sha256(jwk.encode()).digest())
    header = {"alg": "EdDSA", "kid": kid, "typ": "consentry-receipt+jwt"}
    signed = ".".join(
        b64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)
    )
    return f"{signed}.{b64url(key.sign(signed.encode()))}"


def verdict_entry(jws: str, **changed: object) -> dict[str, object]:
    members = {
        "v": 1,
        "kind": "verdict",
        "day": "2026-11-22",
        "receipt": b64url(hashlib.sha256(jws.encode()).digest()),
        **{name: CLAIMS[name] for name in ("verdict", "reasons", "policy", "engines")},
        **{name: commit(name, value) for name, value in VALUES.items()},
    }
    return members | changed


def leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def tree(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + tree(hashes[:k]) + tree(hashes[k:])).digest()


def path(m: int, hashes: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962, 2.1.1."""
    if len(hashes) == 1:
        return []
    k = 1 << (len(hashes) - 1).bit_length() - 1
    if m < k:
        return [*path(m, hashes[:k]), tree(hashes[k:])]
    return [*path(m - k, hashes[k:]), tree(hashes[:k])]


def vkey(name: str, kind: int, key: Ed25519PrivateKey) -> tuple[str, bytes]:
    material = bytes([kind]) + key.public_key().public_bytes_raw()
    key_id = hashlib.sha256(name.encode() + b"\n" + material).digest()[:4]
    return f"{name}+{key_id.hex()}+{b64(material)}", key_id


def head(
    root: bytes, *, size: int = SIZE, origin: str = ORIGIN, key: Ed25519PrivateKey = LOG
) -> str:
    text = f"{origin}\n{size}\n{b64(root)}\n"
    log_line = b64(vkey(origin, 1, key)[1] + key.sign(text.encode()))
    seconds = 1_795_262_460
    stamped = f"cosignature/v1\ntime {seconds}\n{text}".encode()
    witness = vkey("witness.example", 4, WITNESS)[1] + seconds.to_bytes(8, "big")
    witness_line = b64(witness + WITNESS.sign(stamped))
    return f"{text}\n\u2014 {origin} {log_line}\n\u2014 witness.example {witness_line}\n"


def proof(entry: bytes, hashes: list[bytes], note: str, index: int = INDEX) -> str:
    lines = ["c2sp.org/tlog-proof@v1", f"extra {b64(entry)}", f"index {index}"]
    return "\n".join([*lines, *map(b64, hashes)]) + f"\n\n{note}"


POLICY = (
    f"log {vkey(ORIGIN, 1, LOG)[0]}\nwitness w {vkey('witness.example', 4, WITNESS)[0]}\nquorum w\n"
)
JWKS = {
    "keys": [{"kty": "OKP", "crv": "Ed25519", "x": b64url(ISSUER.public_key().public_bytes_raw())}]
}


def entries() -> list[dict[str, object]]:
    jws = receipt(CLAIMS)
    good = verdict_entry(jws)
    change = canonical({"change": "enrolled", "subject": "sub_aaaaaaaaaaaaaaaaaaaaaaaaaa"}).decode()
    day = {"v": 1, "day": "2026-11-22"}
    versions = {"program": "0.1.0", "policy": "p@1", "engines": {"faces": "m@1"}}
    valid = [
        ("a verdict", good, VALUES),
        ("an allow without reasons", verdict_entry(jws, verdict="allow", reasons=[]), VALUES),
        ("a change of an enrolment", {**day, "kind": "subject", "change": commit("change", change)},
         {"change": change}),
        ("versions", {**day, "kind": "versions", **versions, "models": {"m.onnx": "ab" * 32}}, {}),
        ("a renewal", {**day, "kind": "renewed", "origin": ORIGIN, "size": 70_000,
                       "root": b64url(bytes(32))}, {}),
    ]  # fmt: skip
    data = canonical(good)
    invalid = [
        ("a space", data.replace(b'"v":1', b'"v": 1')),
        ("members in another order", json.dumps(good, separators=(",", ":")).encode()),
        (
            "an escape that is not needed",
            data.replace(b"chirp", b"c").replace(b"needs", b"n\\u0065eds"),
        ),
        ("a member too many", canonical(verdict_entry(jws, subject="sub_a"))),
        ("a member too few", canonical({k: v for k, v in good.items() if k != "region"})),
        ("another version", canonical(verdict_entry(jws, v=2))),
        ("an unknown kind", canonical(verdict_entry(jws, kind="hint"))),
        ("an unknown verdict", canonical(verdict_entry(jws, verdict="maybe"))),
        ("a private reason", canonical(verdict_entry(jws, reasons=["subject_present"]))),
        ("a day that is none", canonical(verdict_entry(jws, day="2026-02-30"))),
        ("a day in another form", canonical(verdict_entry(jws, day="20261122"))),
        ("a short commitment", canonical(verdict_entry(jws, region=b64url(bytes(31))))),
        ("a commitment with stray bits", canonical(verdict_entry(jws, region="A" * 42 + "B"))),
        ("a fraction", data.replace(b'"v":1', b'"v":1.0')),
        ("null", data.replace(b'"v":1', b'"v":null')),
        ("a line break after it", data + b"\n"),
        ("not JSON", b"\xff\xfe"),
    ]
    return [
        {
            "id": f"entry: {name}",
            "input": {"entry": b64(canonical(members)), "salt": b64(SALT), "values": values},
            "result": "valid",
            "error": None,
            "output": {
                "leaf_hash": b64(leaf(canonical(members))),
                "commitments": {each: commit(each, value) for each, value in values.items()},
            },
        }
        for name, members, values in valid
    ] + [
        {"id": f"entry: {name}", "input": {"entry": b64(each)}, "result": "invalid",
         "error": "ProofInvalid"}
        for name, each in invalid
    ]  # fmt: skip


def proofs() -> list[dict[str, object]]:
    jws = receipt(CLAIMS)
    entry = canonical(verdict_entry(jws))
    leaves = [leaf(b"entry %d" % n) for n in range(SIZE)]

    def logged(data: bytes, index: int = INDEX, size: int = SIZE) -> tuple[list[bytes], bytes]:
        hashes = [*leaves[:index], leaf(data), *leaves[index + 1 : size]]
        return path(index, hashes), tree(hashes)

    hashes, root = logged(entry)
    good = proof(entry, hashes, head(root))
    refused = canonical(verdict_entry(jws, verdict="refuse"))
    stranger = canonical(verdict_entry(receipt(CLAIMS, OTHER)))
    elsewhere, elsewhere_root = logged(entry, 12)
    other_origin = "log.example/two"
    no_log = receipt({k: v for k, v in CLAIMS.items() if k != "log"})
    unsigned = (
        head(root).split("\n\u2014 log.example")[0] + "\n\u2014 " + head(root).split("\n\u2014 ")[2]
    )
    uncosigned = head(root).rsplit("\u2014 witness", 1)[0]

    def case(name: str, jws: str, text: str, policy: str = POLICY) -> dict[str, object]:
        return {
            "id": f"proof: {name}",
            "input": {"receipt": jws, "proof": text, "policy": policy, "jwks": JWKS},
            "result": "invalid",
            "error": "ProofInvalid",
        }

    return [
        case("a proved receipt", jws, good)
        | {
            "result": "valid",
            "error": None,
            "output": {"origin": ORIGIN, "index": INDEX, "size": SIZE, "verdict": "needs_consent"},
        },
        case("a receipt that names no log", no_log, good),
        case("another index than the receipt's", jws, proof(entry, elsewhere, head(elsewhere_root), 12)),
        case("a head of another origin", jws, proof(entry, hashes, head(root, origin=other_origin))),
        case("an entry that says otherwise", jws, proof(refused, logged(refused)[0], head(logged(refused)[1]))),
        case("an entry of another receipt", jws, proof(stranger, logged(stranger)[0], head(logged(stranger)[1]))),
        case("an entry that is not in the tree", jws, proof(entry, hashes, head(tree(leaves)))),
        case("a hash too few", jws, proof(entry, hashes[:-1], head(root))),
        case("a hash too many", jws, proof(entry, [*hashes, bytes(32)], head(root))),
        case("hashes in another order", jws, proof(entry, hashes[::-1], head(root))),
        case("a head of another size", jws, proof(entry, hashes, head(root, size=SIZE + 1))),
        case("a head that somebody else signed", jws, proof(entry, hashes, head(root, key=OTHER))),
        case("a head that the log did not sign", jws, proof(entry, hashes, unsigned)),
        case("a head without its quorum", jws, proof(entry, hashes, uncosigned)),
        case("a log that the policy does not know", jws, good, "quorum none\n"),
        case("a proof without its entry", jws, good.replace(f"extra {b64(entry)}\n", "")),
        case("an unknown version of proofs", jws, good.replace("@v1", "@v2")),
        case("nothing", jws, ""),
    ]  # fmt: skip


def roots() -> list[dict[str, object]]:
    sizes = (1, 2, 3, 255, 256, 257, 65_535, 65_536, 65_537)
    leaves = [leaf(b"entry %d" % n) for n in range(max(sizes))]
    return [
        {"id": f"root: {size}", "input": {"size": size}, "result": "valid", "error": None,
         "output": {"root": b64(tree(leaves[:size]))}}
        for size in sizes
    ]  # fmt: skip


def main() -> None:
    document = {
        "comment": "docs/specs/log-entry.md, docs/specs/log.md; roots are of entries b'entry 0', b'entry 1', ...",
        "source": "tests/vectors/make_log_v1.py",
        "tests": [*entries(), *proofs(), *roots()],
    }
    TARGET.write_text(json.dumps(document, indent=1, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main()
