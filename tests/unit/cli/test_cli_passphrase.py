"""A passphrase comes through a descriptor, the environment or the terminal, in that order; never as an argument."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator

import pytest
from consentry.cli import passphrase as passphrase_room
from consentry.cli.passphrase import PassphraseSource
from consentry.kernel.errors import BadRequest, WeakPassphrase
from consentry.settings import load_settings

STRONG = "four random words here"


def fd_with(data: bytes) -> int:
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)
    return reader


def text_of(passphrase) -> str:
    return passphrase.to_bytes().decode()


@pytest.fixture
def typed(monkeypatch) -> Iterator[list[str]]:
    """Answers that somebody types at a terminal, in order."""
    answers: list[str] = []
    monkeypatch.setattr(passphrase_room, "is_interactive", lambda: True)
    monkeypatch.setattr(getpass, "getpass", lambda _question: answers.pop(0))
    yield answers
    assert answers == []


def test_the_descriptor_goes_before_the_environment(monkeypatch):
    monkeypatch.setenv("CONSENTRY_PASSPHRASE", "from the environment")
    reader = fd_with(b"from the descriptor\r\nrest")

    found = PassphraseSource(load_settings(), reader).required()

    assert text_of(found) == "from the descriptor"
    assert os.read(reader, 10) == b"rest"


def test_the_environment_goes_before_the_terminal(monkeypatch, typed):
    monkeypatch.setenv("CONSENTRY_PASSPHRASE", "from the environment")

    assert text_of(PassphraseSource(load_settings(), None).required()) == "from the environment"


def test_at_a_terminal_it_is_asked_for(typed):
    typed.append("typed")

    assert text_of(PassphraseSource(load_settings(), None).required()) == "typed"


def test_pressing_enter_goes_on_without_one_where_that_is_possible(typed):
    typed.extend(["", ""])
    source = PassphraseSource(load_settings(), None)

    assert source.given_or_asked() is None
    with pytest.raises(BadRequest, match="needs the passphrase"):
        source.required()


def test_with_nobody_to_ask_the_error_says_how_to_give_it(monkeypatch):
    monkeypatch.setattr(passphrase_room, "is_interactive", lambda: False)
    source = PassphraseSource(load_settings(), None)

    assert source.given_or_asked() is None
    with pytest.raises(BadRequest, match="--passphrase-fd N"):
        source.required()


@pytest.mark.parametrize(
    ("data", "problem"),
    [(b"", "no passphrase"), (b"\n", "no passphrase"), (b"\xff\xfe\n", "not UTF-8")],
)
def test_a_descriptor_without_a_passphrase_is_an_error(data, problem):
    with pytest.raises(BadRequest, match=problem):
        PassphraseSource(load_settings(), fd_with(data)).required()


def test_a_descriptor_that_is_not_open_is_an_error():
    with pytest.raises(BadRequest, match="not an open file descriptor"):
        PassphraseSource(load_settings(), 987).required()


def test_a_new_passphrase_is_typed_twice(typed):
    typed.extend([STRONG, STRONG])

    assert text_of(PassphraseSource(load_settings(), None).new()) == STRONG


def test_two_different_new_passphrases_change_nothing(typed):
    typed.extend([STRONG, STRONG + "!"])

    with pytest.raises(BadRequest, match="differ"):
        PassphraseSource(load_settings(), None).new()


def test_a_weak_new_passphrase_is_told_before_it_is_typed_again(typed):
    typed.append("short")

    with pytest.raises(WeakPassphrase):
        PassphraseSource(load_settings(), None).new()


def test_the_person_is_told_that_it_cannot_be_recovered(typed, capsys):
    typed.extend([STRONG, STRONG])

    PassphraseSource(load_settings(), None).new()

    assert "nobody can recover it" in capsys.readouterr().err


def test_a_change_reads_two_lines_of_the_descriptor():
    old, new = PassphraseSource(load_settings(), fd_with(b"old one\nnew one\n")).change()

    assert (text_of(old), text_of(new)) == ("old one", "new one")


def test_a_change_with_one_line_is_an_error():
    with pytest.raises(BadRequest, match="too few lines"):
        PassphraseSource(load_settings(), fd_with(b"old one\n")).change()
