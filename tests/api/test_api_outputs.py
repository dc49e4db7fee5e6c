"""`POST /v1/outputs`: a platform that does not stand behind the gateway has its results judged."""

from __future__ import annotations

import base64
import json
from io import BytesIO

import pytest
from consentry.accounts.budgets import ProbeQuota
from consentry.accounts.keys import DEFAULT_QUOTA
from consentry.accounts.principals import PLATFORM_SCOPES, Scope
from consentry.checks.grounds import GROUND_LIFETIME
from consentry.kernel.errors import ModelUnavailable
from consentry.kernel.taxonomy import Purpose
from consentry.transparency.receipts import (
    ReceiptInputs,
    ReceiptSalts,
    verify_commitment,
    verify_receipt,
)
from fakes.coloured_faces import picture
from fakes.home import PASSPHRASE
from fakes.site import is_problem
from fakes.terms import everyday
from PIL import Image

ADA, EVE, BOB = (200, 10, 10), (10, 200, 10), (10, 10, 200)
BARE = (250, 200, 180)
SKY, BIKINI = "make the sky blue", "put her in a bikini"
PLATFORM = "studio.example"


@pytest.fixture
def enrolled(lit):
    lit.ada = lit.home.enrol(ADA).subject
    lit.home.exposure.scores = {BARE: 0.9}
    lit.studio = platform(lit)
    return lit


def platform(site, *scopes, quota=DEFAULT_QUOTA, name=PLATFORM):
    _, secret = site.services.keys.issue(
        "test", name, scopes or PLATFORM_SCOPES, quota=quota, expires_in_days=None
    )
    return site.client(authorization=f"Bearer {secret}")


def ask(client, *images, prompt=SKY, **more):
    """Have a request checked, as before it is generated."""
    files = [("images", ("x.png", each)) for each in images]
    data = {"prompt": prompt, **more}
    answer = client.post("/v1/checks", files=files, data=data).json()
    assert answer["verdict"] == "allow", answer
    return answer


def judge(client, *results, of=(), basis=None, headers=None, **data):
    """Have results judged, by form."""
    files = [("results", ("r.png", each)) for each in results]
    files += [("images", ("x.png", each)) for each in of]
    if basis is not None:
        data |= {"check_id": basis["check_id"], "salts": json.dumps(basis["salts"])}
    return client.post("/v1/outputs", files=files, data=data, headers=headers)


def said(answer):
    body = answer.json()
    return body["verdict"], body["reasons"]


ALLOW, ASK = ("allow", []), ("needs_consent", ["consent_required"])
REVEALS, UNREADABLE = ("refuse", ["revealing_real_person"]), ("refuse", ["unreadable"])


def encoded(data):
    return base64.b64encode(data).decode()


def animation(*frames):
    pictures = [Image.open(BytesIO(each)).convert("RGB") for each in frames]
    out = BytesIO()
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:], duration=100, loop=0)
    return out.getvalue()


# With the check that allowed the request


@pytest.mark.parametrize(
    ("result", "due"),
    [
        (picture(EVE), ALLOW),
        (picture(BOB), ALLOW),
        (picture(ADA), ASK),
        (picture(EVE, BARE), REVEALS),
        (b"no picture at all" * 9, UNREADABLE),
        (animation(picture(EVE), picture(BOB), picture(ADA)), ASK),
    ],
    ids=["the same", "somebody unknown", "enrolled", "more exposed", "no picture", "third frame"],
)
def test_a_result_is_judged_beside_what_was_checked_before(enrolled, result, due):
    client = enrolled.studio
    basis = ask(client, picture(EVE))

    assert said(judge(client, result, of=[picture(EVE)], basis=basis, prompt=SKY)) == due


def test_one_result_of_several_withholds_them(enrolled):
    client = enrolled.studio
    basis = ask(client, picture(EVE))
    results = [picture(EVE), picture(BOB), picture(ADA)]

    assert said(judge(client, *results, of=[picture(EVE)], basis=basis, prompt=SKY)) == ASK


def test_exposure_that_went_in_is_no_rise(enrolled):
    client, bare = enrolled.studio, picture(EVE, BARE)
    basis = ask(client, bare)

    assert said(judge(client, bare, of=[bare], basis=basis, prompt=SKY)) == ALLOW


