"""Where a face may hide in a request: she is found in every one of them, and nothing is forwarded."""

from __future__ import annotations

import base64
import json
from io import BytesIO

import openai
import pytest
from fakes.coloured_faces import GRAY, SQUARE, picture
from fakes.gateway_site import ADA, EVE, EVERYDAY, KEY
from fakes.generator import Told
from PIL import Image

MODEL = "gpt-image-1.5"
CHAT = "gpt-6"


def data_url(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def frames(*shown: tuple[int, int, int] | None, image_format: str) -> bytes:
    """An animation; each frame shows a person or nobody."""
    made = []
    for place, colour in enumerate(shown):
        frame = Image.new("RGB", (4 * SQUARE, 2 * SQUARE), GRAY)
        frame.putpixel((4 * SQUARE - 1, 2 * SQUARE - 1), (place, 0, 0))
        if colour is not None:
            frame.paste(colour, (0, 0, SQUARE, SQUARE))
        made.append(frame)
    encoded = BytesIO()
    made[0].save(encoded, image_format, save_all=True, append_images=made[1:], duration=100)
    return encoded.getvalue()


def turned(data: bytes) -> bytes:
    """Stored upside down, with the tag that turns it back when it is shown (EXIF orientation 3)."""
    image = Image.open(BytesIO(data)).rotate(180)
    exif = Image.Exif()
    exif[0x0112] = 3
    encoded = BytesIO()
    image.save(encoded, "PNG", exif=exif)
    return encoded.getvalue()


def edit(client, **fields):
    client.images.edit(**({"model": MODEL, "image": picture(), "prompt": EVERYDAY} | fields))


def edit_json(site, **fields):
    answer = site.post("images/edits", json={"prompt": EVERYDAY, "model": MODEL} | fields)
    if answer.status_code != 200:
        raise openai.BadRequestError(
            answer.json()["error"]["message"], response=answer, body=answer.json()["error"]
        )


def in_the_mask(site, client):
    edit(client, mask=picture(ADA))


def in_the_markup(site, client):
    edit(client, markup=picture(ADA))


def in_image_16(site, client):
    edit(client, image=[picture()] * 15 + [picture(ADA)], mask=picture())


def in_frame_3_of_a_gif(site, client):
    edit(client, image=("a.gif", frames(None, None, ADA, image_format="GIF"), "image/gif"))


def in_frame_2_of_an_animated_png(site, client):
    edit(client, image=("a.png", frames(None, ADA, image_format="PNG"), "image/png"))


def turned_around(site, client):
    edit(client, image=turned(picture(ADA)))


def under_a_field_that_nobody_knows(site, client):
    client.images.edit(
        model=MODEL,
        image=picture(),
        prompt=EVERYDAY,
        extra_body={"style_reference": data_url(picture(ADA))},
    )


def in_a_part_with_another_name(site, client):
    files = {"image": picture(), "character": picture(ADA)}
    answer = site.post("images/edits", data={"prompt": EVERYDAY}, files=files)
    raise_for(answer)


def as_bare_base64(site, client):
    raise_for(
        site.post(
            "images/generations",
            json={"prompt": EVERYDAY, "init": base64.b64encode(picture(ADA)).decode()},
        )
    )


def in_a_data_url(site, client):
    edit_json(
        site, images=[{"image_url": data_url(picture())}, {"image_url": data_url(picture(ADA))}]
    )


def in_a_data_url_of_the_mask(site, client):
    edit_json(
        site,
        images=[{"image_url": data_url(picture())}],
        mask={"image_url": data_url(picture(ADA))},
    )


def at_an_address(site, client):
    site.web.pictures["https://pictures.example/a.png"] = picture(ADA)
    edit_json(site, images=[{"image_url": "https://pictures.example/a.png"}])


def in_a_file_id(site, client):
    site.generator.files["file-abc123"] = picture(ADA)
    edit_json(site, images=[{"file_id": "file-abc123"}])


def in_a_file_id_under_another_name(site, client):
    site.generator.files["file-abc123"] = picture(ADA)
    edit_json(site, images=[{"image_url": data_url(picture())}], references=["file-abc123"])


def in_the_previous_turn_of_a_conversation(site, client):
    client.responses.create(
        model=CHAT,
        tools=[{"type": "image_generation"}],
        input=[
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Look at this."},
                    {"type": "input_image", "detail": "auto", "image_url": data_url(picture(ADA))},
                ],
            },
            {"role": "assistant", "content": "A photograph."},
            {"role": "user", "content": EVERYDAY},
        ],
    )


