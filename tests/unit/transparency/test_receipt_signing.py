"""Receipts: what they hold, what they never hold, and what they prove."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import os
from datetime import UTC, datetime

import pytest
from consentry.kernel.errors import ReceiptInvalid
from consentry.kernel.ids import CheckId
from consentry.kernel.taxonomy import Mode, Obligation, PublicReason, Purpose, Verdict
from consentry.transparency.jwks import parse_jwks, thumbprint, to_jwks
from consentry.transparency.receipts import (
    ReceiptInputs,
    ReceiptSigner,
    ReceiptStatement,
    verify_commitment,
    verify_receipt,
)
from consentry.transparency.signing_key import new_signing_key
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 21, 12, 0, 0, 999_999, tzinfo=UTC)
KEY = new_signing_key()
OTHER_KEY = new_signing_key()


class StoppedClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


STATEMENT = ReceiptStatement(
    check=CheckId("chk_x"),
    mode=Mode.ACT,
    verdict=Verdict.ALLOW,
    reasons=(),
    obligations=(Obligation.CHECK_OUTPUT,),
    policy_version="consentry-policy@1",
    engines={"faces": "f@1"},
)
INPUTS = ReceiptInputs(
    images=(b"one", b"two"),
    prompt="make the sky blue",
    context=("earlier",),
    purpose=Purpose.EDIT,
    region="SE",
    platform="social.example",
)


def signer(key=KEY):
    return ReceiptSigner(private_key=key, issuer="urn:x", clock=StoppedClock())


def payload_of(jws: str) -> str:
    part = jws.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()


def test_a_receipt_verifies_and_says_what_was_stated():
    receipt = signer().sign(STATEMENT, INPUTS)

    claims = verify_receipt(receipt.jws, signer().jwks())

    assert claims.check == "chk_x"
    assert claims.issued_at == NOW.replace(microsecond=0)
    assert claims.verdict is Verdict.ALLOW
    assert claims.obligations == (Obligation.CHECK_OUTPUT,)
    assert claims.engines == {"faces": "f@1"}


def test_a_receipt_of_an_older_key_verifies_while_its_key_is_published():
    receipt = signer(OTHER_KEY).sign(STATEMENT, INPUTS)
    both = to_jwks([KEY.public_key(), OTHER_KEY.public_key()])

    assert verify_receipt(receipt.jws, both).issuer == "urn:x"
    with pytest.raises(ReceiptInvalid):
        verify_receipt(receipt.jws, signer(KEY).jwks())


def test_a_check_that_only_informs_is_never_signed():
    with pytest.raises(ValueError, match="informs"):
        signer().sign(dataclasses.replace(STATEMENT, mode=Mode.INFORM), INPUTS)


def test_neither_an_input_nor_its_digest_nor_a_salt_is_in_the_receipt():
    receipt = signer().sign(STATEMENT, INPUTS)
    claims = json.loads(payload_of(receipt.jws))
    secrets = [
        *INPUTS.images,
        b"make the sky blue",
        b"earlier",
        b"SE",
        b"social.example",
        *receipt.salts.images,
        receipt.salts.prompt,
        *receipt.salts.context,
        receipt.salts.circumstances,
    ]
    for secret in secrets:
        for form in (secret, hashlib.sha256(secret).digest()):
            assert form.hex() not in json.dumps(claims)
            assert base64.urlsafe_b64encode(form).decode().rstrip("=") not in json.dumps(claims)


def test_salts_and_inputs_do_not_show_in_a_repr():
    receipt = signer().sign(STATEMENT, INPUTS)

    assert repr(receipt.salts.prompt) not in repr(receipt)
    assert "sky" not in repr(INPUTS)


def test_two_receipts_of_one_input_share_no_commitment():
    one = json.loads(payload_of(signer().sign(STATEMENT, INPUTS).jws))
    two = json.loads(payload_of(signer().sign(STATEMENT, INPUTS).jws))

    assert not set(one["images"]) & set(two["images"])
    assert one["prompt"] != two["prompt"]
    assert one["circumstances"] != two["circumstances"]


def test_a_receipt_is_about_exactly_its_inputs():
    receipt = signer().sign(STATEMENT, INPUTS)
    claims = verify_receipt(receipt.jws, signer().jwks())

    verify_commitment(claims, receipt.salts, INPUTS)


@pytest.mark.parametrize(
    "change",
    [
        {"images": (b"two", b"one")},
        {"images": (b"one",)},
        {"images": (b"one", b"two", b"two")},
        {"images": (b"one", b"twp")},
        {"prompt": "make the sky  blue"},
        {"prompt": None},
        {"context": ()},
        {"context": ("Earlier",)},
        {"purpose": Purpose.TRAINING},
        {"region": None},
        {"platform": "SE"},
    ],
    ids=str,
)
def test_any_other_input_is_not_what_the_receipt_is_about(change):
    receipt = signer().sign(STATEMENT, INPUTS)
    claims = verify_receipt(receipt.jws, signer().jwks())

    with pytest.raises(ReceiptInvalid):
        verify_commitment(claims, receipt.salts, dataclasses.replace(INPUTS, **change))


def test_an_image_is_not_a_prompt_of_the_same_bytes():
    inputs = dataclasses.replace(INPUTS, images=(b"same",), prompt="same", context=())
    receipt = signer().sign(STATEMENT, inputs)
    claims = verify_receipt(receipt.jws, signer().jwks())
    swapped = dataclasses.replace(
        receipt.salts, images=(receipt.salts.prompt,), prompt=receipt.salts.images[0]
    )
    crossed = dataclasses.replace(claims, images=(claims.prompt,), prompt=claims.images[0])

    with pytest.raises(ReceiptInvalid):
        verify_commitment(crossed, swapped, inputs)


def test_a_prompt_in_decomposed_form_is_the_same_prompt():
    receipt = signer().sign(STATEMENT, dataclasses.replace(INPUTS, prompt="caf\u00e9"))
    claims = verify_receipt(receipt.jws, signer().jwks())

    verify_commitment(claims, receipt.salts, dataclasses.replace(INPUTS, prompt="cafe\u0301"))


def test_a_lone_surrogate_in_a_prompt_stops_nothing():
    inputs = dataclasses.replace(INPUTS, prompt="\ud800", platform="\ud800")
    receipt = signer().sign(STATEMENT, inputs)

    verify_commitment(verify_receipt(receipt.jws, signer().jwks()), receipt.salts, inputs)


def test_a_check_without_pictures_or_prompt_has_a_receipt_too():
    inputs = dataclasses.replace(INPUTS, images=(), prompt=None, context=())
    receipt = signer().sign(STATEMENT, inputs)

    verify_commitment(verify_receipt(receipt.jws, signer().jwks()), receipt.salts, inputs)


@given(st.integers(min_value=0), st.integers(1, 63))
def test_any_changed_letter_breaks_a_receipt(position, shift):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    jws = signer().sign(STATEMENT, INPUTS).jws
    index = position % len(jws)
    if jws[index] == ".":
        return
    other = alphabet[(alphabet.index(jws[index]) + shift) % 64]

    with pytest.raises(ReceiptInvalid):
        verify_receipt(jws[:index] + other + jws[index + 1 :], signer().jwks())


@given(st.text())
def test_any_text_at_all_is_refused_by_name(text):
    with pytest.raises(ReceiptInvalid):
        verify_receipt(text, signer().jwks())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys":1}', '{"keys":', b"\xff"])
def test_a_key_set_that_is_none_is_refused_by_name(text):
    with pytest.raises(ReceiptInvalid):
        parse_jwks(text)


def test_keys_of_other_kinds_are_left_out_and_names_are_recomputed():
    jwk = dict(signer().jwks()["keys"][0]) | {"kid": "a name that somebody chose"}
    keys = parse_jwks(json.dumps({"keys": [{"kty": "RSA"}, None, {"kty": "OKP"}, jwk]}))

    assert [key["kid"] for key in keys["keys"]] == [thumbprint(KEY.public_key())]


def test_the_thumbprint_is_that_of_rfc_8037():
    # The example of RFC 8037, appendix A.3.
    keys = parse_jwks(
        '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'
    )

    assert keys["keys"][0]["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_salts_come_from_the_random_source():
    calls = []

    def random(size: int) -> bytes:
        calls.append(size)
        return os.urandom(size)

    ReceiptSigner(private_key=KEY, issuer="x", clock=StoppedClock(), random=random).sign(
        STATEMENT, INPUTS
    )

    assert calls == [32] * 5


def test_every_public_reason_can_be_signed_and_read_back():
    statement = dataclasses.replace(
        STATEMENT, verdict=Verdict.REFUSE, reasons=tuple(PublicReason), obligations=()
    )
    receipt = signer().sign(statement, INPUTS)

    assert verify_receipt(receipt.jws, signer().jwks()).reasons == tuple(PublicReason)
