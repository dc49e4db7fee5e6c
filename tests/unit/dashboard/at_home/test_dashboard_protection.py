"""Pages on which she chooses what is protected: uses, names, and whose face it is."""

from __future__ import annotations

import re

import pytest
from consentry.kernel.errors import Forbidden
from consentry.kernel.taxonomy import SubjectPolicy
from consentry.vault.passphrase import Passphrase
from fakes.coloured_faces import picture
from fakes.dashboard_services import PASSPHRASE

RED, BLUE = (200, 20, 20), (20, 20, 200)
OWN, EVES = "quiet heron under glass", "seven copper lanterns"
LESS = SubjectPolicy.INTIMATE_AND_IMPERSONATING
BY_NAME = "draw Ida Nordpol as a cartoon"


@pytest.fixture
def both(ada):
    """Two people; the first has a passphrase of her own."""
    ada.real.own_passphrases.set(ada.subject, Passphrase(OWN), old=None)
    ada.eve = ada.real.enrol(BLUE, name="Eve").subject
    ada.clock.advance(301)
    return ada


def policy_of(browser):
    return {each.subject: each.policy for each in browser.real.people.all()}[browser.subject]


def choose(browser, to, **fields):
    sent = {"subject": browser.subject, "policy": to}
    return browser.post("/protection/policy", sent | fields)


def add_name(browser, text="Ida Nordpol", kind="name", **fields):
    sent = {"subject": browser.subject, "text": text, "kind": kind}
    return browser.post("/protection/name", sent | fields)


def hidden(page, name):
    return re.search(rf'name="{name}" value="([^"]+)"', page)[1]


def verdict(browser, *images, prompt):
    return browser.real.check(*images, prompt=prompt).decision.verdict.value


def test_protecting_less_takes_her_passphrase_and_the_next_check_goes_by_it(ada):
    assert choose(ada, LESS, passphrase="not the one").status_code == 403
    assert policy_of(ada) is SubjectPolicy.EVERY_EDIT

    answer = choose(ada, LESS, passphrase=PASSPHRASE)

    assert answer.headers["location"] == "/protection?done=less"
    assert verdict(ada, picture(RED), prompt="make the sky blue") == "allow"


def test_a_recent_unlock_alone_does_not_protect_less(ada):
    assert choose(ada, LESS, passphrase="").status_code == 403
    assert policy_of(ada) is SubjectPolicy.EVERY_EDIT


def test_protecting_more_asks_for_nothing(ada):
    choose(ada, LESS, passphrase=PASSPHRASE)
    ada.clock.advance(301)
    page = ada.get("/protection").text
    assert "Protect every edit" in page

    answer = choose(ada, SubjectPolicy.EVERY_EDIT)

    assert answer.headers["location"] == "/protection?done=more"
    assert policy_of(ada) is SubjectPolicy.EVERY_EDIT


def test_in_a_shared_home_only_her_own_passphrase_protects_her_less(both):
    assert choose(both, LESS, passphrase=PASSPHRASE).status_code == 403
    assert policy_of(both) is SubjectPolicy.EVERY_EDIT
    assert choose(both, LESS, passphrase=OWN).status_code == 303


@pytest.mark.parametrize(
    ("fields", "status"), [({"policy": "none"}, 400), ({"subject": "sub_nobody"}, 404)], ids=str
)
def test_a_choice_that_there_is_not_is_said_on_the_page(ada, fields, status):
    answer = choose(ada, SubjectPolicy.EVERY_EDIT, **fields)
    assert answer.status_code == status
    assert "What you protect" in answer.text


def test_a_name_counts_from_the_next_check_until_she_takes_it_away(ada):
    assert verdict(ada, prompt=BY_NAME) == "allow"
    assert add_name(ada).headers["location"] == "/protection?done=named"
    assert verdict(ada, prompt=BY_NAME) == "needs_consent"
    page = ada.get("/protection").text
    assert "Ida Nordpol" in page
    sent = {"subject": ada.subject, "alias": hidden(page, "alias")}

    wrong = ada.post("/protection/name/remove", sent | {"passphrase": "not the one"})
    assert (wrong.status_code, "Ida Nordpol" in wrong.text) == (403, True)
    assert verdict(ada, prompt=BY_NAME) == "needs_consent"

    right = ada.post("/protection/name/remove", sent | {"passphrase": PASSPHRASE})
    assert right.headers["location"] == "/protection?done=unnamed"
    assert verdict(ada, prompt=BY_NAME) == "allow"
    assert "Ida Nordpol" not in ada.get("/protection").text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"text": "Al"}, 400),
        ({"text": "x" * 81}, 400),
        ({"kind": "nickname"}, 400),
        ({"subject": "sub_nobody"}, 404),
    ],
    ids=str,
)
def test_what_is_no_name_is_said_and_what_was_typed_stays(ada, fields, status):
    answer = add_name(ada, **{"text": "Kept Name"} | fields)
    assert answer.status_code == status
    if "text" not in fields:
        assert "Kept Name" in answer.text
    assert ada.real.aliases.list(ada.subject) == ()


