"""Passphrases and their key derivation."""

from __future__ import annotations

import copy
import pickle

import pytest
from consentry.kernel.errors import BadRequest, WeakPassphrase
from consentry.vault.passphrase import MAX_CHARACTERS, MIN_CHARACTERS, Passphrase
from consentry.vault.rootkey import Argon2Cost, KdfParameters, PassphraseSource
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id


def test_two_ways_to_type_an_accent_are_one_passphrase():
    assert Passphrase("café à la crème").to_bytes() == Passphrase("café à la crème").to_bytes()
    assert Passphrase("ﬁne wide").to_bytes() == b"fine wide"


def test_case_and_spaces_count():
    assert Passphrase("Plum Ladder").to_bytes() != Passphrase("plum ladder").to_bytes()
    assert Passphrase(" plum ladder").to_bytes() != Passphrase("plum ladder").to_bytes()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * (MIN_CHARACTERS - 1),
        "plumladde",
        "aaaaaaaaaaaaaaaa",
        "abababababab",
        "1234567890",
        "0987654321",
        "12345678901234567890",
        "abcdefghijklm",
        "zyxwvutsrqpon",
        "qwertyuiop",
        "poiuytrewq",
        "Password123!",
        "P@ssw0rd2026",
        "passwordpassword",
        "passphrase",
        "consentry2026",
        "CONSENTRY!!!!",
        "letmein12345",
    ],
)
def test_the_most_obvious_are_refused(text):
    with pytest.raises(WeakPassphrase) as caught:
        Passphrase(text).require_strong()

    assert len(text) == 0 or text not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "plumladder",
        "plum ladder cobalt nine",
        "Grüße aus Köln",
        "сорок тысяч обезьян",
        "雨ニモマケズ風ニモマケズ",
        "kX9#vq2!Lm",
        "x1" + "🦦🌵🎻🪐🧭🪁🫖🧶",
        "my password is a river",
    ],
)
def test_others_are_accepted_in_any_script(text):
    Passphrase(text).require_strong()


@pytest.mark.parametrize(
    "text", ["plum ladder cobalt\n", "plum\0ladder cobalt", "plum ladder \U000e0fff"]
)
def test_characters_that_come_along_by_accident_are_named_at_creation(text):
    with pytest.raises(BadRequest, match="control"):
        Passphrase(text).require_strong()


def test_what_is_too_long_or_no_text_is_refused():
    Passphrase("x" * MAX_CHARACTERS)
    with pytest.raises(BadRequest, match="at most"):
        Passphrase("x" * (MAX_CHARACTERS + 1))
    with pytest.raises(BadRequest, match="Unicode"):
        Passphrase("plum ladder \udc80")


def test_a_passphrase_shows_nothing_and_goes_nowhere(passphrase):
    assert "plum" not in f"{passphrase} {passphrase!r} {PassphraseSource(passphrase)!r}"
    for carry in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            carry(passphrase)


def test_the_derivation_is_argon2id_version_13():
    """Known answer of the reference implementation (phc-winner-argon2, test.c)."""
    parameters = KdfParameters(
        cost=Argon2Cost(memory_kib=64 * 1024, iterations=2, lanes=1), salt=b"somesalt"
    )

    key = PassphraseSource(Passphrase("password")).root_key(parameters)

    assert key.hex() == "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"


def test_the_library_gives_the_answer_of_rfc_9106():
    """RFC 9106 section 5.3, with the secret and associated data that a vault does not use."""
    tag = Argon2id(
        salt=b"\2" * 16,
        length=32,
        iterations=3,
        lanes=4,
        memory_cost=32,
        ad=b"\4" * 12,
        secret=b"\3" * 8,
    ).derive(b"\1" * 32)

    assert tag.hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"


@pytest.mark.parametrize("changed", ["memory_kib", "iterations", "lanes"])
def test_each_parameter_changes_the_key(passphrase, cheap, changed):
    values = {"memory_kib": cheap.memory_kib, "iterations": 1, "lanes": 1}
    other = Argon2Cost(**(values | {changed: values[changed] * 2}))
    source = PassphraseSource(passphrase)

    assert source.root_key(KdfParameters(cost=cheap, salt=bytes(16))) != source.root_key(
        KdfParameters(cost=other, salt=bytes(16))
    )
