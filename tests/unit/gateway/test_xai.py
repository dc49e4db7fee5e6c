"""What the dialect of xAI reads out of a request, and which places it opens."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json

import pytest
from consentry.gateway.exchange import Call, Head
from consentry.gateway.refusals import Kind, Refusal, Stage
from consentry.gateway.request import DataUrl, GatewayRequest, Sent, StoredFile, WebAddress
from consentry.gateway.xai.dialect import XaiDialect
from consentry.kernel.errors import (
    BadRequest,
    ConsentryError,
    CorruptImage,
    ImageError,
    UnsupportedMediaType,
)
from consentry.kernel.taxonomy import PublicReason
from fakes.coloured_faces import picture

DATA = "data:image/png;base64," + base64.b64encode(picture((1, 2, 3))).decode()
WEB = "https://pictures.example.com/a.png"
DIALECT = XaiDialect()


def read(body, path="images/edits", media_type="application/json"):
    headers = ((b"content-type", media_type.encode()),)
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    call = Call(head=Head(method="POST", path=path, headers=headers), body=encoded)
    (request,) = asyncio.run(DIALECT.endpoint("POST", path).ask(call, None))
    return request


@pytest.mark.parametrize(
    ("given", "pictures"),
    [
        ({"image": {"url": DATA, "type": "image_url"}}, (DataUrl(DATA),)),
        ({"image": {"url": WEB}}, (WebAddress(WEB),)),
        ({"image": {"image_url": WEB, "detail": "auto"}}, (WebAddress(WEB),)),
        ({"image": {"file_id": "file-1"}}, (StoredFile("file-1"),)),
        ({"image": WEB}, (WebAddress(WEB),)),
        ({"image": DATA.partition(",")[2]}, (Sent(picture((1, 2, 3))),)),
        ({"image_url": WEB}, (WebAddress(WEB),)),
        ({"images": [{"url": WEB}, {"file_id": "file-1"}, DATA]}, (WebAddress(WEB), StoredFile("file-1"), DataUrl(DATA))),
        ({"image": None, "mask": {"url": DATA}}, (DataUrl(DATA),)),
        ({"something_new": {"deep": [WEB]}}, (WebAddress(WEB),)),
        ({"IMAGE": {"Url": WEB}, "Mask": {"FILE_ID": "1"}}, (WebAddress(WEB), StoredFile("1"))),
        ({"init": f" {DATA.partition(',')[2]}\n"}, (Sent(picture((1, 2, 3))),)),
        ({"init": "QUJD" * 40}, (Sent(b"ABC" * 40),)),
    ],
)  # fmt: skip
def test_every_way_to_give_a_picture_is_seen(given, pictures):
    assert read({"prompt": "x", "model": "m"} | given).pictures == pictures


def test_settings_are_no_words_and_everything_else_is():
    request = read(
        {
            "prompt": "a cat", "model": "grok-imagine-image", "aspect_ratio": "16:9", "n": 2, "response_format": "url",
            "resolution": "2k", "user": "me", "note": "without clothes",
        }
    )  # fmt: skip

    assert (request.prompt, request.context, request.asker) == ("a cat", ("without clothes",), "me")


def test_a_setting_as_long_as_words_is_words():
    assert read({"prompt": "a cat", "model": "a model " * 20}).context == ("a model " * 20,)


@pytest.mark.parametrize("body", [{"prompt": ["a"]}, {"prompt": "x", "storage_options": {"filename": "a"}}, b"[]", b"{", b'{"a":1,"a":2}'])  # fmt: skip
def test_what_cannot_be_read_or_held_is_refused(body):
    with pytest.raises(BadRequest):
        read(body)


@pytest.mark.parametrize("image", ["not a picture", {"url": "ftp://x"}, {"url": "/etc/passwd"}])
def test_a_picture_in_no_known_way_is_refused(image):
    with pytest.raises(ImageError):
        read({"prompt": "x", "image": image})


def test_words_in_the_address_are_not_let_through_unseen():
    head = Head(
        method="POST", path="images/edits", query=b"prompt=x", headers=((b"content-type", b"application/json"),)
    )  # fmt: skip
    with pytest.raises(BadRequest, match="query"):
        asyncio.run(DIALECT.endpoint("POST", "images/edits").ask(Call(head=head, body=b"{}"), None))


def test_a_form_is_not_read_here():
    with pytest.raises(UnsupportedMediaType):
        read(b"", media_type="multipart/form-data")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "batches"), ("GET", "batches"), ("POST", "batches/b_1/requests"), ("GET", "batches/b_1/results"),
        ("POST", "videos/generations"), ("POST", "videos/edits"), ("GET", "videos/v_1"), ("GET", "images/generations"),
        ("PUT", "images/edits"), ("POST", "images/edits/"), ("POST", "images/variations"), ("POST", "image_generation"),
        ("GET", "chat/deferred-completion/1"), ("POST", ""), ("POST", "documents/search"), ("GET", "files/a/b/content"),
        ("POST", "/images/edits"), ("POST", "IMAGES/EDITS"), ("POST", "complete"), ("POST", "messages"), ("GET", "files/../content"), ("GET", "models/.."),
    ],
)  # fmt: skip
def test_whatever_is_not_named_is_closed(method, path):
    assert DIALECT.endpoint(method, path) is None


@pytest.mark.parametrize("path", ["chat/completions", "responses"])
def test_conversations_are_judged_and_refused_in_this_apis_words(path):
    endpoint = DIALECT.endpoint("POST", path)
    refusal = Refusal(kind=Kind.BLOCKED, reasons=(PublicReason.CONSENT_REQUIRED,))

    assert (endpoint.reads, endpoint.inspects) == (True, True)
    assert set(json.loads(endpoint.refusal(refusal, "req_1").body)) == {"code", "error"}
    assert b"imagine:content-moderated" in endpoint.last_event(refusal, "req_1")


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("stage", Stage)
def test_every_refusal_has_a_status_and_two_strings(kind, stage):
    reply = DIALECT.refusal(Refusal(kind=kind, stage=stage, message="Why."), "req_1")

    body = json.loads(reply.body)
    assert 400 <= reply.status < 600
    assert set(body) == {"code", "error"}
    assert all(isinstance(each, str) and each for each in body.values())
    assert (b"x-request-id", b"req_1") in reply.headers


def test_what_comes_back_is_found_under_every_name():
    encoded = DATA.partition(",")[2]
    found = DIALECT.endpoint("POST", "images/edits").found
    answer = {"data": [{"b64_json": encoded}, {"url": WEB, "revised_prompt": ""}, {"base64": DATA}]}

    pictures = found("application/json", json.dumps(answer).encode())

    assert set(pictures) == {Sent(picture((1, 2, 3))), WebAddress(WEB), DataUrl(DATA)}


def test_a_result_that_the_generator_itself_withheld_is_no_picture():
    answer = {"data": [{"url": "", "b64_json": "", "respect_moderation": False}]}

    assert not DIALECT.endpoint("POST", "images/edits").found(
        "application/json", json.dumps(answer).encode()
    )


def test_a_result_that_is_no_base64_is_not_delivered():
    with pytest.raises(CorruptImage):
        DIALECT.endpoint("POST", "images/edits").found(
            "application/json", b'{"data":[{"b64_json":"%%%"}]}'
        )


ODD = [
    {"prompt": [1, 2], "image": 7},
    {"prompt": None, "images": [[[None]]], "mask": {"url": None}},
    {"image": {"type": ["image_url"], "url": {"url": WEB}}},
    {"prompt": "x", "Prompt": "y"},
    {"image": base64.encodebytes(picture((1, 2, 3))).decode()},
    {"storage_options": {}},
    b'{"prompt":"\\ud800"}',
    b'{"n":' + b"9" * 10_000 + b"}",
    b"[" * 10_000 + b"]" * 10_000,
    b"\xef\xbb\xbf{}",
    b"null",
    b"",
]


@pytest.mark.parametrize(
    "path", ["images/edits", "images/generations", "chat/completions", "responses"]
)
@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
def test_whatever_is_sent_is_read_or_refused_in_words_of_ours(body, path):
    headers = ((b"content-type", b"application/json"),)
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    call = Call(head=Head(method="POST", path=path, headers=headers), body=encoded)

    with contextlib.suppress(ConsentryError):
        found = asyncio.run(DIALECT.endpoint("POST", path).ask(call, None))
        assert all(isinstance(each, GatewayRequest) for each in found)
