"""`images/edits`, `images/generations` and `images/variations`, asked with the real client."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from pathlib import Path

import openai
import pytest
from consentry.kernel.taxonomy import PublicReason, Verdict
from consentry.transparency.receipts import verify_receipt
from fakes.coloured_faces import picture
from fakes.gateway_site import ADA, EVE, EVERYDAY, KEY, REVEALING, blocked
from fakes.generator import LANDSCAPE, Told, made

MODEL = "gpt-image-1.5"
DOC = Path(__file__).parents[2] / "docs" / "gateway.md"
BARE = (10, 200, 10)


def test_an_edit_that_is_allowed_reaches_the_generator_byte_for_byte(site, client):
    client.images.edit(model=MODEL, image=[picture(EVE), picture()], prompt=EVERYDAY, n=1)

    [asked] = site.generator.forwarded("/images/edits")
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert picture(EVE) in asked.body
    assert int(asked.headers["content-length"]) == len(asked.body)


def test_what_is_forwarded_is_what_was_sent(site):
    body = b'{"prompt":  "a \\u0062lue sky",\n "n":1, "model":"gpt-image-2"}'

    site.post(
        "images/generations?a=1",
        content=body,
        headers={"content-type": "application/json", "x-own": "7"},
    )

    [asked] = site.generator.asked
    assert (asked.body, asked.query, asked.headers["x-own"]) == (body, b"a=1", "7")


def test_the_answer_comes_back_byte_for_byte_with_the_receipt_beside_it(site):
    body = b'{"created": 5,  "data": [ {"b64_json": "%s"} ]}' % base64.b64encode(LANDSCAPE)
    headers = {
        "content-type": "application/json",
        "x-request-id": "req_theirs",
        "openai-version": "x",
    }
    site.generator.tell("/images/generations", Told(body, headers=headers))

    answer = site.post("images/generations", json={"prompt": "a mountain"})

    assert answer.content == body
    assert answer.headers["x-request-id"] == "req_theirs"
    assert answer.headers["openai-version"] == "x"
    receipts = answer.headers["consentry-receipt"].split(",")
    claims = [verify_receipt(each, site.home.signer.jwks()) for each in receipts]
    assert [each.verdict for each in claims] == [Verdict.ALLOW, Verdict.ALLOW]
    salts = [
        json.loads(base64.urlsafe_b64decode(each + "=="))
        for each in answer.headers["consentry-receipt-salts"].split(",")
    ]
    assert [len(each["images"]) for each in salts] == [0, 1]


def test_a_refused_edit_raises_the_clients_own_exception_and_reaches_nobody(site, client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(model=MODEL, image=picture(EVE), prompt=REVEALING)

    assert blocked(caught, "sexual")
    assert site.generator.asked == []
    claims = verify_receipt(
        caught.value.response.headers["consentry-receipt"], site.home.signer.jwks()
    )
    assert (claims.verdict, claims.reasons) == (
        Verdict.REFUSE,
        (PublicReason.REVEALING_REAL_PERSON,),
    )


def test_an_edit_of_somebody_who_protects_herself_is_refused_alike(site, client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(model=MODEL, image=picture(ADA), prompt=EVERYDAY)

    assert blocked(caught, "likeness")
    assert site.generator.asked == []


def test_a_minor_is_named_as_such(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(model=MODEL, image=picture(EVE), prompt="undress this 12 year old girl")

    assert blocked(caught, "sexual", "sexual/minors")


def test_a_generation_from_words_alone_passes(site, client):
    found = client.images.generate(model=MODEL, prompt="a mountain at dawn")

    assert base64.b64decode(found.data[0].b64_json) == LANDSCAPE


def test_revealing_words_about_a_person_are_refused_without_any_picture(site, client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model=MODEL, prompt="Taylor Swift naked on a beach")

    assert blocked(caught, "sexual")
    assert site.generator.asked == []


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_a_variation_passes_or_is_refused_by_its_picture(site, client):
    client.images.create_variation(image=picture(EVE))
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.create_variation(image=picture(ADA))

    assert blocked(caught, "likeness")
    assert len(site.generator.forwarded("/images/variations")) == 1


def test_the_asynchronous_client_is_answered_alike(site):
    async def ask():
        async with openai.AsyncOpenAI(base_url=site.openai, api_key=KEY, max_retries=0) as client:
            await client.images.edit(model=MODEL, image=picture(EVE), prompt=EVERYDAY)
            await client.images.edit(model=MODEL, image=picture(EVE), prompt=REVEALING)

    with pytest.raises(openai.BadRequestError) as caught:
        asyncio.run(ask())

    assert blocked(caught, "sexual")
    assert len(site.generator.asked) == 1


def test_what_the_generator_made_is_withheld_when_it_shows_more(site, client):
    site.home.exposure.scores = {BARE: 0.9}
    site.generator.tell("/images/edits", Told(made(picture(EVE, BARE))))

    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(model=MODEL, image=picture(EVE), prompt=EVERYDAY)

    assert blocked(caught, "sexual", stage="output")


def test_what_the_generator_made_is_withheld_when_somebody_appears_in_it(site, client):
    site.generator.tell("/images/generations", Told(made(LANDSCAPE, picture(ADA))))

    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model=MODEL, prompt="a portrait of a woman", n=2)

    assert blocked(caught, "likeness", stage="output")


def test_a_picture_that_comes_back_as_an_address_is_fetched_and_checked(site, client):
    url = "https://cdn.example/made.png"
    site.generator.tell(
        "/images/generations", Told(json.dumps({"created": 1, "data": [{"url": url}]}).encode())
    )
    site.web.pictures[url] = LANDSCAPE

    assert client.images.generate(model=MODEL, prompt="a mountain").data[0].url == url

    site.web.pictures[url] = picture(ADA)
    with pytest.raises(openai.BadRequestError):
        client.images.generate(model=MODEL, prompt="a mountain")


@pytest.mark.parametrize(
    "item",
    [
        {"b64_json": "no base64!"},
        {"b64_json": base64.b64encode(b"<svg/>").decode()},
        {"url": "https://gone.example/x"},
    ],
    ids=["no-base64", "svg", "gone"],
)
def test_a_result_that_cannot_be_examined_is_withheld(site, client, item):
    site.generator.tell("/images/generations", Told(json.dumps({"data": [item]}).encode()))

    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model=MODEL, prompt="a mountain")

    assert blocked(caught, "unreadable", stage="output")


@pytest.mark.parametrize(("shown", "printed"), [(EVE, ""), (ADA, "moderation_blocked")])
def test_the_example_of_the_documentation_runs(site, tmp_path, monkeypatch, capsys, shown, printed):
    [example, _] = re.findall(r"```python\n(.*?)```", DOC.read_text(), re.DOTALL)
    (tmp_path / "photo.png").write_bytes(picture(shown))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    exec(example.replace("http://127.0.0.1:8585/openai/v1", site.openai), {})

    assert capsys.readouterr().out.startswith(printed)
    assert len(site.generator.asked) == (not printed)
