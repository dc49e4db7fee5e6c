"""Write ``receipt_v1.json``: one valid receipt and every way of spoiling it.

Run ``python tests/vectors/make_receipt_v1.py`` after a change of the format; never edit the file.
Everything but the valid receipt is put together here by hand with `cryptography` and `hmac` alone,
so that the vectors do not inherit a mistake of the code that they test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from consentry.kernel.ids import CheckId
from consentry.kernel.taxonomy import Mode, PublicReason, Purpose, Verdict
from consentry.transparency.receipts import (
    ReceiptInputs,
    ReceiptSigner,
    ReceiptStatement,
    SignedReceipt,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TARGET = Path(__file__).with_name("receipt_v1.json")
KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"receipt vectors").digest())
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"somebody else").digest())


@dataclass(frozen=True)
class FixedClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, 12, 0, 0, 500_000, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


class Counting:
    """Bytes that are different each time and the same in every run."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, size: int) -> bytes:
        self.calls += 1
        return hashlib.sha256(f"salt {self.calls}".encode()).digest()[:size]


INPUTS = ReceiptInputs(
    images=(b"the bytes of a first file", b"the bytes of a second file"),
    prompt="Café in the background",
    context=("make it brighter",),
    purpose=Purpose.EDIT,
    region="SE",
    platform=None,
)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed() -> SignedReceipt:
    signer = ReceiptSigner(
        private_key=KEY,
        issuer="https://consentry.example",
        clock=FixedClock(),
        random=Counting(),
    )
    return signer.sign(
        ReceiptStatement(
            check=CheckId("chk_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
            mode=Mode.ACT,
            verdict=Verdict.NEEDS_CONSENT,
            reasons=(PublicReason.CONSENT_REQUIRED,),
            obligations=(),
            policy_version="consentry-policy@1",
            engines={"intent": "english-rules@1", "faces": "mfn192+mfn512@1"},
        ),
        INPUTS,
    )


def assemble(
    header: Mapping[str, object],
    claims: Mapping[str, object] | bytes,
    key: Ed25519PrivateKey = KEY,
) -> str:
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    signing_input = b64(json.dumps(header).encode()) + "." + b64(payload)
    return signing_input + "." + b64(key.sign(signing_input.encode()))


def thumbprint(key: Ed25519PrivateKey) -> str:
    members = f'{{"crv":"Ed25519","kty":"OKP","x":"{b64(key.public_key().public_bytes_raw())}"}}'
    return b64(hashlib.sha256(members.encode()).digest())


def flipped(text: str, index: int) -> str:
    return text[:index] + ("A" if text[index] != "A" else "B") + text[index + 1 :]


def invalid(jws: str) -> dict[str, str]:
    header_part, payload_part, signature_part = jws.split(".")
    payload = base64.urlsafe_b64decode(payload_part + "=" * (-len(payload_part) % 4))
    claims = json.loads(payload)
    header = {"alg": "EdDSA", "kid": thumbprint(KEY), "typ": "consentry-receipt+jwt"}
    public_pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    hs_input = b64(json.dumps(header | {"alg": "HS256"}).encode()) + "." + payload_part
    none_input = b64(json.dumps(header | {"alg": "none"}).encode()) + "." + payload_part
    stray = base64.urlsafe_b64encode(b"\x00").decode()[:2]
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    respelled = signature_part[:-1] + last[last.index(signature_part[-1]) ^ 1]

    def without(name: str) -> dict[str, object]:
        return {key: value for key, value in claims.items() if key != name}

    return {
        "empty": "",
        "two-parts": header_part + "." + payload_part,
        "four-parts": jws + "." + stray,
        "padding": jws + "==",
        "stray-bits-in-the-last-letter": f"{header_part}.{payload_part}.{respelled}",
        "alg-none": none_input + ".",
        "alg-none-with-signature": none_input + "." + signature_part,
        "hs256-with-the-public-key-as-secret": hs_input
        + "."
        + b64(hmac.digest(public_pem, hs_input.encode(), "sha256")),
        "hs256-with-the-raw-public-key-as-secret": hs_input
        + "."
        + b64(hmac.digest(KEY.public_key().public_bytes_raw(), hs_input.encode(), "sha256")),
        "typ-jwt": assemble(header | {"typ": "JWT"}, claims),
        "typ-missing": assemble({"alg": "EdDSA", "kid": thumbprint(KEY)}, claims),
        "kid-of-nobody": assemble(header | {"kid": b64(bytes(32))}, claims),
        "kid-missing": assemble({"alg": "EdDSA", "typ": "consentry-receipt+jwt"}, claims),
        "kid-of-another-key": assemble(header | {"kid": thumbprint(OTHER_KEY)}, claims),
        "header-with-a-key-of-its-own": assemble(
            header | {"jwk": {"kty": "OKP", "crv": "Ed25519"}}, claims, OTHER_KEY
        ),
        "signed-with-another-key": assemble(header, claims, OTHER_KEY),
        "flipped-payload": ".".join([header_part, flipped(payload_part, 40), signature_part]),
        "flipped-signature": ".".join([header_part, payload_part, flipped(signature_part, 20)]),
        "flipped-header": ".".join([flipped(header_part, 20), payload_part, signature_part]),
        "extra-claim": assemble(header, claims | {"subject": "sub_a"}),
        "extra-header": assemble(header | {"crit": ["b64"], "b64": True}, claims),
        **{f"missing-{name}": assemble(header, without(name)) for name in claims},
        "doubled-claim": assemble(
            header, payload.replace(b'{"iss"', b'{"verdict":"allow","iss"', 1)
        ),
        "payload-not-an-object": assemble(header, b"[]"),
        "payload-not-utf8": assemble(header, payload.replace(b"https", b"\xff\xfe", 1)),
        "payload-in-utf16": assemble(header, payload.decode().encode("utf-16")),
        "time-as-float": assemble(header, claims | {"iat": 1.5}),
        "time-as-whole-float": assemble(header, claims | {"iat": 1795262400.0}),
        "time-as-text": assemble(header, claims | {"iat": "1795262400"}),
        "time-as-bool": assemble(header, claims | {"iat": True}),
        "time-negative": assemble(header, claims | {"iat": -1}),
        "time-beyond-the-calendar": assemble(header, claims | {"iat": 10**15}),
        "time-nan": assemble(header, payload.replace(b'"iat":', b'"iat":NaN,"x":', 1)),
        "mode-inform": assemble(header, claims | {"mode": "inform"}),
        "verdict-unknown": assemble(header, claims | {"verdict": "maybe"}),
        "verdict-null": assemble(header, claims | {"verdict": None}),
        "private-reason": assemble(header, claims | {"reasons": ["subject_present"]}),
        "reasons-as-text": assemble(header, claims | {"reasons": "minor"}),
        "engine-version-as-number": assemble(header, claims | {"engines": {"faces": 1}}),
        "issuer-empty": assemble(header, claims | {"iss": ""}),
        "commitment-too-short": assemble(header, claims | {"images": [b64(bytes(31))]}),
        "commitment-as-null": assemble(header, claims | {"images": [None]}),
        "prompt-empty": assemble(header, claims | {"prompt": ""}),
    }


def vectors() -> dict[str, object]:
    receipt = signed()
    public = b64(KEY.public_key().public_bytes_raw())
    return {
        "comment": "Consentry receipt, version 1: docs/specs/receipt.md. All bytes are base64url.",
        "source": "tests/vectors/make_receipt_v1.py; signatures checked with cryptography alone",
        "jwks": {
            "keys": [
                {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "x": public,
                    "kid": thumbprint(KEY),
                    "alg": "EdDSA",
                    "use": "sig",
                }
            ]
        },
        "receipt": {
            "jws": receipt.jws,
            "salts": {
                "images": [b64(salt) for salt in receipt.salts.images],
                "prompt": None if receipt.salts.prompt is None else b64(receipt.salts.prompt),
                "context": [b64(salt) for salt in receipt.salts.context],
                "circumstances": b64(receipt.salts.circumstances),
            },
            "inputs": {
                "images": [b64(image) for image in INPUTS.images],
                "prompt": INPUTS.prompt,
                "context": list(INPUTS.context),
                "purpose": INPUTS.purpose.value,
                "region": INPUTS.region,
                "platform": INPUTS.platform,
            },
        },
        "tests": [
            {"id": "valid", "jws": receipt.jws, "result": "valid"},
            *(
                {"id": name, "jws": jws, "result": "invalid", "error": "receipt-invalid"}
                for name, jws in invalid(receipt.jws).items()
            ),
        ],
    }


def text() -> str:
    return json.dumps(vectors(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
