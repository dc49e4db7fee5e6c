"""The real client `xai-sdk`, unmodified but for its `api_host`, at the gRPC door."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Iterator

import grpc
import pytest
import xai_sdk
from consentry.kernel.errors import ModelUnavailable
from consentry.transparency.receipts import verify_receipt
from fakes.coloured_faces import picture
from fakes.gateway_site import ADA, EVE, EVERYDAY, REVEALING
from fakes.grpc_site import KEY, GrpcSite, grpc_site
from fakes.home import TestHome
from google.protobuf.empty_pb2 import Empty
from xai_sdk import chat as words
from xai_sdk import tools
from xai_sdk.proto import batch_pb2, chat_pb2, deferred_pb2, files_pb2, image_pb2, models_pb2

IMAGE = "Image/GenerateImage"
MODEL = "grok-imagine-image"
WEB = "https://pictures.example.com/a.png"
LANDSCAPE = picture()


def data_url(encoded: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(encoded).decode()


def made(*pictures: bytes, urls: tuple[str, ...] = ()) -> image_pb2.ImageResponse:
    images = [
        image_pb2.GeneratedImage(base64=data_url(each), respect_moderation=True)
        for each in pictures
    ]
    images += [image_pb2.GeneratedImage(url=each, respect_moderation=True) for each in urls]
    return image_pb2.ImageResponse(images=images, model=MODEL)


def said(text: str) -> chat_pb2.GetChatCompletionResponse:
    message = chat_pb2.CompletionMessage(content=text, role=chat_pb2.MessageRole.ROLE_ASSISTANT)
    output = chat_pb2.CompletionOutput(message=message, finish_reason=3)
    return chat_pb2.GetChatCompletionResponse(id="r_1", outputs=[output])


def drawn(encoded: bytes) -> chat_pb2.GetChatCompletionResponse:
    """A chat's answer, in which the image tool has made a picture."""
    envelope = {
        "__type": "image_generation_result",
        "result": data_url(encoded),
        "image_uuid": "u1",
    }
    call = chat_pb2.ToolCall(
        id="call_1",
        type=chat_pb2.ToolCallType.TOOL_CALL_TYPE_IMAGE_GENERATION_TOOL,
        status=chat_pb2.ToolCallStatus.TOOL_CALL_STATUS_COMPLETED,
        function=chat_pb2.FunctionCall(name="imagine_text_to_image", arguments="{}"),
    )
    result = chat_pb2.CompletionMessage(
        content=json.dumps(envelope), role=chat_pb2.MessageRole.ROLE_TOOL, tool_calls=[call]
    )
    return chat_pb2.GetChatCompletionResponse(
        id="r_1", outputs=[chat_pb2.CompletionOutput(message=result), *said("Here.").outputs]
    )


def chunks(*texts: str) -> list[chat_pb2.GetChatCompletionChunk]:
    return [
        chat_pb2.GetChatCompletionChunk(
            id="r_1",
            outputs=[chat_pb2.CompletionOutputChunk(delta=chat_pb2.Delta(content=each, role=2))],
        )
        for each in texts
    ]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrpcSite]:
    home = TestHome(tmp_path_factory.mktemp("grpc") / "home").create()
    home.enrol(ADA)
    with grpc_site(home) as site:
        yield site
    home.close()


@pytest.fixture
def site(running: GrpcSite) -> GrpcSite:
    running.generator.forget()
    running.generator.tell(IMAGE, made(LANDSCAPE))
    running.generator.tell("Chat/GetCompletion", said("A quiet day."))
    running.web.__init__()
    running.home.exposure.scores = {}
    running.home.faces.failure = None
    return running


@pytest.fixture
def client(site: GrpcSite) -> Iterator[xai_sdk.Client]:
    with xai_sdk.Client(api_key=KEY, api_host=site.api_host, timeout=60) as client:
        yield client


