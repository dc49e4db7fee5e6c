"""What a platform with an API key can do, and what it never learns."""

from __future__ import annotations

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from consentry.accounts.budgets import ProbeQuota
from consentry.accounts.keys import DEFAULT_QUOTA
from consentry.accounts.principals import PLATFORM_SCOPES, Scope
from consentry.kernel.taxonomy import Obligation, PublicReason, Verdict
from consentry.transparency.receipts import verify_receipt
from fakes.coloured_faces import picture
from fakes.home import TestHome
from fakes.site import is_problem, opened

RED, BLUE, GREEN = (200, 0, 0), (0, 0, 200), (0, 200, 0)
EVERYDAY = {"prompt": "make the sky blue"}
ANSWER = {
    "format",
    "check_id",
    "verdict",
    "reasons",
    "obligations",
    "receipt",
    "salts",
    "request_id",
}


def images(*colours):
    return [("images", ("x.png", picture(each), "image/png")) for each in colours]


def data_url(colour):
    return "data:image/png;base64," + base64.b64encode(picture(colour)).decode()


@pytest.fixture
def enrolled(lit):
    lit.subject = lit.home.enrol(RED).subject
    return lit


def platform(site, *scopes, quota=DEFAULT_QUOTA, name="example.org"):
    _, secret = site.services.keys.issue(
        "test", name, scopes or PLATFORM_SCOPES, quota=quota, expires_in_days=None
    )
    return site.client(authorization=f"Bearer {secret}")


def test_an_answer_to_a_platform_has_exactly_the_documented_members(enrolled):
    client = platform(enrolled)
    for colour in (RED, BLUE):
        body = client.post("/v1/checks", files=images(colour), data=EVERYDAY).json()
        assert set(body) == ANSWER
        assert body["format"] == "consentry.verdict/1"


def test_a_platform_never_learns_who_or_where_or_how_sure(enrolled):
    text = platform(enrolled).post("/v1/checks", files=images(RED), data=EVERYDAY).text
    for secret in (enrolled.subject, "Ada", "subject_present", "score", "box", "faces", "enrolled"):
        assert secret not in text.replace(json.loads(text)["receipt"], "")


def test_a_revealing_answer_reads_the_same_whoever_is_in_the_picture(enrolled):
    client = platform(enrolled)
    ask = {"prompt": "put her in a bikini"}
    bodies = [
        client.post("/v1/checks", files=images(colour), data=ask).json() for colour in (RED, BLUE)
    ]
    for member in ("verdict", "reasons", "obligations"):
        assert bodies[0][member] == bodies[1][member]
    assert bodies[0]["verdict"] == "refuse"
    assert len({len(json.dumps(body)) for body in bodies}) == 1


def test_a_mask_is_looked_at_like_every_picture(enrolled):
    client = platform(enrolled)
    files = [*images(BLUE), ("mask", ("m.png", picture(RED), "image/png"))]
    form = client.post("/v1/checks", files=files, data=EVERYDAY).json()
    body = {"images": [data_url(BLUE)], "mask": data_url(RED), "prompt": "make the sky blue"}
    sent_as_json = client.post("/v1/checks", json=body).json()
    assert form["verdict"] == sent_as_json["verdict"] == "needs_consent"
    assert len(form["salts"]["images"]) == len(sent_as_json["salts"]["images"]) == 2


def test_there_is_one_mask(lit):
    files = [("mask", ("m.png", picture(RED))), ("mask", ("n.png", picture(BLUE)))]
    assert is_problem(platform(lit).post("/v1/checks", files=files), 400, "bad-request")


def test_the_newest_turn_of_a_conversation_is_the_prompt(enrolled):
    turns = [
        {"role": "post", "text": "me at the beach"},
        {"role": "user", "text": "put her in a bikini"},
    ]
    client = platform(enrolled)
    body = client.post("/v1/checks", json={"images": [data_url(BLUE)], "conversation": turns})
    assert body.json()["reasons"] == ["revealing_real_person"]
    assert body.json()["salts"]["prompt"] is not None
    assert len(body.json()["salts"]["context"]) == 1
    form = client.post(
        "/v1/checks", files=images(BLUE), data={"conversation": json.dumps(turns)}
    ).json()
    assert form["reasons"] == ["revealing_real_person"]