def made_in_the_previous_turn(site, client):
    client.responses.create(
        model=CHAT,
        tools=[{"type": "image_generation"}],
        input=[
            {
                "type": "image_generation_call",
                "id": "ig_1",
                "status": "completed",
                "result": base64.b64encode(picture(ADA)).decode(),
            },
            {"role": "user", "content": EVERYDAY},
        ],
    )


def in_what_a_tool_returned(site, client):
    client.responses.create(
        model=CHAT,
        tools=[{"type": "image_generation"}],
        input=[
            {"role": "user", "content": EVERYDAY},
            {
                "type": "function_call_output",
                "call_id": "1",
                "output": [{"type": "input_image", "image_url": data_url(picture(ADA))}],
            },
        ],
    )


def in_the_mask_of_the_tool(site, client):
    mask = {"image_url": data_url(picture(ADA))}
    client.responses.create(
        model=CHAT,
        tools=[{"type": "image_generation", "input_image_mask": mask}],
        input=EVERYDAY,
    )


def in_a_file_of_a_conversation(site, client):
    site.generator.files["file-abc123"] = picture(ADA)
    client.responses.create(
        model=CHAT,
        input=[
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": EVERYDAY},
                    {"type": "input_image", "detail": "auto", "file_id": "file-abc123"},
                ],
            }
        ],
    )


def in_an_earlier_message_of_a_chat(site, client):
    client.chat.completions.create(
        model=CHAT,
        messages=[
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": data_url(picture(ADA))}}],
            },
            {"role": "assistant", "content": "A photograph."},
            {"role": "user", "content": EVERYDAY},
        ],
    )


def in_words_of_a_chat(site, client):
    client.chat.completions.create(
        model=CHAT,
        messages=[{"role": "user", "content": f"{EVERYDAY} ![]({data_url(picture(ADA))})"}],
    )


def in_a_line_of_a_batch(site, client):
    site.generator.files["file-lines"] = lines(
        {"prompt": EVERYDAY},
        {"prompt": EVERYDAY, "images": [{"image_url": data_url(picture(ADA))}]},
        url="/v1/images/edits",
    )
    client.batches.create(
        input_file_id="file-lines", endpoint="/v1/images/edits", completion_window="24h"
    )


def lines(*bodies: dict, url: str) -> bytes:
    return b"\n".join(
        json.dumps({"custom_id": str(i), "method": "POST", "url": url, "body": body}).encode()
        for i, body in enumerate(bodies)
    )


def under_names_in_another_case(site, client):
    """Parsers that do not mind the case of names are widespread."""
    edit_json(site, Images=[{"Image_URL": data_url(picture(ADA))}])


def at_an_address_under_names_in_another_case(site, client):
    site.web.pictures["https://pictures.example/a.png"] = picture(ADA)
    edit_json(site, IMAGES=[{"IMAGE_URL": "https://pictures.example/a.png"}])


def in_a_file_id_under_a_name_in_another_case(site, client):
    site.generator.files["upload-1"] = picture(ADA)
    edit_json(site, images=[{"File_ID": "upload-1"}])


def in_a_response_under_names_in_another_case(site, client):
    site.web.pictures["https://pictures.example/a.png"] = picture(ADA)
    part = {"Type": "Input_Image", "Image_Url": "https://pictures.example/a.png"}
    turn = {"Role": "user", "Content": [{"Type": "input_text", "Text": EVERYDAY}, part]}
    raise_for(site.post("responses", json={"Model": CHAT, "Input": [turn]}))


def before_a_response_that_is_named_in_another_case(site, client):
    told_of_an_earlier_response(site)
    body = {
        "model": CHAT,
        "tools": [{"type": "image_generation"}],
        "input": EVERYDAY,
        "Previous_Response_ID": "resp_1",
    }
    raise_for(site.post("responses", json=body))