def refused(code: grpc.StatusCode, words: str = ""):
    """What the client raises: an error of gRPC with this status."""
    return pytest.raises(grpc.RpcError, check=lambda e: e.code() is code and words in e.details())


def moderated(words: str = ""):
    return refused(
        grpc.StatusCode.INVALID_ARGUMENT, f"rejected by content moderation. Reason: {words}"
    )


LIKENESS = "the likeness of somebody whose consent is needed"
EXPOSED = "a revealing picture of a real person"


def test_an_allowed_call_arrives_byte_for_byte_and_its_answer_comes_back_so(site, client):
    unknown = b"\xfa\x07\x03new"  # a field of the answer that nobody knows
    site.generator.tell(IMAGE, made(LANDSCAPE).SerializeToString() + unknown)
    request = image_pb2.GenerateImageRequest(
        prompt=EVERYDAY, model=MODEL, n=1, user="me", quality=1, aspect_ratio=5, format=1,
        image=image_pb2.ImageUrlContent(image_url=data_url(picture(EVE)), detail=1),
    )  # fmt: skip
    sent = request.SerializeToString()

    answer = client.image._stub.GenerateImage(request)

    assert site.generator.asked[0].message == sent
    assert answer.SerializeToString() == made(LANDSCAPE).SerializeToString() + unknown


def test_the_caller_s_own_credentials_and_deadline_go_along_and_our_own_metadata_do_not(site):
    metadata = (("consentry-token", "t"), ("x-tenant", "a"))
    with xai_sdk.Client(KEY, api_host=site.api_host, metadata=metadata, timeout=45) as client:
        client.image.sample(EVERYDAY, MODEL)

    asked = site.generator.asked[0]
    assert asked.metadata["authorization"] == f"Bearer {KEY}"
    assert asked.metadata["xai-sdk-version"].startswith("python/")
    assert asked.metadata["x-tenant"] == "a"
    assert not [each for each in asked.metadata if "consentry" in each]
    assert 30 < asked.seconds_left <= 45


@pytest.mark.parametrize("given", ["image_url", "image_urls"])
def test_a_picture_comes_back_as_the_client_reads_it(site, client, given):
    where = data_url(picture(EVE))
    sent = {given: where if given == "image_url" else [where, data_url(LANDSCAPE)]}

    answer = client.image.sample(EVERYDAY, MODEL, image_format="base64", **sent)

    assert answer.image == LANDSCAPE


def test_several_results_come_back(site, client):
    site.generator.tell(IMAGE, made(LANDSCAPE, picture(EVE)))

    first, second = client.image.sample_batch(EVERYDAY, MODEL, 2, image_url=data_url(picture(EVE)))

    assert (first.image, second.image) == (LANDSCAPE, picture(EVE))


@pytest.mark.parametrize(
    ("shown", "prompt", "why"),
    [(ADA, EVERYDAY, LIKENESS), (EVE, REVEALING, EXPOSED)],
    ids=["somebody-enrolled", "a-revealing-edit"],
)
@pytest.mark.parametrize("given", ["image_url", "image_urls", "web", "file"])
def test_what_may_not_be_raises_the_client_s_own_error(site, client, shown, prompt, why, given):
    site.web.pictures[WEB] = picture(shown)
    content = (
        files_pb2.FileContentChunk(data=picture(shown)[:40]),
        files_pb2.FileContentChunk(data=picture(shown)[40:]),
    )
    site.generator.tell("Files/RetrieveFileContent", *content)
    sent = {
        "image_url": {"image_url": data_url(picture(shown))},
        "image_urls": {"image_urls": [data_url(LANDSCAPE), data_url(picture(shown))]},
        "web": {"image_url": WEB},
        "file": {"image_file_ids": ["file_1"]},
    }[given]

    with moderated(why):
        client.image.sample(prompt, MODEL, **sent)

    assert not site.generator.forwarded(IMAGE)


def test_words_alone_are_judged(site, client):
    with moderated(EXPOSED):
        client.image.sample("a nude photo of Jane Roe", MODEL)


