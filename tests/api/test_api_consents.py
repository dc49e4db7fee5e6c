"""Saying yes and no over HTTP, and what the asker learns of it."""

from __future__ import annotations

import base64

import pytest
from consentry.accounts.principals import EXTENSION_SCOPES, PLATFORM_SCOPES
from consentry.vault.passphrase import Passphrase
from fakes.coloured_faces import picture
from fakes.site import PASSWORD, is_problem

RED, BLUE = (200, 0, 0), (0, 0, 200)
OWN = "quiet heron under glass"
EVERYDAY = {"prompt": "make the sky blue"}


@pytest.fixture
def enrolled(lit):
    lit.subject = lit.home.enrol(RED).subject
    return lit


@pytest.fixture
def owner(enrolled):
    client = enrolled.owner()
    client.post("/v1/vault/unlock", json={"passphrase": PASSWORD})
    return client


@pytest.fixture
def platform(enrolled):
    _, secret = enrolled.services.keys.issue(
        "test", "studio.example", PLATFORM_SCOPES, expires_in_days=None
    )
    return enrolled.client(authorization=f"Bearer {secret}")


def ask(client, **fields):
    files = [("images", ("x.png", picture(RED), "image/png"))]
    return client.post("/v1/checks", files=files, data=EVERYDAY | fields).json()


def test_a_question_is_asked_approved_and_its_token_used_once(owner, platform):
    asked = ask(platform)
    assert asked["verdict"] == "needs_consent"
    path = f"/v1/consent-requests/{asked['request_id']}"
    assert platform.get(path).json()["state"] == "pending"
    waiting = owner.get("/v1/consent-requests").json()["requests"]
    assert [each["request_id"] for each in waiting] == [asked["request_id"]]
    assert waiting[0]["platform"] == "studio.example"

    assert owner.post(path + "/approve", json={}).status_code == 204
    status = platform.get(path).json()
    assert status["state"] == "approved"
    assert owner.get("/v1/consent-requests").json()["requests"] == []
    assert ask(platform, token=status["token"])["verdict"] == "allow"
    assert ask(platform, token=status["token"])["verdict"] == "needs_consent"


@pytest.mark.parametrize("answer", ["decline", "block"])
def test_a_question_is_answered_with_no(owner, platform, answer):
    asked = ask(platform)
    path = f"/v1/consent-requests/{asked['request_id']}"
    assert owner.post(f"{path}/{answer}").status_code == 204
    assert platform.get(path).json()["token"] is None
    assert owner.get("/v1/consent-requests").json()["requests"] == []


def test_another_platform_learns_nothing_of_a_question(enrolled, owner, platform):
    asked = ask(platform)
    _, secret = enrolled.services.keys.issue(
        "other", "other.example", PLATFORM_SCOPES, expires_in_days=None
    )
    other = enrolled.client(authorization=f"Bearer {secret}")
    path = f"/v1/consent-requests/{asked['request_id']}"
    assert other.get(path).json()["state"] == "expired"
    assert is_problem(other.post(f"{path}/approve", json={}), 403, "forbidden")


def test_a_grant_is_given_relied_on_listed_and_taken_back(owner, platform):
    body = {"subject": "Ada", "purposes": ["edit"], "platform": "studio.example"}
    made = owner.post("/v1/grants", json=body)
    assert made.status_code == 201
    grant = made.json()["grant"]
    allowed = ask(platform)
    assert allowed["verdict"] == "allow"
    assert [each["grant"] for each in owner.get("/v1/grants").json()["grants"]] == [grant]

    cursor = platform.get("/v1/feed").json()["cursor"]
    assert owner.delete(f"/v1/grants/{grant}").status_code == 204
    assert ask(platform)["verdict"] == "needs_consent"
    news = platform.get("/v1/feed", params={"cursor": cursor}).json()["changes"]
    assert [(each["kind"], each["check_id"]) for each in news] == [("revoked", allowed["check_id"])]
    assert is_problem(owner.delete(f"/v1/grants/{grant}"), 404, "not-found")


