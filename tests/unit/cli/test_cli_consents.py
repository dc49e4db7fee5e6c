"""Giving, declaring, being asked and being named, at a terminal."""

from __future__ import annotations

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from consentry.accounts.principals import PLATFORM_SCOPES
from consentry.api.app import create_app
from consentry.cli.identity import NameKind
from consentry.enrolment.aliases import AliasKind
from consentry.vault.passphrase import Passphrase
from fakes.coloured_faces import picture
from fakes.site import InProcess
from fakes.terminal import PASSPHRASE, Terminal, descriptor_with, require_documented

HER, OTHER = (200, 0, 0), (0, 0, 200)
EVERYDAY = ("--prompt", "make the sky blue")
BIKINI = "put her in a bikini"
STUDIO = ("--platform", "studio.example")
OWN = "quiet heron under glass"
EVES = "seven copper lanterns"


def check(terminal: Terminal, *more: str):
    return terminal.run("check", terminal.picture(HER), *more, passphrase=PASSPHRASE).code


def given(terminal: Terminal, *command: str, code: int = 0, own: str | None = None):
    more = () if own is None else ("--own-passphrase-fd", str(descriptor_with(own)))
    left = terminal.run(*command, *more, "--json", passphrase=PASSPHRASE)
    assert left.code == code, left.err
    require_documented(left.document)
    return left.document


def asks(terminal: Terminal) -> str:
    """A platform asks her, and is told to wait for her consent."""
    services = terminal.services
    _, secret = services.keys.issue("s", "studio.example", PLATFORM_SCOPES, expires_in_days=None)
    app = create_app(
        services,
        host_allowlist=("127.0.0.1",),
        max_body_bytes=1_000_000,
        worker_threads=2,
        trusted_socket=False,
        version="0",
        clock=terminal.home.clock,
    )
    with (
        start_blocking_portal() as portal,
        httpx.Client(
            transport=InProcess(app, portal),
            base_url="http://127.0.0.1:1",
            headers={"authorization": f"Bearer {secret}"},
        ) as client,
    ):
        files = [("images", ("x", picture(HER), "image/png"))]
        data = {"prompt": "make the sky blue", "asker": "u-17"}
        return client.post("/v1/checks", files=files, data=data).json()["request_id"]


def test_a_grant_is_given_relied_on_listed_and_taken_back(enrolled):
    assert check(enrolled, *EVERYDAY) == 11

    made = given(enrolled, "grant", "add", "--purpose", "edit", "--days", "30")

    assert check(enrolled, *EVERYDAY) == 0
    listed = given(enrolled, "grant", "list")["grants"]
    assert [each["grant"] for each in listed] == [made["grant"]]
    enrolled.home.custody.lock()
    assert enrolled.run("grant", "revoke", made["grant"]).code == 0
    assert check(enrolled, *EVERYDAY) == 11
    assert "agreed" in enrolled.run("grant", "list", passphrase=PASSPHRASE).out


def test_grants_are_exported_as_consent_records(enrolled):
    made = given(enrolled, "grant", "add", "--purpose", "edit", *STUDIO)
    left = enrolled.run("grant", "export", passphrase=PASSPHRASE)
    require_documented(left.document)
    assert [each["header"]["record_id"] for each in left.document["records"]] == [made["grant"]]


def test_nothing_revealing_is_for_a_grant(enrolled):
    left = enrolled.run(
        *("grant", "add", "--purpose", "edit", "--category", "swimwear"), passphrase=PASSPHRASE
    )
    assert (left.code, "never covers a revealing use" in left.err) == (2, True)


def test_a_token_for_one_request_is_issued_by_her_and_shown_once(enrolled):
    path = enrolled.picture(HER)
    issue = ("consent-token", "issue", path, *STUDIO, "--prompt", BIKINI, "--category", "swimwear")
    left = enrolled.run(*issue, passphrase=PASSPHRASE)
    assert (left.code, "declared to be 18" in left.err) == (2, True)

    declared = enrolled.run("declare", "adult", passphrase=PASSPHRASE)
    assert declared.code == 0, declared.err
    issued = given(enrolled, *issue)

    listed = given(enrolled, "consent-token", "list")["tokens"]
    assert [(each["token"], each["kind"]) for each in listed] == [(issued["token"], "single")]
    assert enrolled.run("consent-token", "revoke", issued["token"]).code == 0
    assert given(enrolled, "consent-token", "list")["tokens"] == []
    assert given(enrolled, "declare", "show")["declarations"][0]["is_adult"] is True


def test_a_session_is_opened_listed_and_ended(enrolled):
    enrolled.run("declare", "adult", passphrase=PASSPHRASE)
    paths = (enrolled.picture(HER), enrolled.picture(HER, HER))
    wish = ("--category", "swimwear", "--uses", "5", "--days", "7")
    issued = given(enrolled, "session", "open", *paths, *STUDIO, *wish)

    listed = given(enrolled, "session", "list")["tokens"]
    assert [(each["kind"], each["uses_left"]) for each in listed] == [("session", 5)]
    assert enrolled.run("session", "revoke", issued["token"]).code == 0
    nude = enrolled.run(
        *("session", "open", *paths, *STUDIO, "--category", "nude", "--uses", "5", "--days", "7"),
        passphrase=PASSPHRASE,
    )
    assert (nude.code, "swimwear and underwear only" in nude.err) == (2, True)