def test_the_signed_receipt_is_in_the_trailing_metadata_of_a_refusal_and_of_an_answer(site, client):
    with moderated() as caught:
        client.image.sample(REVEALING, MODEL, image_url=data_url(picture(EVE)))
    refusal = dict(caught.value.trailing_metadata())
    _, call = client.image._stub.GenerateImage.with_call(
        image_pb2.GenerateImageRequest(prompt=EVERYDAY)
    )
    allowed = dict(call.trailing_metadata())

    jwks = site.home.signer.jwks()
    assert verify_receipt(refusal["consentry-receipt"], jwks).verdict.value == "refuse"
    verdicts = [
        verify_receipt(each, jwks).verdict.value for each in allowed["consentry-receipt"].split(",")
    ]
    assert verdicts == ["allow", "allow"]
    assert allowed["x-request-id"].startswith("req_")
    assert refusal["x-request-id"] in caught.value.details()


def test_whom_to_ask_is_named_where_she_may_be_asked(site, client):
    with moderated(LIKENESS) as caught:
        client.image.sample(EVERYDAY, MODEL, image_url=data_url(picture(ADA)), user="end-user-7")

    assert dict(caught.value.trailing_metadata())["consentry-consent-request"].startswith("crq_")


def test_a_picture_by_address_goes_on_as_the_bytes_that_were_checked(site, client):
    site.web.pictures[WEB] = picture(EVE)
    other = "https://pictures.example.com/b.png"
    site.web.pictures[other] = LANDSCAPE

    client.image.sample(EVERYDAY, MODEL, image_urls=[WEB, other, WEB])

    sent = image_pb2.GenerateImageRequest.FromString(site.generator.asked[0].message)
    assert [each.image_url for each in sent.images] == [data_url(picture(EVE)), data_url(LANDSCAPE), data_url(picture(EVE))]  # fmt: skip
    assert (sent.prompt, sent.model) == (EVERYDAY, MODEL)


def test_a_stored_file_is_looked_up_with_the_caller_s_own_credentials(site, client):
    site.generator.tell("Files/RetrieveFileContent", files_pb2.FileContentChunk(data=picture(EVE)))

    client.image.sample(EVERYDAY, MODEL, image_file_id="file_1")

    (asked,) = site.generator.forwarded("Files/RetrieveFileContent")
    assert asked.metadata["authorization"] == f"Bearer {KEY}"
    assert files_pb2.RetrieveFileContentRequest.FromString(asked.message).file_id == "file_1"


def test_a_file_that_the_generator_does_not_give_is_refused(site, client):
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "cannot be looked at"):
        client.image.sample(EVERYDAY, MODEL, image_file_id="file_unknown")


@pytest.mark.parametrize("given", ["ftp://example.com/a.png", "data:image/png;base64,%%", WEB])
def test_a_picture_that_cannot_be_had_is_refused(site, client, given):
    with refused(grpc.StatusCode.INVALID_ARGUMENT):
        client.image.sample(EVERYDAY, MODEL, image_url=given)

    assert not site.generator.asked


@pytest.mark.parametrize(
    ("result", "why"), [(ADA, LIKENESS), ((250, 200, 180), EXPOSED)], ids=["enrolled", "exposed"]
)
@pytest.mark.parametrize("form", ["base64", "url", "under-a-new-field"])
def test_a_result_that_may_not_be_is_withheld(site, client, result, why, form):
    site.home.exposure.scores = {(250, 200, 180): 0.9}
    site.web.pictures[WEB] = picture(result)
    nested = b"\x0a" + varint(len(picture(result))) + picture(result)
    site.generator.tell(IMAGE, {
        "base64": made(LANDSCAPE, picture(result)).SerializeToString(),
        "url": made(urls=(WEB,)).SerializeToString(),
        "under-a-new-field": made(LANDSCAPE).SerializeToString() + b"\xf2\x06" + varint(len(nested)) + nested,
    }[form])  # fmt: skip

    with moderated(why) as caught:
        client.image.sample(EVERYDAY, MODEL, image_url=data_url(picture(EVE)))

    assert caught.value.details().startswith("Generated image rejected")


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def test_a_result_that_is_no_picture_is_withheld(site, client):
    site.generator.tell(IMAGE, made(b"no picture at all" * 9))

    with moderated("something that could not be examined"):
        client.image.sample(EVERYDAY, MODEL)


