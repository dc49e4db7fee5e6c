"""Data keys and the key ring."""

from __future__ import annotations

import copy
import logging
import pickle
import threading

import pytest
from consentry.kernel.errors import SealBroken, VaultLocked
from consentry.vault.keys import (
    DataKey,
    KeyRing,
    SealedHome,
    WrappedKey,
    epoch_of,
    home_epoch_of,
    unwrap,
    wrap,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FIRST, SECOND = b"\x11" * 32, b"\x22" * 32


@pytest.fixture
def ring():
    return KeyRing({1: FIRST})


def test_wrapping_is_aes_key_wrap_of_rfc_3394():
    """RFC 3394 section 4.6: 256 bits of key data with a 256-bit key."""
    wrapping = bytes(range(32))
    secret = bytes.fromhex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F")
    wrapped = bytes.fromhex(
        "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"
    )

    assert wrap(wrapping, secret) == wrapped
    assert unwrap(wrapping, wrapped) == secret


def test_sealing_is_aes_256_gcm_as_nist_publishes_it():
    """Test case 16 of the GCM submission to NIST (McGrew, Viega)."""
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    plain = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    aad = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")

    sealed = AESGCM(key).encrypt(bytes.fromhex("cafebabefacedbaddecaf888"), plain, aad)

    assert sealed.hex() == (
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b"
    )


def test_a_subject_key_opens_from_its_wrapped_form(ring):
    key, wrapped = ring.new_subject_key()

    assert ring.open_subject_key(wrapped) == key
    assert epoch_of(wrapped) == 1
    assert len(wrapped) == 45


def test_subject_keys_are_independent(ring):
    assert ring.new_subject_key()[0] != ring.new_subject_key()[0]


def test_any_flipped_byte_breaks_a_wrapped_key(ring):
    _, wrapped = ring.new_subject_key()

    for position in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[position] ^= 1
        with pytest.raises(SealBroken):
            ring.open_subject_key(WrappedKey(bytes(changed)))


@pytest.mark.parametrize("length", [0, 1, 5, 44, 46])
def test_a_wrapped_key_has_one_length(ring, length):
    _, wrapped = ring.new_subject_key()

    with pytest.raises(SealBroken):
        ring.open_subject_key(WrappedKey((wrapped + b"\0")[:length]))


def test_a_wrapped_key_of_another_vault_does_not_open(ring):
    _, wrapped = KeyRing({1: SECOND}).new_subject_key()

    with pytest.raises(SealBroken):
        ring.open_subject_key(wrapped)


def test_new_keys_go_under_the_newest_epoch_and_old_ones_still_open():
    key, wrapped = KeyRing({1: FIRST}).new_subject_key()
    ring = KeyRing({1: FIRST, 2: SECOND})

    assert epoch_of(ring.new_subject_key()[1]) == 2
    assert ring.open_subject_key(wrapped) == key


def test_rewrapped_keys_survive_the_old_epoch_and_others_do_not():
    key, wrapped = KeyRing({1: FIRST}).new_subject_key()
    ring = KeyRing({1: FIRST, 2: SECOND})

    rewrapped = ring.rewrap(wrapped)
    ring.forget([1])

    assert epoch_of(rewrapped) == 2
    assert ring.open_subject_key(rewrapped) == key
    with pytest.raises(SealBroken):
        ring.open_subject_key(wrapped)


def test_the_current_epoch_cannot_be_forgotten(ring):
    with pytest.raises(ValueError, match="current epoch"):
        ring.forget([1])

    ring.new_subject_key()


def test_a_closed_ring_does_nothing_but_tell_its_epoch(ring):
    _, wrapped = ring.new_subject_key()
    sealed = ring.seal_home(b"value", label="receipts")
    ring.close()
    ring.close()

    for use in (
        ring.new_subject_key,
        ring.require_open,
        ring.secrets,
        lambda: ring.transform_seed,
        lambda: ring.open_subject_key(wrapped),
        lambda: ring.rewrap(wrapped),
        lambda: ring.seal_home(b"value", label="receipts"),
        lambda: ring.unseal_home(sealed, label="receipts"),
    ):
        with pytest.raises(VaultLocked):
            use()
    assert ring.epoch == 1


def test_closing_overwrites_the_secrets(ring):
    secret = ring._epochs[1]

    ring.close()

    assert secret == bytearray(32)


def test_a_home_value_opens_under_its_own_label_only(ring):
    sealed = ring.seal_home(b"value", label="receipts")

    assert ring.unseal_home(sealed, label="receipts") == b"value"
    assert home_epoch_of(sealed) == 1
    with pytest.raises(SealBroken):
        ring.unseal_home(sealed, label="receipt")


def test_any_flipped_byte_breaks_a_home_value(ring):
    sealed = ring.seal_home(b"value", label="receipts")

    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(SealBroken):
            ring.unseal_home(SealedHome(bytes(changed)), label="receipts")
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            ring.unseal_home(SealedHome(sealed[:length]), label="receipts")


def test_a_home_value_survives_rotation_and_ends_with_its_epoch():
    sealed = KeyRing({1: FIRST}).seal_home(b"value", label="receipts")
    ring = KeyRing({1: FIRST, 2: SECOND})

    assert ring.unseal_home(sealed, label="receipts") == b"value"
    ring.forget([1])
    with pytest.raises(SealBroken):
        ring.unseal_home(sealed, label="receipts")


def test_the_transform_seed_is_stable_in_an_epoch_and_new_in_the_next():
    assert KeyRing({1: FIRST}).transform_seed == KeyRing({1: FIRST}).transform_seed
    assert KeyRing({1: FIRST}).transform_seed != KeyRing({1: FIRST, 2: SECOND}).transform_seed


def test_one_secret_never_serves_two_uses(ring):
    derived = {ring.transform_seed, ring._derive(1, b"consentry/v1/epoch/wrap"), FIRST}

    assert len(derived) == 3


@pytest.mark.parametrize("secretive", [DataKey(FIRST), KeyRing({1: FIRST})], ids=["key", "ring"])
def test_keys_show_nothing_and_go_nowhere(secretive, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("any").warning("%s %r", secretive, secretive)

    shown = caplog.text + f"{secretive} {secretive!r} {[secretive]}"
    assert FIRST.hex() not in shown
    assert repr(FIRST)[2:-1] not in shown
    for carry in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            carry(secretive)


def test_a_data_key_is_equal_by_value_and_not_hashable():
    assert DataKey(FIRST) == DataKey(FIRST)
    assert DataKey(FIRST) != DataKey(SECOND)
    assert DataKey(FIRST) != FIRST
    with pytest.raises(TypeError):
        hash(DataKey(FIRST))


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_data_key_has_32_bytes(length):
    with pytest.raises(ValueError, match="32 bytes"):
        DataKey(bytes(length))


def test_a_ring_without_epochs_is_not_made():
    with pytest.raises(ValueError, match="at least one"):
        KeyRing({})


def test_closing_while_others_open_keys_ends_in_locked_and_in_nothing_else():
    ring = KeyRing({1: FIRST})
    key, wrapped = ring.new_subject_key()
    outcomes: set[str] = set()

    def open_until_locked() -> None:
        try:
            while True:
                assert ring.open_subject_key(wrapped) == key
        except VaultLocked:
            outcomes.add("locked")

    threads = [threading.Thread(target=open_until_locked) for _ in range(4)]
    for thread in threads:
        thread.start()
    ring.close()
    for thread in threads:
        thread.join(timeout=5)

    assert not any(thread.is_alive() for thread in threads)
    assert outcomes == {"locked"}
