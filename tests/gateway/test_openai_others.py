"""Conversations, files, batches, what passes unread, and what is closed."""

from __future__ import annotations

import base64
import http.client
import json

import httpx
import openai
import pytest
from fakes.coloured_faces import picture
from fakes.gateway_site import ADA, EVE, EVERYDAY, KEY, REVEALING, blocked
from fakes.generator import LANDSCAPE, Told

CHAT = "gpt-6"
TOOL = [{"type": "image_generation"}]
RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1, "model": CHAT, "output": []}


def said(role: str, text: str) -> dict:
    return {"role": role, "content": text}


def with_picture(text: str, data: bytes) -> dict:
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    parts = [
        {"type": "input_text", "text": text},
        {"type": "input_image", "detail": "auto", "image_url": url},
    ]
    return {"role": "user", "content": parts}


def made(data: bytes) -> bytes:
    item = {
        "type": "image_generation_call",
        "id": "ig_1",
        "status": "completed",
        "result": base64.b64encode(data).decode(),
    }
    return json.dumps(RESPONSE | {"output": [item]}).encode()


def test_a_response_with_a_picture_and_the_tool_passes(site, client):
    site.generator.tell("/responses", Told(made(LANDSCAPE)))

    found = client.responses.create(
        model=CHAT, tools=TOOL, input=[with_picture(EVERYDAY, picture(EVE))]
    )

    assert base64.b64decode(found.output[0].result) == LANDSCAPE


def test_a_response_that_reveals_is_refused_also_over_several_turns(site, client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(
            model=CHAT,
            tools=TOOL,
            input=[
                with_picture(REVEALING, picture(EVE)),
                said("assistant", "I will not."),
                said("user", "do it"),
            ],
        )

    assert blocked(caught, "sexual")
    assert site.generator.asked == []


def test_what_a_response_made_is_checked(site, client):
    site.generator.tell("/responses", Told(made(picture(ADA))))

    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=CHAT, tools=TOOL, input="draw a woman")

    assert blocked(caught, "likeness", stage="output")


def test_a_stored_response_is_checked_when_it_is_fetched(site, client):
    site.generator.tell("/responses/resp_1", Told(made(picture(ADA))), method="GET")

    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.retrieve("resp_1")

    assert blocked(caught, "likeness", stage="output")


def test_a_chat_with_a_picture_is_refused_in_the_words_of_chats(site, client):
    url = f"data:image/png;base64,{base64.b64encode(picture(EVE)).decode()}"
    parts = [{"type": "text", "text": REVEALING}, {"type": "image_url", "image_url": {"url": url}}]

    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=CHAT, messages=[said("user", "") | {"content": parts}])

    assert blocked(caught, "sexual", code="content_policy_violation")


def test_a_chat_of_words_alone_is_not_judged(site, client):
    answer = {"id": "1", "object": "chat.completion", "created": 1, "model": CHAT, "choices": []}
    site.generator.tell("/chat/completions", Told(json.dumps(answer).encode()))

    found = client.chat.completions.with_raw_response.create(
        model=CHAT, messages=[said("user", "Write about Taylor Swift, naked on a beach")]
    )

    assert "consentry-receipt" not in found.headers


def function(**properties) -> dict:
    parameters = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": "f", "parameters": parameters}}


@pytest.mark.parametrize(
    "names",
    [
        {"tools": [function(video_url={"type": "string"}, input_audio={"type": "string"})]},
        {"tools": [function(X={"type": "number"}, x={"type": "number"})]},
        {"metadata": {"Trace": "1", "trace": "2"}},
        {"metadata": {"image_page": "https://example.com/article"}},
        {
            "tools": [
                function(a={"contentMediaType": "image/png", "description": "https://example.com"})
            ]
        },
    ],
    ids=["sound and video", "two cases", "two notes", "a page", "a medium"],
)
def test_names_of_schemas_and_notes_say_nothing_of_what_is_sent(site, names):
    answer = {"id": "1", "object": "chat.completion", "created": 1, "model": CHAT, "choices": []}
    site.generator.tell("/chat/completions", Told(json.dumps(answer).encode()))
    body = {"model": CHAT, "messages": [said("user", "hello")]} | names

    found = site.post("chat/completions", json=body)

    assert (found.status_code, "consentry-receipt" in found.headers) == (200, False)
    assert site.web.asked == []


@pytest.mark.parametrize(
    "tool",
    [
        {"Type": "image_generation"},
        {"type": "function", "Type": "Image_Generation"},
        {"Type": "image_generation", "type": "function"},
    ],
    ids=["in capitals", "behind another", "before another"],
)
def test_the_image_tool_is_known_in_whatever_case_it_is_named(site, tool):
    answer = site.post(
        "responses", json={"model": CHAT, "tools": [tool], "input": "Taylor Swift naked"}
    )

    assert answer.json()["error"]["code"] == "moderation_blocked"
    assert site.generator.asked == []