@pytest.mark.parametrize("answer", ["approve", "decline", "block"])
def test_she_sees_what_is_asked_and_answers(enrolled, answer):
    enrolled.home.custody.unlock(Passphrase(PASSPHRASE))
    request = asks(enrolled)
    enrolled.home.custody.lock()
    waiting = given(enrolled, "request", "list")["requests"]
    assert [(each["request_id"], each["asker"]) for each in waiting] == [(request, "u-17")]
    assert "make the sky blue" in enrolled.run("request", "list", passphrase=PASSPHRASE).out

    more = {} if answer == "decline" else {"passphrase": PASSPHRASE}
    left = enrolled.run("request", answer, request, **more)

    assert left.code == 0, left.err
    assert given(enrolled, "request", "list")["requests"] == []
    blocked = given(enrolled, "request", "blocked")["askers"]
    assert bool(blocked) is (answer == "block")
    for each in blocked:
        number = str(each["number"])
        assert enrolled.run("request", "unblock", number, passphrase=PASSPHRASE).code == 0


def test_a_name_is_protected_proved_and_removed(enrolled):
    named = ("check", enrolled.picture(OTHER), "--prompt", "turn konstpaus into a cartoon")
    added = given(enrolled, "alias", "add", "@konstpaus", "--kind", "handle")
    assert enrolled.run(*named, passphrase=PASSPHRASE).code == 11

    wrong = enrolled.run(
        "alias", "verify", added["alias"], "--posted", "hello", passphrase=PASSPHRASE
    )
    assert wrong.code == 2
    posted = ("--posted", f"me: {added['code']}")
    assert given(enrolled, "alias", "verify", added["alias"], *posted)["proof"] == "posted_code"
    assert given(enrolled, "alias", "verify", added["alias"])["proof"] == "operator"
    assert len(given(enrolled, "alias", "list")["aliases"]) == 1
    assert enrolled.run("alias", "remove", added["alias"], passphrase=PASSPHRASE).code == 0
    assert enrolled.run(*named, passphrase=PASSPHRASE).code == 0


def test_a_contest_is_opened_listed_and_resolved(enrolled):
    left = enrolled.run(
        *("enrol", enrolled.picture(OTHER), "--subject", "Eve"), passphrase=PASSPHRASE
    )
    assert left.code == 0, left.err
    opened = given(enrolled, "contest", "open", "Eve", "me")
    left = enrolled.run("contest", "list", "--json")
    require_documented(left.document)
    assert [each["contest"] for each in left.document["contests"]] == [opened["contest"]]
    settled = enrolled.run("contest", "resolve", opened["contest"], passphrase=PASSPHRASE)
    assert settled.code == 0, settled.err
    assert enrolled.run("contest", "list", "--json").document["contests"] == []


def test_what_is_protected_can_be_chosen_anew(enrolled):
    less = ("policy", "set", "intimate-and-impersonating")
    assert enrolled.run(*less, passphrase=PASSPHRASE).code == 0
    assert check(enrolled, *EVERYDAY) == 0
    assert "intimate" in enrolled.run("policy", "show", passphrase=PASSPHRASE).out
    assert enrolled.run("policy", "set", "every-edit", passphrase=PASSPHRASE).code == 0
    assert check(enrolled, *EVERYDAY) == 11


def test_in_a_shared_home_each_needs_a_passphrase_of_her_own(enrolled):
    new = ("--new-passphrase-fd", str(descriptor_with(OWN)))
    left = enrolled.run("own-passphrase", "set", "--subject", "ME", *new, passphrase=PASSPHRASE)
    assert left.code == 0, left.err
    enrol = ("enrol", enrolled.picture(OTHER), "--subject", "Eve")
    left = enrolled.run(*enrol, passphrase=PASSPHRASE)
    assert (left.code, "--own-passphrase" in left.err) == (0, True)
    grant = ("grant", "add", "--purpose", "edit")
    left = enrolled.run(*grant, passphrase=PASSPHRASE)
    assert (left.code, "--subject" in left.err) == (2, True)
    left = enrolled.run(*grant, "--subject", "Eve", passphrase=PASSPHRASE)
    assert (left.code, "one of your own" in left.err) == (2, True)

    enrolled.run("revoke", "Eve", "--yes", passphrase=PASSPHRASE)
    hers = ("--own-passphrase-fd", str(descriptor_with(EVES)))
    left = enrolled.run(*enrol, *hers, passphrase=PASSPHRASE)
    assert (left.code, "--own-passphrase" in left.err) == (0, False)
    assert given(enrolled, *grant, "--subject", "Eve", own=EVES)["purposes"] == ["edit"]

    left = enrolled.run(*grant, "--subject", "me", passphrase=PASSPHRASE)
    assert (left.code, "--own-passphrase-fd" in left.err) == (2, True)
    assert given(enrolled, *grant, "--subject", "me", own=OWN)["purposes"] == ["edit"]
    wrong = ("--own-passphrase-fd", str(descriptor_with(PASSPHRASE)))
    left = enrolled.run(*grant, "--subject", "me", *wrong, passphrase=PASSPHRASE)
    assert (left.code, "wrong-passphrase" in left.err) == (2, True)


def test_the_kinds_of_names_are_those_of_the_api():
    assert [each.value for each in NameKind] == [each.value for each in AliasKind]
