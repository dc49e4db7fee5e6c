"""Checks over HTTP: what who learns."""

from __future__ import annotations

import base64
import json

import pytest
from consentry.accounts.principals import Scope
from fakes.coloured_faces import picture
from fakes.site import is_problem

RED, BLUE = (200, 0, 0), (0, 0, 200)
EVERYDAY = {"prompt": "make the sky blue"}
PUBLIC = {
    "format",
    "check_id",
    "verdict",
    "reasons",
    "obligations",
    "mode",
    "checked",
    "images",
    "receipt",
    "salts",
    "request_id",
    "policy_version",
    "engines",
    "explanation",
}


def images(*colours):
    return [("images", ("x.png", picture(each), "image/png")) for each in colours]


@pytest.fixture
def enrolled(lit):
    lit.subject = lit.home.enrol(RED).subject
    return lit


def test_a_stranger_is_allowed_and_the_enrolled_needs_consent(enrolled):
    owner = enrolled.owner()
    stranger = owner.post("/v1/checks", files=images(BLUE), data=EVERYDAY).json()
    her = owner.post("/v1/checks", files=images(RED), data=EVERYDAY).json()
    assert (stranger["verdict"], stranger["reasons"]) == ("allow", [])
    assert (her["verdict"], her["reasons"]) == ("needs_consent", ["consent_required"])


def test_a_check_has_exactly_the_documented_fields(enrolled):
    client = enrolled.bearer(Scope.CHECKS_WRITE, Scope.FACES_READ)
    body = client.post("/v1/checks", files=images(RED), data=EVERYDAY).json()
    assert set(body) == PUBLIC
    assert body["format"] == "consentry.check/1"
    assert body["images"] == [
        {
            "width": 128,
            "height": 64,
            "views": 1,
            "faces": [{"box": [0.0, 0.0, 32.0, 32.0]}],
            "error": None,
        }
    ]
    assert set(body["salts"]) == {"images", "prompt", "context", "circumstances"}
    assert set(body["engines"]) == {"faces", "intent"}


def test_a_token_never_learns_who_however_many_scopes_it_has(enrolled):
    answer = enrolled.bearer(*Scope).post("/v1/checks", files=images(RED), data=EVERYDAY)
    text = answer.text
    assert answer.json()["verdict"] == "needs_consent"
    assert "private" not in answer.json()
    for secret in (enrolled.subject, "Ada", "subject_present", "score", "similarity", "enrolled"):
        assert secret not in text


def test_a_token_reads_the_same_words_for_a_match_and_a_possible_match(enrolled):
    enrolled.home.faces.blend(BLUE, RED, 0.6)
    client = enrolled.bearer(Scope.CHECKS_WRITE)
    sure = client.post("/v1/checks", files=images(RED), data=EVERYDAY).json()
    unsure = client.post("/v1/checks", files=images(BLUE), data=EVERYDAY).json()
    for field in PUBLIC - {"check_id", "receipt", "salts", "request_id"}:
        assert sure[field] == unsure[field]


@pytest.mark.parametrize("door", ["owner", "browser"])
def test_the_owner_learns_why(enrolled, door):
    client = getattr(enrolled, door)()
    private = client.post("/v1/checks", files=images(RED), data=EVERYDAY).json()["private"]
    assert private["subjects"] == [{"subject": enrolled.subject, "name": "Ada"}]
    assert private["reasons"] == ["subject_present"]


def test_json_with_base64_and_data_urls_is_the_same_check(enrolled):
    data = base64.b64encode(picture(RED)).decode()
    for image in (data, f"data:image/png;base64,{data}"):
        body = {"images": [image], "prompt": "make the sky blue", "mode": "act"}
        assert enrolled.owner().post("/v1/checks", json=body).json()["verdict"] == "needs_consent"


@pytest.mark.parametrize(
    "image",
    ["https://example.org/x.png", "data:image/png,abc", "file:///etc/passwd", "***", "é"],
    ids=["address", "data-without-base64", "file", "signs", "not-ascii"],
)
def test_what_is_no_picture_is_refused_and_not_repeated(lit, image):
    answer = lit.owner().post("/v1/checks", json={"images": [image]})
    assert is_problem(answer, 400, "bad-request")
    assert image not in answer.text


