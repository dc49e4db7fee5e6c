from __future__ import annotations

import pytest
from consentry.kernel.errors import BadRequest, SealBroken
from consentry.vault.backup_keys import BackupKey, new_backup_key, read_key_file, write_key_file
from hypothesis import assume, given
from hypothesis import strategies as st

KEY = BackupKey(bytes(range(32)))


@given(section=st.binary(max_size=300))
def test_a_section_comes_back_as_it_was(section):
    assert KEY.open(KEY.seal(section)) == section


@given(position=st.integers(min_value=0), flip=st.integers(1, 255))
def test_any_changed_byte_breaks_a_section(position, flip):
    sealed = bytearray(KEY.seal(b"a section"))
    sealed[position % len(sealed)] ^= flip

    with pytest.raises(SealBroken):
        KEY.open(bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", bytes(27)], ids=["empty", "shorter than a seal"])
def test_what_is_no_section_does_not_open(sealed):
    with pytest.raises(SealBroken):
        KEY.open(sealed)


def test_another_key_opens_nothing_and_has_another_label():
    other = new_backup_key()

    assert other.label != KEY.label
    with pytest.raises(SealBroken):
        other.open(KEY.seal(b"a section"))


def test_a_label_is_no_part_of_the_key():
    assert KEY.label not in KEY.secret
    assert len(KEY.label) == 16


def test_a_key_shows_itself_nowhere():
    assert repr(KEY) == "BackupKey()"


def test_a_key_has_32_bytes():
    with pytest.raises(ValueError, match="32"):
        BackupKey(bytes(31))


def test_a_key_file_comes_back_whatever_blanks_were_typed_into_it():
    keys = [new_backup_key() for _ in range(5)]
    text = write_key_file(keys).replace(" ", "   ").replace("\n", " \r\n\r\n")

    found = read_key_file(text.encode())

    assert {key.secret for key in found} == {key.secret for key in keys}


def test_the_lines_of_a_key_file_do_not_tell_who_was_first():
    keys = [new_backup_key() for _ in range(9)]

    assert write_key_file(keys) == write_key_file(reversed(keys))


@given(position=st.integers(0, 51), letter=st.sampled_from("abcxyzABCXYZ0123456789-_"))
def test_a_mistyped_letter_is_noticed_and_its_line_named(position, letter):
    first, line = write_key_file([KEY]).splitlines()
    wrong = line[:position] + letter + line[position + 1 :]
    # Between the two words any letter is one too many; digits of the check are read in either case.
    assume(wrong != line and (position < 43 or wrong.lower() != line.lower()))

    with pytest.raises(BadRequest, match="Line 2"):
        read_key_file(f"{first}\n{wrong}\n".encode())


@pytest.mark.parametrize(
    "data", [b"", b"CSNTRYBK\x01", b"consentry-backup-keys/2\n", "schlüssel".encode()]
)
def test_what_is_no_key_file_is_told_apart_from_one(data):
    with pytest.raises(BadRequest, match="not a key file"):
        read_key_file(data)


@pytest.mark.parametrize("line", ["one", "one two three", "AAAA 00000000"])
def test_a_line_that_is_no_key_is_named(line):
    with pytest.raises(BadRequest, match="Line 2"):
        read_key_file(f"consentry-backup-keys/1\n{line}\n".encode())