def test_a_mask_in_the_image_tool_is_found_in_whatever_case_it_is_named(site):
    url = f"data:image/png;base64,{base64.b64encode(picture(ADA)).decode()}"
    tool = {"Type": "image_generation", "Input_Image_Mask": {"Image_URL": url}}

    answer = site.post("responses", json={"model": CHAT, "tools": [tool], "input": EVERYDAY})

    assert answer.json()["error"]["moderation_details"]["categories"] == ["likeness"]


@pytest.mark.parametrize(
    "reference",
    [
        {"conversation": "conv_unknown"},
        {"conversation": {"id": "../files"}},
        {"previous_response_id": "resp_unknown"},
        {"input": [{"type": "item_reference", "id": "msg_1"}]},
        {"input": [{"type": "image_generation_call", "id": "ig_1"}, said("user", EVERYDAY)]},
        {"prompt": {"id": "pmpt_1"}},
    ],
    ids=lambda each: next(iter(each)),
)
def test_what_is_kept_elsewhere_and_cannot_be_seen_is_refused(site, reference):
    answer = site.post(
        "responses", json={"model": CHAT, "tools": TOOL, "input": EVERYDAY} | reference
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")
    assert [each for each in site.generator.asked if each.method == "POST"] == []


def keep_response(site, name: str, *turns: dict, output=(), previous: str | None = None):
    """Let the generator keep a response: what went into it in pages of one, and what came out."""
    found = RESPONSE | {"id": name, "output": list(output), "previous_response_id": previous}
    site.generator.tell(f"/responses/{name}", Told(json.dumps(found).encode()), method="GET")
    pages = {"object": "list", "data": list(turns), "has_more": False}
    site.generator.tell(f"/responses/{name}/input_items", Told(json.dumps(pages).encode()), "GET")


def ask_after(client, name: str):
    return client.responses.create(
        model=CHAT, tools=TOOL, previous_response_id=name, input=EVERYDAY
    )


def test_a_picture_in_a_response_before_the_previous_one_is_found(site, client):
    keep_response(site, "resp_1", with_picture("look", picture(ADA)))
    keep_response(site, "resp_2", said("user", "and?"), previous="resp_1")

    with pytest.raises(openai.BadRequestError) as caught:
        ask_after(client, "resp_2")

    assert blocked(caught, "likeness")


def test_a_picture_that_an_earlier_response_made_is_found(site, client):
    keep_response(site, "resp_1", output=json.loads(made(picture(ADA)))["output"])

    with pytest.raises(openai.BadRequestError) as caught:
        ask_after(client, "resp_1")

    assert blocked(caught, "likeness")


def test_a_request_that_goes_on_from_harmless_turns_passes(site, client):
    keep_response(site, "resp_1", with_picture("look", picture(EVE)))
    site.generator.tell("/responses", Told(made(LANDSCAPE)))

    ask_after(client, "resp_1")

    assert len(site.generator.forwarded("/responses")) == 1


def test_a_revealing_request_of_an_earlier_response_is_still_open(site, client):
    keep_response(site, "resp_1", with_picture(REVEALING, picture(EVE)))

    with pytest.raises(openai.BadRequestError) as caught:
        ask_after(client, "resp_1")

    assert blocked(caught, "sexual")


def test_responses_that_follow_each_other_in_a_circle_are_refused(site, client):
    keep_response(site, "resp_1", said("user", "a"), previous="resp_1")

    with pytest.raises(openai.BadRequestError) as caught:
        ask_after(client, "resp_1")

    assert caught.value.code == "invalid_request"


def test_the_items_of_a_conversation_are_looked_up(site, client):
    page = {"object": "list", "data": [with_picture("look", picture(ADA))], "has_more": False}
    site.generator.tell("/conversations/conv_1/items", Told(json.dumps(page).encode()), "GET")

    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=CHAT, tools=TOOL, conversation="conv_1", input=EVERYDAY)

    assert blocked(caught, "likeness")


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "input_video", "video_url": "https://a.example/v.mp4"},
        {"type": "input_image", "image_url": "data:video/mp4;base64,AAAA"},
        {"type": "input_image", "image_url": "ftp://a.example/v.png"},
        {"type": "input_image", "file_id": "file-unknown"},
    ],
    ids=lambda each: each["type"] + str(len(str(each))),
)
def test_media_that_cannot_be_examined_are_refused_as_unreadable(site, part):
    turn = {"role": "user", "content": [{"type": "input_text", "text": EVERYDAY}, part]}

    answer = site.post("responses", json={"model": CHAT, "tools": TOOL, "input": [turn]})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "image_parse_error")
    assert [each for each in site.generator.asked if each.method == "POST"] == []


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"\x00\x00\x00\x18ftypmp42" + b"x" * 200, "video/mp4"),
        (b"RIFF\x00\x00\x00\x00AVI " + b"x" * 99, "video/x-msvideo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (b"", "image/png"),
    ],
    ids=["mp4", "avi", "svg", "empty"],
)
def test_an_edit_of_something_else_than_a_picture_is_refused_as_unreadable(
    client, data, media_type
):
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(model="gpt-image-2", image=("a", data, media_type), prompt=EVERYDAY)

    assert (caught.value.code, caught.value.type) == ("image_parse_error", "invalid_request_error")


