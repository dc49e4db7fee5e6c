"""The key file: made once, readable by its owner only, damaged never silently."""

from __future__ import annotations

import os
import stat

import pytest
from consentry.kernel.errors import SigningKeyUnusable
from consentry.transparency.signing_key import (
    create_signing_key,
    decode_signing_key,
    encode_signing_key,
    load_signing_key,
    new_signing_key,
)
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")


def test_a_key_is_read_back_as_it_was_made(tmp_path):
    made = create_signing_key(tmp_path / "receipt.pem")

    read = load_signing_key(tmp_path / "receipt.pem")

    assert read.private_bytes_raw() == made.private_bytes_raw()


@posix_only
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_file_is_its_owners_alone_under_any_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        create_signing_key(tmp_path / "receipt.pem")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "receipt.pem").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["receipt.pem"]


def test_a_second_creation_leaves_the_first_key_alone(tmp_path):
    create_signing_key(tmp_path / "receipt.pem")
    before = (tmp_path / "receipt.pem").read_bytes()

    with pytest.raises(SigningKeyUnusable, match="already"):
        create_signing_key(tmp_path / "receipt.pem")

    assert (tmp_path / "receipt.pem").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_no_folder_no_key(tmp_path):
    with pytest.raises(SigningKeyUnusable, match="data folder"):
        create_signing_key(tmp_path / "absent" / "receipt.pem")


def test_a_missing_key_is_not_replaced_by_a_new_one(tmp_path):
    with pytest.raises(SigningKeyUnusable):
        load_signing_key(tmp_path / "receipt.pem")

    assert list(tmp_path.iterdir()) == []


@posix_only
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o610])
def test_a_key_that_others_can_reach_is_refused(tmp_path, mode):
    path = tmp_path / "receipt.pem"
    create_signing_key(path)
    path.chmod(mode)

    with pytest.raises(SigningKeyUnusable, match="others"):
        load_signing_key(path)


@posix_only
def test_a_link_in_the_keys_place_is_refused(tmp_path):
    create_signing_key(tmp_path / "elsewhere.pem")
    (tmp_path / "receipt.pem").symlink_to(tmp_path / "elsewhere.pem")

    with pytest.raises(SigningKeyUnusable):
        load_signing_key(tmp_path / "receipt.pem")


@posix_only
def test_a_pipe_in_the_keys_place_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "receipt.pem", 0o600)

    with pytest.raises(SigningKeyUnusable):
        load_signing_key(tmp_path / "receipt.pem")


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        encode_signing_key(new_signing_key())[:-40],
        Ed448PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        new_signing_key().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
        ),
    ],
    ids=["empty", "hollow", "cut", "another algorithm", "encrypted"],
)
def test_a_damaged_or_foreign_key_is_refused_by_name(pem):
    with pytest.raises(SigningKeyUnusable):
        decode_signing_key(pem)


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "receipt.pem"
    path.write_bytes(b"x" * 1_000_000)
    path.chmod(0o600)

    with pytest.raises(SigningKeyUnusable):
        load_signing_key(path)
