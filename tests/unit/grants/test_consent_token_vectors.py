"""The vectors of the consent token, and an independent verification of them."""

from __future__ import annotations

import base64
import hashlib
import json
import runpy
from pathlib import Path

import pytest
from consentry.grants.format import TokenSigner, picture_digest, words_digest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FOLDER = Path(__file__).parents[2] / "vectors"
VECTORS = json.loads((FOLDER / "consent_token_v1.json").read_text(encoding="utf-8"))


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


SIGNER = TokenSigner(
    private_key=Ed25519PrivateKey.from_private_bytes(unb64(VECTORS["private_key"])),
    issuer=VECTORS["issuer"],
)
SALT = unb64(VECTORS["salt"])


def test_the_file_is_what_its_generator_writes():
    generator = runpy.run_path(str(FOLDER / "make_consent_token_v1.py"))
    assert (FOLDER / "consent_token_v1.json").read_text(encoding="utf-8") == generator["text"]()


@pytest.mark.parametrize("case", VECTORS["tests"], ids=lambda case: case["id"])
def test_each_vector_gives_its_result(case):
    found = SIGNER.verify(case["input"]["jws"])
    if case["result"] == "invalid":
        assert found is None
        return
    expected = case["output"]
    assert found is not None
    assert (found.token, found.platform) == (expected["jti"], expected["aud"])
    assert (found.purpose.value, found.region) == (expected["purpose"], expected["region"])
    assert found.words == (None if expected["prompt"] is None else unb64(expected["prompt"]))
    assert found.images == tuple(unb64(each) for each in expected["images"])
    assert found.issued_at.timestamp() == expected["iat"]
    assert found.valid_until.timestamp() == expected["exp"]


@pytest.mark.parametrize("case", VECTORS["tests"], ids=lambda case: case["id"])
def test_the_program_signs_exactly_what_is_valid(case):
    if case["result"] == "valid":
        found = SIGNER.verify(case["input"]["jws"])
        assert found is not None
        again = SIGNER.sign(found)
        assert unb64(again.split(".")[1]) == unb64(case["input"]["jws"].split(".")[1])


@pytest.mark.parametrize("case", VECTORS["digests"], ids=lambda case: case["id"])
def test_digests_are_those_of_the_specification(case):
    if "image" in case:
        digest = picture_digest(SALT, hashlib.sha256(unb64(case["image"])).digest())
    else:
        digest = words_digest(SALT, case["prompt"], case["context"])
    assert digest == unb64(case["output"])


def test_composition_and_white_space_play_no_part_and_order_and_capitals_do():
    found = {case["id"]: case["output"] for case in VECTORS["digests"]}
    assert found["composed"] == found["decomposed"]
    assert found["white-space"] == found["one-turn"]
    words = {name: digest for name, digest in found.items() if name not in {"composed", "one-turn"}}
    assert len(set(words.values())) == len(words)


def test_a_valid_signature_holds_for_another_implementation():
    key = Ed25519PublicKey.from_public_bytes(unb64(VECTORS["key"]["x"]))
    for case in VECTORS["tests"]:
        if case["result"] == "valid":
            signing_input, _, signature = case["input"]["jws"].rpartition(".")
            key.verify(unb64(signature), signing_input.encode())