def test_what_the_generator_itself_moderated_comes_back_as_it_is(site, client):
    site.generator.tell(
        IMAGE, image_pb2.ImageResponse(images=[image_pb2.GeneratedImage(respect_moderation=False)])
    )

    assert client.image.sample(EVERYDAY, MODEL).respect_moderation is False


def test_results_are_not_stored_where_nobody_has_looked_at_them(site, client):
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "storage_options"):
        client.image.sample(
            EVERYDAY, MODEL, storage_options={"filename": "a.png", "public_url": True}
        )


@pytest.mark.parametrize("place", ["top", "below"])
def test_a_field_that_is_not_known_is_not_let_through(site, client, place):
    new = b"\xf2\x06" + varint(len(picture(ADA))) + picture(ADA)
    image = image_pb2.ImageUrlContent(image_url=data_url(picture(EVE))).SerializeToString()
    image += new if place == "below" else b""
    sent = b"\x0a\x05a cat\x2a" + varint(len(image)) + image + (new if place == "top" else b"")
    request = image_pb2.GenerateImageRequest.FromString(sent)

    with refused(grpc.StatusCode.INVALID_ARGUMENT, "field 110 of"):
        client.image._stub.GenerateImage(request)

    assert not site.generator.asked


@pytest.mark.parametrize("method", ["Video/GenerateVideo", "Video/ExtendVideo", "Files/CreatePublicUrl", "Chat/CompactContext", "Sample/SampleText", "Image/EditImage", "New/Method"])  # fmt: skip
def test_a_method_that_is_not_open_is_closed(site, client, method):
    call = client._api_channel.unary_unary(f"/xai_api.{method}")

    with refused(grpc.StatusCode.UNIMPLEMENTED):
        call(b"")

    assert not site.generator.asked


def test_video_is_closed_for_the_client(client):
    with refused(grpc.StatusCode.UNIMPLEMENTED):
        client.video.generate("waves", "grok-imagine-video", image_url=data_url(LANDSCAPE))


def test_who_does_not_name_himself_is_turned_away(site):
    with grpc.insecure_channel(site.api_host) as channel, refused(grpc.StatusCode.UNAUTHENTICATED):
        channel.unary_unary(f"/xai_api.{IMAGE}")(b"")


@pytest.mark.parametrize("code", [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAVAILABLE])  # fmt: skip
def test_an_error_of_the_generator_comes_back_as_it_is(site, code):
    site.generator.tell(
        IMAGE,
        code=code,
        details="as it says: é",
        metadata=(("x-why", "quota"), ("x-why-bin", b"\x00\xff")),
    )
    options = [("grpc.enable_retries", 0)]

    with (
        xai_sdk.Client(KEY, api_host=site.api_host, channel_options=options) as client,
        refused(code, "as it says: é") as caught,
    ):
        client.image.sample(EVERYDAY, MODEL)

    found = dict(caught.value.trailing_metadata())
    assert (found["x-why"], found["x-why-bin"]) == ("quota", b"\x00\xff")
    assert "consentry-receipt" in found


def test_a_failure_of_the_check_refuses_and_is_not_tried_again(site, client):
    site.home.faces.failure = ModelUnavailable("gone")

    with refused(grpc.StatusCode.INTERNAL, "could not be examined"):
        client.image.sample(EVERYDAY, MODEL, image_url=data_url(picture(EVE)))

    assert not site.generator.asked


