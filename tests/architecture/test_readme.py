"""Every command that the READMEs tell a newcomer to type is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main
from consentry.cli.app import app
from typer.core import TyperGroup

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "packaging/README.md")
_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


def _lines(readme: str) -> list[str]:
    """What is set as code: spans, and the lines of blocks, without comments."""
    text = (ROOT / readme).read_text()
    blocks = re.findall(r"^```\w+\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    spans = re.findall(
        r"`([^`]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    )
    lines = [line.partition(" #")[0] for block in blocks for line in block.splitlines()]
    return [part.strip() for line in [*lines, *spans] for part in line.split("&&")]


def _typed(readme: str, program: str) -> list[list[str]]:
    """The arguments of each line that runs a program."""
    return [
        shlex.split(line)[1:]
        for line in _lines(readme)
        if re.match(rf"(?:\S*/)?{program}(?:\s|$)", line)
    ]


def _unknown(arguments: list[str]) -> str | None:
    """The first word that the command line does not know, or None."""
    command = typer.main.get_group(app)
    for word in arguments:
        if word.startswith("-"):
            options = {
                name for each in command.params for name in (*each.opts, *each.secondary_opts)
            }
            if word.partition("=")[0] not in options | {"--help"}:
                return word
        elif isinstance(command, TyperGroup):
            if word not in command.commands:
                return word
            command = command.commands[word]
    return None


@pytest.mark.parametrize("readme", READMES)
def test_every_command_and_option_is_there(readme):
    commands = _typed(readme, "consentry")

    assert len(commands) >= 5
    assert [(each, _unknown(each)) for each in commands if _unknown(each)] == []


def test_every_make_target_is_there():
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text()))
    named = [each[0] for readme in READMES for each in _typed(readme, "make") if each]

    assert {"run", "test"} <= set(named)
    assert [target for target in named if target not in targets] == []


@pytest.mark.parametrize(
    "typed", ["enroll me.jpg", "check x.jpg --promt y", "backup import f", "--no-such serve"]
)
def test_a_slip_would_be_found(typed):
    assert _unknown(typed.split()) is not None