def told_of_an_earlier_response(site):
    earlier = {"id": "resp_1", "object": "response", "output": [], "instructions": None}
    part = {"type": "input_image", "image_url": data_url(picture(ADA))}
    items = {"data": [{"role": "user", "content": [part]}], "has_more": False}
    for path, told in (("", earlier), ("/input_items", items)):
        site.generator.tell(f"/responses/resp_1{path}", Told(json.dumps(told).encode()), "GET")


def turn_with(*parts: dict) -> list[dict]:
    return [{"role": "user", "content": [{"type": "text", "text": EVERYDAY}, *parts]}]


def in_an_image_url_that_is_an_object(site, client):
    part = {"type": "input_image", "image_url": {"url": data_url(picture(ADA))}}
    raise_for(site.post("responses", json={"model": CHAT, "input": turn_with(part)}))


def at_an_address_in_an_object(site, client):
    site.web.pictures["https://pictures.example/a.png"] = picture(ADA)
    part = {"type": "input_image", "image_url": {"url": "https://pictures.example/a.png"}}
    raise_for(site.post("responses", json={"model": CHAT, "input": turn_with(part)}))


def in_an_image_url_that_is_a_string(site, client):
    site.web.pictures["https://pictures.example/a.png"] = picture(ADA)
    part = {"type": "image_url", "image_url": "https://pictures.example/a.png"}
    chat_of(site, part)


def in_a_part_without_a_type(site, client):
    site.web.pictures["https://pictures.example/a.png"] = picture(ADA)
    chat_of(site, {"image_url": {"url": "https://pictures.example/a.png"}})


def in_a_part_of_another_api(site, client):
    site.web.pictures["https://pictures.example/a.png"] = picture(ADA)
    source = {"type": "url", "url": "https://pictures.example/a.png"}
    chat_of(site, {"type": "image", "source": source})


def in_a_part_that_names_its_medium(site, client):
    site.web.pictures["https://pictures.example/a.png"] = picture(ADA)
    given = {"mime_type": "image/png", "uri": "https://pictures.example/a.png"}
    chat_of(site, {"file_data": given})


def chat_of(site, part: dict) -> None:
    raise_for(site.post("chat/completions", json={"model": CHAT, "messages": turn_with(part)}))


def as_base64_behind_a_blank(site, client):
    encoded = base64.b64encode(picture(ADA)).decode()
    raise_for(site.post("images/generations", json={"prompt": EVERYDAY, "init": f" \n{encoded}\n"}))


def at_an_address_in_capitals(site, client):
    site.web.pictures["HTTPS://pictures.example/a.png"] = picture(ADA)
    edit_json(site, images=["HTTPS://pictures.example/a.png"])


def in_words_as_a_data_url_in_capitals(site, client):
    encoded = base64.b64encode(picture(ADA)).decode()
    url = f"DATA:Image/PNG;charset=utf-8;BASE64,{encoded}"
    client.chat.completions.create(
        model=CHAT, messages=[{"role": "user", "content": f"{EVERYDAY} ![]({url})"}]
    )


def among_parts_with_and_without_brackets(site, client):
    """Some servers read ``image``, others ``image[]``."""
    files = [
        ("image", ("a.png", picture())),
        ("image[]", ("b.png", picture())),
        ("image[1]", ("c.png", picture(ADA))),
    ]
    raise_for(site.post("images/edits", data={"prompt": EVERYDAY}, files=files))


def in_one_of_two_parts_of_one_name(site, client):
    files = [("image", ("a.png", picture(ADA))), ("image", ("a.png", picture()))]
    raise_for(site.post("images/edits", data={"prompt": EVERYDAY}, files=files))


def under_a_file_name_of_another_script(site, client):
    edit(client, image=("снимок 👩.png", picture(ADA), "image/png"))


def under_a_media_type_that_lies(site, client):
    files = [
        ("image", ("a.png", picture(), "image/png")),
        ("notes", ("notes.txt", picture(ADA), "text/plain")),
    ]
    raise_for(site.post("images/edits", data={"prompt": EVERYDAY}, files=files))


def in_frame_3_of_a_gif_that_is_called_a_png(site, client):
    edit(client, image=("a.png", frames(None, None, ADA, image_format="GIF"), "image/png"))