@pytest.mark.parametrize(
    "conversation", ["[]x", '[{"role": "god", "text": "x"}]', '["x"]', '{"role": "user"}']
)
def test_a_conversation_that_does_not_hold_is_refused(lit, conversation):
    data = {"conversation": conversation}
    answer = platform(lit).post("/v1/checks", files=images(BLUE), data=data)
    assert is_problem(answer, 400, "bad-request")


def test_a_conversation_and_a_context_at_once_are_refused(lit):
    body = {"conversation": [{"role": "user", "text": "a"}], "context": ["b"], "prompt": "c"}
    assert is_problem(platform(lit).post("/v1/checks", json=body), 400, "bad-request")


def test_a_key_speaks_for_its_own_platform_only(lit):
    client = platform(lit)
    own = client.post("/v1/checks", json=EVERYDAY | {"platform": "example.org"})
    other = client.post("/v1/checks", json=EVERYDAY | {"platform": "example.com"})
    assert own.json()["verdict"] == "allow"
    assert is_problem(other, 403, "forbidden")


def test_a_platform_asks_in_act_mode_only(lit):
    answer = platform(lit).post("/v1/checks", json=EVERYDAY | {"mode": "inform"})
    assert is_problem(answer, 403, "forbidden")


def test_a_platform_may_not_say_who_is_asking_whether_she_is_enrolled_or_not(enrolled):
    client = platform(enrolled)
    answers = [
        client.post("/v1/checks", files=images(RED), data=EVERYDAY | {"actor": actor})
        for actor in (enrolled.subject, "Ada", "Nobody")
    ]
    for answer in answers:
        assert is_problem(answer, 403, "forbidden")
    assert len({answer.json()["detail"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/subjects"),
        ("GET", "/v1/receipts"),
        ("GET", "/v1/tokens"),
        ("POST", "/v1/keys"),
        ("POST", "/v1/faces"),
        ("POST", "/v1/vault/lock"),
        ("POST", "/v1/erase"),
        ("GET", "/metrics"),
    ],
)
def test_no_key_reaches_what_is_the_owners(lit, method, path):
    assert is_problem(platform(lit).request(method, path), 403, "forbidden")


def test_receipts_of_a_platform_verify_with_the_published_keys(lit):
    client = platform(lit)
    body = client.post("/v1/checks", files=images(BLUE), data=EVERYDAY).json()
    claims = verify_receipt(body["receipt"], lit.services.signer.jwks())
    assert (claims.check, claims.verdict.value) == (body["check_id"], body["verdict"])


# -- keys over HTTP --------------------------------------------------------------------------------


def test_a_key_is_made_used_rotated_and_revoked_over_http(lit):
    owner = lit.owner()
    made = owner.post(
        "/v1/keys",
        json={"name": "A", "platform": "example.org", "scopes": ["checks:write", "checks:read"]},
    )
    assert made.status_code == 201
    key, old = made.json()["key"], made.json()["secret"]
    new = owner.post(f"/v1/keys/{key}/rotate", json={"overlap_hours": 1}).json()["secret"]
    clients = [lit.client(authorization=f"Bearer {secret}") for secret in (old, new)]
    for client in clients:
        assert client.post("/v1/checks", json=EVERYDAY).status_code == 200
    listed = owner.get("/v1/keys").json()["keys"]
    assert [(each["key"], each["secrets"]) for each in listed] == [(key, 2)]
    assert "csk_" not in owner.get("/v1/keys").text
    assert owner.delete(f"/v1/keys/{key}").status_code == 204
    for client in clients:
        assert is_problem(client.post("/v1/checks", json=EVERYDAY), 401, "unauthenticated")
    assert is_problem(owner.delete(f"/v1/keys/{key}"), 404, "not-found")
    gone = owner.post(f"/v1/keys/{key}/rotate", json={})
    assert is_problem(gone, 404, "not-found")


def test_a_token_cannot_make_a_key_that_may_do_more_than_itself(lit):
    body = {"name": "A", "platform": "example.org", "scopes": ["checks:write"]}
    answer = lit.bearer(Scope.TOKENS).post("/v1/keys", json=body)
    assert is_problem(answer, 403, "forbidden")


def test_a_platform_cannot_be_given_a_scope_of_the_owners(lit):
    body = {"name": "A", "platform": "example.org", "scopes": ["subjects:read"]}
    assert is_problem(lit.owner().post("/v1/keys", json=body), 400, "bad-request")


# -- budgets ---------------------------------------------------------------------------------------


def test_every_answer_to_a_key_says_what_is_left(enrolled):
    client = platform(enrolled, Scope.CHECKS_WRITE, quota=ProbeQuota(5, 50))
    answers = [
        client.get("/v1/policy"),
        client.post("/v1/checks", json=EVERYDAY),
        client.post("/v1/checks", json={"plan": "premium"}),
        client.get("/v1/subjects"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 400, 403]
    for answer, left in zip(answers, (5, 4, 4, 4), strict=True):
        assert answer.headers["ratelimit-policy"] == (
            '"faces-hour";q=5;w=3600;qu="faces", "faces-day";q=50;w=86400;qu="faces"'
        )
        assert re.fullmatch(
            rf'"faces-hour";r={left};t=\d+, "faces-day";r={45 + left};t=\d+',
            answer.headers["ratelimit"],
        )


def test_each_face_in_each_picture_is_paid_for_whether_enrolled_or_not(enrolled):
    lefts = []
    for colour in (RED, BLUE):
        client = platform(enrolled, quota=ProbeQuota(50, 500), name=f"{len(lefts)}.example")
        answer = client.post("/v1/checks", files=images(colour, GREEN), data=EVERYDAY)
        lefts.append(re.search(r"r=(\d+)", answer.headers["ratelimit"])[1])
    assert lefts[0] == lefts[1] == "48"


def test_who_has_nothing_left_gets_no_verdict_and_leaves_no_receipt(enrolled):
    client = platform(enrolled, quota=ProbeQuota(3, 50))
    assert client.post("/v1/checks", files=images(RED, BLUE), data=EVERYDAY).status_code == 200
    short = [
        client.post("/v1/checks", files=images(colour, GREEN), data=EVERYDAY)
        for colour in (RED, BLUE)
    ]
    for answer in short:
        assert is_problem(answer, 429, "too-many-requests")
        assert 0 < int(answer.headers["retry-after"]) <= 3600
        assert 'faces-hour";r=1' in answer.headers["ratelimit"]
    assert short[0].json()["detail"] == short[1].json()["detail"]
    assert enrolled.home.receipts.count() == 1


def test_a_used_up_budget_is_told_before_the_body_is_read(lit):
    client = platform(lit, quota=ProbeQuota(1, 50))
    client.post("/v1/checks", json=EVERYDAY)
    answer = client.post("/v1/checks", content=b"not even JSON")
    assert is_problem(answer, 429, "too-many-requests")
    assert client.get("/v1/reasons").status_code == 200


def test_a_rotation_gives_no_new_budget(lit):
    key, secret = lit.services.keys.issue(
        "test", "example.org", PLATFORM_SCOPES, quota=ProbeQuota(1, 9), expires_in_days=None
    )
    lit.client(authorization=f"Bearer {secret}").post("/v1/checks", json=EVERYDAY)
    new = lit.services.keys.rotate(key.key, overlap_hours=1)
    answer = lit.client(authorization=f"Bearer {new}").post("/v1/checks", json=EVERYDAY)
    assert is_problem(answer, 429, "too-many-requests")


def test_many_keys_of_one_platform_are_one_budget(enrolled):
    clients = [platform(enrolled, quota=ProbeQuota(6, 50)) for _ in range(4)]
    clients += [platform(enrolled, quota=ProbeQuota(6, 50), name="Example.ORG")]
    answers = [
        each.post("/v1/checks", files=images(colour), data=EVERYDAY)
        for each in clients
        for colour in (RED, BLUE)
    ]
    assert [each.status_code for each in answers] == [200] * 6 + [429] * 4
    lefts = {each.get("/v1/policy").headers["ratelimit"].split(";t=")[0] for each in clients}
    assert lefts == {'"faces-hour";r=0'}
    assert enrolled.home.receipts.count() == 6


def test_what_one_platform_spends_is_not_taken_from_another(enrolled):
    spent = platform(enrolled, quota=ProbeQuota(1, 9))
    spent.post("/v1/checks", json=EVERYDAY)
    other = platform(enrolled, quota=ProbeQuota(1, 9), name="other.example")
    assert other.post("/v1/checks", json=EVERYDAY).status_code == 200


def test_a_repeated_request_is_paid_for_once(lit):
    client = platform(lit, quota=ProbeQuota(5, 50))
    ask = {"json": EVERYDAY, "headers": {"idempotency-key": "k"}}
    client.post("/v1/checks", **ask)
    client.post("/v1/checks", **ask)
    assert '"faces-hour";r=4;' in client.get("/v1/policy").headers["ratelimit"]


# -- batch -----------------------------------------------------------------------------------------


def test_a_batch_is_judged_one_by_one_and_in_order(enrolled):
    checks = [
        {"images": [data_url(BLUE)], "prompt": "make the sky blue"},
        {"images": [data_url(RED)], "prompt": "make the sky blue"},
        {"images": [data_url(BLUE)], "prompt": "put her in a bikini"},
        {"images": ["https://example.org/x.png"]},
        {"plan": "premium"},
        "nothing",
        {"prompt": "a hat"},
    ]
    answer = platform(enrolled).post("/v1/checks/batch", json={"checks": checks})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [r["check"] and r["check"]["verdict"] for r in results] == [
        "allow",
        "needs_consent",
        "refuse",
        None,
        None,
        None,
        "allow",
    ]
    assert [r["problem"] and r["problem"]["code"] for r in results] == [
        None,
        None,
        None,
        "bad-request",
        "bad-request",
        "bad-request",
        None,
    ]
    for result in results:
        assert (result["check"] is None) is not (result["problem"] is None)
        assert result["check"] is None or set(result["check"]) == ANSWER
    assert "example.org/x" not in answer.text


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"checks": []}', b'{"checks": {}}', b'{"checks": [{}], "more": 1}', b"{"],
)
def test_what_is_no_batch_is_refused(lit, body):
    headers = {"content-type": "application/json"}
    answer = platform(lit).post("/v1/checks/batch", content=body, headers=headers)
    assert is_problem(answer, 400, "bad-request")


