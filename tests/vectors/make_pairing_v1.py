"""Write ``pairing_v1.json``: one pairing, step by step, and every way of spoiling it.

Run ``python tests/vectors/make_pairing_v1.py`` after a change of the format; never edit the file.
Everything is put together here by hand with `hmac` and `hashlib` (HKDF included), so that the
vectors do not inherit a mistake of the code that they test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TARGET = Path(__file__).with_name("pairing_v1.json")
KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"pairing vectors").digest())
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"somebody else").digest())
PUBLIC = KEY.public_key().public_bytes_raw()
OTHER_PUBLIC = OTHER_KEY.public_key().public_bytes_raw()

CODE_TEXT = "7K3M-Q2XA-9FHT-C4WD"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CLIENT_NONCE = hashlib.sha256(b"client nonce").digest()
SERVER_NONCE = hashlib.sha256(b"server nonce").digest()
SERVER_ORIGIN = "http://127.0.0.1:8484"
CLIENT_ORIGIN = "chrome-extension://abcdefghijklmnopabcdefghijklmnop"
TOKEN = "cst_" + "a2" * 26
SEAL_NONCE = hashlib.sha256(b"seal nonce").digest()[:12]
CHALLENGE = hashlib.sha256(b"challenge").digest()


def text(data: bytes) -> str:
    """Encode as everywhere in these vectors: base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def bytes_of(code: str) -> bytes:
    """Read a code: five bits a character, most significant first."""
    bits = "".join(f"{ALPHABET.index(char):05b}" for char in code.replace("-", ""))
    return int(bits, 2).to_bytes(10, "big")


def hkdf(secret: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 with SHA-256."""
    key = hmac.digest(salt, secret, "sha256")
    block, out = b"", b""
    for number in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes([number]), "sha256")
        out += block
    return out[:length]


def exchange(**changed: bytes | str) -> dict[str, str]:
    """Work out one exchange, as one side sees it."""
    seen = {
        "code": bytes_of(CODE_TEXT),
        "client_nonce": CLIENT_NONCE,
        "server_nonce": SERVER_NONCE,
        "companion_key": PUBLIC,
        "server_origin": SERVER_ORIGIN,
        "client_origin": CLIENT_ORIGIN,
    } | changed
    label = b"consentry/pairing/v1"
    parts = [label] + [
        part.encode() if isinstance(part, str) else part
        for name, part in seen.items()
        if name != "code"
    ]
    transcript = hashlib.sha256(
        b"".join(len(part).to_bytes(2, "big") + part for part in parts)
    ).digest()
    keys = hkdf(seen["code"], salt=transcript, info=label, length=96)
    client, server, seal = keys[:32], keys[32:64], keys[64:]
    return {
        "transcript": text(transcript),
        "client_mac": text(hmac.digest(client, b"client" + transcript, "sha256")),
        "server_mac": text(hmac.digest(server, b"server" + transcript, "sha256")),
        "signature": text(KEY.sign(label + transcript)),
        "sealed_token": text(
            SEAL_NONCE + AESGCM(seal).encrypt(SEAL_NONCE, TOKEN.encode(), transcript)
        ),
    }


def case(name: str, comment: str, **changed: bytes | str) -> dict[str, str]:
    """Return what somebody who sees one thing differently would send: it must not hold."""
    return {"id": name, "comment": comment, "result": "invalid", **exchange(**changed)}


def main() -> None:
    """Write the file."""
    identity = b"consentry/identity/v1" + CHALLENGE + SERVER_ORIGIN.encode()
    vectors = {
        "comment": "docs/specs/pairing.md. Binary values in base64url without padding.",
        "source": "tests/vectors/make_pairing_v1.py",
        "codes": [
            {"text": CODE_TEXT, "code": text(bytes_of(CODE_TEXT)), "result": "valid"},
            {"text": "7k3mq2xa 9fhtc4wd", "code": text(bytes_of(CODE_TEXT)), "result": "valid"},
            {
                "text": "OOOO-IIII-LLLL-0000",
                "code": text(bytes_of("0000-1111-1111-0000")),
                "result": "valid",
            },
            {"text": "ZZZZ-ZZZZ-ZZZZ-ZZZZ", "code": text(b"\xff" * 10), "result": "valid"},
            {"text": "7K3M-Q2XA-9FHT-C4W", "result": "invalid"},
            {"text": "7K3M-Q2XA-9FHT-C4WDD", "result": "invalid"},
            {"text": "7K3M-Q2XA-9FHT-C4WU", "result": "invalid"},
            {"text": "", "result": "invalid"},
        ],
        "given": {
            "code_text": CODE_TEXT,
            "client_nonce": text(CLIENT_NONCE),
            "server_nonce": text(SERVER_NONCE),
            "companion_key": text(PUBLIC),
            "server_origin": SERVER_ORIGIN,
            "client_origin": CLIENT_ORIGIN,
            "token": TOKEN,
        },
        "tests": [
            {"id": "as-it-should-be", "comment": "", "result": "valid", **exchange()},
            case(
                "another-code",
                "one bit",
                code=bytes([bytes_of(CODE_TEXT)[0] ^ 1]) + bytes_of(CODE_TEXT)[1:],
            ),
            case("another-client-nonce", "replayed", client_nonce=hashlib.sha256(b"x").digest()),
            case("another-server-nonce", "replayed", server_nonce=hashlib.sha256(b"x").digest()),
            case(
                "swapped-nonces", "reflected", client_nonce=SERVER_NONCE, server_nonce=CLIENT_NONCE
            ),
            case("another-key", "a companion that is not the one", companion_key=OTHER_PUBLIC),
            case("relay-at-another-port", "squatted", server_origin="http://127.0.0.1:9999"),
            case("another-extension", "", client_origin="chrome-extension://" + "p" * 32),
            case(
                "moved-border",
                "text moved between fields",
                server_origin=SERVER_ORIGIN + CLIENT_ORIGIN[:1],
                client_origin=CLIENT_ORIGIN[1:],
            ),
        ],
        "identity": [
            {
                "id": "as-it-should-be",
                "result": "valid",
                "nonce": text(CHALLENGE),
                "server_origin": SERVER_ORIGIN,
                "signature": text(KEY.sign(identity)),
            },
            {
                "id": "passed-on-by-another-port",
                "result": "invalid",
                "nonce": text(CHALLENGE),
                "server_origin": "http://127.0.0.1:9999",
                "signature": text(KEY.sign(identity)),
            },
            {
                "id": "another-nonce",
                "result": "invalid",
                "nonce": text(CLIENT_NONCE),
                "server_origin": SERVER_ORIGIN,
                "signature": text(KEY.sign(identity)),
            },
            {
                "id": "another-key",
                "result": "invalid",
                "nonce": text(CHALLENGE),
                "server_origin": SERVER_ORIGIN,
                "signature": text(OTHER_KEY.sign(identity)),
            },
        ],
    }
    TARGET.write_text(json.dumps(vectors, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
