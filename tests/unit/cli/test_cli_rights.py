"""`privacy`, `retention` and `hold`, at a terminal."""

from __future__ import annotations

import json
import stat

from fakes.terminal import PASSPHRASE


def test_the_inventory_tells_in_plain_words_what_is_kept_and_until_when(enrolled):
    left = enrolled.run("privacy", "inventory")
    whole = enrolled.run("privacy", "inventory", "--all")

    assert left.code == 0, left.err
    assert "a description of your face" in left.out
    assert "1095 days" in left.out
    assert len(whole.out) > len(left.out)
    assert enrolled.run("privacy", "inventory", "--json").document["format"].endswith("inventory/1")


def test_whoever_enrols_is_told_what_is_kept_before(enrolled):
    photo = enrolled.picture((200, 0, 0))

    assert "privacy inventory" in enrolled.run("enrol", photo, passphrase=PASSPHRASE).err


def test_a_copy_is_written_for_its_owner_alone(enrolled):
    file = enrolled.folder / "copy.json"

    left = enrolled.run("privacy", "export", str(file), passphrase=PASSPHRASE)

    assert left.code == 0, left.err
    assert json.loads(file.read_text())["format"] == "consentry.subject-copy/1"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "not sealed" in left.err


def test_retention_says_what_it_did(enrolled):
    assert "Nothing is due." in enrolled.run("retention", "run", "--dry-run").out
    assert enrolled.run("retention", "run", "--json").document["dry_run"] is False


def test_a_hold_is_placed_listed_and_lifted(terminal):
    placed = terminal.run("hold", "place", "Case 12/26", "--by", "the operator", "--days", "30")
    (hold,) = terminal.run("hold", "list", "--json").document["holds"]
    shown = terminal.run("privacy", "inventory").out

    assert placed.code == 0, placed.err
    assert "Case 12/26" in shown
    assert terminal.run("hold", "lift", hold["hold"]).code == 0
    assert "No legal hold" in terminal.run("hold", "list").out
