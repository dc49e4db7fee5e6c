"""Pairing an extension: the code keys everything and is never sent (docs/specs/pairing.md)."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest
from consentry.accounts.pairing import (
    CODE_BYTES,
    CODE_LIFETIME_S,
    MAX_HELLOS,
    MAX_TRIES,
    PairingDesk,
    Parties,
    derive_keys,
    format_code,
    identity_message,
    pairing_message,
    parse_code,
)
from consentry.accounts.principals import EXTENSION_SCOPES
from consentry.accounts.tokens import Tokens
from consentry.kernel.errors import BadRequest, Conflict, Forbidden, TooManyRequests
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fakes.manual_clock import ManualClock
from fakes.token_store import MemoryTokenStore
from hypothesis import given
from hypothesis import strategies as st

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "pairing_v1.json").read_text("utf-8"))
HERE = Parties(
    server_origin="http://127.0.0.1:8484",
    client_origin="chrome-extension://abcdefghijklmnopabcdefghijklmnop",
)
NONCE = bytes(range(32))


def data(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Extension:
    """The other side, as docs/specs/pairing.md tells it to be written."""

    def __init__(self, desk: PairingDesk, typed: str, *, sees: Parties = HERE) -> None:
        self.desk = desk
        self.hello = desk.hello(NONCE)
        self.keys = derive_keys(
            parse_code(typed),
            client_nonce=NONCE,
            server_nonce=self.hello.server_nonce,
            companion_key=self.hello.companion_key,
            parties=sees,
        )

    def confirm(self, *, really: Parties = HERE, name: str = "Firefox") -> str:
        paired = self.desk.confirm(
            self.hello.server_nonce, self.keys.client_mac(), parties=really, name=name
        )
        assert paired.server_mac == self.keys.server_mac()
        Ed25519PublicKey.from_public_bytes(self.hello.companion_key).verify(
            paired.signature, pairing_message(self.keys.transcript)
        )
        nonce, sealed = paired.sealed_token[:12], paired.sealed_token[12:]
        return AESGCM(self.keys.seal).decrypt(nonce, sealed, self.keys.transcript).decode()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def tokens(clock):
    return Tokens(MemoryTokenStore(), clock)


@pytest.fixture
def desk(tokens, clock):
    return PairingDesk(Ed25519PrivateKey.generate(), tokens, clock)


def test_the_right_code_gives_both_sides_proof_and_a_token_of_limited_scopes(desk, tokens):
    secret = Extension(desk, desk.begin().text).confirm()
    principal = tokens.authenticate(secret)
    assert (principal.scopes, principal.name) == (EXTENSION_SCOPES, "Firefox")
    assert not principal.is_owner


def test_a_code_pairs_once(desk):
    code = desk.begin().text
    Extension(desk, code).confirm()
    with pytest.raises(Conflict):
        desk.hello(NONCE)


def test_three_wrong_codes_void_the_right_one_too(desk):
    code = desk.begin().text
    right = Extension(desk, code)
    wrong = format_code(bytes(CODE_BYTES))
    for left in range(MAX_TRIES - 1, 0, -1):
        with pytest.raises(Forbidden, match=f"Tries left: {left}"):
            Extension(desk, wrong).confirm()
        assert desk.tries().remaining == left
    with pytest.raises(Forbidden, match="void"):
        Extension(desk, wrong).confirm()
    with pytest.raises(Conflict):
        right.confirm()


def test_a_made_up_exchange_costs_a_try(desk):
    desk.begin()
    for _ in range(MAX_TRIES):
        with pytest.raises(Forbidden):
            desk.confirm(bytes(32), bytes(32), parties=HERE, name="x")
    with pytest.raises(Conflict):
        desk.hello(NONCE)


def test_an_exchange_is_good_for_one_try(desk):
    code = desk.begin().text
    extension = Extension(desk, code)
    with pytest.raises(Forbidden):
        desk.confirm(extension.hello.server_nonce, bytes(32), parties=HERE, name="x")
    with pytest.raises(Forbidden):
        extension.confirm()


def test_a_code_lives_two_minutes_to_the_second(desk, clock):
    code = desk.begin().text
    extension = Extension(desk, code)
    clock.advance(CODE_LIFETIME_S - 1)
    desk.hello(NONCE)
    clock.advance(1)
    with pytest.raises(Conflict):
        extension.confirm()


def test_a_new_code_voids_the_one_before_and_cancelling_voids_it(desk):
    old = Extension(desk, desk.begin().text)
    desk.begin()
    with pytest.raises(Forbidden):
        old.confirm()
    desk.cancel()
    with pytest.raises(Conflict):
        desk.hello(NONCE)


def test_without_a_code_nobody_is_answered(desk):
    with pytest.raises(Conflict):
        desk.hello(NONCE)
    with pytest.raises(Conflict):
        desk.confirm(bytes(32), bytes(32), parties=HERE, name="x")


def test_a_relay_at_another_port_cannot_pass_the_proof_on(desk):
    # The extension was led to port 9999; what listens there passes everything on to the companion.
    there = Parties(server_origin="http://127.0.0.1:9999", client_origin=HERE.client_origin)
    with pytest.raises(Forbidden):
        Extension(desk, desk.begin().text, sees=there).confirm(really=HERE)


def test_another_extension_cannot_use_the_proof(desk):
    other = Parties(server_origin=HERE.server_origin, client_origin="moz-extension://other")
    with pytest.raises(Forbidden):
        Extension(desk, desk.begin().text).confirm(really=other)


def test_hellos_are_bounded(desk):
    desk.begin()
    for _ in range(MAX_HELLOS):
        desk.hello(NONCE)
    with pytest.raises(TooManyRequests):
        desk.hello(NONCE)


def test_a_name_that_is_none_uses_up_no_try(desk):
    extension = Extension(desk, desk.begin().text)
    with pytest.raises(BadRequest):
        extension.confirm(name="\n")
    assert extension.confirm()


@pytest.mark.parametrize("size", [0, 31, 33])
def test_nonces_have_32_bytes(desk, size):
    desk.begin()
    with pytest.raises(BadRequest):
        desk.hello(bytes(size))
    with pytest.raises(BadRequest):
        desk.challenge(bytes(size), server_origin=HERE.server_origin)


def test_the_pinned_key_signs_for_the_place_it_was_reached_at(desk):
    signature = desk.challenge(NONCE, server_origin=HERE.server_origin)
    key = Ed25519PublicKey.from_public_bytes(desk.companion_key)
    key.verify(signature, identity_message(NONCE, server_origin=HERE.server_origin))
    with pytest.raises(InvalidSignature):
        key.verify(signature, identity_message(NONCE, server_origin="http://127.0.0.1:9999"))


def test_a_challenge_never_signs_what_pairing_signs():
    transcript = hashlib.sha256(b"any").digest()
    assert identity_message(transcript, server_origin="") != pairing_message(transcript)


def test_neither_code_nor_keys_show_themselves(desk):
    code = desk.begin()
    extension = Extension(desk, code.text)
    shown = repr((code, extension.keys, desk._pending, desk))
    for secret in (code.text, repr(extension.keys.seal), repr(parse_code(code.text))):
        assert secret not in shown


@given(st.binary(min_size=CODE_BYTES, max_size=CODE_BYTES))
def test_a_code_reads_back_as_it_was_written(code):
    text = format_code(code)
    assert parse_code(text) == parse_code(text.lower().replace("-", "")) == code
    assert len(text) == 19


@pytest.mark.parametrize("vector", VECTORS["codes"], ids=lambda v: v["text"] or "empty")
def test_code_vectors(vector):
    if vector["result"] == "valid":
        assert parse_code(vector["text"]) == data(vector["code"])
    else:
        with pytest.raises(BadRequest):
            parse_code(vector["text"])


@pytest.mark.parametrize("vector", VECTORS["tests"], ids=lambda v: v["id"])
def test_exchange_vectors(vector):
    given_ = VECTORS["given"]
    keys = derive_keys(
        parse_code(given_["code_text"]),
        client_nonce=data(given_["client_nonce"]),
        server_nonce=data(given_["server_nonce"]),
        companion_key=data(given_["companion_key"]),
        parties=Parties(
            server_origin=given_["server_origin"], client_origin=given_["client_origin"]
        ),
    )
    is_valid = vector["result"] == "valid"
    assert (keys.client_mac() == data(vector["client_mac"])) is is_valid
    assert (keys.server_mac() == data(vector["server_mac"])) is is_valid
    if is_valid:
        sealed = data(vector["sealed_token"])
        token = AESGCM(keys.seal).decrypt(sealed[:12], sealed[12:], keys.transcript)
        assert token.decode() == given_["token"]


@pytest.mark.parametrize("vector", VECTORS["identity"], ids=lambda v: v["id"])
def test_identity_vectors(vector):
    key = Ed25519PublicKey.from_public_bytes(data(VECTORS["given"]["companion_key"]))
    message = identity_message(data(vector["nonce"]), server_origin=vector["server_origin"])
    if vector["result"] == "valid":
        key.verify(data(vector["signature"]), message)
    else:
        with pytest.raises(InvalidSignature):
            key.verify(data(vector["signature"]), message)