def test_the_same_name_twice_is_a_conflict(ada):
    add_name(ada)
    assert add_name(ada, "IDA  nordpol").status_code == 409


def test_a_posted_code_is_kept_as_a_proof_and_other_words_are_not(ada):
    add_name(ada, "@konstpaus", "handle")
    page = ada.get("/protection").text
    assert "by your own word" in page
    code = re.search(r"consentry-[a-z2-7]{16}", page)[0]
    sent = {"alias": hidden(page, "alias"), "proof": "posted_code"}

    wrong = ada.post("/protection/name/proof", sent | {"posted": "hello there"})
    assert wrong.status_code == 400
    right = ada.post("/protection/name/proof", sent | {"posted": f"Look: {code.upper()}!"})
    assert right.headers["location"] == "/protection?done=proved"
    assert "proved by a posted code" in ada.get("/protection").text

    ada.post("/protection/name/proof", sent | {"proof": "operator"})
    assert "looked at by whoever runs this" in ada.get("/protection").text


def test_another_persons_passphrase_takes_no_name_away(both):
    add_name(both)
    alias = hidden(both.get("/protection").text, "alias")
    fields = {"alias": alias, "subject": both.eve, "passphrase": PASSPHRASE}
    assert both.post("/protection/name/remove", fields).status_code == 403
    assert len(both.real.aliases.list(both.subject)) == 1


def contest(browser):
    fields = {"claimant": browser.eve, "respondent": browser.subject}
    return browser.post("/protection/contest", fields)


def test_while_a_face_is_contested_no_yes_counts_and_the_pages_say_so(both):
    both.real.own_passphrases.prove(both.subject, Passphrase(OWN))
    assert (
        both.real.check(picture(RED), actor=both.real.verify_actor(both.subject)).decision.verdict
        == "allow"
    )

    assert contest(both).headers["location"] == "/protection?done=contested"

    assert (
        both.real.check(picture(RED), actor=both.real.verify_actor(both.subject)).decision.verdict
        == "needs_consent"
    )
    assert "Eve and Ada" in both.get("/protection").text
    assert "is contested" in both.get("/consents").text
    assert contest(both).status_code == 409


def test_settling_takes_both_of_them(both):
    contest(both)
    page = both.get("/protection").text
    assert "Ada&#39;s own passphrase" in page
    assert "The home&#39;s passphrase" in page
    sent = {"contest": hidden(page, "contest")}

    for fields in (
        {"passphrase": PASSPHRASE},
        {"passphrase": PASSPHRASE, "respondent_passphrase": PASSPHRASE},
        {"passphrase": "not the one", "respondent_passphrase": OWN},
    ):
        assert both.post("/protection/contest/settle", sent | fields).status_code == 403
        both.clock.advance(301)
    assert len(both.real.contests.all()) == 1

    fields = {"passphrase": PASSPHRASE, "respondent_passphrase": OWN}
    answer = both.post("/protection/contest/settle", sent | fields)
    assert answer.headers["location"] == "/protection?done=settled"
    assert both.real.contests.all() == ()
    assert both.post("/protection/contest/settle", sent | fields).status_code == 404


def test_a_contest_with_oneself_is_none(both):
    fields = {"claimant": both.eve, "respondent": both.eve}
    answer = both.post("/protection/contest", fields)
    assert answer.status_code == 400
    assert "between two people" in answer.text


def test_who_lives_alone_is_told_that_a_contest_needs_two(ada):
    assert "between two people" in ada.get("/protection/contest").text
    assert "/protection/contest" not in ada.get("/protection").text


@pytest.mark.parametrize("path", ["/protection", "/protection/name", "/protection/contest"])
def test_while_locked_nothing_of_it_is_shown_and_strangers_see_nothing(both, path):
    add_name(both)
    both.real.custody.lock()
    assert both.get(path).headers["location"] == "/unlock"
    late = add_name(both, "Somebody Else")
    assert (late.status_code, "Ida Nordpol" in late.text) == (423, False)
    assert "Somebody Else" in late.text
    assert late.text.count("<option") == 2
    both.client.cookies.clear()
    assert both.get(path).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/protection/policy",
        "/protection/name",
        "/protection/name/proof",
        "/protection/name/remove",
        "/protection/contest",
        "/protection/contest/settle",
    ],
)
def test_without_the_form_token_nothing_changes(ada, path):
    assert ada.client.post(path, data={"subject": ada.subject}).status_code == 403


def test_names_are_never_markup(ada):
    add_name(ada, "<b>Ida</b> Nordpol")
    assert "<b>Ida" not in ada.get("/protection").text


def test_in_an_empty_home_the_page_leads_to_the_first_enrolment(browser, real):
    browser.create()
    assert "Nobody is protected yet" in browser.get("/protection").text
    assert browser.get("/protection/name").headers["location"] == "/enrol"
    with pytest.raises(Forbidden):
        real.verify_actor("sub_nobody")
