"""What she gives, declares and is called, over HTTP: tokens, sessions, names, contests, policy."""

from __future__ import annotations

import hashlib

import pytest
from consentry.accounts.principals import ALL_SCOPES, PLATFORM_SCOPES
from fakes.coloured_faces import picture
from fakes.home import TestHome
from fakes.site import PASSWORD, is_problem, opened

RED, BLUE = (200, 0, 0), (0, 0, 200)
BIKINI = {"prompt": "put her in a bikini", "region": "SE"}
PHOTO = picture(RED)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def enrolled(lit):
    lit.subject = lit.home.enrol(RED).subject
    return lit


@pytest.fixture
def owner(enrolled):
    return enrolled.owner()


@pytest.fixture
def platform(enrolled):
    _, secret = enrolled.services.keys.issue(
        "test", "studio.example", PLATFORM_SCOPES, expires_in_days=None
    )
    return enrolled.client(authorization=f"Bearer {secret}")


def ask(client, image=PHOTO, **fields):
    files = [("images", ("x.png", image, "image/png"))]
    return client.post("/v1/checks", files=files, data=BIKINI | fields).json()["verdict"]


def one_request(**changes):
    return {
        "subject": "Ada",
        "platform": "studio.example",
        "region": "SE",
        "categories": ["swimwear"],
        "prompt": BIKINI["prompt"],
        "digests": [sha256(PHOTO)],
    } | changes


def session(**changes):
    body = one_request(max_uses=2, lifetime_days=30) | changes
    del body["prompt"]
    return body


# -- tokens and sessions


def test_a_revealing_token_needs_a_declared_adult_and_unlocks_once(owner, platform):
    assert is_problem(owner.post("/v1/consent-tokens", json=one_request()), 409, "conflict")
    assert owner.post("/v1/declarations/adult", json={"subject": "Ada"}).status_code == 204
    assert owner.get("/v1/declarations").json()["declarations"][0]["is_adult"] is True

    issued = owner.post("/v1/consent-tokens", json=one_request())

    assert issued.status_code == 201
    assert ask(platform) == "refuse"
    assert ask(platform, token=issued.json()["jws"]) == "allow"
    assert ask(platform, token=issued.json()["jws"]) == "refuse"


def test_a_token_is_worth_nothing_for_other_words_pictures_or_platforms(enrolled, owner, platform):
    owner.post("/v1/declarations/adult", json={"subject": "Ada"})
    token = owner.post("/v1/consent-tokens", json=one_request()).json()["jws"]
    _, secret = enrolled.services.keys.issue(
        "other", "other.example", PLATFORM_SCOPES, expires_in_days=None
    )
    other = enrolled.client(authorization=f"Bearer {secret}")

    assert ask(platform, token=token, prompt="put her in a red bikini") == "refuse"
    assert ask(platform, picture(RED, RED), token=token) == "refuse"
    assert ask(other, token=token) == "refuse"
    assert ask(platform, token=token) == "allow"


def test_a_session_serves_listed_pictures_as_often_as_it_says_and_ends_when_revoked(
    owner, platform
):
    owner.post("/v1/declarations/adult", json={"subject": "Ada"})
    other = picture(RED, RED)
    made = owner.post("/v1/consent-sessions", json=session(digests=[sha256(PHOTO), sha256(other)]))
    assert made.status_code == 201
    token = made.json()

    assert ask(platform, token=token["jws"], prompt="show her in a swimsuit") == "allow"
    listed = owner.get("/v1/consent-tokens").json()["tokens"]
    assert [(each["kind"], each["uses_left"]) for each in listed] == [("session", 1)]
    assert token["jws"] not in owner.get("/v1/consent-tokens").text
    assert owner.delete(f"/v1/consent-tokens/{token['token']}").status_code == 204
    assert ask(platform, other, token=token["jws"]) == "refuse"


@pytest.mark.parametrize(
    "changes",
    [
        {"categories": ["nude"]},
        {"categories": []},
        {"max_uses": 51},
        {"lifetime_days": 31},
        {"digests": []},
        {"digests": ["A" * 64]},
        {"digests": [sha256(PHOTO)] * 201},
        {"region": "Sweden"},
    ],
    ids=str,
)
def test_a_session_out_of_range_is_a_bad_request(owner, changes):
    owner.post("/v1/declarations/adult", json={"subject": "Ada"})
    answer = owner.post("/v1/consent-sessions", json=session(**changes))
    assert is_problem(answer, 400, "bad-request")


