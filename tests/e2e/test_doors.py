"""The door matrix: the same question through every door gives the same verdict. Writes docs/doors.md.

Everything is real but the eyes and the generator: HTTP, the clients' own libraries, receipts, laws.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs

import grpc
import httpx
import openai
import pytest
import xai_sdk
from consentry.accounts.keys import DEFAULT_QUOTA
from consentry.accounts.principals import PLATFORM_SCOPES
from consentry.api.runtime import Shared
from consentry.client import ConsentryClient, Question
from consentry.connectors.grpc_upstream import GrpcUpstream
from consentry.connectors.upstream import HttpUpstream
from consentry.gateway.configured.description import read_description
from consentry.gateway.configured.dialect import ConfiguredDialect
from consentry.gateway.openai.dialect import OpenAIDialect
from consentry.gateway.xai.dialect import XaiDialect
from consentry.gateway.xai_grpc.dialect import STREAMS
from consentry.middleware import ConsentryMiddleware
from consentry.settings import load_settings
from consentry.transparency.receipts import verify_receipt
from consentry.wiring import Home
from fakes import site as api
from fakes.coloured_faces import picture
from fakes.gateway_site import ADA, EVE, EVERYDAY, KEY, REVEALING, StagedWeb, gateway_app
from fakes.generator import Asked, Generator, Told, events, listening, made, serving
from fakes.grpc_site import GrpcGenerator, grpc_serving, stand_beside
from fakes.grpc_site import Told as ToldMessages
from fakes.home import TestHome
from fakes.terminal import Terminal
from google.protobuf.empty_pb2 import Empty
from PIL import Image
from xai_sdk import chat as chats
from xai_sdk.proto import batch_pb2, chat_pb2, image_pb2
from xai_sdk.tools import image_generation

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "doors.md"
LANDSCAPE = picture()


def animation(*frames: bytes) -> bytes:
    pictures = [Image.open(BytesIO(each)).convert("RGB") for each in frames]
    out = BytesIO()
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:], duration=100, loop=0)
    return out.getvalue()


@dataclass(frozen=True)
class Case:
    """One question, and the answer that is due."""

    title: str
    prompt: str
    due: tuple[str, tuple[str, ...]]
    image: bytes | None = None
    mask: bytes | None = None

    @property
    def pictures(self) -> list[bytes]:
        return [each for each in (self.image, self.mask) if each is not None]


CASES = {
    "allowed": Case("an everyday edit of a stranger", EVERYDAY, ("allow", ()), picture(EVE)),
    "revealing": Case(
        "a revealing edit of a stranger",
        REVEALING,
        ("refuse", ("revealing_real_person",)),
        picture(EVE),
    ),
    "enrolled": Case(
        "an everyday edit of somebody enrolled, without consent",
        EVERYDAY,
        ("needs_consent", ("consent_required",)),
        picture(ADA),
    ),
    "unreadable": Case(
        "bytes that are no picture", EVERYDAY, ("refuse", ("unreadable",)), b"no picture at all" * 9
    ),
    "named": Case(
        "words alone, revealing, with a name",
        "a nude photo of Jane Roe",
        ("refuse", ("revealing_real_person",)),
    ),
    "mask": Case(
        "the enrolled face in the mask only",
        EVERYDAY,
        ("needs_consent", ("consent_required",)),
        LANDSCAPE,
        picture(ADA),
    ),
    "frame": Case(
        "the enrolled face in the third frame of a GIF only",
        EVERYDAY,
        ("needs_consent", ("consent_required",)),
        animation(LANDSCAPE, LANDSCAPE, picture(ADA)),
    ),
}


class Painter(Generator):
    """A generator that also answers as Automatic1111 and ComfyUI do."""

    def __init__(self) -> None:
        super().__init__()
        self.result = LANDSCAPE

    def forget(self) -> None:
        self._told.clear()

    def _default(self, asked: Asked) -> Told:
        image = {"content-type": "image/png"}
        match asked.path.removeprefix("/").split("/"):
            case ["images", *_]:
                return Told(made(self.result))
            case ["sdapi", *_]:
                encoded = base64.b64encode(self.result).decode()
                return Told(json.dumps({"images": [encoded], "parameters": {}}).encode())
            case ["view"]:
                name = parse_qs(asked.query.decode())["filename"][0]
                shown = self.result if name == "result.png" else self.files[name]
                return Told(shown, headers=image)
            case ["files", "file-results", "content"]:
                line = {"custom_id": "1", "response": {"body": json.loads(made(self.result))}}
                return Told(
                    json.dumps(line).encode(), headers={"content-type": "application/jsonl"}
                )
            case ["prompt"]:
                return Told(b'{"prompt_id":"1","number":1,"node_errors":{}}')
            case ["batches"]:
                return Told(b'{"id":"batch_1","object":"batch"}')
            case ["responses"]:
                return Told(response(self.result))
            case ["chat", "completions"]:
                return Told(completion(self.result))
            case _:
                return super()._default(asked)


def response(result: bytes) -> bytes:
    call = {
        "type": "image_generation_call",
        "id": "ig_1",
        "status": "completed",
        "result": base64.b64encode(result).decode(),
    }
    rest = {"parallel_tool_calls": False, "tool_choice": "auto", "tools": [], "model": "m"}
    about = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed"}
    return json.dumps(about | rest | {"output": [call]}).encode()


def completion(result: bytes) -> bytes:
    message = {"role": "assistant", "content": f"Done: ![it]({data_url(result)})"}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    about = {"id": "c_1", "object": "chat.completion", "created": 1, "model": "m"}
    return json.dumps(about | {"choices": [choice]}).encode()


@dataclass(eq=False)
class GrpcPainter(GrpcGenerator):
    """The same generator, over gRPC."""

    painter: Painter

    def __post_init__(self) -> None:
        super().__init__()

    def _default(self, method: str) -> ToldMessages:
        result = data_url(self.painter.result)
        image = image_pb2.GeneratedImage(base64=result, respect_moderation=True)
        made_images = image_pb2.ImageResponse(images=[image])
        envelope = json.dumps({"__type": "image_generation_result", "result": result})
        message = chat_pb2.CompletionMessage(content=envelope, role=chat_pb2.MessageRole.ROLE_TOOL)
        delta = chat_pb2.Delta(content=envelope, role=chat_pb2.MessageRole.ROLE_TOOL)
        batched = batch_pb2.BatchResult(
            batch_request_id="1", response=batch_pb2.BatchResultData(image_response=made_images)
        )
        answers = {
            "Image/GenerateImage": made_images,
            "Chat/GetCompletion": chat_pb2.GetChatCompletionResponse(
                id="r_1", outputs=[chat_pb2.CompletionOutput(message=message)]
            ),
            "Chat/GetCompletionChunk": chat_pb2.GetChatCompletionChunk(
                id="r_1", outputs=[chat_pb2.CompletionOutputChunk(delta=delta)]
            ),
            "BatchMgmt/AddBatchRequests": Empty(),
            "BatchMgmt/ListBatchResults": batch_pb2.ListBatchResultsResponse(results=[batched]),
        }
        return ToldMessages([answers[method].SerializeToString()])


@dataclass
class House:
    """All doors of one house."""

    home: TestHome
    site: api.Site
    key: str
    painter: Painter
    gateway: str
    middleware: str
    grpc_painter: GrpcPainter
    grpc: xai_sdk.Client
    capsys: pytest.CaptureFixture[str] | None = None
    folder: Path | None = None
    receipt: int = 0
    found: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    def verdict_of(self, receipts: str | None) -> tuple[str, tuple[str, ...]]:
        """Read what the gateway says it decided, from the first or last of its signed receipts."""
        assert receipts is not None
        claims = verify_receipt(receipts.split(",")[self.receipt], self.home.signer.jwks())
        return claims.verdict.value, tuple(claims.reasons)

    def was_forwarded(self, *paths: str) -> bool:
        return any(self.painter.forwarded(path) for path in paths)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("house")
    with ExitStack() as stack:
        home = TestHome(folder / "home").create()
        stack.callback(home.close)
        home.enrol(ADA)
        home.exposure.scores = {BARE: 0.9}
        site = stack.enter_context(api.opened(home, max_body_bytes=1_000_000))
        _, key = site.services.keys.issue(
            "test", "studio", PLATFORM_SCOPES, quota=DEFAULT_QUOTA, expires_in_days=None
        )
        painter = Painter()
        behind = stack.enter_context(serving(painter))
        app = gateway_app(home, HttpUpstream(f"{behind}/v1"), StagedWeb())
        first = app.gates["/openai/v1"]
        examples = [
            read_description(each) for each in sorted((ROOT / "docs/examples").glob("*.toml"))
        ]
        dialects = {"/openai/v1": OpenAIDialect(), "/xai/v1": XaiDialect()} | {
            f"/{each.name}": ConfiguredDialect(each) for each in examples
        }
        app.gates = {
            prefix: replace(first, dialect=dialect) for prefix, dialect in dialects.items()
        }
        grpc_painter = GrpcPainter(painter)
        behind_grpc = stack.enter_context(grpc_serving(grpc_painter))
        upstream = GrpcUpstream(
            behind_grpc, streams=STREAMS, answer_timeout_s=60, max_answer_bytes=1 << 26
        )
        door = stand_beside(app, upstream)
        gateway, _ = stack.enter_context(listening(app, lifespan="on"))
        client = stack.enter_context(xai_sdk.Client(KEY, api_host=f"localhost:{door.port}"))
        settings = load_settings(home=folder / "home", gateway_platform="studio")
        around = Home(settings, site.services, home.database, Shared.make(worker_threads=2))
        middleware, _ = stack.enter_context(
            listening(ConsentryMiddleware(painter, home=around), lifespan="off")
        )
        yield House(home, site, key, painter, gateway, middleware, grpc_painter, client)


# The doors. Each takes a question in its own way, and returns the verdict that it was told.

Answer = tuple[str, tuple[str, ...]]


def data_url(image: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(image).decode()


def question(case: Case) -> Question:
    images = () if case.image is None else (case.image,)
    return Question(images=images, mask=case.mask, prompt=case.prompt)


def of_json(body: dict) -> Answer:
    return body["verdict"], tuple(body["reasons"])


def rest(house: House, case: Case) -> Answer:
    client = house.site.client(authorization=f"Bearer {house.key}")
    files = [("images", ("x", case.image))] if case.image is not None else []
    files += [("mask", ("x", case.mask))] if case.mask is not None else []
    sent = {"files": files, "data": {"prompt": case.prompt}}
    return of_json(
        client.post("/v1/checks", **(sent if files else {"json": {"prompt": case.prompt}})).json()
    )


def batch(house: House, case: Case) -> Answer:
    client = house.site.client(authorization=f"Bearer {house.key}")
    answer = client.post("/v1/checks/batch", json={"checks": [question(case).to_json()]})
    return of_json(answer.json()["results"][0]["check"])


def python_client(house: House, case: Case) -> Answer:
    transport = api.InProcess(house.site.app, house.site.portal)
    with ConsentryClient(api.ORIGIN, house.key, platform="studio", transport=transport) as client:
        answer = client.check(question(case))
    return answer.verdict.value, tuple(answer.reasons)


def command_line(house: House, case: Case) -> Answer:
    terminal = Terminal(house.home, house.site.services, house.folder, house.capsys)
    paths = []
    # The command takes at least one picture: words alone come with an empty landscape.
    for number, image in enumerate(case.pictures or [LANDSCAPE]):
        path = house.folder / f"{number}.png"
        path.write_bytes(image)
        paths.append(str(path))
    return of_json(terminal.run("check", *paths, "--prompt", case.prompt, "--json").document)


def openai_client(address: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=address, api_key=KEY, max_retries=0, timeout=60)


def receipt_of(call: Callable[[], object]) -> str | None:
    try:
        answer = call()
    except openai.APIStatusError as refusal:
        return refusal.response.headers.get("consentry-receipt")
    return answer.headers.get("consentry-receipt")


def images_form(house: House, case: Case, address: str | None = None) -> Answer:
    images = openai_client(address or f"{house.gateway}/openai/v1").images.with_raw_response
    if case.image is None:
        receipt = receipt_of(lambda: images.generate(prompt=case.prompt, model="gpt-image-1"))
    else:
        mask = {} if case.mask is None else {"mask": ("mask.png", case.mask)}
        receipt = receipt_of(
            lambda: images.edit(image=("a.png", case.image), prompt=case.prompt, **mask)
        )
    return house.verdict_of(receipt)


def middleware(house: House, case: Case) -> Answer:
    return images_form(house, case, f"{house.middleware}/v1")


def stream(house: House, case: Case) -> Answer:
    made_of = base64.b64encode(house.painter.result).decode()
    done = {"type": "image_edit.completed", "b64_json": made_of}
    told = Told(events(done), headers={"content-type": "text/event-stream"})
    images = openai_client(f"{house.gateway}/openai/v1").images.with_raw_response
    paths = ("/images/edits", "/images/generations")
    for path in paths:
        house.painter.tell(path, told)
    try:
        if case.image is None:
            call = lambda: images.generate(prompt=case.prompt, stream=True)  # noqa: E731
        else:
            mask = {} if case.mask is None else {"mask": ("mask.png", case.mask)}
            call = lambda: images.edit(  # noqa: E731
                image=("a.png", case.image), prompt=case.prompt, stream=True, **mask
            )
        return house.verdict_of(receipt_of(call))
    finally:
        house.painter.forget()


def post(house: House, path: str, body: dict) -> Answer:
    headers = {"authorization": f"Bearer {KEY}"}
    answer = httpx.post(f"{house.gateway}/{path}", json=body, headers=headers, timeout=60)
    return house.verdict_of(answer.headers.get("consentry-receipt"))


def images_json(house: House, case: Case) -> Answer:
    if case.image is None:
        return post(house, "openai/v1/images/generations", {"prompt": case.prompt})
    body = {"prompt": case.prompt, "images": [{"image_url": data_url(case.image)}]}
    if case.mask is not None:
        body["mask"] = {"image_url": data_url(case.mask)}
    return post(house, "openai/v1/images/edits", body)


def responses(house: House, case: Case) -> Answer:
    tool: dict = {"type": "image_generation"}
    if case.mask is not None:
        tool["input_image_mask"] = {"image_url": data_url(case.mask)}
    content: list[dict] = [{"type": "input_text", "text": case.prompt}]
    if case.image is not None:
        content.append({"type": "input_image", "image_url": data_url(case.image)})
    client = openai_client(f"{house.gateway}/openai/v1").responses.with_raw_response
    turns = [{"role": "user", "content": content}]
    return house.verdict_of(receipt_of(lambda: client.create(model="m", input=turns, tools=[tool])))


def chat(house: House, case: Case) -> Answer:
    parts = [{"type": "image_url", "image_url": {"url": data_url(each)}} for each in case.pictures]
    content = [{"type": "text", "text": case.prompt}, *parts]
    client = openai_client(f"{house.gateway}/openai/v1").chat.completions.with_raw_response
    turns = [{"role": "user", "content": content}]
    return house.verdict_of(
        receipt_of(lambda: client.create(model="m", messages=turns, modalities=["text", "image"]))
    )


def openai_batch(house: House, case: Case) -> Answer:
    body: dict = {"prompt": case.prompt}
    if case.image is not None:
        body["images"] = [{"image_url": data_url(case.image)}]
    if case.mask is not None:
        body["mask"] = {"image_url": data_url(case.mask)}
    url = "/v1/images/generations" if case.image is None else "/v1/images/edits"
    line = {"custom_id": "1", "method": "POST", "url": url, "body": body}
    house.painter.files["file-lines"] = json.dumps(line).encode()
    client = openai_client(f"{house.gateway}/openai/v1").batches.with_raw_response
    return house.verdict_of(
        receipt_of(
            lambda: client.create(input_file_id="file-lines", endpoint=url, completion_window="24h")
        )
    )


def stored_file(house: House, case: Case) -> Answer:
    if case.image is None:
        return images_json(house, case)
    house.painter.files |= {"file-image": case.image, "file-mask": case.mask or b""}
    body: dict = {"prompt": case.prompt, "images": [{"file_id": "file-image"}]}
    if case.mask is not None:
        body["mask"] = {"file_id": "file-mask"}
    return post(house, "openai/v1/images/edits", body)


def xai(house: House, case: Case) -> Answer:
    if case.image is None:
        return post(house, "xai/v1/images/generations", {"prompt": case.prompt, "model": "m"})
    body: dict = {
        "prompt": case.prompt,
        "image": {"url": data_url(case.image), "type": "image_url"},
    }
    if case.mask is not None:
        body["mask"] = {"url": data_url(case.mask), "type": "image_url"}
    return post(house, "xai/v1/images/edits", body)


def automatic1111(house: House, case: Case) -> Answer:
    body: dict = {"prompt": case.prompt, "negative_prompt": "blurry", "steps": 20}
    if case.image is None:
        return post(house, "automatic1111/sdapi/v1/txt2img", body)
    body |= {"init_images": [data_url(case.image)]}
    if case.mask is not None:
        body["mask"] = data_url(case.mask)
    return post(house, "automatic1111/sdapi/v1/img2img", body)


def comfyui(house: House, case: Case) -> Answer:
    house.painter.files |= {"a.png": case.image or b"", "mask.png": case.mask or b""}
    graph: dict = {
        "1": {"class_type": "CLIPTextEncode", "inputs": {"text": case.prompt, "clip": ["9", 1]}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["9", 1]}},
        "3": {"class_type": "KSampler", "inputs": {"positive": ["1", 0], "negative": ["2", 0], "cfg": 7.0}},
        "9": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
    }  # fmt: skip
    if case.image is not None:
        graph["4"] = {"class_type": "LoadImage", "inputs": {"image": "a.png"}}
    if case.mask is not None:
        graph["5"] = {
            "class_type": "LoadImageMask",
            "inputs": {"image": "mask.png", "channel": "red"},
        }
    return post(house, "comfyui/prompt", {"prompt": graph, "client_id": "me"})


def trailing_receipt(call: Callable[[], grpc.Call]) -> str | None:
    try:
        ended = call()
    except grpc.RpcError as refusal:
        ended = refusal
    return dict(ended.trailing_metadata()).get("consentry-receipt")


def prepared(house: House, case: Case) -> batch_pb2.BatchRequest:
    pictures = [data_url(each) for each in case.pictures]
    given = {"image_url": pictures[0]} if len(pictures) == 1 else {"image_urls": pictures}
    return house.grpc.image.prepare(
        case.prompt, "grok-imagine-image", **(given if pictures else {})
    )


def grpc_image(house: House, case: Case) -> Answer:
    request = prepared(house, case).image_request
    generate = house.grpc.image._stub.GenerateImage
    return house.verdict_of(trailing_receipt(lambda: generate.with_call(request)[1]))


def grpc_conversation(house: House, case: Case) -> chat_pb2.GetCompletionsRequest:
    pictures = [chats.image(data_url(each)) for each in case.pictures]
    turns = [chats.user(case.prompt, *pictures)]
    return house.grpc.chat.create("grok-4", messages=turns, tools=[image_generation()]).proto


def grpc_chat(house: House, case: Case) -> Answer:
    request = grpc_conversation(house, case)
    complete = house.grpc.chat._stub.GetCompletion
    return house.verdict_of(trailing_receipt(lambda: complete.with_call(request)[1]))


def grpc_stream(house: House, case: Case) -> Answer:
    def call() -> grpc.Call:
        answer = house.grpc.chat._stub.GetCompletionChunk(grpc_conversation(house, case))
        list(answer)
        return answer

    return house.verdict_of(trailing_receipt(call))


def grpc_batch(house: House, case: Case) -> Answer:
    requests = [prepared(house, case)]
    request = batch_pb2.AddBatchRequestsRequest(batch_id="b_1", batch_requests=requests)
    add = house.grpc.batch._stub.AddBatchRequests
    return house.verdict_of(trailing_receipt(lambda: add.with_call(request)[1]))


DOORS: dict[str, Callable[[House, Case], Answer]] = {
    "REST `/v1/checks`": rest,
    "REST `/v1/checks/batch`": batch,
    "Python client": python_client,
    "command line": command_line,
    "OpenAI `images`, form": images_form,
    "OpenAI `images`, JSON": images_json,
    "OpenAI `images`, `file_id`": stored_file,
    "OpenAI `images`, stream": stream,
    "OpenAI `responses`": responses,
    "OpenAI `chat/completions`": chat,
    "OpenAI `batches`": openai_batch,
    "xAI `images`": xai,
    "xAI gRPC `image`": grpc_image,
    "xAI gRPC `chat`": grpc_chat,
    "xAI gRPC `chat`, stream": grpc_stream,
    "xAI gRPC `batch`": grpc_batch,
    "Automatic1111": automatic1111,
    "ComfyUI": comfyui,
    "ASGI middleware": middleware,
}


def view(house: House, _: Case) -> Answer:
    answer = httpx.get(f"{house.gateway}/comfyui/view?filename=result.png&type=output", timeout=60)
    return house.verdict_of(answer.headers.get("consentry-receipt"))


def batch_results(house: House, _: Case) -> Answer:
    client = openai_client(f"{house.gateway}/openai/v1").files.with_raw_response
    return house.verdict_of(receipt_of(lambda: client.content("file-results")))


def grpc_batch_results(house: House, _: Case) -> Answer:
    results = house.grpc.batch._stub.ListBatchResults
    request = batch_pb2.ListBatchResultsRequest(batch_id="b_1")
    return house.verdict_of(trailing_receipt(lambda: results.with_call(request)[1]))


def rest_output(house: House, case: Case) -> Answer:
    client = house.site.client(authorization=f"Bearer {house.key}")
    files = [("images", ("x", case.image))]
    basis = client.post("/v1/checks", files=files, data={"prompt": case.prompt}).json()
    named = {"check_id": basis["check_id"], "salts": json.dumps(basis["salts"])}
    files.append(("results", ("x", house.painter.result)))
    answer = client.post("/v1/outputs", files=files, data={"prompt": case.prompt} | named)
    return of_json(answer.json())


def rest_both(house: House, case: Case) -> Answer:
    client = house.site.client(authorization=f"Bearer {house.key}")
    results = [base64.b64encode(house.painter.result).decode()]
    body = {**question(case).to_json(), "results": results}
    return of_json(client.post("/v1/outputs", json=body).json())


def python_client_output(house: House, case: Case) -> Answer:
    transport = api.InProcess(house.site.app, house.site.portal)
    with ConsentryClient(api.ORIGIN, house.key, platform="studio", transport=transport) as client:
        allowed = client.check(question(case))
        answer = client.check_output((house.painter.result,), question(case), allowed=allowed)
    return answer.verdict.value, tuple(answer.reasons)


def command_line_output(house: House, case: Case) -> Answer:
    terminal = Terminal(house.home, house.site.services, house.folder, house.capsys)
    result, source = house.folder / "result.png", house.folder / "source.png"
    result.write_bytes(house.painter.result)
    source.write_bytes(case.image)
    asked = ("--from", str(source), "--prompt", case.prompt)
    return of_json(terminal.run("check-output", str(result), *asked, "--json").document)


BEFORE_GENERATING = (
    rest,
    batch,
    python_client,
    command_line,
    openai_batch,
    comfyui,
    grpc_batch,
)
OUTWARDS = {name: door for name, door in DOORS.items() if door not in BEFORE_GENERATING} | {
    "OpenAI `batches`, results": batch_results,
    "xAI gRPC `batch`, results": grpc_batch_results,
    "ComfyUI, `view`": view,
    "REST `/v1/outputs`, beside its check": rest_output,
    "REST `/v1/outputs`, with its request": rest_both,
    "Python client, `check_output`": python_client_output,
    "command line, `check-output`": command_line_output,
}
BARE = (250, 200, 180)
RESULTS = {
    "harmless": Case("nobody new, nothing more exposed", EVERYDAY, ("allow", ()), LANDSCAPE),
    "newcomer": Case(
        "an enrolled face that did not go in",
        EVERYDAY,
        ("needs_consent", ("consent_required",)),
        picture(ADA),
    ),
    "exposed": Case(
        "more exposed than what went in",
        EVERYDAY,
        ("refuse", ("revealing_real_person",)),
        picture(BARE),
    ),
    "no picture": Case(
        "something that is no picture", EVERYDAY, ("refuse", ("unreadable",)), b"no picture" * 9
    ),
}


@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("door", OUTWARDS)
def test_every_door_looks_at_results_alike(house, capsys, tmp_path, door, result):
    house.capsys, house.folder = capsys, tmp_path
    case = RESULTS[result]
    house.painter.result, house.receipt = case.image, -1
    try:
        answer = OUTWARDS[door](house, CASES["allowed"])
    finally:
        house.painter.result, house.receipt = LANDSCAPE, 0
    house.found[door, result] = answer

    assert answer == case.due


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("door", DOORS)
def test_every_door_gives_the_same_verdict(house, capsys, tmp_path, door, case):
    house.capsys, house.folder = capsys, tmp_path
    house.painter.asked.clear()
    house.grpc_painter.asked.clear()

    answer = DOORS[door](house, CASES[case])
    house.found[door, case] = answer

    assert answer == CASES[case].due
    reached = [each for each in house.painter.asked if each.method == "POST"]
    reached += house.grpc_painter.asked
    is_gateway = DOORS[door] not in {rest, batch, python_client, command_line}
    assert bool(reached) == (is_gateway and answer[0] == "allow")


def test_the_table_in_the_documentation_is_what_was_found(house, request):
    if len(house.found) != len(DOORS) * len(CASES) + len(OUTWARDS) * len(RESULTS):
        pytest.skip("only part of the matrix was run")
    table = render(house.found)
    if os.environ.get("CONSENTRY_TEST_WRITE"):
        TABLE.write_text(table, encoding="utf-8")

    assert TABLE.read_text(encoding="utf-8") == table, (
        "docs/doors.md is not current. Write it anew: CONSENTRY_TEST_WRITE=1 pytest tests/e2e/test_doors.py"
    )


def render(found: dict[tuple[str, str], Answer]) -> str:
    return f"""# Every door, the same verdict

Written by `tests/e2e/test_doors.py`, which sends the same questions through every door and fails when one answers
otherwise, lets something through that it should not, or when this page is not current. At a gateway's door the verdict is
that of its signed receipt; and the generator behind it was reached exactly where it says *allow*.

## What is asked

{matrix(found, DOORS, CASES)}

At the command line words alone come with a picture of an empty landscape.

## What comes back

An everyday edit of a stranger, which was allowed, and what the generator made of it.

{matrix(found, OUTWARDS, RESULTS)}

## Closed altogether

xAI's REST batches; video everywhere; ComfyUI's web socket; and every route that is not named
([gateway-apis.md](gateway-apis.md)).
"""


def matrix(found: dict[tuple[str, str], Answer], doors, cases: dict[str, Case]) -> str:
    def cell(verdict: str, reasons: tuple[str, ...]) -> str:
        return " ".join([verdict, *(f"`{each}`" for each in reasons)])

    lines = [["door", *(case.title for case in cases.values())], ["---"] * (len(cases) + 1)]
    lines += [[door, *(cell(*found[door, case]) for case in cases)] for door in doors]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