def test_a_chat_of_words_is_handed_on_and_one_with_a_picture_is_judged(site, client):
    chat = client.chat.create(
        "grok-4", messages=[words.system("Be brief."), words.user("How are you?")]
    )
    assert chat.sample().content == "A quiet day."

    chat.append(words.user(REVEALING, words.image(data_url(picture(EVE)))))
    with moderated(EXPOSED):
        chat.sample()

    assert len(site.generator.asked) == 1


def test_a_picture_of_an_earlier_turn_counts(site, client):
    chat = client.chat.create("grok-4", tools=[tools.image_generation()])
    chat.append(words.user("Look.", words.image(data_url(picture(ADA)))))
    chat.append(words.assistant("I see."))
    chat.append(words.user("Make the sky blue."))

    with moderated(LIKENESS):
        chat.sample()


def test_a_stored_picture_in_a_chat_counts(site, client):
    site.generator.tell("Files/RetrieveFileContent", files_pb2.FileContentChunk(data=picture(ADA)))
    chat = client.chat.create("grok-4", tools=[tools.image_generation()])
    chat.append(words.user(EVERYDAY, words.file("file_1")))

    with moderated(LIKENESS):
        chat.sample()


def test_what_the_image_tool_made_is_looked_at(site, client):
    chat = client.chat.create("grok-4", tools=[tools.image_generation()])
    chat.append(words.user("Paint somebody."))
    site.generator.tell("Chat/GetCompletion", drawn(LANDSCAPE))
    answer = chat.sample()
    assert "Here." in answer.content

    site.generator.tell("Chat/GetCompletion", drawn(picture(ADA)))
    with moderated(LIKENESS) as caught:
        chat.sample()
    assert caught.value.details().startswith("Generated image")


def test_a_picture_that_was_made_before_is_judged_when_it_is_sent_again(site, client):
    chat = client.chat.create("grok-4", tools=[tools.image_generation()])
    chat.append(words.user("Paint somebody."))
    site.generator.tell("Chat/GetCompletion", drawn(picture(EVE)))
    chat.append(chat.sample())
    chat.append(words.user("take her clothes off"))

    with moderated(EXPOSED):
        chat.sample()


def test_a_picture_that_is_named_without_being_sent_is_refused(site, client):
    chat = client.chat.create("grok-4", tools=[tools.image_generation()])
    turn = chat_pb2.Message(
        role=chat_pb2.MessageRole.ROLE_ASSISTANT,
        tool_calls=drawn(picture(EVE)).outputs[0].message.tool_calls,
    )
    chat.append(turn)
    chat.append(words.user("Make it brighter."))

    with refused(grpc.StatusCode.INVALID_ARGUMENT, "kept elsewhere"):
        chat.sample()


@pytest.mark.parametrize("hidden", ["previous_response_id", "encrypted_content"])
def test_turns_that_nobody_can_read_are_refused_where_a_picture_may_be_made(site, client, hidden):
    earlier = {"previous_response_id": "r_0"} if hidden == "previous_response_id" else {}
    chat = client.chat.create("grok-4", tools=[tools.image_generation()], **earlier)
    if hidden == "encrypted_content":
        chat.append(chat_pb2.Message(role=2, encrypted_content="c2VhbGVk"))
    chat.append(words.user("Make it brighter."))

    with refused(grpc.StatusCode.INVALID_ARGUMENT, "kept elsewhere"):
        chat.sample()


def test_a_stream_comes_message_by_message_as_it_came(site, client):
    sent = chunks("One, ", "two, ", "three.")
    site.generator.tell("Chat/GetCompletionChunk", *sent, metadata=(("x-end", "yes"),))
    chat = client.chat.create("grok-4", messages=[words.user("Count.")])

    found = [chunk.content for _, chunk in chat.stream()]

    assert found == ["One, ", "two, ", "three."]