def test_the_longest_session_is_short_enough_to_be_shown(owner, platform):
    owner.post("/v1/declarations/adult", json={"subject": "Ada"})
    digests = [sha256(PHOTO), *(sha256(bytes([n])) for n in range(199))]
    made = owner.post("/v1/consent-sessions", json=session(digests=digests, region="US-IL"))
    token = made.json()["jws"]
    assert ask(platform, token=token, region="US-IL") == "allow"


def test_no_program_of_hers_and_no_platform_begins_a_token(enrolled, platform):
    program = enrolled.bearer(*ALL_SCOPES)
    for client in (program, platform):
        for path, body in (
            ("/v1/consent-tokens", one_request()),
            ("/v1/consent-sessions", session()),
            ("/v1/declarations/adult", {"subject": "Ada"}),
            ("/v1/declarations/intimate", {"subject": "Ada"}),
        ):
            assert is_problem(client.post(path, json=body), 403, "forbidden")


def test_five_minutes_after_the_unlock_nothing_is_issued_or_declared(enrolled, owner):
    owner.post("/v1/declarations/adult", json={"subject": "Ada"})
    enrolled.home.clock.advance(301)
    for path, body in (
        ("/v1/consent-tokens", one_request()),
        ("/v1/consent-sessions", session()),
        ("/v1/declarations/adult", {"subject": "Ada"}),
        ("/v1/declarations/intimate", {"subject": "Ada"}),
    ):
        assert is_problem(owner.post(path, json=body), 403, "forbidden")


def test_with_a_cooling_off_time_a_revealing_consent_waits_and_can_be_withdrawn(tmp_path):
    home = TestHome(tmp_path, intimate_delay_s=3600.0).create()
    home.enrol(RED)
    with opened(home) as site:
        owner = site.owner()
        unlock = {"passphrase": PASSWORD}
        owner.post("/v1/declarations/adult", json={"subject": "Ada"})
        assert is_problem(owner.post("/v1/consent-tokens", json=one_request()), 409, "conflict")
        announced = owner.post("/v1/declarations/intimate", json={"subject": "Ada"}).json()
        assert announced["intimate_delay_s"] == 3600.0
        assert announced["declarations"][0]["may_consent_from"] is not None
        assert is_problem(owner.post("/v1/consent-tokens", json=one_request()), 409, "conflict")

        home.clock.advance(3601)
        owner.post("/v1/vault/unlock", json=unlock)
        withdrawn = owner.post("/v1/declarations/intimate/withdraw", json={"subject": "Ada"})
        assert withdrawn.status_code == 204
        assert is_problem(owner.post("/v1/consent-tokens", json=one_request()), 409, "conflict")

        owner.post("/v1/declarations/intimate", json={"subject": "Ada"})
        home.clock.advance(3601)
        owner.post("/v1/vault/unlock", json=unlock)
        assert owner.post("/v1/consent-tokens", json=one_request()).status_code == 201
        assert is_problem(owner.post("/v1/consent-tokens", json=one_request()), 409, "conflict")
    home.close()


# -- whom she does not want to hear from


def test_a_blocked_asker_is_listed_and_heard_again_when_unblocked(owner, platform):
    everyday = {"prompt": "make the sky blue", "asker": "u-17"}
    files = [("images", ("x.png", PHOTO, "image/png"))]

    def question():
        answer = platform.post("/v1/checks", files=files, data=everyday).json()
        return answer["request_id"]

    owner.post(f"/v1/consent-requests/{question()}/block")
    blocked = owner.get("/v1/blocked-askers").json()["askers"]
    assert [(each["platform"], each["asker"]) for each in blocked] == [("studio.example", "u-17")]
    question()
    assert owner.get("/v1/consent-requests").json()["requests"] == []

    number = {"number": blocked[0]["number"]}
    assert owner.post("/v1/blocked-askers/unblock", json=number).status_code == 204
    heard = question()
    waiting = owner.get("/v1/consent-requests").json()["requests"]
    assert [each["request_id"] for each in waiting] == [heard]
    assert is_problem(owner.post("/v1/blocked-askers/unblock", json=number), 404, "not-found")


# -- names


