"""`audit` on a data folder: a sound log, a forged one, an export, and an export that lies."""

from __future__ import annotations

import json
import sqlite3

import pytest
from consentry.cli.exits import ExitCode
from consentry.cli.rim import run
from consentry.transparency.signing_key import create_signing_key
from fakes.coloured_faces import picture
from fakes.home import TestHome
from fakes.terminal import Left


@pytest.fixture
def home(data_folder):
    (data_folder / "keys").mkdir(parents=True, mode=0o700)
    home = TestHome(
        data_folder, signing_key=create_signing_key(data_folder / "keys" / "receipts.pem")
    )
    home.results = [home.check(picture((200, 0, 0)), prompt=f"make it {n}") for n in range(3)]
    yield home
    home.close()


@pytest.fixture
def at_terminal(home, capsys):
    def at_terminal(*arguments) -> Left:
        capsys.readouterr()
        code = run([str(each) for each in arguments])
        return Left(code, *capsys.readouterr())

    return at_terminal


@pytest.fixture
def kept(at_terminal, tmp_path):
    """A head that was published, in a file."""
    file = tmp_path / "kept.checkpoint"
    file.write_text(at_terminal("log", "checkpoint", "--publish").out)
    return file


def test_a_sound_log_leaves_with_0_and_says_so(at_terminal, home, kept, tmp_path):
    receipt = tmp_path / "receipt.txt"
    receipt.write_text(home.results[1].receipt.jws)
    found = at_terminal("audit", "verify", "--since", kept, "--receipt", receipt, "--json")

    assert found.code == 0, found.err
    assert found.document["findings"] == []
    assert found.document["receipts"] == {"given": 1, "found": 1}
    assert sum(found.document["verdicts"].values()) == 3
    assert "Nothing is wrong" in at_terminal("audit", "verify").out


def test_a_log_that_was_rewritten_leaves_with_20(at_terminal, home, kept, data_folder):
    with sqlite3.connect(data_folder / "consentry.db") as database:
        ((entry,),) = database.execute("SELECT entry FROM log_leaves WHERE leaf = 2")
        forged = json.dumps({**json.loads(entry), "verdict": "refuse"}, sort_keys=True)
        forged = forged.replace(", ", ",").replace(": ", ":").encode()
        database.execute("UPDATE log_leaves SET entry = ? WHERE leaf = 2", (forged,))
    database.close()
    found = at_terminal("audit", "verify", "--since", kept)

    assert found.code == ExitCode.FINDINGS
    assert "rewritten: " in found.out


def test_a_log_that_was_never_published_leaves_with_20(at_terminal):
    assert at_terminal("audit", "verify").code == ExitCode.FINDINGS


def test_an_export_stands_for_itself_and_one_that_lies_is_found(at_terminal, kept, tmp_path):
    out, openings = tmp_path / "export", tmp_path / "openings.jsonl"
    opened = at_terminal("audit", "open", "--name", "purpose", "--out", openings)
    assert "3 values" in opened.out
    options = ("--openings", openings)
    left = at_terminal(
        "audit", "export", "--out", out, "--threshold", 1, "--with-entries", *options
    )
    assert left.code == 0, left.err
    figures = json.loads((out / "figures.json").read_text())
    assert figures["entries"]["verdict"] == 3
    assert {each["row"] for each in figures["tables"]["purpose"]} == {"stated: edit", "*"}

    key = ("--key", at_terminal("log", "key").out.strip())
    assert at_terminal("audit", "recompute", out, *key, *options).code == 0
    assert at_terminal("audit", "verify", "--log", out, *key).code == 0
    without = at_terminal("audit", "recompute", out, *key, "--json")
    assert {each["kind"] for each in without.document["findings"]} == {"count"}

    report = out / "report.md"
    report.write_text(report.read_text().replace("Verdicts: 3", "Verdicts: 4"))
    found = at_terminal("audit", "recompute", out, *key, *options)
    assert found.code == ExitCode.FINDINGS
    assert "report.md" in found.out


def test_an_export_is_made_again_from_the_log_of_this_home(at_terminal, kept, home, tmp_path):
    out = tmp_path / "export"
    assert at_terminal("audit", "export", "--out", out).code == 0
    home.check(picture((0, 200, 0)))
    assert at_terminal("audit", "recompute", out).code == 0
    again = at_terminal("audit", "export", "--out", out)
    assert again.code == ExitCode.BAD_INPUT
    assert "something in it" in again.err


def test_a_log_of_somebody_else_wants_a_key_from_its_operator(at_terminal, kept, tmp_path):
    assert "--key" in at_terminal("audit", "verify", "--log", tmp_path).err
    key = at_terminal("log", "key").out.strip()
    policy = tmp_path / "policy"
    policy.write_text(f"log {key}\nquorum none\n")
    both = at_terminal("audit", "verify", "--log", tmp_path, "--key", key, "--policy", policy)
    assert "not both" in both.err
    (tmp_path / "receipt.txt").write_text("e.e.e")
    (tmp_path / "checkpoint").write_bytes(kept.read_bytes())
    nothing = at_terminal("audit", "verify", "--log", tmp_path, "--policy", policy, "--json")
    assert [each["kind"] for each in nothing.document["findings"]] == ["gap"]
    receipt = ("--receipt", tmp_path / "receipt.txt")
    assert "--jwks" in at_terminal("audit", "verify", "--log", tmp_path, "--key", key, *receipt).err


def test_what_the_operator_states_stands_in_the_export_and_is_made_again(
    at_terminal, home, kept, tmp_path
):
    stated, out = tmp_path / "stated.json", tmp_path / "export"

    assert "0 contested" in at_terminal("audit", "state", "--out", stated).out
    assert at_terminal("audit", "export", "--out", out, "--stated", stated).code == 0

    assert json.loads((out / "figures.json").read_text())["stated"]["contests_open"] == 0
    assert "appeals" in (out / "report.md").read_text()
    assert at_terminal("audit", "recompute", out).code == 0
    forged = (out / "report.md").read_text().replace(": 0.", ": 7.")
    (out / "report.md").write_text(forged)
    assert at_terminal("audit", "recompute", out).code == 20
