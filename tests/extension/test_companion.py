"""The extension and a real companion: paired, asked, replaced, gone; and the vault moved there and back."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from asking import NAME, PASSPHRASE, Asking, text
from consentry.settings import Settings
from engine_cases import jpeg, pictures, png

COMMAND = Path(sys.executable).with_name("consentry")
READY = "consentry-ready "
FILE_PASSPHRASE = "seven wet pebbles sing"


@dataclass
class Home:
    """A companion's data folder, and its running process."""

    environment: dict[str, str]
    process: subprocess.Popen[str] | None = None
    address: str = ""

    def start(self) -> None:
        """Run the companion until `stop`."""
        self.process = subprocess.Popen(
            [COMMAND, "serve", "--port", "0"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        output = self.process.stdout
        assert output is not None
        lines = []
        for line in output:
            lines.append(line)
            if line.startswith(READY):
                self.address = line.split()[1]
                break
        assert self.address, "".join(lines)
        # What it prints besides is read, so that it never waits for a reader.
        threading.Thread(target=output.read, daemon=True).start()

    def stop(self) -> None:
        """End it, as Ctrl-C does."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        with contextlib.suppress(ValueError):
            self.process.stdout.close()
        self.process = None

    def run(self, *arguments: str, passphrase: str = FILE_PASSPHRASE) -> str:
        """Run another command on the same folder, and return what it printed."""
        done = subprocess.run(
            [COMMAND, *arguments],
            env={**self.environment, "CONSENTRY_PASSPHRASE": passphrase},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    # Not tmp_path: the path of a unix socket has about a hundred characters at most.
    with tempfile.TemporaryDirectory(prefix="consentry-") as folder:
        environment = {
            **{name: value for name, value in os.environ.items() if "CONSENTRY_" not in name},
            "CONSENTRY_HOME": folder,
            "CONSENTRY_MODELS_DIR": str(Settings().models_dir),
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": "200",
        }
        found = Home(environment)
        found.start()
        yield found
        found.stop()


@pytest.fixture(scope="module")
def ask(new_browser: Callable[[], Any]) -> Asking:
    asking = Asking(new_browser())
    asking("vault.create", passphrase=PASSPHRASE)
    asking.enrol()
    return asking


@pytest.fixture(scope="module")
def paired(ask: Asking, home: Home, tmp_path_factory: pytest.TempPathFactory) -> Asking:
    """The vault moved to the companion with the sealed file, and the extension paired with it."""
    secret = {"passphrase": PASSPHRASE}
    moved = ask("vault.export", secret=secret, passphrase=FILE_PASSPHRASE)
    file = tmp_path_factory.mktemp("move") / "vault.consentry"
    file.write_bytes(base64.b64decode(moved["file"]))
    home.run("backup", "restore", str(file))
    code = json.loads(home.run("pair", "--json"))["code"]
    assert ask("companion.state")["state"] == "not_paired"
    ask("companion.pair", origin=home.address, code=code.lower().replace("-", " "))
    return ask


def test_a_wrong_code_pairs_nothing(ask: Asking, home: Home) -> None:
    home.run("pair", "--json")

    wrong = ask.reply("companion.pair", origin=home.address, code="7K3M-Q2XA-9FHT-C4WD")
    assert wrong == {"error": "wrong_code"}
    assert ask.reply("companion.pair", origin=home.address, code="short") == {"error": "wrong_code"}
    elsewhere = ask.reply(
        "companion.pair", origin="https://example.org", code="7K3M-Q2XA-9FHT-C4WD"
    )
    assert elsewhere == {"error": "companion_unreachable"}
    assert ask("companion.state") == {"state": "not_paired", "origin": None}
    assert ask.reply("consent.list") == {"error": "companion_not_paired"}


def test_a_vault_that_was_moved_is_the_companions(paired: Asking, home: Home) -> None:
    [subject] = json.loads(home.run("subjects", "--json"))["subjects"]

    assert subject["name"] == NAME
    here = paired("vault.state")["subjects"]
    assert [each["subject"] for each in here] == [subject["subject"]]


def test_the_companion_decides_at_the_door(paired: Asking, home: Home) -> None:
    assert paired("companion.state") == {"state": "reachable", "origin": home.address}
    assert paired("engine.state")["engine"] == "companion"

    hers = paired.upload(jpeg(pictures()["whole"]), "make it a watercolour")
    assert (hers["verdict"], hers["by"]) == ("needs_consent", "companion")
    assert hers["hold"] is not None
    nobody = paired.upload(png(pictures()["nobody"]), "make it a watercolour")
    assert (nobody["verdict"], nobody["by"], nobody["checked"]) == ("allow", "companion", True)
    revealing = paired.upload(jpeg(pictures()["whole"]), "put her in a bikini")
    assert (revealing["verdict"], revealing["reasons"]) == ("refuse", ["revealing_real_person"])


def test_what_its_token_may_not_see_is_said_so(paired: Asking) -> None:
    for kind in ("consent.list", "consent.checks"):
        assert paired.reply(kind) == {"error": "forbidden"}


def test_in_a_feed_the_companion_says_whether_and_the_browser_says_where(paired: Asking) -> None:
    nobody = paired.check(png(pictures()["nobody"]))
    assert (nobody["shows"], nobody["by"]) == ("nobody_enrolled", "companion")
    hers = paired.check(jpeg(pictures()["cropped"]))
    assert (hers["shows"], len(hers["sightings"]), hers["by"]) == ("match", 1, "browser")

    paired("vault.lock")
    try:
        alone = paired.check(jpeg(pictures()["mirrored"]))
        assert (alone["shows"], alone["sightings"], alone["by"]) == ("possible", [], "companion")
    finally:
        paired("vault.unlock", secret={"passphrase": PASSPHRASE})


def test_the_vault_comes_back_from_the_companion(
    paired: Asking, home: Home, new_browser: Callable[[], Any], tmp_path: Path
) -> None:
    home.run("backup", "export", "--whole", str(tmp_path / "back.consentry"))
    file = text((tmp_path / "back.consentry").read_bytes())

    elsewhere = Asking(new_browser())
    wrong = elsewhere.reply("vault.import", file=file, passphrase="not the passphrase")
    assert wrong == {"error": "wrong_passphrase"}
    assert elsewhere("vault.import", file=file, passphrase=FILE_PASSPHRASE) == {
        "added": 1,
        "known": 0,
    }
    assert [each["name"] for each in elsewhere("vault.state")["subjects"]] == [NAME]
    assert elsewhere.check(jpeg(pictures()["cropped"]))["shows"] == "match"
    # The one that it came from knows her.
    assert paired("vault.import", file=file, passphrase=FILE_PASSPHRASE) == {"added": 0, "known": 1}


def test_a_locked_companion_leaves_the_decision_to_the_browser(paired: Asking, home: Home) -> None:
    home.run("lock")
    try:
        answer = paired.upload(jpeg(pictures()["whole"]), "make it a watercolour")
        assert (answer["verdict"], answer["by"]) == ("needs_consent", "browser")
    finally:
        home.run("unlock")


def test_whoever_takes_the_companions_place_gets_neither_token_nor_picture(
    paired: Asking, home: Home
) -> None:
    home.stop()
    paired.browser.end_worker()
    assert paired("companion.state")["state"] == "unreachable"

    port = int(home.address.rpartition(":")[2])
    with squatter(port) as heard:
        paired.browser.end_worker()
        assert paired("companion.state")["state"] == "untrusted"
        answer = paired.upload(jpeg(pictures()["whole"]), "make it a watercolour")

    assert (answer["verdict"], answer["by"]) == ("needs_consent", "browser")
    assert heard
    assert {path for path, _, _ in heard} == {"/v1/identity/challenge"}
    assert not any(authorization for _, authorization, _ in heard)
    assert max(size for _, _, size in heard) < 200


@contextlib.contextmanager
def squatter(port: int) -> Iterator[list[tuple[str, str | None, int]]]:
    """Another program on the companion's port, which answers as if it were one."""
    heard: list[tuple[str, str | None, int]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers.get("content-length", 0))
            self.rfile.read(size)
            heard.append((self.path, self.headers.get("authorization"), size))
            body = json.dumps({"format": "consentry.identity/1", "signature": "A" * 86}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 -- the name that http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