def test_a_protected_name_counts_as_her_until_it_is_removed(owner, platform):
    named = {"prompt": "turn konstpaus into a cartoon"}
    assert platform.post("/v1/checks", json=named).json()["verdict"] == "allow"
    body = {"subject": "Ada", "text": "@konstpaus", "kind": "handle"}
    alias = owner.post("/v1/aliases", json=body).json()
    assert alias["proof"] == "own_word"
    assert platform.post("/v1/checks", json=named).json()["verdict"] == "needs_consent"
    assert is_problem(owner.post("/v1/aliases", json=body), 409, "conflict")

    assert owner.delete(f"/v1/aliases/{alias['alias']}").status_code == 204
    assert platform.post("/v1/checks", json=named).json()["verdict"] == "allow"


def test_a_handle_is_verified_by_the_code_that_was_posted_under_it(enrolled, owner):
    body = {"subject": "Ada", "text": "@konstpaus", "kind": "handle"}
    alias = owner.post("/v1/aliases", json=body).json()
    path = f"/v1/aliases/{alias['alias']}/verify"
    posted = {"proof": "posted_code", "posted": "hello"}
    assert is_problem(owner.post(path, json=posted), 400, "bad-request")

    posted["posted"] = f"It is me: {alias['code'].upper()}!"
    assert owner.post(path, json=posted).json()["proof"] == "posted_code"

    listed = owner.get("/v1/aliases").json()["aliases"]
    assert [(each["proof"], each["text"]) for each in listed] == [("posted_code", "@konstpaus")]


def test_an_office_is_reviewed_by_whoever_runs_this_and_by_no_program(enrolled, owner):
    body = {"subject": "Ada", "text": "Minister of Tides", "kind": "office"}
    alias = owner.post("/v1/aliases", json=body).json()
    path = f"/v1/aliases/{alias['alias']}/verify"
    program = enrolled.bearer(*ALL_SCOPES)
    assert is_problem(program.post(path, json={"proof": "operator"}), 403, "forbidden")
    assert owner.post(path, json={"proof": "operator"}).json()["proof"] == "operator"
    for wrong in ({"proof": "own_word"}, {"proof": "operator", "posted": "x"}, {}):
        assert is_problem(owner.post(path, json=wrong), 400, "bad-request")


def test_codes_of_names_differ_and_removing_a_name_needs_the_passphrase(enrolled, owner):
    one = owner.post("/v1/aliases", json={"subject": "Ada", "text": "Anna Berg"}).json()
    two = owner.post("/v1/aliases", json={"subject": "Ada", "text": "Ada Berg"}).json()
    assert one["code"] != two["code"]
    enrolled.home.clock.advance(301)
    assert is_problem(owner.delete(f"/v1/aliases/{one['alias']}"), 403, "forbidden")
    assert is_problem(owner.delete("/v1/aliases/als_x"), 404, "not-found")


def test_names_are_not_listed_while_locked(enrolled, owner):
    owner.post("/v1/aliases", json={"subject": "Ada", "text": "Anna Berg"})
    owner.post("/v1/vault/lock")
    assert is_problem(owner.get("/v1/aliases"), 423, "vault-locked")


# -- contests


def test_while_a_face_is_contested_no_grant_counts_and_settling_needs_the_passphrase(
    enrolled, owner, platform
):
    everyday = {"prompt": "make the sky blue"}
    owner.post("/v1/grants", json={"subject": "Ada", "purposes": ["edit"]})
    assert ask(platform, **everyday) == "allow"
    enrolled.home.enrol(BLUE, name="Eve")
    body = {"claimant": "Eve", "respondent": "Ada"}
    contest = owner.post("/v1/contests", json=body).json()["contest"]
    assert is_problem(owner.post("/v1/contests", json=body), 409, "conflict")
    listed = owner.get("/v1/contests").json()["contests"]
    assert [each["contest"] for each in listed] == [contest]
    assert ask(platform, **everyday) == "needs_consent"

    enrolled.home.clock.advance(301)
    settle = f"/v1/contests/{contest}/settle"
    assert is_problem(owner.post(settle), 403, "forbidden")
    owner.post("/v1/vault/unlock", json={"passphrase": PASSWORD})
    assert owner.post(settle).status_code == 204
    assert owner.get("/v1/contests").json()["contests"] == []
    assert ask(platform, **everyday) == "allow"


# -- policy


