"""`consentry intent`: one answer for each prompt, as the lines come."""

from __future__ import annotations

import io
import json
import sys

import pytest
from fakes.terminal import require_documented


@pytest.fixture(autouse=True)
def with_models(data_folder, models_dir, monkeypatch):
    monkeypatch.setenv("CONSENTRY_MODELS_DIR", str(models_dir))


class _Input:
    def __init__(self, text: bytes) -> None:
        self.buffer = io.BytesIO(text)

    def isatty(self) -> bool:
        return False


def test_a_prompt_is_answered_with_one_documented_object(terminal):
    left = terminal.run("intent", "put her in a bikini", "--json")

    document = json.loads(left.out)
    require_documented(document)
    assert (left.code, document["revealing"], document["category"]) == (0, True, "swimwear")
    assert document["spans"][0]["start"] == len("put her in a ")


def test_each_line_of_standard_input_gets_its_own_line(terminal, monkeypatch):
    lines = b"put her in a bikini\n\nmake the sky blue\nponla en bikini"
    monkeypatch.setattr(sys, "stdin", _Input(lines))

    left = terminal.run("intent", "-", "--json")

    found = [json.loads(line) for line in left.out.splitlines()]
    assert [each["revealing"] for each in found] == [True, False, False, True]


def test_bytes_that_are_no_text_do_not_end_the_answers(terminal, monkeypatch):
    monkeypatch.setattr(sys, "stdin", _Input(b"\xff\xfe\nmake her naked\n"))

    left = terminal.run("intent", "-", "--json")

    assert [json.loads(line)["revealing"] for line in left.out.splitlines()] == [False, True]


def test_an_earlier_turn_counts(terminal):
    left = terminal.run("intent", "her dress", "--before", "take off", "--json")

    assert json.loads(left.out)["revealing"]


def test_what_is_too_long_to_be_read_is_not_called_readable(terminal):
    left = terminal.run("intent", "sky " * 9000, "--json")

    assert not json.loads(left.out)["readable"]


@pytest.mark.parametrize(
    ("text", "says"), [("her naked", "revealing; category nude"), ("a red hat", "not revealing")]
)
def test_people_get_a_sentence(terminal, text, says):
    assert terminal.run("intent", text).out.startswith(says)