def test_a_batch_has_an_end(lit):
    answer = platform(lit).post("/v1/checks/batch", json={"checks": [EVERYDAY] * 33})
    assert is_problem(answer, 400, "bad-request")
    assert lit.home.receipts.count() == 0


def test_a_batch_larger_than_a_body_may_be_is_refused(lit):
    checks = [{"prompt": "x" * 30_000}] * 8
    answer = platform(lit).post("/v1/checks/batch", json={"checks": checks})
    assert is_problem(answer, 413, "body-too-large")


def test_a_budget_that_ends_within_a_batch_spoils_only_what_it_does_not_cover(lit):
    client = platform(lit, quota=ProbeQuota(2, 9))
    answer = client.post("/v1/checks/batch", json={"checks": [EVERYDAY] * 3})
    codes = [r["problem"] and r["problem"]["code"] for r in answer.json()["results"]]
    assert codes == [None, None, "too-many-requests"]
    assert '"faces-hour";r=0;' in answer.headers["ratelimit"]


def test_a_repeated_batch_carries_out_only_what_had_no_verdict(lit):
    client = platform(lit, quota=ProbeQuota(2, 9))
    to_the_hour = int(re.search(r"t=(\d+)", client.get("/v1/policy").headers["ratelimit"])[1])
    lit.home.clock.advance(to_the_hour - 100)
    ask = {"json": {"checks": [EVERYDAY] * 3}, "headers": {"idempotency-key": "k"}}
    first = client.post("/v1/checks/batch", **ask).json()["results"]
    # Nothing is left, so the whole is refused before it is read; the same answers wait for later.
    assert is_problem(client.post("/v1/checks/batch", **ask), 429, "too-many-requests")
    assert lit.home.receipts.count() == 2
    lit.home.clock.advance(100)
    again = client.post("/v1/checks/batch", **ask).json()["results"]
    assert again[:2] == first[:2]
    assert again[2]["check"] is not None
    assert lit.home.receipts.count() == 3


