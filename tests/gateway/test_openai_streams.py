"""Streams: every event is held until its picture has been checked, and a refusal ends the stream."""

from __future__ import annotations

import base64
import threading
import time

import openai
import pytest
from fakes.coloured_faces import picture
from fakes.gateway_site import ADA, EVE, EVERYDAY, blocked
from fakes.generator import LANDSCAPE, Told, events

MODEL = "gpt-image-1.5"
CHAT = "gpt-6"
STREAM = {"content-type": "text/event-stream; charset=utf-8"}


def partial(data: bytes, index: int, kind: str = "image_edit") -> dict:
    return {
        "type": f"{kind}.partial_image",
        "partial_image_index": index,
        "b64_json": base64.b64encode(data).decode(),
    }


def completed(data: bytes, kind: str = "image_edit") -> dict:
    return {"type": f"{kind}.completed", "b64_json": base64.b64encode(data).decode()}


def test_partial_pictures_arrive_as_they_were_made(site, client):
    told = events(partial(picture(), 0), partial(picture(EVE), 1), completed(LANDSCAPE))
    site.generator.tell("/images/edits", Told(told, headers=STREAM))

    with client.images.edit(
        model=MODEL, image=picture(EVE), prompt=EVERYDAY, stream=True, partial_images=2
    ) as stream:
        found = list(stream)

    assert [each.type for each in found] == [
        "image_edit.partial_image",
        "image_edit.partial_image",
        "image_edit.completed",
    ]
    assert base64.b64decode(found[1].b64_json) == picture(EVE)


def test_a_stream_is_handed_on_byte_for_byte(site):
    body = [
        b": hello\r\n\r\n",
        b'event: image_generation.completed\r\ndata: {"type":\r\ndata: "x", "b64_',
        b'json": "' + base64.b64encode(LANDSCAPE) + b'"}\r\n\r',
        b"\n",
        b"data: [DONE]\n\n",
        b"data: {}",
    ]
    site.generator.tell("/images/generations", Told(body, headers=STREAM))

    answer = site.post("images/generations", json={"prompt": "a mountain", "stream": True})

    assert answer.content == b"".join(body)


def test_an_event_that_shows_somebody_never_leaves_and_ends_the_stream(site, client):
    told = events(partial(picture(), 0), partial(picture(ADA), 1), completed(picture(ADA)))
    site.generator.tell("/images/edits", Told(told, headers=STREAM))
    found = []

    with (
        pytest.raises(openai.APIError) as caught,
        client.images.edit(
            model=MODEL, image=picture(EVE), prompt=EVERYDAY, stream=True, partial_images=2
        ) as stream,
    ):
        found.extend(stream)

    assert [each.partial_image_index for each in found] == [0]
    assert caught.value.code == "moderation_blocked"
    assert caught.value.body["moderation_details"]["moderation_stage"] == "output"


def test_when_the_first_event_is_withheld_the_answer_is_a_refusal_with_its_status(site, client):
    site.generator.tell(
        "/images/generations",
        Told(events(partial(picture(ADA), 0, "image_generation")), headers=STREAM),
    )

    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model=MODEL, prompt="a portrait", stream=True, partial_images=1)

    assert blocked(caught, "likeness", stage="output")


def test_an_event_is_delivered_before_the_next_one_is_made(site, client):
    told = Told(events(partial(picture(), 0), completed(LANDSCAPE)), headers=STREAM, pause_s=0.8)
    site.generator.tell("/images/edits", told)
    arrived = []

    with client.images.edit(
        model=MODEL, image=picture(EVE), prompt=EVERYDAY, stream=True, partial_images=1
    ) as stream:
        arrived.extend((event.type, told.sent) for event in stream)

    assert arrived[0] == ("image_edit.partial_image", 1), "the stream was held as a whole"


def test_words_of_a_response_stream_pass_and_a_picture_among_them_is_checked(site, client):
    item = {"type": "image_generation_call", "id": "ig_1", "status": "completed"}
    told = events(
        {"type": "response.output_text.delta", "delta": "Here is", "item_id": "1"},
        {
            "type": "response.image_generation_call.partial_image",
            "partial_image_b64": base64.b64encode(LANDSCAPE).decode(),
            "item_id": "ig_1",
        },
        {
            "type": "response.output_item.done",
            "item": item | {"result": base64.b64encode(picture(ADA)).decode()},
        },
    )
    site.generator.tell("/responses", Told(told, headers=STREAM))
    found = []

    with (
        client.responses.create(
            model=CHAT, input="draw a woman", tools=[{"type": "image_generation"}], stream=True
        ) as stream,
        pytest.raises(openai.APIError) as caught,
    ):
        found.extend(event.type for event in stream)

    assert found == [
        "response.output_text.delta",
        "response.image_generation_call.partial_image",
    ]
    assert caught.value.code == "moderation_blocked"


def test_a_chat_of_words_streams_through(site, client):
    told = events(
        *(
            {"id": "1", "choices": [{"index": 0, "delta": {"content": word}}]}
            for word in ("Good", " day")
        ),
        "[DONE]",
    )
    site.generator.tell("/chat/completions", Told(told, headers=STREAM))

    with client.chat.completions.create(
        model=CHAT, messages=[{"role": "user", "content": "hello"}], stream=True
    ) as stream:
        words = [each.choices[0].delta.content for each in stream]

    assert words == ["Good", " day"]


@pytest.mark.parametrize(
    "body",
    [[b'data: {"b64_json": \n\n'], [b'data: {"a":1,"a":2}\n\n']],
    ids=["cut-off", "a-name-twice"],
)
def test_a_stream_that_cannot_be_read_is_not_delivered(site, body):
    site.generator.tell("/images/generations", Told(body, headers=STREAM))

    answer = site.post("images/generations", json={"prompt": "a mountain", "stream": True})

    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_failed")


def test_a_generator_that_breaks_off_ends_the_stream_with_an_error(site, client):
    told = Told(events(partial(picture(), 0)), headers=STREAM, breaks_off=True)
    site.generator.tell("/images/edits", told)

    with (
        pytest.raises(openai.APIError) as caught,
        client.images.edit(
            model=MODEL, image=picture(EVE), prompt=EVERYDAY, stream=True, partial_images=1
        ) as stream,
    ):
        list(stream)

    assert caught.value.code == "upstream_failed"


def test_a_client_that_goes_away_ends_the_work_of_the_generator(site, client):
    told = Told(events(*(partial(picture(), i) for i in range(200))), headers=STREAM, pause_s=0.05)
    site.generator.tell("/images/edits", told)

    stream = client.images.edit(
        model=MODEL, image=picture(EVE), prompt=EVERYDAY, stream=True, partial_images=1
    )
    next(iter(stream))
    stream.close()

    wait_until(lambda: site.generator.cut_off == 1)
    wait_until(lambda: site.app.memory.used == 0)
    assert threading.active_count() < 30


def wait_until(holds, *, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)
