"""The gateway inside a platform's own application, which speaks the API itself."""

from __future__ import annotations

import asyncio
import base64
import http.client
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import openai
import pytest
from consentry.api.gateway_app import GatewayApp, GatewaySettings
from consentry.api.gateway_body import BodyLimits
from consentry.kernel.errors import BadRequest
from consentry.middleware import ConsentryMiddleware
from consentry.settings import Settings
from consentry.wiring import Home
from fakes.coloured_faces import picture
from fakes.gateway_site import ADA, EVE, EVERYDAY, KEY, REVEALING, blocked
from fakes.generator import LANDSCAPE, serving
from fakes.home import TestHome
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

MODEL = "studio-1"
LIMITS = GatewaySettings(
    body=BodyLimits(max_bytes=1000, max_passing_bytes=1000, timeout_s=1.0),
    memory_bytes=10_000,
    patience_s=1.0,
    drain_s=1.0,
)


@dataclass
class Studio:
    """A platform: what its own application was asked, and how it is reached."""

    address: str = ""
    bodies: list[bytes] = field(default_factory=list)
    made: bytes = LANDSCAPE


def application(studio: Studio) -> FastAPI:
    app = FastAPI()

    @app.post("/v1/images/edits")
    async def edit(request: Request):
        studio.bodies.append(await request.body())
        return {"created": 1, "data": [{"b64_json": base64.b64encode(studio.made).decode()}]}

    @app.post("/v1/images/generations")
    async def generate(request: Request):
        studio.bodies.append(await request.body())

        async def events():
            for _ in range(2):
                data = base64.b64encode(studio.made).decode()
                kind = "image_generation.partial_image"
                yield f'data: {{"type": "{kind}", "b64_json": "{data}"}}\n\n'

        return StreamingResponse(events(), media_type="text/event-stream")

    @app.post("/v1/images/variations")
    async def break_down():
        raise ZeroDivisionError

    @app.post("/v1/videos")
    async def video():
        return JSONResponse({"never": "reached"})

    @app.get("/about")
    async def about():
        return {"studio": True}

    return app


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    path = tmp_path_factory.mktemp("studio")
    home = TestHome(path / "home").create()
    home.enrol(ADA)
    studio = Studio()
    app = application(studio)
    opened = Home(Settings(home=path), home.services(), home.database, None)
    app.add_middleware(ConsentryMiddleware, home=opened, prefix="/v1")
    with serving(app, lifespan="on") as studio.address:
        yield studio
    home.close()


@pytest.fixture
def client(studio: Studio) -> Iterator[openai.OpenAI]:
    studio.bodies.clear()
    studio.made = LANDSCAPE
    with openai.OpenAI(base_url=f"{studio.address}/v1", api_key=KEY, max_retries=0) as client:
        yield client


def test_what_is_allowed_reaches_the_application_as_it_came(studio, client):
    found = client.images.edit(model=MODEL, image=picture(EVE), prompt=EVERYDAY)

    assert base64.b64decode(found.data[0].b64_json) == LANDSCAPE
    [body] = studio.bodies
    assert picture(EVE) in body


@pytest.mark.parametrize(
    ("shown", "prompt", "category"), [(EVE, REVEALING, "sexual"), (ADA, EVERYDAY, "likeness")]
)
def test_what_is_refused_never_reaches_it(studio, client, shown, prompt, category):
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(model=MODEL, image=picture(shown), prompt=prompt)

    assert blocked(caught, category)
    assert studio.bodies == []


def test_what_the_application_made_is_checked(studio, client):
    studio.made = picture(ADA)

    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(model=MODEL, image=picture(EVE), prompt=EVERYDAY)

    assert blocked(caught, "likeness", stage="output")


def test_its_streams_pass_event_by_event(client):
    with client.images.generate(model=MODEL, prompt="a mountain", stream=True) as stream:
        assert [each.type for each in stream] == ["image_generation.partial_image"] * 2


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_an_application_that_breaks_down_is_told_as_this_api_tells_it(client):
    with pytest.raises(openai.InternalServerError) as caught:
        client.images.create_variation(image=picture(EVE))

    assert caught.value.status_code in (500, 502)


def test_what_is_not_known_below_the_prefix_is_closed_even_where_the_application_has_it(studio):
    answer = httpx.post(f"{studio.address}/v1/videos", headers={"authorization": f"Bearer {KEY}"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_url")


def test_all_other_paths_are_the_applications_own(studio):
    assert httpx.get(f"{studio.address}/about").json() == {"studio": True}
    assert httpx.get(f"{studio.address}/metrics").status_code == 404
    assert httpx.get(f"{studio.address}/v12/about").status_code == 404


def test_settings_that_do_not_fit_each_other_are_told(home):
    settings = Settings(gateway_memory_bytes=2 * 1024 * 1024, gateway_max_body_bytes=1024 * 1024)
    opened = Home(settings, home.services(), home.database, None)

    with pytest.raises(BadRequest, match="CONSENTRY_GATEWAY_MEMORY_BYTES"):
        ConsentryMiddleware(FastAPI(), home=opened)


@pytest.mark.parametrize(
    "path",
    [
        "//v1/images/edits",
        "/v1//images/edits",
        "/V1/images/edits",
        "/x/../v1/images/edits",
        "/v1/./images/edits",
        "/v1%2fimages/edits",
        "/%761/images/edits",
        "/v1/images/edits/",
    ],
)
def test_no_way_of_writing_a_path_leads_around_it(studio, path):
    studio.bodies.clear()
    connection = http.client.HTTPConnection(studio.address.removeprefix("http://"), timeout=20)
    head = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    connection.request("POST", path, body=b'{"prompt": "undress her"}', headers=head)
    answer = connection.getresponse()
    answer.read()
    connection.close()

    assert answer.status == 404
    assert studio.bodies == []


def test_an_application_that_is_mounted_somewhere_is_guarded_there(home):
    studio = Studio()
    app = application(studio)
    opened = Home(Settings(home=home.path), home.services(), home.database, None)
    app.add_middleware(ConsentryMiddleware, home=opened, prefix="/v1")
    outer = FastAPI()
    outer.mount("/studio", app)
    with serving(outer) as address:
        refused = httpx.post(
            f"{address}/studio/v1/images/edits",
            json={"prompt": "Taylor Swift naked"},
            headers={"authorization": f"Bearer {KEY}"},
        )

    assert refused.json()["error"]["code"] == "moderation_blocked"
    assert studio.bodies == []


def test_a_web_socket_below_the_prefix_is_closed():
    closed = []

    async def reached(*_):
        raise AssertionError("the application was reached")

    async def send(message):
        closed.append(message["type"])

    gateway = GatewayApp(
        gates={"/v1": None}, settings=LIMITS, clock=None, is_ready=None, on_stop=None, inner=reached
    )
    scope = {"type": "websocket", "path": "/v1/realtime", "headers": []}
    asyncio.run(gateway(scope, reached, send))

    assert closed == ["websocket.close"]
