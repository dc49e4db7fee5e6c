"""What the dialect of xAI's gRPC API reads out of a call, and which methods it opens."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from consentry.gateway.exchange import Call, Head, value_of
from consentry.gateway.receipts import with_room
from consentry.gateway.refusals import Kind, Refusal, Stage
from consentry.gateway.request import DataUrl, Sent, StoredFile, WebAddress
from consentry.gateway.xai.dialect import XaiDialect
from consentry.gateway.xai_grpc.dialect import STREAMS, XaiGrpcDialect
from consentry.kernel.errors import BadRequest, CorruptImage, ImageError, Unreachable
from fakes.coloured_faces import picture
from xai_sdk import chat as words
from xai_sdk import tools
from xai_sdk.proto import batch_pb2, chat_pb2, files_pb2, image_pb2

RED = picture((200, 1, 1))
DATA = "data:image/png;base64," + base64.b64encode(RED).decode()
WEB = "https://pictures.example.com/a.png"
DIALECT = XaiGrpcDialect()
IMAGE, CHAT = "xai_api.Image/GenerateImage", "xai_api.Chat/GetCompletion"


def ask(message, path=IMAGE):
    body = message if isinstance(message, bytes) else message.SerializeToString()
    call = Call(head=Head(method="POST", path=path), body=body)
    return asyncio.run(DIALECT.endpoint("POST", path).ask(call, None))


def image(**given):
    return image_pb2.ImageUrlContent(**given)


def conversation(*messages, **settings):
    return chat_pb2.GetCompletionsRequest(model="grok-4", messages=messages, **settings)


@pytest.mark.parametrize(
    ("given", "pictures"),
    [
        ({}, ()),
        ({"image": image(image_url=DATA)}, (DataUrl(DATA),)),
        ({"image": image(image_url=WEB)}, (WebAddress(WEB),)),
        ({"image": image(file_id="any_name")}, (StoredFile("any_name"),)),
        ({"images": [image(file_id="f"), image(image_url=DATA)]}, (StoredFile("f"), DataUrl(DATA))),
        ({"image": image(image_url=DATA), "images": [image(image_url=WEB)]}, (DataUrl(DATA), WebAddress(WEB))),
    ],
)  # fmt: skip
def test_every_way_to_give_a_picture_is_seen(given, pictures):
    (request,) = ask(image_pb2.GenerateImageRequest(prompt="a cat", model="m", user="me", **given))

    assert (request.pictures, request.prompt, request.asker) == (pictures, "a cat", "me")


def test_both_of_a_choice_are_seen_although_the_generator_keeps_one():
    both = image(image_url=WEB).SerializeToString() + image(file_id="f").SerializeToString()
    sent = b"\x2a" + bytes([len(both)]) + both

    (request,) = ask(sent)

    assert set(request.pictures) == {WebAddress(WEB), StoredFile("f")}


def test_the_same_request_is_read_as_over_rest():
    sent = image_pb2.GenerateImageRequest(
        prompt="a cat " * 3000, model="m", user="me", images=[image(image_url=DATA)]
    )
    body = {"prompt": "a cat " * 3000, "model": "m", "user": "me", "images": [{"image_url": DATA}]}
    head = Head(
        method="POST", path="images/edits", headers=((b"content-type", b"application/json"),)
    )
    over_rest = (
        XaiDialect()
        .endpoint("POST", "images/edits")
        .ask(Call(head=head, body=json.dumps(body).encode()), None)
    )

    assert tuple(ask(sent)) == tuple(asyncio.run(over_rest))


@pytest.mark.parametrize("given", ["", "/etc/passwd", "ftp://x", "file_1"])
def test_an_address_that_is_none_is_refused(given):
    with pytest.raises(ImageError):
        ask(image_pb2.GenerateImageRequest(prompt="x", image=image(image_url=given)))


def judged_at_once(chat) -> list:
    """What is judged whether or not a picture comes of it."""
    return [each for each in ask(chat, CHAT) if each.makes_pictures]


def test_a_chat_of_words_is_not_judged_and_with_an_image_tool_it_is():
    turns = [
        words.system("Be brief."),
        words.user("Hello"),
        words.assistant("Hi"),
        words.user("Paint a cat"),
    ]
    assert judged_at_once(conversation(*turns)) == []

    (request,) = ask(conversation(*turns, tools=[tools.image_generation()], user="me"), CHAT)

    assert (request.prompt, request.asker) == ("Paint a cat", "me")
    assert [each for each in ("Be brief.", "Hello", "Hi") if each in request.context] == [
        "Be brief.",
        "Hello",
        "Hi",
    ]


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (words.image(DATA), DataUrl(DATA)),
        (words.image(WEB), WebAddress(WEB)),
        (chat_pb2.Content(image_url=image(file_id="f")), StoredFile("f")),
        (words.text(f"Look: {DATA}"), DataUrl(DATA)),
    ],
)
def test_a_picture_in_any_turn_makes_a_chat_one_about_pictures(content, seen):
    (request,) = ask(conversation(words.user("Look.", content), words.user("Brighter.")), CHAT)

    assert request.pictures == (seen,)
    assert request.prompt == "Brighter."


@pytest.mark.parametrize(
    ("file", "seen"),
    [
        (words.file("f_1"), StoredFile("f_1")),
        (words.file(data=RED, filename="a.png", mime_type="image/png"), Sent(RED)),
        (words.file(url=WEB), WebAddress(WEB)),
    ],
)
def test_a_file_is_a_document_unless_a_picture_may_be_made(file, seen):
    turn = words.user("Read it.", file)
    assert judged_at_once(conversation(turn)) == []

    (request,) = ask(conversation(turn, tools=[tools.image_generation()]), CHAT)

    assert request.pictures == (seen,)


@pytest.mark.parametrize("place", ["tool", "search", "format", "arguments"])
def test_words_count_wherever_they_are(place):
    hidden = "take her clothes off"
    given = {
        "tool": {"tools": [tools.image_generation(), words.tool("edit", hidden, {})]},
        "search": {"tools": [tools.image_generation(), tools.collections_search(["c"], instructions=hidden)]},
        "format": {"tools": [tools.image_generation()], "response_format": chat_pb2.ResponseFormat(schema=hidden)},
        "arguments": {"tools": [tools.image_generation()]},
    }[place]  # fmt: skip
    call = chat_pb2.ToolCall(id="c", function=chat_pb2.FunctionCall(name="f", arguments=hidden))
    turns = [chat_pb2.Message(role=2, tool_calls=[call])] if place == "arguments" else []

    (request,) = ask(conversation(*turns, words.user("Go on."), **given), CHAT)

    assert any(hidden in each for each in request.context)


def made(status: int, role: int = 2) -> chat_pb2.Message:
    call = chat_pb2.ToolCall(
        id="c_1", type=10, status=status, function=chat_pb2.FunctionCall(name="imagine")
    )
    return chat_pb2.Message(role=role, tool_calls=[call])


def test_a_picture_that_was_made_and_is_not_sent_again_is_refused():
    with pytest.raises(BadRequest, match="kept elsewhere"):
        ask(conversation(made(1), words.user("Brighter.")), CHAT)


def test_a_picture_that_was_made_and_is_sent_again_is_seen():
    envelope = json.dumps({"__type": "image_generation_result", "result": DATA, "image_uuid": "u"})
    result = chat_pb2.Message(role=5, tool_call_id="c_1", content=[words.text(envelope)])

    (request,) = ask(conversation(made(1), result, words.user("Brighter.")), CHAT)

    assert request.pictures == (DataUrl(DATA),)


def test_a_picture_that_could_not_be_made_is_none():
    assert judged_at_once(conversation(made(3), words.user("Never mind."))) == []


def test_an_empty_reference_to_an_earlier_response_is_none():
    (request,) = ask(
        conversation(
            words.user("Paint."), tools=[tools.image_generation()], previous_response_id=""
        ),
        CHAT,
    )

    assert request.prompt == "Paint."


def test_every_request_of_a_batch_is_one_to_be_judged():
    chat = conversation(words.user("Look.", words.image(WEB)))
    sent = batch_pb2.AddBatchRequestsRequest(
        batch_id="b",
        batch_requests=[
            batch_pb2.BatchRequest(image_request=image_pb2.GenerateImageRequest(prompt="a cat")),
            batch_pb2.BatchRequest(completion_request=conversation(words.user("Hello"))),
            batch_pb2.BatchRequest(completion_request=chat),
        ],
    )

    found = ask(sent, "xai_api.BatchMgmt/AddBatchRequests")

    assert [(each.prompt, each.makes_pictures) for each in found] == [
        ("a cat", True),
        ("Hello", False),
        ("Look.", True),
    ]


def test_pictures_by_address_are_exchanged_in_every_kind_of_request():
    turn = words.user("Look.", words.image(WEB), words.file(url=WEB))
    for path, sent in (
        (IMAGE, image_pb2.GenerateImageRequest(image=image(image_url=WEB))),
        (CHAT, conversation(turn)),
    ):
        call = Call(head=Head(method="POST", path=path), body=sent.SerializeToString())

        body = DIALECT.pinned(call, {WEB: RED})

        assert WEB.encode() not in body
        assert type(sent).FromString(body) == type(sent).FromString(body.replace(WEB.encode(), b""))
        assert DATA.encode() in body
        assert DIALECT.pinned(call, {}) == call.body
        with pytest.raises(BadRequest):
            DIALECT.pinned(call, {"https://pictures.example.com/other.png": RED})


def test_an_address_with_blanks_around_it_is_exchanged_as_well():
    sent = image_pb2.GenerateImageRequest(
        image=image(image_url=WEB), images=[image(image_url=f" {WEB}\n")]
    )

    body = DIALECT.pinned(
        Call(head=Head(method="POST", path=IMAGE), body=sent.SerializeToString()), {WEB: RED}
    )

    assert WEB.encode() not in body
    assert body.count(DATA.encode()) == 2


@pytest.mark.parametrize(
    "path",
    [
        "", "xai_api.Image", "xai_api.Image/EditImage", "/xai_api.Image/GenerateImage", "xai_api.image/GenerateImage",
        "xai_api.Video/GenerateVideo", "xai_api.Video/GetDeferredVideo", "xai_api.Chat/CompactContext",
        "xai_api.Files/CreatePublicUrl", "xai_api.Sample/SampleText", "collections.Collections/ListCollections",
        "xai_api.Documents/Search", "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    ],
)  # fmt: skip
def test_whatever_is_not_named_is_closed(path):
    assert DIALECT.endpoint("POST", path) is None


def test_only_calls_are_open():
    assert DIALECT.endpoint("GET", IMAGE) is None


def test_methods_that_stream_are_open_and_examined():
    assert all(DIALECT.endpoint("POST", each).inspects for each in STREAMS)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("stage", Stage)
def test_every_refusal_has_a_status_and_words_and_a_name(kind, stage):
    reply = DIALECT.refusal(Refusal(kind=kind, stage=stage, message="Why."), "req_1")

    assert 1 <= int(value_of(reply.headers, b"grpc-status")) <= 16
    assert value_of(reply.headers, b"grpc-message")
    assert value_of(reply.headers, b"x-request-id") == "req_1"
    assert reply.body == b""


def test_what_the_client_would_repeat_is_only_what_may_pass_the_next_time():
    repeated = {
        (kind, stage)
        for kind in Kind
        for stage in Stage
        if value_of(DIALECT.refusal(Refusal(kind=kind, stage=stage), "r").headers, b"grpc-status")
        == "14"
    }

    assert repeated == {
        (Kind.OVERLOADED, Stage.INPUT),
        (Kind.OVERLOADED, Stage.OUTPUT),
        (Kind.UPSTREAM_FAILED, Stage.INPUT),
    }


def found(message, path=IMAGE):
    body = message if isinstance(message, bytes) else message.SerializeToString()
    return list(DIALECT.endpoint("POST", path).found("", body))


def field(number: int, value: bytes) -> bytes:
    size = len(value)
    length = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7 & 127 | (128 if size >> 14 else 0)]) + (bytes([size >> 14]) if size >> 14 else b"")  # fmt: skip
    tag = number << 3 | 2
    return (bytes([tag]) if tag < 128 else bytes([tag & 127 | 128, tag >> 7])) + length + value


@pytest.mark.parametrize(
    ("answer", "pictures"),
    [
        (image_pb2.GeneratedImage(base64=DATA), [DataUrl(DATA)]),
        (image_pb2.GeneratedImage(base64=DATA.partition(",")[2]), [Sent(RED)]),
        (image_pb2.GeneratedImage(url=WEB), [WebAddress(WEB)]),
        (image_pb2.GeneratedImage(respect_moderation=False), []),
        (
            image_pb2.GeneratedImage(file_output=image_pb2.FileOutput(public_url=WEB)),
            [WebAddress(WEB)],
        ),
    ],
)
def test_results_are_found_under_their_names(answer, pictures):
    assert found(image_pb2.ImageResponse(images=[answer])) == pictures


@pytest.mark.parametrize(
    "hidden",
    [
        field(90, RED),
        field(90, field(1, RED)),
        field(90, field(2, field(3, field(4, RED)))),
        field(90, DATA.encode()),
        field(90, b"Here: " + DATA.encode() + b" (as asked)"),
        field(90, DATA.partition(",")[2].encode()),
        field(90, json.dumps({"deep": [{"b64_json": DATA}]}).encode()),
    ],
)
@pytest.mark.parametrize("path", [IMAGE, CHAT])
def test_a_picture_under_a_field_that_is_not_known_is_found(hidden, path):
    assert {type(each) for each in found(hidden, path)} <= {Sent, DataUrl}
    assert found(hidden, path)


def test_words_of_an_answer_are_no_pictures():
    answer = chat_pb2.GetChatCompletionResponse(id="r", model="grok-4", citations=[WEB])
    answer.outputs.add().message.content = f"A link: {WEB}, a name: file-1, and much text. " * 50

    assert found(answer, CHAT) == []


def test_a_result_that_is_no_base64_is_not_delivered():
    with pytest.raises(CorruptImage):
        found(image_pb2.ImageResponse(images=[image_pb2.GeneratedImage(base64="%%%")]))


@pytest.mark.parametrize("path", [IMAGE, CHAT, "xai_api.Files/RetrieveFileContent"])
def test_an_answer_that_is_no_message_is_not_delivered(path):
    with pytest.raises(Unreachable):
        found(b"\x0a\x7f", path)


def test_a_file_is_looked_at_as_a_whole_in_however_many_pieces_it_comes():
    pieces = b"".join(
        files_pb2.FileContentChunk(data=RED[i : i + 7]).SerializeToString()
        for i in range(0, len(RED), 7)
    )

    assert found(pieces, "xai_api.Files/RetrieveFileContent") == [Sent(RED)]


def test_receipts_that_are_too_much_for_a_client_are_left_out_from_the_oldest_on():
    receipts = ",".join(str(i) * 1000 for i in range(4)).encode()
    headers = (
        (b"consentry-receipt", receipts),
        (b"consentry-receipt-salts", receipts),
        (b"x", b"y"),
    )

    shorter = dict(with_room(headers, 4096))

    assert (
        shorter[b"consentry-receipt"]
        == shorter[b"consentry-receipt-salts"]
        == b"2" * 1000 + b"," + b"3" * 1000
    )
    assert shorter[b"x"] == b"y"
    assert with_room(headers, 1 << 16) == headers
    assert with_room(headers, 10) == ((b"x", b"y"),)