# -- again, later ----------------------------------------------------------------------------------


def test_an_answer_is_read_again_by_the_one_who_was_given_it_only(enrolled):
    client, other = platform(enrolled), platform(enrolled)
    made = client.post("/v1/checks", files=images(RED), data=EVERYDAY).json()
    path = f"/v1/checks/{made['check_id']}"
    again = client.get(path).json()
    assert again == made | {"salts": None, "request_id": None}
    refused = [other.get(path), enrolled.owner().get(path), client.get("/v1/checks/chk_none")]
    assert {each.json()["detail"] for each in refused} == {"There is no receipt of that check."}
    for each in refused:
        assert is_problem(each, 404, "not-found")


def test_a_rotated_key_reads_the_answers_of_its_old_secret(lit):
    key, secret = lit.services.keys.issue(
        "test", "example.org", PLATFORM_SCOPES, expires_in_days=None
    )
    made = lit.client(authorization=f"Bearer {secret}").post("/v1/checks", json=EVERYDAY).json()
    new = lit.services.keys.rotate(key.key, overlap_hours=0)
    client = lit.client(authorization=f"Bearer {new}")
    assert client.get(f"/v1/checks/{made['check_id']}").json()["receipt"] == made["receipt"]


@pytest.fixture
def restarted(enrolled):
    """The same home in a new process: everything that was in memory is gone."""

    @contextmanager
    def again():
        home = TestHome(enrolled.home.path, signing_key=enrolled.home.signing_key)
        home.clock.advance((enrolled.home.clock.now() - home.clock.now()).total_seconds())
        with opened(home) as site:
            yield site
        home.close()

    return again


