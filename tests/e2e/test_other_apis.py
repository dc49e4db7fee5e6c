"""xAI's API and two described ones, over real HTTP with real clients, before a generator of our own."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import openai
import pytest
from consentry.connectors.upstream import HttpUpstream
from consentry.gateway.configured.description import read_description
from consentry.gateway.configured.dialect import ConfiguredDialect
from consentry.gateway.xai.dialect import XaiDialect
from consentry.transparency.receipts import verify_receipt
from fakes.coloured_faces import picture
from fakes.gateway_site import ADA, EVE, EVERYDAY, KEY, REVEALING, StagedWeb, gateway_app
from fakes.generator import LANDSCAPE, Asked, Generator, Told, events, listening, made, serving
from fakes.home import TestHome

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
BARE = (250, 200, 180)
WEB = "https://pictures.example.com/a.png"


def b64(image: bytes) -> str:
    return base64.b64encode(image).decode()


def data_url(image: bytes) -> str:
    return "data:image/png;base64," + b64(image)


class Servers(Generator):
    """Answers as xAI, Automatic1111 and ComfyUI do."""

    def __init__(self) -> None:
        super().__init__()
        self.result = LANDSCAPE

    def _default(self, asked: Asked) -> Told:
        match asked.path.removeprefix("/").split("/"):
            case ["images", *_]:
                return Told(made(self.result))
            case ["sdapi", "v1", "progress"]:
                return Told(
                    json.dumps({"progress": 0.5, "current_image": b64(self.result)}).encode()
                )
            case ["sdapi", *_]:
                return Told(json.dumps({"images": [b64(self.result)], "info": "{}"}).encode())
            case ["upload", "image"]:
                return Told(b'{"name":"a.png","subfolder":"","type":"input"}')
            case ["prompt"]:
                return Told(b'{"prompt_id":"1","number":1,"node_errors":{}}')
            case ["history", _]:
                return Told(b'{"1":{"outputs":{"9":{"images":[{"filename":"out.png"}]}}}}')
            case ["view"]:
                name = parse_qs(asked.query.decode())["filename"][0]
                image = self.result if name == "out.png" else self.files[name]
                return Told(image, headers={"content-type": "image/png"})
            case _:
                return super()._default(asked)


class House:
    def __init__(self, home, servers, web, address):
        self.home, self.servers, self.web, self.address = home, servers, web, address

    @property
    def xai(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.address}/xai/v1", api_key=KEY, max_retries=0)

    def post(self, path, body=None, **more):
        headers = {"authorization": f"Bearer {KEY}"}
        if body is not None:
            more["json"] = body
        return httpx.post(f"{self.address}/{path}", headers=headers, timeout=60, **more)

    def get(self, path):
        return httpx.get(f"{self.address}/{path}", timeout=60)

    def claims(self, response, place=0):
        receipts = response.headers["consentry-receipt"].split(",")
        return verify_receipt(receipts[place], self.home.signer.jwks())


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with ExitStack() as stack:
        home = TestHome(tmp_path_factory.mktemp("apis") / "home").create()
        stack.callback(home.close)
        home.enrol(ADA)
        home.exposure.scores = {BARE: 0.9}
        servers, web = Servers(), StagedWeb()
        behind = stack.enter_context(serving(servers))
        app = gateway_app(home, HttpUpstream(f"{behind}/v1"), web)
        gate = app.gates.pop("/openai/v1")
        app.gates = {"/xai/v1": replace(gate, dialect=XaiDialect())} | {
            f"/{name}": replace(
                gate, dialect=ConfiguredDialect(read_description(EXAMPLES / f"{name}.toml"))
            )
            for name in ("automatic1111", "comfyui")
        }
        address, _ = stack.enter_context(listening(app, lifespan="on"))
        yield House(home, servers, web, address)


@pytest.fixture(autouse=True)
def fresh(house):
    house.servers.asked.clear()
    house.servers.result = LANDSCAPE
    house.web.pictures.clear()
    house.web.asked.clear()


# xAI


def test_an_allowed_request_goes_and_comes_byte_for_byte(house):
    body = json.dumps(
        {"prompt": EVERYDAY, "image": {"url": data_url(picture(EVE))}, "n": 1}, indent=1
    )
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    answer = httpx.post(
        f"{house.address}/xai/v1/images/edits", content=body, headers=headers, timeout=60
    )

    (asked,) = house.servers.forwarded("/images/edits")
    assert asked.body == body.encode()
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert (answer.status_code, answer.content) == (200, made(LANDSCAPE))


def test_the_openai_client_makes_pictures_here_as_there(house):
    answer = house.xai.images.generate(model="grok-imagine-image", prompt="a cat", response_format="b64_json")  # fmt: skip

    assert base64.b64decode(answer.data[0].b64_json) == LANDSCAPE


def test_the_openai_client_raises_its_own_error_on_a_refusal(house):
    with pytest.raises(openai.BadRequestError) as caught:
        house.xai.images.generate(model="m", prompt="a nude photo of Jane Roe")

    error = caught.value.response.json()
    assert error["code"] == "imagine:content-moderated"
    assert error["error"].startswith("Request rejected by content moderation.")
    assert caught.value.request_id in error["error"]
    assert house.claims(caught.value.response).verdict.value == "refuse"
    assert house.servers.asked == []


@pytest.mark.parametrize("place", range(3))
def test_every_one_of_several_pictures_counts(house, place):
    images = [{"url": data_url(picture(EVE))} for _ in range(3)]
    images[place] = {"url": data_url(picture(ADA))}

    answer = house.post("xai/v1/images/edits", {"prompt": EVERYDAY, "images": images})

    assert (answer.status_code, answer.json()["code"]) == (400, "imagine:content-moderated")
    assert [each.value for each in house.claims(answer).reasons] == ["consent_required"]
    assert house.servers.asked == []


def test_a_picture_by_address_is_forwarded_as_the_bytes_that_were_checked(house):
    house.web.pictures[WEB] = picture(EVE)

    answer = house.post("xai/v1/images/edits", {"prompt": EVERYDAY, "image": {"url": WEB}})

    (asked,) = house.servers.forwarded("/images/edits")
    assert answer.status_code == 200
    assert json.loads(asked.body)["image"]["url"] == data_url(picture(EVE))
    assert house.web.asked == [WEB]


def test_an_address_that_cannot_be_fetched_refuses(house):
    answer = house.post("xai/v1/images/edits", {"prompt": EVERYDAY, "image": {"url": WEB}})

    assert answer.status_code == 400
    assert house.servers.asked == []


@pytest.mark.parametrize(
    ("result", "of", "reason"),
    [
        (picture(ADA), EVE, "consent_required"),
        (picture(EVE, BARE), EVE, "revealing_real_person"),
        (b"no picture", EVE, "unreadable"),
    ],
    ids=["enrolled", "exposed", "unreadable"],
)
def test_a_result_is_withheld_though_the_request_was_harmless(house, result, of, reason):
    house.servers.result = result

    answer = house.post(
        "xai/v1/images/edits", {"prompt": EVERYDAY, "image": {"url": data_url(picture(of))}}
    )

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("Generated image rejected by content moderation.")
    assert b64(result) not in answer.text
    assert house.claims(answer).verdict.value == "allow"
    assert [each.value for each in house.claims(answer, 1).reasons] == [reason]


def test_a_result_by_address_is_fetched_and_looked_at(house):
    for image, status in ((LANDSCAPE, 200), (picture(ADA), 400)):
        house.web.pictures[WEB] = image
        house.servers.tell(
            "/images/generations", Told(json.dumps({"data": [{"url": WEB}]}).encode())
        )
        try:
            answer = house.post("xai/v1/images/generations", {"prompt": "a cat"})
        finally:
            house.servers._told.clear()

        assert answer.status_code == status


def test_a_conversation_that_streams_is_withheld_in_this_apis_words(house):
    told = Told(
        events({"choices": [{"index": 0, "delta": {"content": data_url(picture(ADA))}}]}, "[DONE]"),
        headers={"content-type": "text/event-stream"},
    )
    house.servers.tell("/chat/completions", told)
    content = [{"type": "text", "text": EVERYDAY}, {"type": "image_url", "image_url": {"url": data_url(picture(EVE))}}]  # fmt: skip
    try:
        answer = house.post(
            "xai/v1/chat/completions",
            {"model": "m", "stream": True, "messages": [{"role": "user", "content": content}]},
        )
    finally:
        house.servers._told.clear()

    assert answer.status_code == 400
    assert answer.json()["code"] == "imagine:content-moderated"


@pytest.mark.parametrize("path", ["batches", "videos/generations", "images/variations", "anything", "../openai/v1/models"])  # fmt: skip
def test_every_other_route_is_closed_in_this_apis_shape(house, path):
    answer = house.post(f"xai/v1/{path}", {})

    assert answer.status_code in {400, 404}
    assert house.servers.asked == []


def test_without_a_key_nothing_is_looked_at(house):
    answer = httpx.post(f"{house.address}/xai/v1/images/edits", json={"prompt": REVEALING})

    assert (answer.status_code, set(answer.json())) == (401, {"code", "error"})
    assert "consentry-receipt" not in answer.headers


def test_the_real_xai_sdk_gets_nothing_through(house):
    xai_sdk = pytest.importorskip("xai_sdk")
    import grpc

    host = house.address.removeprefix("http://")
    client = xai_sdk.Client(api_key=KEY, api_host=host, use_insecure_channel=True, timeout=5)
    with pytest.raises(grpc.RpcError) as caught:
        client.image.sample(
            prompt=EVERYDAY, model="grok-imagine-image", image_url=data_url(picture(EVE))
        )
    client.close()

    assert caught.value.code() in {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
    }
    assert house.servers.asked == []


def test_the_asynchronous_client_raises_the_same(house):
    async def ask():
        async with openai.AsyncOpenAI(
            base_url=f"{house.address}/xai/v1", api_key=KEY, max_retries=0
        ) as client:
            with pytest.raises(openai.BadRequestError):
                await client.images.generate(model="m", prompt="a nude photo of Jane Roe")

    asyncio.run(ask())


# Automatic1111


def test_automatic1111_paints_what_is_allowed_and_answers_in_its_own_shape_what_is_not(house):
    body = {
        "prompt": EVERYDAY,
        "init_images": [b64(picture(EVE))],
        "negative_prompt": "nude, blurry",
    }

    allowed = house.post("automatic1111/sdapi/v1/img2img", body)
    refused = house.post("automatic1111/sdapi/v1/img2img", body | {"negative_prompt": "clothes"})
    asked = house.post(
        "automatic1111/sdapi/v1/img2img", body | {"init_images": [b64(picture(ADA))]}
    )

    assert (allowed.status_code, allowed.json()["images"]) == (200, [b64(LANDSCAPE)])
    assert (refused.status_code, set(refused.json())) == (
        422,
        {"error", "detail", "body", "errors"},
    )
    assert "revealing_real_person" in refused.json()["detail"]
    assert "consent_required" in asked.json()["detail"]
    assert len(house.servers.asked) == 1


def test_automatic1111_results_and_previews_are_looked_at(house):
    house.servers.result = picture(ADA)

    assert house.post("automatic1111/sdapi/v1/txt2img", {"prompt": "a woman"}).status_code == 422
    assert house.get("automatic1111/sdapi/v1/progress").status_code == 422


# ComfyUI


def graph(image="a.png", prompt=EVERYDAY):
    return {
        "prompt": {
            "1": {"class_type": "CLIPTextEncode", "inputs": {"text": prompt, "clip": ["9", 1]}},
            "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "nude", "clip": ["9", 1]}},
            "3": {"class_type": "KSampler", "inputs": {"positive": ["1", 0], "negative": ["2", 0], "cfg": 7}},
            "4": {"class_type": "LoadImage", "inputs": {"image": image}},
            "9": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "m.safetensors"}},
        },
        "client_id": "me",
    }  # fmt: skip


def test_a_whole_flow_of_comfyui_passes_for_a_stranger(house):
    house.servers.files["a.png"] = picture(EVE)
    uploaded = house.post("comfyui/upload/image", files={"image": ("a.png", io.BytesIO(picture(EVE)))})  # fmt: skip
    queued = house.post("comfyui/prompt", graph())
    history = house.get("comfyui/history/1")
    shown = house.get("comfyui/view?filename=out.png&type=output")

    assert [each.status_code for each in (uploaded, queued, history, shown)] == [200] * 4
    assert shown.content == LANDSCAPE


def test_the_picture_that_a_node_names_is_looked_at(house):
    house.servers.files["a.png"] = picture(ADA)

    answer = house.post("comfyui/prompt", graph())

    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "consent_required")
    assert house.servers.forwarded("/prompt") == []


def test_a_revealing_graph_and_one_with_a_node_that_can_do_anything_do_not_pass(house):
    house.servers.files["a.png"] = picture(EVE)
    odd = graph()
    odd["prompt"]["7"] = {"class_type": "LoadImageFromUrl", "inputs": {"url": WEB}}

    revealing = house.post("comfyui/prompt", graph(prompt=REVEALING))
    unknown = house.post("comfyui/prompt", odd)

    assert revealing.json()["error"]["type"] == "revealing_real_person"
    assert unknown.json()["error"]["type"] == "malformed"
    assert house.servers.forwarded("/prompt") == []


@pytest.mark.parametrize("result", [picture(ADA), picture(BARE)], ids=["enrolled", "exposed"])
def test_a_result_is_looked_at_when_it_is_fetched(house, result):
    house.servers.result = result

    answer = house.get("comfyui/view?filename=out.png&type=output")

    assert answer.status_code == 400
    assert result not in answer.content


@pytest.mark.parametrize(("method", "path"), [("GET", "ws"), ("POST", "upload/mask"), ("POST", "free"), ("POST", "queue"), ("GET", "userdata"), ("GET", "internal/logs")])  # fmt: skip
def test_what_is_not_described_is_closed(house, method, path):
    answer = httpx.request(method, f"{house.address}/comfyui/{path}", timeout=30)

    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "closed")
    assert house.servers.asked == []