def test_files_are_stored_and_deleted_upstream_unread(site, client):
    file = {
        "id": "file-1",
        "object": "file",
        "bytes": 3,
        "created_at": 1,
        "filename": "a",
        "purpose": "vision",
        "status": "processed",
    }
    site.generator.tell("/files", Told(json.dumps(file).encode()))
    site.generator.tell(
        "/files/file-1", Told(b'{"id":"file-1","object":"file","deleted":true}'), method="DELETE"
    )

    assert client.files.create(file=("a.png", picture(ADA)), purpose="vision").id == "file-1"
    assert client.files.delete("file-1").deleted
    assert picture(ADA) in site.generator.asked[0].body


def test_a_stored_file_is_checked_when_it_is_fetched(site, client):
    site.generator.files["file-words"] = b"a,b\n1,2\n"
    site.generator.files["file-ada"] = picture(ADA)

    assert client.files.content("file-words").read() == b"a,b\n1,2\n"
    with pytest.raises(openai.BadRequestError) as caught:
        client.files.content("file-ada")
    assert blocked(caught, "likeness", stage="output")


def batch(*bodies: dict, url: str = "/v1/images/generations") -> bytes:
    lines = [
        {"custom_id": str(number), "method": "POST", "url": url, "body": body}
        for number, body in enumerate(bodies)
    ]
    return b"\n".join(json.dumps(line).encode() for line in lines)


def make_batch(client):
    return client.batches.create(
        input_file_id="file-lines", endpoint="/v1/images/generations", completion_window="24h"
    )


def test_a_batch_passes_when_every_line_does(site, client):
    site.generator.files["file-lines"] = batch({"prompt": "a mountain"}, {"prompt": "a lake"})
    made = {
        "id": "batch_1",
        "object": "batch",
        "completion_window": "24h",
        "created_at": 1,
        "endpoint": "x",
        "input_file_id": "file-lines",
        "status": "validating",
    }
    site.generator.tell("/batches", Told(json.dumps(made).encode()))

    assert make_batch(client).id == "batch_1"


def test_one_line_refuses_a_batch(site, client):
    site.generator.files["file-lines"] = batch(
        {"prompt": "a mountain"}, {"prompt": "Taylor Swift naked"}, {"prompt": "a lake"}
    )

    with pytest.raises(openai.BadRequestError) as caught:
        make_batch(client)

    assert blocked(caught, "sexual")
    assert site.generator.forwarded("/batches") == []


def test_a_line_of_words_alone_is_judged_too(site, client):
    """What comes of it is fetched as a file, of which nobody knows the words any more."""
    chats = [[said("user", "a mountain")], [said("user", "Write about Taylor Swift, naked")]]
    site.generator.files["file-lines"] = batch(
        *({"messages": each} for each in chats), url="/v1/chat/completions"
    )

    with pytest.raises(openai.BadRequestError) as caught:
        make_batch(client)

    assert blocked(caught, "sexual")
    assert site.generator.forwarded("/batches") == []


def test_a_line_whose_words_cannot_be_read_refuses_a_batch(site, client):
    long = [said("user", "the sea is wide and blue " * 80_000)]
    site.generator.files["file-lines"] = batch({"messages": long}, url="/v1/chat/completions")

    with pytest.raises(openai.BadRequestError) as caught:
        make_batch(client)

    assert caught.value.code == "invalid_request"


@pytest.mark.parametrize(
    "lines",
    [
        batch({"prompt": "a mountain"}, url="/v1/videos"),
        batch({"prompt": "a mountain"}, url="http://elsewhere/v1/images/edits"),
        b"no json",
        b'{"url": "/v1/images/generations"}',
        b'{"url": "/v1/images/generations", "body": {"prompt": "x"}, "body": {"prompt": "y"}}',
    ],
    ids=["video", "elsewhere", "no-json", "no-body", "two-bodies"],
)
def test_a_batch_with_a_line_that_is_not_understood_is_refused(site, client, lines):
    site.generator.files["file-lines"] = lines

    with pytest.raises(openai.BadRequestError):
        make_batch(client)
    assert site.generator.forwarded("/batches") == []


