"""The vectors that Python and TypeScript share, and an independent reading of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import runpy
import unicodedata
from pathlib import Path

import pytest
from consentry.kernel.errors import ReceiptInvalid
from consentry.kernel.taxonomy import Purpose
from consentry.transparency.jwks import parse_jwks
from consentry.transparency.receipts import (
    ReceiptInputs,
    ReceiptSalts,
    verify_commitment,
    verify_receipt,
)
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FOLDER = Path(__file__).parents[2] / "vectors"
VECTORS = json.loads((FOLDER / "receipt_v1.json").read_text(encoding="utf-8"))
JWKS = parse_jwks(json.dumps(VECTORS["jwks"]))


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_file_is_what_its_generator_writes():
    generator = runpy.run_path(str(FOLDER / "make_receipt_v1.py"))

    assert (FOLDER / "receipt_v1.json").read_text(encoding="utf-8") == generator["text"]()


@pytest.mark.parametrize("case", VECTORS["tests"], ids=lambda case: case["id"])
def test_each_vector_gives_its_result(case):
    if case["result"] == "valid":
        assert verify_receipt(case["jws"], JWKS).issuer == "https://consentry.example"
    else:
        with pytest.raises(ReceiptInvalid) as raised:
            verify_receipt(case["jws"], JWKS)
        assert raised.value.code == case["error"]


def test_the_signature_holds_for_another_implementation():
    signing_input, _, signature = VECTORS["receipt"]["jws"].rpartition(".")
    key = Ed25519PublicKey.from_public_bytes(unb64(VECTORS["jwks"]["keys"][0]["x"]))

    key.verify(unb64(signature), signing_input.encode())
    with pytest.raises(InvalidSignature):
        key.verify(unb64(signature), signing_input.encode() + b"x")


def test_the_commitments_are_what_the_specification_says():
    receipt = VECTORS["receipt"]
    claims = json.loads(unb64(receipt["jws"].split(".")[1]))
    salts, inputs = receipt["salts"], receipt["inputs"]

    def commitment(salt: str, label: str, data: bytes) -> str:
        message = label.encode() + b"\x00" + hashlib.sha256(data).digest()
        digest = hmac.new(unb64(salt), message, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    assert claims["images"] == [
        commitment(salt, "consentry receipt v1 image", unb64(image))
        for salt, image in zip(salts["images"], inputs["images"], strict=True)
    ]
    assert claims["prompt"] == commitment(
        salts["prompt"],
        "consentry receipt v1 prompt",
        unicodedata.normalize("NFC", inputs["prompt"]).encode(),
    )
    assert claims["context"] == [
        commitment(salts["context"][0], "consentry receipt v1 turn", b"make it brighter")
    ]
    assert claims["circumstances"] == commitment(
        salts["circumstances"],
        "consentry receipt v1 circumstances",
        b'{"platform":null,"purpose":"edit","region":"SE"}',
    )


def test_the_valid_receipt_is_about_its_inputs():
    salts, inputs = VECTORS["receipt"]["salts"], VECTORS["receipt"]["inputs"]

    verify_commitment(
        verify_receipt(VECTORS["receipt"]["jws"], JWKS),
        ReceiptSalts(
            images=tuple(unb64(salt) for salt in salts["images"]),
            prompt=unb64(salts["prompt"]),
            context=tuple(unb64(salt) for salt in salts["context"]),
            circumstances=unb64(salts["circumstances"]),
        ),
        ReceiptInputs(
            images=tuple(unb64(image) for image in inputs["images"]),
            prompt=inputs["prompt"],
            context=tuple(inputs["context"]),
            purpose=Purpose(inputs["purpose"]),
            region=inputs["region"],
            platform=inputs["platform"],
        ),
    )