def in_a_body_in_pieces(site, client):
    """Chunked, and without a length."""
    body = json.dumps({"prompt": EVERYDAY, "images": [{"image_url": data_url(picture(ADA))}]})
    pieces = (body[i : i + 100].encode() for i in range(0, len(body), 100))
    headers = {"content-type": "application/json"}
    raise_for(site.post("images/edits", content=pieces, headers=headers))


def in_image_20(site, client):
    """More than one check takes: they are judged in groups, each with all of the words."""
    harmless = {"image_url": data_url(picture())}
    edit_json(site, images=[harmless] * 19 + [{"image_url": data_url(picture(ADA))}])


def raise_for(answer) -> None:
    if answer.status_code != 200:
        error = answer.json()["error"]
        raise openai.BadRequestError(error["message"], response=answer, body=error)


PLACES = [
    in_the_mask,
    in_the_markup,
    in_image_16,
    in_frame_3_of_a_gif,
    in_frame_2_of_an_animated_png,
    turned_around,
    under_a_field_that_nobody_knows,
    in_a_part_with_another_name,
    as_bare_base64,
    in_a_data_url,
    in_a_data_url_of_the_mask,
    at_an_address,
    in_a_file_id,
    in_a_file_id_under_another_name,
    in_the_previous_turn_of_a_conversation,
    made_in_the_previous_turn,
    in_what_a_tool_returned,
    in_the_mask_of_the_tool,
    in_a_file_of_a_conversation,
    in_an_earlier_message_of_a_chat,
    in_words_of_a_chat,
    in_a_line_of_a_batch,
    under_names_in_another_case,
    at_an_address_under_names_in_another_case,
    in_a_file_id_under_a_name_in_another_case,
    in_a_response_under_names_in_another_case,
    before_a_response_that_is_named_in_another_case,
    in_an_image_url_that_is_an_object,
    at_an_address_in_an_object,
    in_an_image_url_that_is_a_string,
    in_a_part_without_a_type,
    in_a_part_of_another_api,
    in_a_part_that_names_its_medium,
    as_base64_behind_a_blank,
    at_an_address_in_capitals,
    in_words_as_a_data_url_in_capitals,
    among_parts_with_and_without_brackets,
    in_one_of_two_parts_of_one_name,
    under_a_file_name_of_another_script,
    under_a_media_type_that_lies,
    in_frame_3_of_a_gif_that_is_called_a_png,
    in_a_body_in_pieces,
    in_image_20,
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_she_is_found(site, client, place):
    with pytest.raises(openai.BadRequestError) as caught:
        place(site, client)

    assert caught.value.code in ("moderation_blocked", "content_policy_violation")
    assert caught.value.body["moderation_details"]["categories"] == ["likeness"]
    assert [each for each in site.generator.asked if each.method == "POST"] == []


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_it_was_her_and_not_the_place(site, client, place, monkeypatch):
    """The same request with somebody else in it passes: or the test above would prove nothing."""
    monkeypatch.setitem(globals(), "ADA", EVE)
    site.generator.told_for_anything = b'{"id":"x","object":"x","created":1,"data":[],"output":[]}'

    place(site, client)

    [asked] = [each for each in site.generator.asked if each.method == "POST"]
    assert asked.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "body",
    [
        {"image": "a picture that only the server knows"},
        {"images": ["img_1"]},
        {"mask": {"image_url": "img_1"}},
        {"init": base64.b64encode(b"a format that nobody knows here " * 9).decode()},
        {"init": base64.encodebytes(picture(EVE)).decode()},
        {"init": base64.urlsafe_b64encode(bytes([251, 255]) * 99).decode()},
        {"image": "", "Image": ""},
        {"prompt": EVERYDAY, "PROMPT": EVERYDAY},
    ],
    ids=[
        "a name of a picture",
        "in a list",
        "as an address",
        "base64 of something",
        "base64 in lines",
        "base64 for addresses",
        "a name twice but for its case",
        "two prompts",
    ],
)
def test_a_picture_that_cannot_be_read_with_certainty_is_refused(site, body):
    answer = site.post("images/generations", json={"prompt": EVERYDAY} | body)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert site.generator.asked == []


def test_more_pictures_than_are_looked_at_are_refused(site):
    images = [{"image_url": data_url(picture())}] * 65

    answer = site.post("images/edits", json={"prompt": EVERYDAY, "images": images})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")
    assert site.generator.asked == []