def test_whoever_was_let_through_at_the_request_is_let_through_in_its_result(enrolled):
    grant(enrolled, max_uses=1)
    client = enrolled.studio
    basis = ask(client, picture(ADA))

    result = judge(client, picture(ADA), of=[picture(ADA)], basis=basis, prompt=SKY)

    assert said(result) == ALLOW


def test_json_and_form_are_judged_alike(enrolled):
    client = enrolled.studio

    def judged(result):
        basis = ask(client, picture(EVE))
        body = {
            "results": [f"data:image/png;base64,{encoded(result)}"],
            "images": [encoded(picture(EVE))],
            "prompt": SKY,
            "check_id": basis["check_id"],
            "salts": basis["salts"],
        }
        return said(client.post("/v1/outputs", json=body))

    assert judged(picture(ADA)) == ASK
    assert judged(picture(EVE)) == ALLOW


def test_a_mask_and_a_conversation_belong_to_what_was_checked(enrolled):
    client = enrolled.studio
    turns = [{"role": "user", "text": "hello"}, {"role": "user", "text": SKY}]
    body = {
        "images": [encoded(picture(EVE))],
        "mask": encoded(picture(BOB)),
        "conversation": turns,
        "region": "SE",
        "purpose": "face_swap",
    }
    basis = client.post("/v1/checks", json=body).json()
    named = {"check_id": basis["check_id"], "salts": basis["salts"]}
    made = {"results": [encoded(picture(BOB))]}

    assert said(client.post("/v1/outputs", json=body | named | made)) == ALLOW
    for less in (
        {"mask": None},
        {"region": "NO"},
        {"purpose": "edit"},
        {"conversation": turns[1:]},
    ):
        answer = client.post("/v1/outputs", json=body | named | made | less)
        assert is_problem(answer, 422, "receipt-invalid"), less


# Not with any check


def test_a_check_that_allowed_nothing_is_no_ground(enrolled):
    client = enrolled.studio
    refused = client.post(
        "/v1/checks", files=[("images", picture(EVE))], data={"prompt": BIKINI}
    ).json()
    assert refused["verdict"] == "refuse"

    answer = judge(client, picture(EVE), of=[picture(EVE)], basis=refused, prompt=BIKINI)

    assert is_problem(answer, 422, "check-unusable")


def test_a_check_of_results_is_no_ground_for_more(enrolled):
    client = enrolled.studio
    first = judge(client, picture(EVE)).json()
    assert first["verdict"] == "allow"

    answer = judge(client, picture(EVE), of=[picture(EVE)], basis=first)

    assert is_problem(answer, 422, "check-unusable")


def test_a_check_is_ground_for_an_hour(enrolled):
    client = enrolled.studio
    one, other = ask(client, picture(EVE)), ask(client, picture(EVE))
    enrolled.home.clock.advance(GROUND_LIFETIME.total_seconds() - 1)
    enrolled.home.custody.unlock(PASSPHRASE)  # which locks itself sooner
    assert said(judge(client, picture(EVE), of=[picture(EVE)], basis=one, prompt=SKY)) == ALLOW

    enrolled.home.clock.advance(1)
    answer = judge(client, picture(EVE), of=[picture(EVE)], basis=other, prompt=SKY)

    assert is_problem(answer, 422, "check-unusable")


def test_the_check_of_another_platform_is_not_found(enrolled):
    basis = ask(enrolled.studio, picture(EVE))
    other = platform(enrolled, name=PLATFORM)

    answer = judge(other, picture(EVE), of=[picture(EVE)], basis=basis, prompt=SKY)

    assert is_problem(answer, 404, "not-found")
    unknown = basis | {"check_id": "chk_none"}
    answer = judge(other, picture(EVE), of=[picture(EVE)], basis=unknown, prompt=SKY)
    assert is_problem(answer, 404, "not-found")


@pytest.mark.parametrize("change", ["the picture", "one word", "one more picture", "a salt"])
def test_a_check_of_something_else_is_no_ground(enrolled, change):
    client = enrolled.studio
    basis = ask(client, picture(EVE))
    of = {"the picture": [picture(BOB)], "one more picture": [picture(EVE), picture(ADA)]}
    salts = basis["salts"] | {"circumstances": "A" * 43}
    if change == "a salt":
        basis = basis | {"salts": salts}

    answer = judge(
        client,
        picture(EVE),
        of=of.get(change, [picture(EVE)]),
        basis=basis,
        prompt=SKY + "!" if change == "one word" else SKY,
    )

    assert is_problem(answer, 422, "receipt-invalid")


