"""The extension and a real companion: paired, asked, replaced, gone; and the vault moved there and back."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from asking import NAME, PASSPHRASE, Asking, text
from companion_home import FILE_PASSPHRASE, Home, move_and_pair, running_home
from engine_cases import jpeg, pictures, png


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with running_home() as found:
        yield found


@pytest.fixture(scope="module")
def ask(new_browser: Callable[[], Any]) -> Asking:
    asking = Asking(new_browser())
    asking("vault.create", passphrase=PASSPHRASE)
    asking.enrol()
    return asking


@pytest.fixture(scope="module")
def paired(ask: Asking, home: Home, tmp_path_factory: pytest.TempPathFactory) -> Asking:
    """The vault moved to the companion with the sealed file, and the extension paired with it."""
    assert ask("companion.state")["state"] == "not_paired"
    move_and_pair(ask, home, tmp_path_factory.mktemp("move"))
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