def test_a_repeated_question_is_one_check_also_after_a_restart(enrolled, restarted):
    _, secret = enrolled.services.keys.issue(
        "test", "example.org", PLATFORM_SCOPES, quota=ProbeQuota(5, 50), expires_in_days=None
    )
    ask = {"files": images(BLUE), "data": EVERYDAY, "headers": {"idempotency-key": "k"}}
    first = enrolled.client(authorization=f"Bearer {secret}").post("/v1/checks", **ask)
    with restarted() as site:
        client = site.client(authorization=f"Bearer {secret}")
        again = client.post("/v1/checks", **ask)
        assert again.json() == first.json()
        assert again.json()["salts"] is not None
        other = client.post("/v1/checks", **(ask | {"data": EVERYDAY | {"region": "SE"}}))
        assert is_problem(other, 422, "idempotency-key-reused")
        assert '"faces-hour";r=4;' in client.get("/v1/policy").headers["ratelimit"]
        assert site.home.receipts.count() == 1


def test_after_a_day_the_same_key_asks_anew(enrolled):
    client = platform(enrolled)
    ask = {"json": EVERYDAY, "headers": {"idempotency-key": "k"}}
    first = client.post("/v1/checks", **ask).json()
    enrolled.home.clock.advance(24 * 3600)
    assert client.post("/v1/checks", **ask).json()["check_id"] != first["check_id"]


