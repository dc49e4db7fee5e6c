"""A terminal at which commands run, against a home in which everything is real but the eyes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema
import pytest
from consentry.api.app import create_app
from consentry.cli.companion import Companion, in_process
from consentry.cli.rim import run
from consentry.services import Services
from consentry.settings import Settings
from fakes.coloured_faces import picture
from fakes.home import TestHome

SPEC = Path(__file__).parents[2] / "docs" / "specs" / "cli-json.md"
PASSPHRASE = "correct horse battery staple"
ADDRESS = "http://127.0.0.1:8484"


@dataclass(frozen=True)
class Left:
    """How a command left."""

    code: int
    out: str
    err: str

    @property
    def document(self):
        return json.loads(self.out)


@dataclass
class Terminal:
    """Runs commands against a home in which everything is real but the eyes."""

    home: TestHome
    services: Services
    folder: Path
    capsys: pytest.CaptureFixture[str]
    is_server: bool = False
    files: int = field(default=0)

    def run(self, *arguments: str, passphrase: str | None = None) -> Left:
        """Run one command; a passphrase goes through a descriptor."""
        given = list(arguments)
        if passphrase is not None:
            given += ["--passphrase-fd", str(descriptor_with(passphrase))]
        self.capsys.readouterr()
        code = run(given, connect=self._connect)
        out, err = self.capsys.readouterr()
        return Left(code, out, err)

    def picture(self, *colours, name: str | None = None) -> str:
        """Write a picture of these people, and return its path."""
        self.files += 1
        path = self.folder / (name or f"picture-{self.files}.png")
        path.write_bytes(picture(*colours))
        return str(path)

    @contextmanager
    def _connect(self, settings: Settings) -> Iterator[Companion]:
        app = create_app(
            self.services,
            host_allowlist=("localhost",),
            max_body_bytes=1_000_000,
            worker_threads=2,
            trusted_socket=True,
            version="0.0.0",
            address=lambda: ADDRESS,
            clock=self.home.clock,
        )
        with in_process(app) as line:
            line.is_server = self.is_server
            yield line


def descriptor_with(line: str) -> int:
    reader, writer = os.pipe()
    os.write(writer, line.encode() + b"\n")
    os.close(writer)
    return reader


@contextmanager
def opened(folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    """Sit down at a terminal whose home is in ``folder``."""
    home = TestHome(folder / "home")
    services = home.services()
    yield Terminal(home, services, folder, capsys)
    home.close()


def schemas() -> dict[str, dict]:
    """The schemas of docs/specs/cli-json.md, by format."""
    blocks = re.findall(
        r"```json schema=(\S+)\n(.*?)```", SPEC.read_text(encoding="utf-8"), re.DOTALL
    )
    return {name: json.loads(block) for name, block in blocks}


def require_documented(document: dict) -> None:
    """Hold one JSON object against its schema in the specification."""
    jsonschema.Draft202012Validator(
        schemas()[document["format"]], format_checker=jsonschema.FormatChecker()
    ).validate(document)