def test_inform_leaves_no_receipt(enrolled):
    data = EVERYDAY | {"mode": "inform"}
    body = enrolled.owner().post("/v1/checks", files=images(RED), data=data).json()
    assert (body["receipt"], body["salts"], body["mode"]) == (None, None, "inform")
    assert enrolled.home.receipts.count() == 0


def test_an_unreadable_picture_is_a_verdict_with_a_named_error(lit):
    body = (
        lit.owner().post("/v1/checks", files=[("images", ("x.png", b"no picture"))], data=EVERYDAY)
    ).json()
    assert (body["verdict"], body["reasons"]) == ("refuse", ["unreadable"])
    assert body["images"][0]["error"]["code"] == "image-format-unknown"


def test_the_owner_may_say_that_it_is_she_and_edits_herself(enrolled):
    enrolled.home.clock.advance(1)
    data = EVERYDAY | {"actor": "Ada"}
    enrolled.owner().post("/v1/vault/unlock", json={"passphrase": "correct horse battery staple"})
    body = enrolled.owner().post("/v1/checks", files=images(RED), data=data).json()
    assert body["verdict"] == "allow"


def test_a_token_may_not_say_who_is_asking_whether_she_is_enrolled_or_not(enrolled):
    client = enrolled.bearer(*Scope)
    answers = [
        client.post("/v1/checks", files=images(RED), data=EVERYDAY | {"actor": actor})
        for actor in (enrolled.subject, "Ada", "Nobody")
    ]
    for answer in answers:
        assert is_problem(answer, 403, "forbidden")
    assert len({answer.json()["detail"] for answer in answers}) == 1