def test_a_token_is_not_shown_again_for_a_check_that_was_made(enrolled):
    client = enrolled.studio
    basis = ask(client, picture(EVE))

    answer = judge(
        client, picture(EVE), of=[picture(EVE)], basis=basis, prompt=SKY, token="eyJ.e.y"
    )

    assert is_problem(answer, 400, "bad-request")


# The request judged here


def test_a_request_that_is_not_named_is_judged_first(enrolled):
    client = enrolled.studio

    assert said(judge(client, picture(EVE), of=[picture(EVE)], prompt=SKY)) == ALLOW
    assert said(judge(client, picture(EVE), of=[picture(EVE)], prompt=BIKINI)) == REVEALS
    assert said(judge(client, picture(EVE), of=[picture(ADA)], prompt=SKY)) == ASK
    assert said(judge(client, picture(ADA), of=[picture(EVE)], prompt=SKY)) == ASK
    assert said(judge(client, picture(EVE, BARE), of=[picture(EVE)], prompt=SKY)) == REVEALS
    assert said(judge(client, picture(ADA), prompt=SKY)) == ASK


def test_what_needs_her_yes_can_be_asked_for(enrolled):
    body = judge(enrolled.studio, picture(EVE), of=[picture(ADA)], prompt=SKY).json()

    assert body["request_id"].startswith("crq_")


# Nothing known of the request


@pytest.mark.parametrize(
    ("result", "due"),
    [(picture(EVE), ALLOW), (picture(ADA), ASK), (picture(EVE, BARE), REVEALS)],
    ids=["nobody enrolled", "enrolled", "exposed"],
)
def test_of_an_unknown_request_nobody_has_agreed_and_all_exposure_is_a_rise(enrolled, result, due):
    assert said(judge(enrolled.studio, result)) == due


def test_a_grant_for_a_region_counts_where_the_result_is_meant_to_be_seen(enrolled):
    grant(enrolled, regions=frozenset({"SE"}))

    assert said(judge(enrolled.studio, picture(ADA), region="SE")) == ALLOW
    assert said(judge(enrolled.studio, picture(ADA), region="NO")) == ASK
    assert said(judge(enrolled.studio, picture(ADA), region="SE", purpose="video")) == ASK


# The answer


def test_the_receipt_is_about_the_results_and_what_they_were_made_from(enrolled):
    client = enrolled.studio
    basis = ask(client, picture(EVE), region="SE")
    made = judge(
        client, picture(BOB), of=[picture(EVE)], basis=basis, prompt=SKY, region="SE"
    ).json()

    claims = verify_receipt(made["receipt"], enrolled.services.signer.jwks())
    inputs = ReceiptInputs(
        images=(picture(BOB), picture(EVE)),
        prompt=SKY,
        context=(),
        purpose=Purpose.EDIT,
        region="SE",
        platform=PLATFORM,
    )
    verify_commitment(claims, salts_of(made), inputs)
    assert claims.check == made["check_id"] != basis["check_id"]


def test_an_answer_has_the_members_of_any_other_and_is_read_again_like_one(enrolled):
    client = enrolled.studio
    first = ask(client, picture(EVE))
    made = judge(client, picture(ADA), of=[picture(EVE)], basis=first, prompt=SKY)
    again = client.get(f"/v1/checks/{made.json()['check_id']}")

    assert set(made.json()) == set(first)
    assert made.json()["format"] == "consentry.verdict/1"
    assert again.json()["receipt"] == made.json()["receipt"]
    for secret in (enrolled.ada, "Ada", "subject", "score", "box"):
        assert secret not in made.text.replace(made.json()["receipt"], "")


def test_the_owner_is_told_who_appears_and_where_faces_are(enrolled):
    body = judge(enrolled.owner(), picture(ADA)).json()

    assert body["private"]["subjects"] == [{"subject": enrolled.ada, "name": "Ada"}]
    assert [len(each["faces"]) for each in body["images"]] == [1]


def test_two_results_of_one_size_are_answered_alike_whoever_is_enrolled(enrolled):
    client = enrolled.studio
    bodies = [judge(client, picture(each, BARE)).json() for each in (ADA, EVE)]

    assert len({(body["verdict"], *body["reasons"]) for body in bodies}) == 1
    assert len({len(json.dumps(body)) for body in bodies}) == 1


# Who may ask, and what it costs


