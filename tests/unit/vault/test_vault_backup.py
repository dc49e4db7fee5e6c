"""Sealed backups: whole or not at all."""

from __future__ import annotations

import itertools
import struct

import pytest
from consentry.kernel.errors import WeakPassphrase, WrongPassphrase
from consentry.vault.backup import CHUNK_BYTES, export_backup, open_backup
from consentry.vault.passphrase import Passphrase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HEADER = 35
SEALED_CHUNK = CHUNK_BYTES + 16


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES]
)
def test_a_backup_gives_back_its_payload(size, cheap, passphrase):
    payload = bytes(itertools.islice(itertools.cycle(range(251)), size))

    sealed = export_backup(payload, passphrase, cost=cheap)

    assert open_backup(sealed, passphrase) == payload
    assert len(sealed) == HEADER + size + 16 * max(1, -(-size // CHUNK_BYTES))


@given(pieces=st.lists(st.binary(max_size=40_000), max_size=6))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15
)
def test_how_the_payload_was_cut_leaves_no_trace(pieces, cheap, passphrase):
    cut = export_backup(iter(pieces), passphrase, cost=cheap, random=bytes)
    whole = export_backup(b"".join(pieces), passphrase, cost=cheap, random=bytes)

    assert cut == whole
    assert open_backup(cut, passphrase) == b"".join(pieces)


def test_wrong_passphrase_and_every_kind_of_damage_are_one_error(
    cheap, passphrase, other_passphrase
):
    sealed = export_backup(bytes(3 * CHUNK_BYTES), passphrase, cost=cheap)
    head, body = sealed[:HEADER], sealed[HEADER:]
    first, second, last = (body[i * SEALED_CHUNK : (i + 1) * SEALED_CHUNK] for i in range(3))
    damaged = {
        "last chunk missing": head + first + second,
        "all chunks missing": head,
        "first chunk missing": head + second + last,
        "middle chunk missing": head + first + last,
        "reordered": head + second + first + last,
        "doubled": head + first + first + second + last,
        "last doubled": sealed + last,
        "one byte short": sealed[:-1],
        "one byte long": sealed + b"\0",
        "tag only": head + first[-16:],
        "empty": b"",
        "half a header": sealed[:20],
        "version": sealed[:8] + b"\2" + sealed[9:],
    }
    messages = set()
    for name, data in damaged.items():
        with pytest.raises(WrongPassphrase) as caught:
            open_backup(data, passphrase)
        messages.add(str(caught.value))
        assert name
    with pytest.raises(WrongPassphrase) as caught:
        open_backup(sealed, other_passphrase)

    assert messages == {str(caught.value)}


def test_every_flipped_byte_breaks_a_backup(cheap, passphrase):
    sealed = export_backup(b"payload", passphrase, cost=cheap)

    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(WrongPassphrase):
            open_backup(bytes(changed), passphrase)


def test_a_chunk_of_another_backup_does_not_fit(cheap, passphrase):
    one = export_backup(b"a" * 100, passphrase, cost=cheap)
    other = export_backup(b"b" * 100, passphrase, cost=cheap)

    with pytest.raises(WrongPassphrase):
        open_backup(one[:HEADER] + other[HEADER:], passphrase)


@pytest.mark.parametrize("memory_kib", [0, 8 * 1024 - 1, 1024 * 1024 + 1, 2**32 - 1])
def test_a_cost_out_of_bounds_is_never_paid(cheap, passphrase, memory_kib, monkeypatch):
    sealed = export_backup(b"payload", passphrase, cost=cheap)
    tampered = sealed[:10] + struct.pack(">I", memory_kib) + sealed[14:]
    monkeypatch.delattr("consentry.vault.rootkey.Argon2id")

    with pytest.raises(WrongPassphrase):
        open_backup(tampered, passphrase)


def test_two_backups_of_one_payload_share_nothing(cheap, passphrase):
    one, other = (export_backup(b"payload", passphrase, cost=cheap) for _ in range(2))

    assert one[HEADER - 16 :] != other[HEADER - 16 :]
    assert b"payload" not in one


def test_a_weak_passphrase_seals_no_backup(cheap):
    with pytest.raises(WeakPassphrase):
        export_backup(b"payload", Passphrase("1234567890"), cost=cheap)