def test_a_conversation_is_a_json_array(lit):
    owner = lit.owner()
    good = owner.post("/v1/checks", data=EVERYDAY | {"context": '["earlier"]'}, files=images(BLUE))
    assert len(good.json()["salts"]["context"]) == 1
    for bad in ("earlier", '{"a": 1}', "[1]"):
        answer = owner.post("/v1/checks", data=EVERYDAY | {"context": bad}, files=images(BLUE))
        assert is_problem(answer, 400, "bad-request")


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "maybe"},
        {"purpose": "fun"},
        {"declares_minor": "perhaps"},
        {"region": "somewhere"},
        {"plan": "premium"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_field_that_is_not_known_or_out_of_range_is_refused(lit, change):
    answer = lit.owner().post("/v1/checks", files=images(BLUE), data=EVERYDAY | change)
    assert is_problem(answer, 400, "bad-request")


def test_a_repeated_request_with_one_key_is_one_check(lit):
    client = lit.bearer(Scope.CHECKS_WRITE)
    ask = {"files": images(BLUE), "data": EVERYDAY, "headers": {"idempotency-key": "k1"}}
    first, second = client.post("/v1/checks", **ask), client.post("/v1/checks", **ask)
    assert first.content == second.content
    assert lit.home.receipts.count() == 1


def test_a_token_that_may_not_see_faces_is_not_shown_where_they_are(enrolled):
    client = enrolled.bearer(Scope.CHECKS_WRITE)
    body = client.post("/v1/checks", files=images(RED), data=EVERYDAY).json()
    assert body["images"] is None
    assert set(body) == PUBLIC


def test_one_key_for_two_different_requests_is_a_mistake(lit):
    client = lit.bearer(Scope.CHECKS_WRITE)
    headers = {"idempotency-key": "k1"}
    client.post("/v1/checks", files=images(BLUE), data=EVERYDAY, headers=headers)
    answer = client.post("/v1/checks", files=images(RED), data=EVERYDAY, headers=headers)
    assert is_problem(answer, 422, "idempotency-key-reused")


def test_a_key_is_its_callers_own(lit):
    headers = {"idempotency-key": "k1"}
    ask = {"files": images(BLUE), "data": EVERYDAY, "headers": headers}
    lit.bearer(Scope.CHECKS_WRITE).post("/v1/checks", **ask)
    other = lit.bearer(Scope.CHECKS_WRITE)
    other.post("/v1/checks", **ask)
    assert lit.home.receipts.count() == 2


def test_of_a_repeated_answer_only_the_public_part_outlives_a_lock(enrolled):
    owner = enrolled.owner()
    ask = {"files": images(RED), "data": EVERYDAY, "headers": {"idempotency-key": "k1"}}
    first = owner.post("/v1/checks", **ask).json()
    assert first["private"]["subjects"]
    owner.post("/v1/vault/lock")
    again = owner.post("/v1/checks", **ask).json()
    assert "private" not in again
    assert again["images"] is None
    for member in ("check_id", "verdict", "reasons", "receipt", "salts", "request_id"):
        assert again[member] == first[member]


def test_faces_show_where_and_how_good_and_never_an_embedding(lit):
    body = lit.bearer(Scope.FACES_READ).post("/v1/faces", files={"image": picture(RED)}).json()
    assert body == {
        "format": "consentry.faces/1",
        "width": 128,
        "height": 64,
        "model": "colours@1",
        "faces": [
            {
                "box": [0.0, 0.0, 32.0, 32.0],
                "score": 0.9,
                "landmarks": [[16.0, 16.0]] * 5,
                "quality": {"score": 0.9, "issues": []},
            }
        ],
    }


def test_receipts_are_listed_read_and_verified(lit):
    owner = lit.owner()
    made = [owner.post("/v1/checks", files=images(BLUE), data=EVERYDAY).json() for _ in range(2)]
    listed = owner.get("/v1/receipts", params={"limit": 1}).json()
    assert listed["total"] == 2
    assert len(listed["receipts"]) == 1
    one = owner.get(f"/v1/receipts/{made[0]['check_id']}").json()
    assert one["receipt"] == made[0]["receipt"]

    verified = owner.post("/v1/receipts/verify", json={"receipt": one["receipt"]}).json()
    assert (verified["check_id"], verified["verdict"]) == (made[0]["check_id"], "allow")
    jwks = lit.nobody().get("/.well-known/jwks.json").json()
    abroad = owner.post("/v1/receipts/verify", json={"receipt": one["receipt"], "jwks": jwks})
    assert abroad.json() == verified


def test_an_auditor_reads_the_same_of_a_match_a_possible_match_and_a_name(lit):
    """What is verified is the receipt, so nothing private can be in its explanation."""
    lit.home.enrol(RED)
    owner = lit.owner()
    owner.post("/v1/aliases", json={"subject": "Ada", "text": "konstpaus"})
    named = {"prompt": "turn konstpaus into a cartoon"}
    asked = [
        owner.post("/v1/checks", files=images(RED), data=EVERYDAY).json(),
        owner.post("/v1/checks", files=images(BLUE), data=named).json(),
    ]
    assert [each["verdict"] for each in asked] == ["needs_consent"] * 2
    assert asked[0]["explanation"] != asked[1]["explanation"]

    verified = {
        owner.post("/v1/receipts/verify", json={"receipt": each["receipt"]}).json()["explanation"]
        for each in asked
    }

    (said,) = verified
    assert said == (
        "This may be done only with consent. Somebody who may be in the picture decides about uses "
        "like this one."
    )


def test_a_changed_receipt_does_not_verify(lit):
    receipt = lit.owner().post("/v1/checks", files=images(BLUE), data=EVERYDAY).json()["receipt"]
    header, payload, signature = receipt.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims["verdict"] = "refuse"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    answer = lit.owner().post(
        "/v1/receipts/verify", json={"receipt": f"{header}.{forged}.{signature}"}
    )
    assert is_problem(answer, 422, "receipt-invalid")


def test_a_receipt_that_is_not_there_is_not_found(lit):
    assert is_problem(lit.owner().get("/v1/receipts/chk_none"), 404, "not-found")


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "before=2026-01-01T00:00:00", "before=no"])
def test_a_query_that_does_not_hold_is_refused(lit, query):
    assert is_problem(lit.owner().get(f"/v1/receipts?{query}"), 400, "bad-request")