def test_the_feed_does_not_tell_one_platform_about_the_checks_of_another(enrolled, owner, platform):
    owner.post("/v1/grants", json={"subject": "Ada", "purposes": ["edit"]})
    ask(platform)
    grant = owner.get("/v1/grants").json()["grants"][0]["grant"]
    owner.delete(f"/v1/grants/{grant}")
    _, secret = enrolled.services.keys.issue(
        "other", "other.example", PLATFORM_SCOPES, expires_in_days=None
    )
    news = enrolled.client(authorization=f"Bearer {secret}").get("/v1/feed").json()["changes"]
    assert [each for each in news if each["kind"] == "revoked"] == []


def test_a_grant_needs_her_passphrase_and_nothing_revealing_is_for_one(enrolled, owner):
    body = {"subject": "Ada", "purposes": ["edit"], "categories": ["swimwear"]}
    assert is_problem(owner.post("/v1/grants", json=body), 400, "bad-request")
    enrolled.home.clock.advance(301)
    body = {"subject": "Ada", "purposes": ["edit"]}
    assert is_problem(owner.post("/v1/grants", json=body), 403, "forbidden")


def test_what_is_not_there_is_not_found(owner):
    assert is_problem(owner.delete("/v1/consent-tokens/ctk_x"), 404, "not-found")
    for verb in ("decline", "block"):
        answer = owner.post(f"/v1/consent-requests/crq_x/{verb}")
        assert is_problem(answer, 404, "not-found")
    assert owner.get("/v1/consent-tokens").json()["tokens"] == []


def test_an_extension_says_yes_with_her_passphrase_beside_it_and_not_without(
    enrolled, owner, platform
):
    asked = ask(platform)
    path = f"/v1/consent-requests/{asked['request_id']}"
    extension = enrolled.bearer(*EXTENSION_SCOPES)
    (waiting,) = extension.get("/v1/consent-requests").json()["requests"]
    assert waiting["prompt"] == EVERYDAY["prompt"]
    (shown,) = extension.get(path + "/pictures").json()["pictures"]
    assert base64.b64decode(shown).startswith(b"\xff\xd8")

    # The owner has just given hers, which is no yes of whoever holds the extension's token.
    assert is_problem(extension.post(path + "/approve", json={}), 403, "forbidden")
    wrong = extension.post(path + "/approve", json={"passphrase": "plum ladder cobalt"})
    assert is_problem(wrong, 403, "wrong-passphrase")
    assert platform.get(path).json()["state"] == "pending"

    assert extension.post(path + "/approve", json={"passphrase": PASSWORD}).status_code == 204
    assert ask(platform, token=platform.get(path).json()["token"])["verdict"] == "allow"
    assert is_problem(extension.get(path + "/pictures"), 404, "not-found")


def test_in_a_shared_home_an_extension_needs_the_passphrase_of_whoever_is_asked(enrolled, platform):
    enrolled.home.enrol(BLUE, name="Bob")
    enrolled.home.give_own(enrolled.subject, Passphrase(OWN))
    enrolled.services.own_passphrases.forget()
    path = f"/v1/consent-requests/{ask(platform)['request_id']}"
    extension = enrolled.bearer(*EXTENSION_SCOPES)

    homes = extension.post(path + "/approve", json={"passphrase": PASSWORD})

    assert is_problem(homes, 403, "wrong-passphrase")
    assert extension.post(path + "/approve", json={"passphrase": OWN}).status_code == 204


@pytest.mark.parametrize("answer", ["decline", "block"])
def test_an_extension_says_no_without_a_passphrase(enrolled, platform, answer):
    path = f"/v1/consent-requests/{ask(platform)['request_id']}"
    extension = enrolled.bearer(*EXTENSION_SCOPES)

    assert extension.post(f"{path}/{answer}").status_code == 204
    assert platform.get(path).json()["token"] is None


def test_an_extension_opens_nothing_and_gives_no_grant(enrolled, platform):
    path = f"/v1/consent-requests/{ask(platform)['request_id']}"
    extension = enrolled.bearer(*EXTENSION_SCOPES)
    grant = extension.post("/v1/grants", json={"subject": "Ada", "purposes": ["edit"]})
    assert is_problem(grant, 403, "forbidden")

    enrolled.services.custody.lock()

    answer = extension.post(path + "/approve", json={"passphrase": PASSWORD})
    assert is_problem(answer, 423, "vault-locked")
    assert extension.get("/v1/vault").json()["state"] == "locked"