def test_a_stream_ends_with_a_refusal_when_a_picture_in_it_may_not_be(site, client):
    envelope = json.dumps({"__type": "image_generation_result", "result": data_url(picture(ADA))})
    site.generator.tell("Chat/GetCompletionChunk", *chunks("Painting.", envelope, "Done."))
    chat = client.chat.create(
        "grok-4", messages=[words.user("Paint.")], tools=[tools.image_generation()]
    )
    found = []

    with moderated(LIKENESS) as caught:
        found.extend(chunk.content for _, chunk in chat.stream())

    assert found == ["Painting."]
    assert "consentry-receipt" in dict(caught.value.trailing_metadata())


def test_a_stream_that_the_generator_breaks_off_says_so_in_its_words(site, client):
    site.generator.tell(
        "Chat/GetCompletionChunk",
        *chunks("One"),
        code=grpc.StatusCode.RESOURCE_EXHAUSTED,
        details="enough",
    )
    chat = client.chat.create("grok-4", messages=[words.user("Count.")])

    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "enough"):
        list(chat.stream())


def test_a_deferred_chat_is_judged_when_it_starts_and_looked_at_when_it_is_done(site, client):
    done = deferred_pb2.DeferredStatus.DONE
    site.generator.tell(
        "Chat/StartDeferredCompletion", deferred_pb2.StartDeferredResponse(request_id="d_1")
    )
    site.generator.tell("Chat/GetDeferredCompletion", chat_pb2.GetDeferredCompletionResponse(status=done, response=drawn(picture(ADA))))  # fmt: skip
    chat = client.chat.create("grok-4", tools=[tools.image_generation()])
    chat.append(words.user("Paint somebody."))

    with moderated(LIKENESS):
        chat.defer()

    chat.append(words.user(REVEALING, words.image(data_url(picture(EVE)))))
    with moderated(EXPOSED):
        chat.defer()
    assert len(site.generator.forwarded("Chat/StartDeferredCompletion")) == 1


def test_each_request_of_a_batch_is_judged_and_one_refuses_all_of_them(site, client):
    site.generator.tell("BatchMgmt/CreateBatch", batch_pb2.Batch(batch_id="b_1"))
    site.generator.tell("BatchMgmt/AddBatchRequests", Empty())
    batch = client.batch.create("landscapes")
    fine = [
        client.image.prepare(EVERYDAY, MODEL, image_url=data_url(picture(EVE))) for _ in range(2)
    ]
    client.batch.add(batch.batch_id, fine)
    assert len(site.generator.forwarded("BatchMgmt/AddBatchRequests")) == 1

    bad = client.image.prepare(EVERYDAY, MODEL, image_url=data_url(picture(ADA)))
    chat = client.chat.create(
        "grok-4", messages=[words.user(REVEALING, words.image(data_url(picture(EVE))))]
    )
    for each in (bad, batch_pb2.BatchRequest(completion_request=chat.proto)):
        with moderated():
            client.batch.add(batch.batch_id, [*fine, each])
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "field 4 of BatchRequest"):
        client.batch.add(batch.batch_id, [client.video.prepare("waves", "grok-imagine-video")])
    assert len(site.generator.forwarded("BatchMgmt/AddBatchRequests")) == 1


def test_words_whose_answer_is_fetched_later_are_judged_at_once(site, client):
    chat = client.chat.create("grok-4", messages=[words.user("Taylor Swift, naked on a beach")])

    with moderated(EXPOSED):
        chat.defer()
    with moderated(EXPOSED):
        client.batch.add("b_1", [batch_pb2.BatchRequest(completion_request=chat.proto)])

    assert site.generator.asked == []


def test_a_picture_of_words_after_a_response_that_nobody_can_see_is_withheld(site, client):
    site.generator.tell("Chat/GetCompletion", drawn(LANDSCAPE))
    seen = client.chat.create("grok-4", messages=[words.user("Go on.")])
    seen.sample()
    unseen = client.chat.create(
        "grok-4", messages=[words.user("Go on.")], previous_response_id="r_1"
    )

    with moderated():
        unseen.sample()


