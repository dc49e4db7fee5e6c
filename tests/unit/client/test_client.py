"""The client for platforms: it verifies, it tries again, and it never allows by mistake."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace

import anyio
import httpx
import pytest
from consentry.accounts.keys import DEFAULT_QUOTA
from consentry.accounts.principals import PLATFORM_SCOPES
from consentry.client import (
    AsyncConsentryClient,
    ConsentryClient,
    KeySet,
    Question,
    Retries,
    Role,
    Turn,
)
from consentry.kernel.errors import (
    BadRequest,
    CheckUnusable,
    ConsentryError,
    Overloaded,
    ReceiptInvalid,
    TooManyRequests,
    Unauthenticated,
    Unreachable,
    UnsupportedMediaType,
)
from consentry.kernel.taxonomy import Purpose, Verdict
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fakes.coloured_faces import picture
from fakes.home import TestHome
from fakes.site import ORIGIN, InProcess, opened

RED, BLUE = (200, 0, 0), (0, 0, 200)
PLATFORM = "studio.example"
QUICK = Retries(attempts=4, first_wait_s=0.001, longest_wait_s=0.05)
ASK = Question(images=(picture(BLUE),), prompt="make the sky blue")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    home = TestHome(tmp_path_factory.mktemp("home")).create()
    home.enrol(RED)
    with opened(home) as site:
        _, site.secret = home_key(site)
        yield site
    home.close()


def home_key(site):
    return site.services.keys.issue(
        "test", PLATFORM, PLATFORM_SCOPES, quota=DEFAULT_QUOTA, expires_in_days=None
    )


class Tampering(httpx.BaseTransport):
    """Carries requests to the real application, and changes what comes back."""

    def __init__(self, site, change=lambda response: response, path="/v1/checks"):
        self.inner = InProcess(site.app, site.portal)
        self.change = change
        self.path = path
        self.requests: list[httpx.Request] = []

    def handle_request(self, request):
        self.requests.append(request)
        response = self.inner.handle_request(request)
        return self.change(response) if request.url.path == self.path else response


def client(site, transport=None, **options):
    options = {"platform": PLATFORM, "retries": QUICK} | options
    return ConsentryClient(ORIGIN, site.secret, transport=transport or Tampering(site), **options)


def changed(**members):
    def change(response):
        body = response.json() | members
        return httpx.Response(200, json=body)

    return change


def answers(*responses):
    """A transport that gives these one after the other, and remembers what it was asked."""
    left = list(responses)
    seen = []

    def handle(request):
        seen.append(request)
        step = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(step, Exception):
            raise step
        return step

    transport = httpx.MockTransport(handle)
    transport.seen = seen
    return transport


def problem(status, code, **headers):
    body = {"status": status, "code": code, "detail": "why", "type": "x", "title": "x"}
    return httpx.Response(
        status, json=body, headers={"content-type": "application/problem+json"} | headers
    )


# -- what it answers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("colour", "prompt", "verdict"),
    [
        (BLUE, "make the sky blue", Verdict.ALLOW),
        (RED, "make the sky blue", Verdict.NEEDS_CONSENT),
        (BLUE, "put her in a bikini", Verdict.REFUSE),
    ],
)
def test_a_verdict_comes_with_a_verified_receipt(site, colour, prompt, verdict):
    answer = client(site).check(Question(images=(picture(colour),), prompt=prompt))
    assert answer.verdict is verdict
    assert answer.is_allowed is (verdict is Verdict.ALLOW)
    assert answer.receipt.count(".") == 2
    assert answer.salts is not None


@pytest.mark.parametrize(
    "question",
    [
        Question(prompt="a hat"),
        Question(images=(picture(BLUE), picture(BLUE)), mask=picture(BLUE)),
        Question(prompt="é", context=("e\u0301", "2"), purpose=Purpose.TRAINING, region="SE"),
        Question(conversation=(Turn(Role.POST, "a"), Turn(Role.USER, "b"))),
        Question(prompt="c", conversation=(Turn(Role.ASSISTANT, "a"),), declares_minor=True),
    ],
    ids=["words", "mask", "context", "conversation", "conversation and prompt"],
)
def test_receipts_are_about_every_part_of_a_question(site, question):
    assert client(site).check(question).salts is not None


def test_a_batch_keeps_the_order_and_each_error_in_its_place(site):
    results = client(site).check_many(
        [ASK, Question(), Question(images=(picture(RED),), prompt="make the sky blue")]
    )
    assert results[0].require().verdict is Verdict.ALLOW
    assert isinstance(results[1].error, BadRequest)
    with pytest.raises(BadRequest):
        results[1].require()
    assert results[2].require().verdict is Verdict.NEEDS_CONSENT


def test_the_other_client_answers_the_same(site):
    async def ask():
        transport = httpx.ASGITransport(app=site.app)
        async with AsyncConsentryClient(
            ORIGIN, site.secret, platform=PLATFORM, transport=transport, retries=QUICK
        ) as asker:
            return await asker.check(ASK), await asker.check_many([ASK])

    one, many = site.portal.call(ask)
    assert one.verdict is many[0].require().verdict is Verdict.ALLOW


def test_nothing_of_a_question_is_in_its_repr():
    shown = repr(
        Question(
            images=(b"picture",),
            mask=b"mask",
            prompt="prompt",
            context=("turn",),
            conversation=(Turn(Role.USER, "said"),),
            asker="somebody",
            token="token",
        )
    )
    for private in ("picture", "mask", "prompt=", "turn", "said", "somebody", "token="):
        assert private not in shown


# -- it fails closed -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "members",
    [
        {"verdict": "allow", "reasons": []},
        {"verdict": "granted"},
        {"verdict": None},
        {"reasons": ["something new"]},
        {"reasons": "none"},
        {"obligations": ["check_output"]},
        {"check_id": "chk_other"},
        {"receipt": None},
        {"receipt": "a.b.c"},
        {"receipt": "x" * 70_000},
        {"salts": None},
        {"salts": {"images": [], "prompt": None, "context": [], "circumstances": "AAAA"}},
    ],
    ids=lambda members: "-".join(members) + str(members)[:30],
)
def test_a_changed_answer_is_never_an_answer(site, members):
    transport = Tampering(site, changed(**members))
    with pytest.raises((ReceiptInvalid, Unreachable)):
        client(site, transport).check(Question(images=(picture(RED),), prompt="a hat"))


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_receipt_with_one_changed_letter_is_refused(site, part):
    def change(response):
        parts = response.json()["receipt"].split(".")
        middle = len(parts[part]) // 2
        letter = "A" if parts[part][middle] != "A" else "B"
        parts[part] = parts[part][:middle] + letter + parts[part][middle + 1 :]
        return httpx.Response(200, json=response.json() | {"receipt": ".".join(parts)})

    with pytest.raises(ReceiptInvalid):
        client(site, Tampering(site, change)).check(ASK)


@pytest.mark.parametrize(
    "other",
    [
        replace(ASK, images=(picture(RED),)),
        replace(ASK, prompt="another"),
        replace(ASK, images=()),
        replace(ASK, context=("a turn",)),
        replace(ASK, region="SE"),
        replace(ASK, purpose=Purpose.VIDEO),
        replace(ASK, mask=picture(BLUE)),
    ],
    ids=["picture", "words", "fewer", "turn", "region", "purpose", "mask"],
)
def test_an_answer_about_another_question_is_refused(site, other):
    """Somebody in between keeps a genuine `allow`, and gives it to everybody."""
    kept = Tampering(site)
    genuine = client(site, kept)
    genuine.check(ASK)
    allow = kept.inner.handle_request(kept.requests[0]).json()
    transport = Tampering(site, lambda _: httpx.Response(200, json=allow))
    with pytest.raises(ReceiptInvalid):
        client(site, transport).check(other)


def test_an_answer_to_another_platform_is_refused(site):
    with pytest.raises(ReceiptInvalid):
        client(site, platform="other.example").check(ASK)


def test_a_receipt_of_another_server_is_refused_when_the_keys_are_pinned(site):
    stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    x = base64.urlsafe_b64encode(stranger).decode().rstrip("=")
    pinned = KeySet.from_json(json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x}]}))
    with pytest.raises(ReceiptInvalid):
        client(site, keys=pinned).check(ASK)


def test_with_pinned_keys_none_are_fetched(site):
    pinned = KeySet.from_json(json.dumps(site.services.signer.jwks()))
    transport = Tampering(site)
    client(site, transport, keys=pinned).check(ASK)
    assert [request.url.path for request in transport.requests] == ["/v1/checks"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"keys": []}',
        '{"keys": [{"kty": "RSA"}]}',
        '{"keys": 1, "keys": []}',
        '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}]}',
    ],
)
def test_what_is_no_key_set_is_refused(text):
    with pytest.raises(ReceiptInvalid):
        KeySet.from_json(text)


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, text="allow"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"verdict": "allow"}),
        httpx.Response(200, content=b"{", headers={"content-type": "application/json"}),
        httpx.Response(204),
        httpx.Response(302, headers={"location": "https://evil.example/"}),
        httpx.Response(502, text="<html>"),
        httpx.Response(500, json={}, headers={"content-type": "application/problem+json"}),
    ],
    ids=["text", "list", "bare allow", "half", "empty", "moved", "proxy", "broken"],
)
def test_whatever_else_comes_back_is_an_error(response):
    asker = ConsentryClient(
        ORIGIN, "csk_x", platform=PLATFORM, transport=answers(response), retries=QUICK
    )
    with pytest.raises(ConsentryError):
        asker.check(ASK)
    with pytest.raises(ConsentryError):
        asker.check_many([ASK])


def test_a_batch_with_an_answer_missing_is_no_answer(site):
    def change(response):
        body = response.json()
        return httpx.Response(200, json=body | {"results": body["results"][1:]})

    transport = Tampering(site, change, path="/v1/checks/batch")
    with pytest.raises(Unreachable):
        client(site, transport).check_many([ASK, ASK])


def test_answers_of_a_batch_that_changed_places_are_refused(site):
    def change(response):
        body = response.json()
        return httpx.Response(200, json=body | {"results": body["results"][::-1]})

    transport = Tampering(site, change, path="/v1/checks/batch")
    results = client(site, transport).check_many([ASK, Question(prompt="a hat")])
    assert [type(result.error) for result in results] == [ReceiptInvalid, ReceiptInvalid]


# -- it tries again --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure",
    [
        problem(503, "overloaded"),
        problem(409, "conflict"),
        problem(500, "internal-error"),
        httpx.Response(502, text="<html>"),
        httpx.ConnectError("no"),
        httpx.ReadTimeout("late"),
    ],
    ids=["overloaded", "under way", "broken", "proxy", "no connection", "late"],
)
def test_what_may_pass_is_tried_again_under_one_key(site, failure):
    real = Tampering(site)
    before = site.home.receipts.count()
    failed = [failure, failure]

    def handle(request):
        if failed and request.url.path == "/v1/checks":
            real.requests.append(request)
            step = failed.pop()
            if isinstance(step, Exception):
                raise step
            return step
        return real.handle_request(request)

    answer = client(site, httpx.MockTransport(handle)).check(ASK)
    assert answer.is_allowed
    keys = {r.headers["idempotency-key"] for r in real.requests if r.method == "POST"}
    assert len(keys) == 1
    assert re.fullmatch(r"[0-9a-f-]{36}", keys.pop())
    assert site.home.receipts.count() == before + 1


def test_it_gives_up_in_the_end_with_what_went_wrong():
    transport = answers(problem(503, "overloaded"))
    asker = ConsentryClient(ORIGIN, "csk_x", platform=PLATFORM, transport=transport, retries=QUICK)
    with pytest.raises(Overloaded):
        asker.check(ASK)
    assert len(transport.seen) == 4


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (problem(401, "unauthenticated"), Unauthenticated),
        (problem(415, "unsupported-media-type"), UnsupportedMediaType),
        (problem(400, "bad-request"), BadRequest),
        (problem(429, "too-many-requests", **{"retry-after": "3600"}), TooManyRequests),
    ],
    ids=["401", "415", "400", "429 for an hour"],
)
def test_what_will_not_pass_is_said_at_once(failure, kind):
    transport = answers(failure)
    asker = ConsentryClient(ORIGIN, "csk_x", platform=PLATFORM, transport=transport, retries=QUICK)
    with pytest.raises(kind) as raised:
        asker.check(ASK)
    assert len(transport.seen) == 1
    if isinstance(raised.value, TooManyRequests):
        assert raised.value.retry_after_s == 3600


def test_it_waits_as_long_as_it_is_asked_to(monkeypatch):
    waits = []
    monkeypatch.setattr("consentry.client.blocking.time.sleep", waits.append)
    transport = answers(problem(429, "too-many-requests", **{"retry-after": "7"}))
    asker = ConsentryClient(
        ORIGIN, "csk_x", platform=PLATFORM, transport=transport, retries=Retries(attempts=3)
    )
    with pytest.raises(TooManyRequests):
        asker.check(ASK)
    assert waits == [7.0, 7.0]


def test_waits_grow_and_differ_by_chance(monkeypatch):
    waits = []
    monkeypatch.setattr("consentry.client.blocking.time.sleep", waits.append)
    asker = ConsentryClient(
        ORIGIN,
        "csk_x",
        platform=PLATFORM,
        transport=answers(httpx.ConnectError("no")),
        retries=Retries(attempts=4, first_wait_s=1.0),
        random=lambda n: b"\x80" + bytes(n - 1),
    )
    with pytest.raises(Unreachable):
        asker.check(ASK)
    assert waits == [1.5, 3.0, 6.0]


def test_a_key_of_ones_own_is_used_as_it_is(site):
    transport = Tampering(site)
    asker = client(site, transport)
    before = site.home.receipts.count()
    first = asker.check(ASK, idempotency_key="order-1")
    again = asker.check(ASK, idempotency_key="order-1")
    assert first == again
    assert site.home.receipts.count() == before + 1


# -- where it sends a key --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "http://consentry.example",
        "ftp://127.0.0.1",
        "127.0.0.1:8484",
        "",
        "http://127.0.0.1.evil.example",
        "https://",
        "https://x/?a=b",
    ],
)
def test_a_key_is_sent_in_the_clear_to_nobody(address):
    with pytest.raises(BadRequest):
        ConsentryClient(address, "csk_x", platform=PLATFORM)


@pytest.mark.parametrize(
    "address", ["https://consentry.example", "http://127.0.0.1:8484/", "http://[::1]:1"]
)
def test_addresses_that_keep_it_are_taken(address):
    ConsentryClient(address, "csk_x", platform=PLATFORM).close()


def test_the_environment_does_not_say_where_requests_go(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with ConsentryClient("https://x.example", "csk_x", platform=PLATFORM) as asker:
        assert not asker._http._mounts


def test_the_other_client_waits_without_stopping_others():
    seen = []

    def handle(request):
        seen.append(request)
        return problem(503, "overloaded")

    async def ask():
        async with AsyncConsentryClient(
            ORIGIN,
            "csk_x",
            platform=PLATFORM,
            transport=httpx.MockTransport(handle),
            retries=QUICK,
        ) as asker:
            with pytest.raises(Overloaded):
                await asker.check(ASK)

    anyio.run(ask)
    assert len(seen) == 4


# -- what was made ---------------------------------------------------------------------------------


def test_a_result_is_judged_beside_the_check_that_allowed_it(site):
    asker = client(site)
    allowed = asker.check(ASK)

    assert asker.check_output((picture(BLUE),), ASK, allowed=allowed).is_allowed
    withheld = asker.check_output((picture(RED),), ASK, allowed=asker.check(ASK))
    assert (withheld.verdict, len(withheld.salts.images)) == (Verdict.NEEDS_CONSENT, 2)
    with pytest.raises(CheckUnusable):
        asker.check_output((picture(BLUE),), ASK, allowed=allowed)


def test_a_result_is_judged_together_with_its_request(site):
    asker = client(site)
    bikini = replace(ASK, prompt="put her in a bikini")

    assert asker.check_output((picture(BLUE),), ASK).is_allowed
    refused = asker.check_output((picture(BLUE),), bikini)
    assert (refused.verdict, len(refused.salts.images)) == (Verdict.REFUSE, 1)


def test_a_result_of_which_nothing_is_known_is_judged_too(site):
    assert client(site).check_output((picture(BLUE),)).is_allowed
    assert not client(site).check_output((picture(RED),)).is_allowed


def test_a_picture_that_went_in_twice_is_committed_to_once(site):
    twice = replace(ASK, images=(picture(BLUE), picture(BLUE)))

    assert client(site).check_output((picture(BLUE),), twice).is_allowed


def test_only_an_answer_that_allowed_is_ground_for_a_result(site):
    asker = client(site)
    refused = asker.check(replace(ASK, prompt="put her in a bikini"))
    read_again = asker.answer(asker.check(ASK).check)
    for answer in (refused, read_again):
        with pytest.raises(BadRequest):
            asker.check_output((picture(BLUE),), ASK, allowed=answer)


def test_the_allow_of_a_request_is_not_taken_for_that_of_its_result(site):
    kept = []
    asker = client(site, Tampering(site, change=lambda response: kept.append(response) or response))
    allowed = asker.check(ASK)
    genuine = kept[0].json()
    forger = client(site, Tampering(site, changed(**genuine), path="/v1/outputs"))
    for basis in (None, allowed):
        with pytest.raises(ReceiptInvalid):
            forger.check_output((picture(RED),), ASK, allowed=basis)


def test_the_asynchronous_client_judges_results_alike(site):
    async def ask():
        transport = httpx.ASGITransport(app=site.app)
        async with AsyncConsentryClient(
            ORIGIN, site.secret, platform=PLATFORM, transport=transport, retries=QUICK
        ) as asker:
            allowed = await asker.check(ASK)
            one = await asker.check_output((picture(BLUE),), ASK, allowed=allowed)
            allowed = await asker.check(ASK)
            return one, await asker.check_output((picture(RED),), ASK, allowed=allowed)

    delivered, withheld = site.portal.call(ask)
    assert (delivered.is_allowed, withheld.is_allowed) == (True, False)