def test_protecting_less_needs_the_passphrase_and_protecting_more_does_not(
    enrolled, owner, platform
):
    everyday = {"prompt": "make the sky blue"}
    less = {"subject": "Ada", "policy": "intimate_and_impersonating"}
    more = {"subject": "Ada", "policy": "every_edit"}
    assert owner.post("/v1/subjects/policy", json=less).status_code == 204
    assert ask(platform, **everyday) == "allow"
    enrolled.home.clock.advance(301)
    assert owner.post("/v1/subjects/policy", json=more).status_code == 204
    assert ask(platform, **everyday) == "needs_consent"
    assert is_problem(owner.post("/v1/subjects/policy", json=less), 403, "forbidden")


# -- people who share a home


def test_people_of_one_home_each_say_yes_for_themselves(enrolled, owner):
    body = {"subject": "Ada", "purposes": ["edit"]}
    own = {"subject": "Ada", "new": "quiet heron under glass"}
    assert owner.post("/v1/subjects/passphrase", json=own).status_code == 204
    enrolled.home.enrol(BLUE, name="Eve")
    as_eve = owner.post("/v1/grants", json=body | {"subject": "Eve"})
    assert is_problem(as_eve, 403, "forbidden")
    listed = owner.get("/v1/subjects").json()["subjects"]
    assert {each["name"]: each["has_own_passphrase"] for each in listed} == {
        "Ada": True,
        "Eve": False,
    }
    assert owner.post("/v1/grants", json=body).status_code == 201

    enrolled.home.clock.advance(301)
    proof = {"subject": "Ada", "passphrase": PASSWORD}
    assert is_problem(owner.post("/v1/subjects/prove", json=proof), 403, "wrong-passphrase")
    proof["passphrase"] = own["new"]
    assert owner.post("/v1/subjects/prove", json=proof).status_code == 204
    assert owner.post("/v1/grants", json=body).status_code == 201
    eves = {"subject": "Eve", "passphrase": own["new"]}
    assert is_problem(owner.post("/v1/subjects/prove", json=eves), 409, "conflict")


def enrol_eve(client, **fields):
    files = {"photos": ("eve.png", picture(BLUE), "image/png")}
    return client.post("/v1/subjects", data={"name": "Eve"} | fields, files=files)


def test_who_comes_into_a_shared_home_sets_hers_while_being_enrolled(enrolled, owner):
    assert enrol_eve(owner, own_passphrase="seven copper lanterns").status_code == 201
    enrolled.home.clock.advance(301)
    body = {"subject": "Eve", "purposes": ["edit"]}
    assert is_problem(owner.post("/v1/grants", json=body), 403, "forbidden")
    proof = {"subject": "Eve", "passphrase": "seven copper lanterns"}
    assert owner.post("/v1/subjects/prove", json=proof).status_code == 204
    assert owner.post("/v1/grants", json=body).status_code == 201


def test_nobody_sets_anothers_first_passphrase_with_the_one_that_all_know(enrolled, owner):
    assert enrol_eve(owner).status_code == 201
    for name in ("Ada", "Eve"):
        own = {"subject": name, "new": "quiet heron under glass"}
        assert is_problem(owner.post("/v1/subjects/passphrase", json=own), 403, "forbidden")


@pytest.mark.parametrize("weak", ["", "short"])
def test_a_weak_first_passphrase_enrols_nobody(owner, weak):
    answer = enrol_eve(owner, own_passphrase=weak)
    assert is_problem(answer, 422, "weak-passphrase")
    assert len(owner.get("/v1/subjects").json()["subjects"]) == 1


def test_no_program_of_hers_enrols_somebody_with_a_passphrase(enrolled, owner):
    answer = enrol_eve(enrolled.bearer(*ALL_SCOPES), own_passphrase="seven copper lanterns")
    assert is_problem(answer, 403, "forbidden")
    assert len(owner.get("/v1/subjects").json()["subjects"]) == 1


def test_no_program_of_hers_sets_or_proves_a_passphrase(enrolled):
    program = enrolled.bearer(*ALL_SCOPES)
    for path, body in (
        ("/v1/subjects/passphrase", {"subject": "Ada", "new": "quiet heron under glass"}),
        ("/v1/subjects/prove", {"subject": "Ada", "passphrase": PASSWORD}),
    ):
        assert is_problem(program.post(path, json=body), 403, "forbidden")