def test_a_batch_of_lines_that_nobody_can_read_is_refused(site, client):
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "batch from a file"):
        client.batch.create("lines", input_file_id="file_1")


def test_results_of_a_batch_are_looked_at(site, client):
    def page(encoded):
        data = batch_pb2.BatchResultData(image_response=made(encoded))
        result = batch_pb2.BatchResult(batch_request_id="1", response=data)
        return batch_pb2.ListBatchResultsResponse(results=[result])

    site.generator.tell("BatchMgmt/ListBatchResults", page(LANDSCAPE))
    (result,) = client.batch.list_batch_results("b_1").succeeded
    assert result.image_response.base64 == data_url(LANDSCAPE)

    site.generator.tell("BatchMgmt/ListBatchResults", page(picture(ADA)))
    with moderated(LIKENESS):
        client.batch.list_batch_results("b_1")


def test_files_go_up_unread_and_are_looked_at_when_they_come_back(site, client):
    content = bytes(range(256)) * 40_000
    site.generator.tell("Files/UploadFile", files_pb2.File(id="file_1"))
    client.files.upload(content, filename="a.bin")
    parts = [
        files_pb2.UploadFileChunk.FromString(each) for each in site.generator.asked[0].messages
    ]
    assert b"".join(each.data for each in parts) == content

    pieces = [picture(EVE)[:30], picture(EVE)[30:]]
    site.generator.tell(
        "Files/RetrieveFileContent", *(files_pb2.FileContentChunk(data=each) for each in pieces)
    )
    assert client.files.content("file_1") == picture(EVE)

    pieces = [picture(ADA)[:30], picture(ADA)[30:]]
    site.generator.tell(
        "Files/RetrieveFileContent", *(files_pb2.FileContentChunk(data=each) for each in pieces)
    )
    with moderated(LIKENESS):
        client.files.content("file_1")


def test_models_are_handed_on(site, client):
    site.generator.tell(
        "Models/ListLanguageModels",
        models_pb2.ListLanguageModelsResponse(models=[models_pb2.LanguageModel(name="grok-4")]),
    )

    assert [each.name for each in client.models.list_language_models()] == ["grok-4"]


def test_the_asynchronous_client_gets_the_same(site):
    async def ask() -> None:
        async with xai_sdk.AsyncClient(KEY, api_host=site.api_host, timeout=60) as client:
            answer = await client.image.sample(
                EVERYDAY, MODEL, image_url=data_url(picture(EVE)), image_format="base64"
            )
            assert await answer.image == LANDSCAPE
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await client.image.sample(EVERYDAY, MODEL, image_url=data_url(picture(ADA)))
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert LIKENESS in caught.value.details()
            chat = client.chat.create("grok-4", messages=[words.user("Count.")])
            assert [chunk.content async for _, chunk in chat.stream()] == ["One, ", "two."]

    site.generator.tell("Chat/GetCompletionChunk", *chunks("One, ", "two."))
    asyncio.run(ask())


def test_plain_without_being_told_so_is_for_localhost_and_else_it_is_said(site):
    address = f"127.0.0.1:{site.door.port}"
    with xai_sdk.Client(KEY, api_host=address, use_insecure_channel=True, timeout=60) as client:
        assert client.image.sample(EVERYDAY, MODEL, image_format="base64").image == LANDSCAPE


def test_a_client_that_goes_away_ends_the_call_at_the_generator_and_leaves_nothing(site, client):
    released = threading.Event()
    site.generator.tell(IMAGE, made(LANDSCAPE), released=released)
    call = client.image._stub.GenerateImage.future(image_pb2.GenerateImageRequest(prompt=EVERYDAY))
    while not site.generator.asked:
        threading.Event().wait(0.01)

    call.cancel()

    assert site.generator.gone.wait(20)
    for _ in range(500):
        if site.app.memory.used == 0:
            break
        threading.Event().wait(0.01)
    assert site.app.memory.used == 0