def test_it_takes_the_scope_of_checks(enrolled):
    assert is_problem(
        judge(enrolled.client(authorization="Bearer csk_none"), picture(EVE)),
        401,
        "unauthenticated",
    )
    reader = platform(enrolled, Scope.CHECKS_READ)
    assert is_problem(judge(reader, picture(EVE)), 403, "forbidden")
    answer = judge(enrolled.studio, picture(EVE), platform="another.example")
    assert is_problem(answer, 403, "forbidden")
    assert is_problem(judge(enrolled.studio, picture(EVE), actor="Ada"), 403, "forbidden")


def test_faces_in_results_are_charged_whoever_is_enrolled(enrolled):
    client = platform(enrolled, quota=ProbeQuota(per_hour=5, per_day=100))
    left = [
        int(judge(client, picture(each)).headers["ratelimit"].split("r=")[1].split(";")[0])
        for each in (EVE, ADA)
    ]
    assert left == [4, 3]
    both = judge(client, picture(EVE), of=[picture(BOB)], prompt=SKY)
    assert "r=1;" in both.headers["ratelimit"]

    answer = judge(client, picture(EVE, BOB))

    assert is_problem(answer, 429, "too-many-requests")
    assert int(answer.headers["retry-after"]) > 0


def test_a_retry_is_answered_with_the_same_receipt_and_costs_nothing(enrolled):
    client = platform(enrolled, quota=ProbeQuota(per_hour=10, per_day=100))
    key = {"idempotency-key": "one-result"}
    first = judge(client, picture(EVE), of=[picture(EVE)], prompt=SKY, headers=key)
    enrolled.app.state.runtime.once.forget()  # as after a restart

    again = judge(client, picture(EVE), of=[picture(EVE)], prompt=SKY, headers=key)

    assert again.json() == first.json()
    assert again.headers["ratelimit"] == first.headers["ratelimit"]
    other = judge(client, picture(BOB), of=[picture(EVE)], prompt=SKY, headers=key)
    assert is_problem(other, 422, "idempotency-key-reused")
    moved = judge(client, picture(EVE), picture(EVE), prompt=SKY, headers=key)
    assert is_problem(moved, 422, "idempotency-key-reused")


def test_a_use_of_a_grant_is_used_up_once_by_a_result_and_its_retry(enrolled):
    grant(enrolled, max_uses=1)
    client, key = enrolled.studio, {"idempotency-key": "one-use"}

    assert said(judge(client, picture(ADA), headers=key)) == ALLOW
    enrolled.app.state.runtime.once.forget()
    assert said(judge(client, picture(ADA), headers=key)) == ALLOW
    assert said(judge(client, picture(ADA))) == ASK


def test_what_cannot_be_looked_at_is_withheld(enrolled):
    client = enrolled.studio
    basis = ask(client, picture(EVE))
    enrolled.home.faces.failure = ModelUnavailable("the models are gone")

    made = judge(client, picture(EVE), of=[picture(EVE)], basis=basis, prompt=SKY)

    assert said(made) == ("refuse", ["error"])


@pytest.mark.parametrize(
    ("data", "files"),
    [
        ({"prompt": SKY}, [("images", picture(EVE))]),
        ({}, [("results", picture(EVE))] * 17),
        ({"mode": "inform"}, [("results", picture(EVE))]),
        ({"check_id": "chk_1"}, [("results", picture(EVE))]),
        ({"salts": "{}", "check_id": "chk_1"}, [("results", picture(EVE))]),
        ({"salts": "no json", "check_id": "chk_1"}, [("results", picture(EVE))]),
        ({"prompt": "  "}, [("results", picture(EVE))]),
        ({"result": "x"}, [("results", picture(EVE))]),
    ],
    ids=["no result", "too many", "a mode", "no salts", "salts", "no json", "no words", "unknown"],
)
def test_what_does_not_hold_is_said(enrolled, data, files):
    answer = enrolled.studio.post("/v1/outputs", data=data, files=files)

    assert is_problem(answer, 400, "bad-request")


def grant(site, **terms) -> None:
    site.home.grants.create(site.ada, everyday(platform=PLATFORM, **terms))


def salts_of(body) -> ReceiptSalts:
    def raw(text):
        return base64.urlsafe_b64decode(text + "=")

    salts = body["salts"]
    return ReceiptSalts(
        images=tuple(raw(each) for each in salts["images"]),
        prompt=None if salts["prompt"] is None else raw(salts["prompt"]),
        context=tuple(raw(each) for each in salts["context"]),
        circumstances=raw(salts["circumstances"]),
    )