def test_what_is_kept_for_a_repetition_holds_nothing_that_was_asked(enrolled):
    client = platform(enrolled)
    data = {"prompt": "make the sapphire sky blue"}
    made = client.post(
        "/v1/checks", files=images(RED), data=data, headers={"idempotency-key": "random"}
    ).json()
    rows = enrolled.home.database.held().execute("SELECT place, sealed FROM answers").fetchall()
    assert len(rows) == 1
    kept = b"".join(rows[0])
    for private in (b"sapphire", b"random", made["salts"]["prompt"].encode(), picture(RED)):
        assert private not in kept


# -- the feed --------------------------------------------------------------------------------------


def test_the_feed_says_that_something_changed_and_never_whose(enrolled):
    client = platform(enrolled)
    before = client.get("/v1/feed").json()
    enrolled.services.revoke(enrolled.subject)
    after = client.get("/v1/feed", params={"cursor": before["cursor"]}).json()
    assert after["changes"]
    assert {frozenset(change) for change in after["changes"]} == {
        frozenset({"kind", "hour", "check_id"})
    }
    assert "sub_" not in json.dumps(after)
    assert client.get("/v1/feed", params={"cursor": after["cursor"]}).json()["changes"] == []


def test_a_cursor_is_its_callers_own_and_cannot_be_made(lit):
    cursor = platform(lit).get("/v1/feed").json()["cursor"]
    other = platform(lit)
    for tried in (cursor, "AAAA", "A" * 32):
        answer = other.get("/v1/feed", params={"cursor": tried})
        assert is_problem(answer, 400, "bad-request")


def test_nobody_elses_question_to_somebody_can_be_followed(lit):
    client = platform(lit)
    body = client.get("/v1/consent-requests/crq_none").json()
    assert body == {"format": "consentry.consent-status/1", "state": "expired", "token": None}


# -- what there is to know -------------------------------------------------------------------------


def test_the_catalogue_has_every_word_of_a_public_answer_and_no_private_one(lit):
    body = platform(lit).get("/v1/reasons").json()
    assert [each["code"] for each in body["verdicts"]] == [v.value for v in Verdict]
    assert [each["code"] for each in body["reasons"]] == [r.value for r in PublicReason]
    assert [each["code"] for each in body["obligations"]] == [o.value for o in Obligation]
    assert all(each["meaning"] and each["what_to_do"] for each in body["reasons"])


def test_the_policy_is_the_one_that_receipts_name(lit):
    client = platform(lit)
    receipt = client.post("/v1/checks", json=EVERYDAY).json()["receipt"]
    claims = verify_receipt(receipt, lit.services.signer.jwks())
    assert client.get("/v1/policy").json()["policy_version"] == claims.policy_version


def test_whoever_comes_finds_the_endpoints_and_the_keys(lit):
    body = lit.nobody().get("/.well-known/consentry").json()
    assert body["issuer"] == lit.services.signer.issuer
    client = platform(lit)
    for path in body["endpoints"].values():
        assert client.get(path.replace("{request_id}", "crq_x")).status_code != 404, path


# -- at once ---------------------------------------------------------------------------------------


def test_fifty_at_once_are_all_answered_and_charged_exactly(enrolled):
    _, secret = enrolled.services.keys.issue(
        "test", "example.org", PLATFORM_SCOPES, quota=ProbeQuota(500, 500), expires_in_days=None
    )

    def ask(number):
        client = enrolled.client(authorization=f"Bearer {secret}")
        colour = RED if number % 2 else BLUE
        while True:
            answer = client.post("/v1/checks", files=images(colour), data=EVERYDAY)
            if answer.status_code != 503:
                return number, answer

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(ask, range(50)))
    for number, answer in answers:
        assert answer.json()["verdict"] == ("needs_consent" if number % 2 else "allow")
    assert len({answer.json()["check_id"] for _, answer in answers}) == 50
    client = enrolled.client(authorization=f"Bearer {secret}")
    assert '"faces-hour";r=450;' in client.get("/v1/policy").headers["ratelimit"]
