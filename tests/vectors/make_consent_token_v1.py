"""Write ``consent_token_v1.json``: valid tokens, every way of spoiling one, and the digests in them.

Run ``python tests/vectors/make_consent_token_v1.py`` after a change of the format; never edit the
file. Everything is put together here by hand with `cryptography` and `hmac` alone, so that the
vectors do not inherit a mistake of the code that they test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TARGET = Path(__file__).with_name("consent_token_v1.json")
KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"consent token vectors").digest())
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"somebody else").digest())
ISSUER = "https://consentry.example"
SALT = hashlib.sha256(b"the salt of these vectors").digest()
IMAGE = b"the bytes of a picture"
PROMPT = "make it  a\twatercolour\n"
CONTEXT = ("a first turn", "Cafe\u0301 au lait")


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def kid(key: Ed25519PrivateKey) -> str:
    """The thumbprint of RFC 7638 for RFC 8037 keys."""
    members = json.dumps(
        {"crv": "Ed25519", "kty": "OKP", "x": b64(public(key))}, separators=(",", ":")
    )
    return b64(hashlib.sha256(members.encode()).digest())


def image_digest(salt: bytes, image: bytes) -> bytes:
    message = b"consentry consent v1 image\x00" + hashlib.sha256(image).digest()
    return hmac.digest(salt, message, "sha256")


def words_digest(salt: bytes, prompt: str | None, context: Sequence[str]) -> bytes:
    turns = [
        None if turn is None else " ".join(unicodedata.normalize("NFC", turn).split())
        for turn in (prompt, *context)
    ]
    data = json.dumps(turns, separators=(",", ":"), ensure_ascii=False).encode()
    return hmac.digest(
        salt, b"consentry consent v1 words\x00" + hashlib.sha256(data).digest(), "sha256"
    )


def header(**changes: object) -> dict[str, object]:
    return {"alg": "EdDSA", "kid": kid(KEY), "typ": "consentry-consent+jwt"} | changes


def claims(**changes: object) -> dict[str, object]:
    return {
        "iss": ISSUER,
        "jti": "ctk_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "aud": "studio.example",
        "iat": 1_795_262_400,
        "exp": 1_795_262_700,
        "purpose": "edit",
        "region": "SE",
        "prompt": b64(words_digest(SALT, PROMPT, CONTEXT)),
        "images": [b64(image_digest(SALT, IMAGE))],
    } | changes


def without(members: Mapping[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in members.items() if key != name}


def signed(head: Mapping[str, object], body: object, key: Ed25519PrivateKey = KEY) -> str:
    parts = [b64(json.dumps(part, separators=(",", ":")).encode()) for part in (head, body)]
    signing_input = ".".join(parts)
    return f"{signing_input}.{b64(key.sign(signing_input.encode()))}"


def valid() -> dict[str, dict[str, object]]:
    return {
        "one-request": claims(),
        "session": claims(
            prompt=None, exp=1_797_854_400, images=[b64(bytes([n]) * 32) for n in range(3)]
        ),
        "no-region": claims(region=None),
        "no-picture": claims(images=[]),
    }


def spoiled() -> dict[str, str]:
    good = signed(header(), claims())
    head, body, signature = good.split(".")
    flipped = bytearray(base64.urlsafe_b64decode(signature + "=="))
    flipped[0] ^= 1
    hs256 = ".".join(
        b64(json.dumps(part, separators=(",", ":")).encode())
        for part in (header(alg="HS256"), claims())
    )
    mac = hmac.digest(public(KEY), hs256.encode(), "sha256")
    found = {
        "flipped-signature": f"{head}.{body}.{b64(bytes(flipped))}",
        "no-signature": f"{head}.{body}.",
        "another-key": signed(header(), claims(), OTHER_KEY),
        "another-keys-kid": signed(header(kid=kid(OTHER_KEY)), claims(), OTHER_KEY),
        "claims-of-another": f"{head}.{signed(header(), claims(aud='x')).split('.')[1]}.{signature}",
        "alg-none": f"{b64(json.dumps(header(alg='none')).encode())}.{body}.",
        "alg-hs256-with-the-public-key": f"{hs256}.{b64(mac)}",
        "alg-ed25519": signed(header(alg="Ed25519"), claims()),
        "a-receipt": signed(header(typ="consentry-receipt+jwt"), claims()),
        "type-in-capitals": signed(header(typ="CONSENTRY-CONSENT+JWT"), claims()),
        "no-type": signed(without(header(), "typ"), claims()),
        "no-kid": signed(without(header(), "kid"), claims()),
        "embedded-key": signed(
            header(jwk={"kty": "OKP", "crv": "Ed25519", "x": b64(public(KEY))}), claims()
        ),
        "critical-extension": signed(header(crit=["b64"], b64=False), claims()),
        "another-issuer": signed(header(), claims(iss="https://other.example")),
        "a-claim-too-many": signed(header(), claims(sub="sub_x")),
        "unknown-purpose": signed(header(), claims(purpose="anything")),
        "intimate-as-a-list": signed(header(), claims(purpose=["intimate"])),
        "expiry-as-text": signed(header(), claims(exp="1795262700")),
        "expiry-as-fraction": signed(header(), claims(exp=1_795_262_700.5)),
        "expiry-as-truth": signed(header(), claims(exp=True)),
        "expiry-beyond-all-calendars": signed(header(), claims(exp=10**18)),
        "images-as-text": signed(header(), claims(images="x")),
        "images-of-numbers": signed(header(), claims(images=[1])),
        "image-not-base64url": signed(header(), claims(images=["+/=="])),
        "prompt-as-number": signed(header(), claims(prompt=1)),
        "region-as-number": signed(header(), claims(region=1)),
        "claims-as-a-list": signed(header(), [claims()]),
        "two-parts": f"{head}.{body}",
        "four-parts": f"{good}.{signature}",
        "padded": f"{head}.{body}.{signature}==",
        "line-break": f"{good}\n",
        "empty": "",
        "not-base64": "a.b!.c",
        "json-serialisation": json.dumps(
            {"payload": body, "protected": head, "signature": signature}
        ),
        "too-long": signed(header(), claims(images=[b64(bytes(32))] * 800)),
    }
    return found | {
        f"without-{name}": signed(header(), without(claims(), name)) for name in claims()
    }


def digests() -> list[dict[str, object]]:
    cases: list[tuple[str, str | None, tuple[str, ...]]] = [
        ("no-words", None, ()),
        ("empty-words", "", ()),
        ("one-turn", "make it a watercolour", ()),
        ("white-space", PROMPT, ()),
        ("composed", "Caf\u00e9", ()),
        ("decomposed", "Cafe\u0301", ()),
        ("context-before-prompt", PROMPT, CONTEXT),
        ("turn-moved-to-the-context", None, (PROMPT, *CONTEXT)),
        ("another-order", PROMPT, CONTEXT[::-1]),
        ("not-escaped", '"\\\u2028\U0001f984', ()),
        ("capitals-count", "Make it a watercolour", ()),
    ]
    words = [
        {
            "id": name,
            "prompt": prompt,
            "context": list(context),
            "output": b64(words_digest(SALT, prompt, context)),
        }
        for name, prompt, context in cases
    ]
    images = [
        {"id": name, "image": b64(image), "output": b64(image_digest(SALT, image))}
        for name, image in (
            ("empty-file", b""),
            ("some-bytes", IMAGE),
            ("all-bytes", bytes(range(256))),
        )
    ]
    return [*words, *images]


def text() -> str:
    """Return the whole file."""
    tests = [
        {"id": name, "input": {"jws": signed(header(), body)}, "result": "valid", "output": body}
        for name, body in valid().items()
    ] + [
        {"id": name, "input": {"jws": jws}, "result": "invalid", "error": "no token"}
        for name, jws in spoiled().items()
    ]
    document = {
        "comment": "docs/specs/consent-token.md. Whatever is invalid is treated as no token.",
        "source": "tests/vectors/make_consent_token_v1.py",
        "issuer": ISSUER,
        "key": {"kty": "OKP", "crv": "Ed25519", "x": b64(public(KEY)), "kid": kid(KEY)},
        "private_key": b64(hashlib.sha256(b"consent token vectors").digest()),
        "salt": b64(SALT),
        "digests": digests(),
        "tests": tests,
    }
    return json.dumps(document, indent=1, sort_keys=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
