"""The start-at-login templates start a command that exists, and leave no sign-in link in a log."""

from __future__ import annotations

import configparser
import plistlib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from consentry.cli.rim import run

PACKAGING = Path(__file__).parents[3] / "packaging"


def systemd_command() -> list[str]:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(PACKAGING / "consentry.service", encoding="utf-8")
    return unit["Service"]["ExecStart"].split()


def launchd_command() -> list[str]:
    return plistlib.loads((PACKAGING / "org.consentry.companion.plist").read_bytes())[
        "ProgramArguments"
    ]


def windows_command() -> list[str]:
    task = ET.parse(PACKAGING / "consentry-task.xml")
    space = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    execute = task.find("t:Actions/t:Exec", space)
    return [
        execute.findtext("t:Command", "", space),
        *execute.findtext("t:Arguments", "", space).split(),
    ]


@pytest.mark.parametrize("command_of", [systemd_command, launchd_command, windows_command])
def test_a_template_starts_the_companion_without_printing_a_link(command_of):
    program, *arguments = command_of()

    assert program.replace("\\", "/").split("/")[-1].removesuffix(".exe") == "consentry"
    assert "--no-link" in arguments
    assert run([*arguments, "--help"]) == 0


@pytest.mark.parametrize(
    "name", ["consentry.service", "org.consentry.companion.plist", "consentry-task.xml"]
)
def test_the_instructions_install_and_remove_every_template(name):
    assert name in (PACKAGING / "README.md").read_text(encoding="utf-8")
