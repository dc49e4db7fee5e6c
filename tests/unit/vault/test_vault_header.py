"""The vault header: every changed byte is a wrong passphrase."""

from __future__ import annotations

import struct

import pytest
from consentry.kernel.errors import Overloaded, WrongPassphrase
from consentry.vault.header import MAX_EPOCHS, build_header, derive_root_keys, open_header
from consentry.vault.rootkey import Argon2Cost, KdfParameters, PassphraseSource

EPOCHS = {1: b"\x11" * 32, 2: b"\x22" * 32, 7: b"\x77" * 32}


class CountingSource:
    """A root key source that needs no memory, and counts how often it is asked."""

    def __init__(self, passphrase: bytes = b"right") -> None:
        self.passphrase = passphrase
        self.asked = 0

    def root_key(self, parameters: KdfParameters) -> bytes:
        self.asked += 1
        cost = parameters.cost
        seed = struct.pack(">III", cost.memory_kib, cost.iterations, cost.lanes) + parameters.salt
        return (self.passphrase + seed).ljust(64, b"\0")


@pytest.fixture
def header(cheap):
    parameters = KdfParameters(cost=cheap, salt=bytes(range(16)))
    return build_header(derive_root_keys(CountingSource(), parameters), EPOCHS)


def test_a_header_gives_back_its_epochs(header):
    assert open_header(header, CountingSource()).epochs == EPOCHS


def test_every_changed_bit_is_a_wrong_passphrase(header):
    messages = set()
    for position in range(len(header)):
        for bit in range(8):
            changed = bytearray(header)
            changed[position] ^= 1 << bit
            with pytest.raises(WrongPassphrase) as caught:
                open_header(bytes(changed), CountingSource())
            messages.add(str(caught.value))
    with pytest.raises(WrongPassphrase) as caught:
        open_header(header, CountingSource(b"wrong"))

    assert messages == {str(caught.value)}


def test_every_truncation_and_addition_is_a_wrong_passphrase(header):
    for length in range(len(header)):
        with pytest.raises(WrongPassphrase):
            open_header(header[:length], CountingSource())
    with pytest.raises(WrongPassphrase):
        open_header(header + b"\0", CountingSource())


def test_an_epoch_cannot_be_cut_out(header):
    """The count is in the MAC: removing an entry with its count must not open either."""
    shorter = header[:31] + b"\x00\x02" + header[33:121] + header[165:]

    with pytest.raises(WrongPassphrase):
        open_header(shorter, CountingSource())


@pytest.mark.parametrize(
    ("memory_kib", "iterations", "lanes"),
    [
        (2**32 - 1, 1, 1),
        (1024 * 1024 + 1, 1, 1),
        (1024 * 1024, 5, 1),
        (8 * 1024, 65, 1),
        (8 * 1024, 1, 17),
        (8 * 1024 - 1, 1, 1),
        (8 * 1024, 0, 1),
        (8 * 1024, 1, 0),
        (0, 0, 0),
    ],
)
def test_a_cost_out_of_bounds_is_never_paid(header, memory_kib, iterations, lanes):
    source = CountingSource()
    tampered = header[:6] + struct.pack(">IIB", memory_kib, iterations, lanes) + header[15:]

    with pytest.raises(WrongPassphrase):
        open_header(tampered, source)

    assert source.asked == 0


@pytest.mark.parametrize("numbers", [(0, 2, 7), (2, 1, 7), (1, 1, 7)])
def test_epochs_ascend_from_one(cheap, numbers):
    """Even under the right MAC: one vault has one header."""
    root = derive_root_keys(CountingSource(), KdfParameters(cost=cheap, salt=bytes(16)))
    good = build_header(root, EPOCHS)
    body = bytearray(good[:-32])
    for index, number in enumerate(numbers):
        struct.pack_into(">I", body, 33 + 44 * index, number)
    import hmac

    resealed = bytes(body) + hmac.digest(root.mac, bytes(body), "sha256")

    with pytest.raises(WrongPassphrase):
        open_header(resealed, CountingSource())


@pytest.mark.parametrize("count", [0, MAX_EPOCHS + 1])
def test_a_header_holds_a_bounded_number_of_epochs(cheap, count):
    root = derive_root_keys(CountingSource(), KdfParameters(cost=cheap, salt=bytes(16)))

    with pytest.raises(ValueError, match="epochs"):
        build_header(root, {n + 1: bytes(32) for n in range(count)})


def test_the_real_key_derivation_opens_it_too(cheap, passphrase, other_passphrase):
    parameters = KdfParameters(cost=cheap, salt=bytes(16))
    header = build_header(derive_root_keys(PassphraseSource(passphrase), parameters), EPOCHS)

    assert open_header(header, PassphraseSource(passphrase)).epochs == EPOCHS
    with pytest.raises(WrongPassphrase):
        open_header(header, PassphraseSource(other_passphrase))


def test_a_header_shows_neither_keys_nor_epochs(header):
    assert EPOCHS[1] not in header
    opened = open_header(header, CountingSource())
    shown = repr(opened)
    assert "\\x11" not in shown
    assert EPOCHS[1].hex()[:8] not in shown
    assert opened.root.mac.hex()[:8] not in shown
    opened.root.wipe()
    assert opened.root.mac == bytearray(32)


def test_a_machine_without_the_memory_says_so(cheap, passphrase, monkeypatch):
    class Greedy:
        def __init__(self, **_parameters):
            pass

        def derive(self, _key_material):
            raise MemoryError

    monkeypatch.setattr("consentry.vault.rootkey.Argon2id", Greedy)

    with pytest.raises(Overloaded, match="8 MiB"):
        PassphraseSource(passphrase).root_key(KdfParameters(cost=cheap, salt=bytes(16)))


def test_costs_are_bounded_when_they_are_made():
    with pytest.raises(ValueError, match="bounds"):
        Argon2Cost(memory_kib=1024, iterations=1, lanes=1)
