"""An auditor's canary at an installation that answers over TCP, with an operator who is honest, and one who is not."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn
from consentry.accounts.principals import AUDITOR_SCOPES, PLATFORM_SCOPES, Scope
from consentry.cli.rim import run
from fakes.coloured_faces import picture
from fakes.home import TestHome
from fakes.site import opened
from fakes.terminal import Left, require_documented

pytestmark = pytest.mark.e2e

CANARY, STRANGER, OTHER = (200, 0, 0), (0, 0, 200), (0, 200, 0)


class Quiet(uvicorn.Server):
    @contextmanager
    def capture_signals(self):
        yield


@contextmanager
def listening(app):
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off")
    server = Quiet(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def town(tmp_path, capsys, monkeypatch):
    """An installation, an auditor with her files, and the command at her terminal."""
    monkeypatch.setenv("CONSENTRY_HOME", str(tmp_path / "auditor"))
    home = TestHome(tmp_path / "home").create()
    home.enrol(OTHER, name="Somebody else")
    with opened(home) as site, listening(site.app) as url:
        site.url, site.tmp = url, tmp_path
        _, key = site.services.keys.issue("p", "platform", PLATFORM_SCOPES, expires_in_days=None)
        for name, secret in {
            "key": key,
            "enrol": site.services.tokens.issue("e", [Scope.SUBJECTS_WRITE], expires_in_days=1)[1],
            "auditor": site.services.tokens.issue("a", AUDITOR_SCOPES, expires_in_days=1)[1],
        }.items():
            (tmp_path / name).write_text(secret + "\n")
        for name, colour in {"canary": CANARY, "stranger": STRANGER}.items():
            (tmp_path / f"{name}.png").write_bytes(picture(colour))
        with home.log.view() as view:
            site.log_key = str(home.publish_log.vkey(view.origin))

        def at_terminal(*arguments) -> Left:
            capsys.readouterr()
            code = run([str(each) for each in arguments])
            return Left(code, *capsys.readouterr())

        site.run = at_terminal
        yield site
    home.close()


def enrol(town) -> Left:
    return town.run(
        *("audit", "canary", "enrol", town.tmp / "c.json", "--server", town.url),
        *("--token-file", town.tmp / "enrol", "--name", "Mary Smith"),
        *("--photo", town.tmp / "canary.png"),
    )


def probe(town) -> Left:
    return town.run(
        *("audit", "canary", "probe", town.tmp / "c.json", "--key-file", town.tmp / "key"),
        *("--platform", "platform", "--photo", town.tmp / "canary.png"),
        *("--stranger", town.tmp / "stranger.png"),
    )


def report(town, *more) -> Left:
    return town.run(
        *("audit", "canary", "report", town.tmp / "c.json", "--log", f"{town.url}/log"),
        *("--key", town.log_key, "--token-file", town.tmp / "auditor", "--json", *more),
    )


def test_an_honest_installation_protects_a_canary_logs_every_probe_and_lets_her_go(town):
    assert enrol(town).code == 0
    assert probe(town).code == 0
    town.home.publish_log.batch()
    found = report(town)

    assert found.code == 0, found.out + found.err
    require_documented(found.document)
    assert found.document["findings"] == []
    assert (found.document["probes"], found.document["logged"]) == (4, 4)
    assert {trial: each["right"] for trial, each in found.document["trials"].items()} == {
        "everyday": 1,
        "revealing": 1,
        "stranger": 1,
        "stranger_revealing": 1,
    }

    token = ("--token-file", town.tmp / "enrol")
    assert town.run("audit", "canary", "end", town.tmp / "c.json", *token).code == 0
    assert probe(town).code == 0
    town.home.publish_log.batch()
    assert report(town).document["logged"] == 8
    assert len(town.home.people.all()) == 1


def test_nothing_at_the_installation_says_that_she_is_a_canary(town):
    enrol(town)
    probe(town)
    town.home.check_images.afterwards.finish()

    database = (town.home.path / "consentry.db").read_bytes()
    journal = (town.home.path / "consentry.db-wal").read_bytes()
    assert b"canary" not in (database + journal).lower()
    assert (town.tmp / "c.json").stat().st_mode & 0o077 == 0


def test_an_installation_that_does_not_protect_her_is_found_out(town):
    enrol(town)
    town.home.revoke("Mary Smith")  # behind the auditor's back

    assert probe(town).code == 20
    town.home.publish_log.batch()
    found = report(town)

    assert found.code == 20
    assert [each["kind"] for each in found.document["findings"]] == ["canary"]
    assert "must be answered needs_consent" in found.document["findings"][0]["message"]


def test_a_verdict_that_is_kept_out_of_the_log_is_pending_first_and_a_finding_later(town):
    enrol(town)
    town.home.publish_log.batch()
    probe(town)

    young = report(town)
    late = report(town, "--delay-hours", "0")

    assert (young.code, young.document["pending"], young.document["logged"]) == (0, 4, 0)
    assert late.code == 20
    assert {each["kind"] for each in late.document["findings"]} == {"receipt"}


def test_a_receipt_that_is_not_that_of_its_entry_is_a_finding(town):
    enrol(town)
    probe(town)
    town.home.publish_log.batch()
    file = town.tmp / "c.json"
    document = json.loads(file.read_text())
    first, second = document["probes"][:2]
    first["receipt"], second["receipt"] = second["receipt"], first["receipt"][:-4] + "AAAA"
    file.write_text(json.dumps(document))

    assert report(town).code == 20


def test_an_auditor_samples_receipts_that_she_picks_herself(town):
    town.home.check(picture(OTHER))
    town.home.check(picture(STRANGER))
    town.home.publish_log.batch()
    sample = (
        *("audit", "sample", "--server", town.url, "--token-file", town.tmp / "auditor"),
        *("--key", town.log_key, "--json"),
    )

    found = town.run(*sample)

    assert found.code == 0, found.err
    require_documented(found.document)
    assert found.document["receipts"] == {"given": 2, "found": 2}


def test_a_receipt_that_the_operator_does_not_give_is_a_finding(town):
    checked = town.home.check(picture(OTHER))
    town.home.publish_log.batch()
    with town.home.database.writing() as session:
        session.connection().exec_driver_sql(
            "DELETE FROM receipts WHERE check_id = ?", (checked.check,)
        )

    found = town.run(
        *("audit", "sample", "--server", town.url, "--token-file", town.tmp / "auditor"),
        *("--key", town.log_key, "--json"),
    )

    assert found.code == 20
    assert "was not given" in found.document["findings"][0]["message"]