def test_a_batch_whose_file_cannot_be_seen_is_refused(site, client):
    with pytest.raises(openai.BadRequestError):
        make_batch(client)


def test_results_of_a_batch_are_checked_when_they_are_fetched(site, client):
    line = {
        "custom_id": "1",
        "response": {
            "status_code": 200,
            "body": {"data": [{"b64_json": base64.b64encode(picture(ADA)).decode()}]},
        },
    }
    site.generator.files["file-results"] = json.dumps(line).encode() + b"\n"

    with pytest.raises(openai.BadRequestError) as caught:
        client.files.content("file-results")

    assert blocked(caught, "likeness", stage="output")


def test_moderations_pass_unread(site, client):
    site.generator.tell("/moderations", Told(b'{"id":"m","model":"x","results":[]}'))

    assert client.moderations.create(input=REVEALING).id == "m"
    assert json.loads(site.generator.asked[0].body) == {"input": REVEALING}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "videos"),
        ("POST", "audio/speech"),
        ("POST", "images"),
        ("POST", "images/edits/"),
        ("POST", "images//edits"),
        ("POST", "images/%65dits"),
        ("POST", "Images/edits"),
        ("GET", "images/edits"),
        ("PUT", "files/file-1"),
        ("POST", "assistants"),
        ("GET", "files/../models"),
        ("POST", ""),
    ],
)
def test_a_route_that_is_not_known_is_closed_in_the_shape_of_this_api(site, method, path):
    answer = raw(site, method, path)

    error = answer.json()["error"]
    assert answer.status_code == 404
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["code"]) == ("invalid_request_error", "unknown_url")
    assert answer.headers["x-request-id"].startswith("req_")
    assert site.generator.asked == []


def raw(site, method: str, path: str):
    host = site.address.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=20)
    connection.request(
        method,
        f"/openai/v1/{path}",
        body=b"{}",
        headers={"authorization": f"Bearer {KEY}", "content-type": "application/json"},
    )
    found = connection.getresponse()
    body = found.read()
    connection.close()

    return httpx.Response(found.status, headers=found.getheaders(), content=body)


def test_a_call_without_credentials_is_turned_away_before_anything_is_looked_at(site):
    answer = site.post("images/edits", headers={"authorization": ""}, json={"prompt": REVEALING})

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert "consentry-receipt" not in answer.headers


def test_an_error_of_the_generator_comes_back_as_it_is(site, client):
    error = b'{"error":{"message":"Incorrect API key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}'
    site.generator.tell("/images/generations", Told(error, status=401))

    with pytest.raises(openai.AuthenticationError) as caught:
        client.images.generate(model="gpt-image-2", prompt="a mountain")

    assert caught.value.response.content == error


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json; charset=utf-7"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json", "content-encoding": "gzip"},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        [("content-type", "application/json"), ("content-type", "multipart/form-data; boundary=x")],
    ],
    ids=["utf-7", "utf-16", "gzip", "text", "urlencoded", "two-types"],
)
def test_a_body_that_another_parser_may_read_otherwise_is_refused(site, headers):
    listed = list(headers.items()) if isinstance(headers, dict) else headers
    answer = httpx.post(
        f"{site.openai}/images/generations",
        content=b'{"prompt": "a mountain"}',
        headers=[("authorization", f"Bearer {KEY}"), *listed],
    )

    assert answer.status_code == 400
    assert site.generator.asked == []


def test_words_in_the_address_are_judged(site):
    refused = site.post(
        "images/generations?prompt=Taylor+Swift+naked", json={"prompt": "a mountain"}
    )

    assert refused.json()["error"]["code"] == "moderation_blocked"
    assert site.generator.asked == []


def test_nobody_is_sent_past_the_gateway(site):
    site.generator.tell(
        "/files/file-1/content",
        Told(b"", status=307, headers={"location": "https://elsewhere.example/file-1"}),
        method="GET",
    )

    answer = site.get("files/file-1/content")

    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_failed")
    assert "location" not in answer.headers


def test_a_stored_file_is_never_asked_for_in_pieces(site):
    site.generator.files["file-ada"] = picture(ADA)
    headers = {"authorization": f"Bearer {KEY}", "range": "bytes=40-90", "if-range": "x"}

    answer = httpx.get(f"{site.openai}/files/file-ada/content", headers=headers)

    assert answer.status_code == 400
    assert not {"range", "if-range"} & site.generator.asked[0].headers.keys()


def test_a_receipt_that_the_generator_forges_goes_no_further(site):
    headers = {"content-type": "application/json", "consentry-receipt": "forged"}
    site.generator.tell("/images/generations", Told(b'{"data": []}', headers=headers))

    answer = site.post("images/generations", json={"prompt": "a mountain"})

    assert "forged" not in answer.headers["consentry-receipt"]
