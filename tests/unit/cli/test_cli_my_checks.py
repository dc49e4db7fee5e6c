"""`checks mine`, at a terminal."""

from __future__ import annotations

from fakes.terminal import PASSPHRASE, Terminal, descriptor_with, require_documented

HER, OTHER = (200, 0, 0), (0, 0, 200)
OWN = "quiet heron under glass"


def check(terminal: Terminal, who, prompt: str) -> None:
    path = terminal.picture(who)
    terminal.run("check", path, "--prompt", prompt, passphrase=PASSPHRASE)
    terminal.home.check_images.afterwards.finish()


def test_she_reads_what_for_and_the_verdict(enrolled):
    check(enrolled, HER, "put her in a bikini")
    check(enrolled, OTHER, "put her in a bikini")

    left = enrolled.run("checks", "mine", passphrase=PASSPHRASE)

    assert left.code == 0, left.err
    assert left.out.count("swimwear") == 1
    assert ("your face" in left.out, "refuse" in left.out, "180 days" in left.out) == (True,) * 3


def test_json_is_as_documented(enrolled):
    check(enrolled, HER, "make the sky blue")

    left = enrolled.run("checks", "mine", "--json", passphrase=PASSPHRASE)

    require_documented(left.document)
    assert [each["verdict"] for each in left.document["checks"]] == ["needs_consent"]


def test_nothing_is_said_to_be_about_her_when_nothing_was(enrolled):
    check(enrolled, OTHER, "make the sky blue")

    assert "No check" in enrolled.run("checks", "mine", passphrase=PASSPHRASE).out


def test_none_among_those_that_were_looked_through_is_no_all_clear(enrolled, monkeypatch):
    monkeypatch.setattr("consentry.checks.mine.MAX_TRIED", 1)
    check(enrolled, HER, "make the sky blue")
    enrolled.home.clock.advance(1)
    check(enrolled, OTHER, "make the sky blue")

    newest = enrolled.run("checks", "mine", passphrase=PASSPHRASE).out
    before = ("--before", newest.partition("--before ")[2].split()[0])
    older = enrolled.run("checks", "mine", *before, passphrase=PASSPHRASE).out
    last = enrolled.run("checks", "mine", "--before", "2020-01-01", passphrase=PASSPHRASE).out

    assert ("No check" in newest, "There is more" in newest) == (False, True)
    assert "your face" in older
    assert ("No check" in last, "There are no more" in last) == (False, True)


def test_with_a_passphrase_of_her_own_the_homes_is_not_enough(enrolled):
    new = ("--new-passphrase-fd", str(descriptor_with(OWN)))
    enrolled.run("own-passphrase", "set", *new, passphrase=PASSPHRASE)
    check(enrolled, HER, "make the sky blue")
    enrolled.home.own_passphrases.forget()

    refused = enrolled.run("checks", "mine", passphrase=PASSPHRASE)
    read = enrolled.run(
        *("checks", "mine", "--own-passphrase-fd", str(descriptor_with(OWN))),
        passphrase=PASSPHRASE,
    )

    assert refused.code != 0
    assert (read.code, "needs_consent" in read.out) == (0, True)
