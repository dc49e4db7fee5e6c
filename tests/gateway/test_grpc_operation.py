"""The gRPC door in operation: a generator that fails, limits, TLS, the end, and what is counted."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import io
import ipaddress
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import httpx
import pytest
import xai_sdk
from consentry.api.runtime import Shared
from consentry.connectors.grpc_upstream import GrpcUpstream
from consentry.kernel.errors import BadRequest
from consentry.settings import load_settings
from consentry.wiring import Home
from consentry.wiring_gateway import gateway_app
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fakes.coloured_faces import picture
from fakes.gateway_site import ADA, EVE, EVERYDAY
from fakes.grpc_site import KEY, GrpcSite, grpc_site
from fakes.home import TestHome
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from xai_sdk.proto import image_pb2, models_pb2

IMAGE = "Image/GenerateImage"
MODEL = "grok-imagine-image"
LANDSCAPE = picture()


def data_url(encoded: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(encoded).decode()


def made(encoded: bytes) -> image_pb2.ImageResponse:
    return image_pb2.ImageResponse(images=[image_pb2.GeneratedImage(base64=data_url(encoded))])


def heavy() -> bytes:
    """A picture of some 600 KB: most of it is a comment."""
    comment = PngInfo()
    comment.add_text("comment", base64.b64encode(os.urandom(450_000)).decode())
    encoded = io.BytesIO()
    Image.open(io.BytesIO(picture(EVE))).save(encoded, "PNG", pnginfo=comment)
    return encoded.getvalue()


def asking(site: GrpcSite) -> xai_sdk.Client:
    options = [("grpc.enable_retries", 0), ("grpc.max_send_message_length", -1)]
    return xai_sdk.Client(KEY, api_host=site.api_host, timeout=60, channel_options=options)


def refused(code: grpc.StatusCode, words: str = ""):
    return pytest.raises(grpc.RpcError, check=lambda e: e.code() is code and words in e.details())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHome]:
    home = TestHome(tmp_path_factory.mktemp("grpc") / "home").create()
    home.enrol(ADA)
    yield home
    home.close()


def test_a_generator_that_is_not_there_is_told_without_saying_where_it_would_be(home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"127.0.0.1:{taken.getsockname()[1]}"
    with (
        grpc_site(home, address=f"http://{nobody}") as site,
        asking(site) as client,
        refused(grpc.StatusCode.UNAVAILABLE, "could not be reached") as caught,
    ):
        client.image.sample(EVERYDAY, MODEL)

    assert "127.0.0.1" not in caught.value.details()


def test_a_generator_that_stays_silent_is_given_up_and_its_call_ended(home):
    with grpc_site(home, answer_timeout_s=0.3) as site, asking(site) as client:
        site.generator.tell(IMAGE, made(LANDSCAPE), released=threading.Event())

        with refused(grpc.StatusCode.DEADLINE_EXCEEDED, "did not answer in time"):
            client.image.sample(EVERYDAY, MODEL)

        assert site.generator.gone.wait(20)


def test_a_message_that_is_too_large_is_not_read_and_an_answer_not_delivered(home):
    with (
        grpc_site(home, max_bytes=50_000, max_answer_bytes=60_000) as site,
        asking(site) as client,
    ):
        with refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "larger than max"):
            client.image.sample("x" * 60_000, MODEL)
        site.generator.tell(IMAGE, b"\x12" + b"\xa0\x8d\x06" + b"x" * 100_000)
        with refused(grpc.StatusCode.INTERNAL, "too large"):
            client.image.sample(EVERYDAY, MODEL)
        site.generator.tell(IMAGE, made(LANDSCAPE))
        client.image.sample(EVERYDAY, MODEL, image_url=data_url(picture(EVE)))

        assert site.app.memory.used == 0


@pytest.mark.parametrize("messages", [0, 2])
def test_one_message_is_one_message(home, messages):
    with grpc_site(home) as site, grpc.insecure_channel(site.api_host) as channel:
        call = channel.stream_unary(f"/xai_api.{IMAGE}")

        with refused(grpc.StatusCode.INVALID_ARGUMENT, "takes one message"):
            call(iter([b""] * messages), metadata=(("authorization", "x"),))


def test_a_request_that_comes_too_slowly_is_given_up(home):
    with grpc_site(home, timeout_s=0.3) as site, grpc.insecure_channel(site.api_host) as channel:
        never = threading.Event()

        def slowly():
            never.wait(30)
            yield b""

        with refused(grpc.StatusCode.DEADLINE_EXCEEDED, "too slowly"):
            channel.stream_unary(f"/xai_api.{IMAGE}")(slowly(), metadata=(("authorization", "x"),))
        never.set()

        assert site.app.memory.used == 0


def test_many_large_calls_wait_for_room_and_all_are_answered(home):
    room = 4 * 1_000_000
    with grpc_site(home, max_bytes=1_000_000, memory_bytes=2 * room, patience_s=60.0) as site:
        site.generator.tell(IMAGE, made(LANDSCAPE))
        large = data_url(heavy())
        most = 0

        def ask(number: int) -> None:
            nonlocal most
            with asking(site) as client:
                client.image.sample(f"{EVERYDAY} {number}", MODEL, image_url=large)
            most = max(most, site.app.memory.used)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(ask, range(16)))

        assert len(site.generator.asked) == 16
        assert most <= 2 * room
        assert site.app.memory.used == 0


def test_when_it_stops_the_last_call_is_answered_and_no_new_one(home):
    with grpc_site(home, drain_s=30.0) as site, asking(site) as client:
        released = threading.Event()
        site.generator.tell(IMAGE, made(LANDSCAPE), released=released)
        last = client.image._stub.GenerateImage.future(
            image_pb2.GenerateImageRequest(prompt=EVERYDAY)
        )
        while not site.generator.asked:
            threading.Event().wait(0.01)

        site.server.should_exit = True
        while not site.app.is_closing:
            threading.Event().wait(0.01)
        with asking(site) as late, refused(grpc.StatusCode.UNAVAILABLE):
            while True:
                # Until the port is closed it may be that there is nobody yet to turn it away.
                late.models._stub.ListLanguageModels(models_pb2.GetModelRequest(), timeout=5)
        released.set()

        assert last.result(60).images[0].base64 == data_url(LANDSCAPE)


def test_calls_are_counted_and_logged_without_what_was_asked(home, caplog):
    caplog.set_level(logging.INFO, "consentry.gateway")
    with grpc_site(home) as site, asking(site) as client:
        site.generator.tell(IMAGE, made(LANDSCAPE))
        client.image.sample("a very secret wish", MODEL, image_url=data_url(picture(EVE)))
        with refused(grpc.StatusCode.INVALID_ARGUMENT):
            client.image.sample("a very secret wish", MODEL, image_url=data_url(picture(ADA)))
        figures = httpx.get(f"{site.address}/metrics", timeout=30).text

    assert (
        'dialect="xai-grpc",refusal="none",route="xai_api.Image/GenerateImage",status="0"'
        in figures
    )
    assert 'refusal="blocked",route="xai_api.Image/GenerateImage",status="3"' in figures
    assert "xai-grpc xai_api.Image/GenerateImage 3 " in caplog.text
    for secret in ("secret", KEY, "data:"):
        assert secret not in caplog.text + figures


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return chain, private


CLIENT = """
import sys, xai_sdk
with xai_sdk.Client(api_key="k", api_host=sys.argv[1], timeout=60) as client:
    print(len(client.image.sample("make the sky blue", "m", image_format="base64").image))
"""


def test_an_unmodified_client_speaks_tls_to_a_door_with_a_certificate(home, tmp_path):
    chain, key = certificate(tmp_path)
    with grpc_site(home, certificate=chain, key=key) as site:
        site.generator.tell(IMAGE, made(LANDSCAPE))
        # The library reads this variable once in a process.
        environment = os.environ | {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(chain)}
        command = [sys.executable, "-c", CLIENT, f"127.0.0.1:{site.door.port}"]

        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

        assert (ended.stdout, ended.returncode) == (f"{len(LANDSCAPE)}\n", 0), ended.stderr
        with (
            grpc.insecure_channel(f"127.0.0.1:{site.door.port}") as channel,
            refused(grpc.StatusCode.UNAVAILABLE),
        ):
            channel.unary_unary(f"/xai_api.{IMAGE}")(b"", timeout=10)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ftp://x",
        "https://",
        "api.x.ai:port",
        "http://127.0.0.1",
        "https://me@api.x.ai",
        "https://api.x.ai/v1",
    ],
)
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(BadRequest):
        GrpcUpstream(address, streams=(), answer_timeout_s=1, max_answer_bytes=1)


def built(home: TestHome, **settings):
    read = load_settings(home=home.path, **settings)
    return gateway_app(Home(read, home.services(), home.database, Shared.make(worker_threads=2)))


def test_the_command_s_settings_make_a_door_that_listens(home):
    async def live() -> int:
        app = built(home, gateway_xai_grpc="api.x.ai:443", gateway_grpc_port=0)
        port = await app.beside.start()
        assert await app.beside.start() == port
        await app.stop()
        return port

    assert asyncio.run(live()) > 0


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"gateway_grpc_certificate": "/chain.pem"}, "a certificate and its key"),
        ({"gateway_grpc_max_message_bytes": 1 << 30}, "does not hold one message"),
        ({"gateway_xai_grpc": "api.x.ai/v1"}, "a host and a port"),
    ],
)
def test_settings_that_do_not_fit_are_told(home, settings, why):
    with pytest.raises(BadRequest, match=why):
        built(home, **({"gateway_xai_grpc": "api.x.ai"} | settings))


@pytest.mark.parametrize("wrong", ["missing", "no certificate", "taken"])
def test_a_door_that_cannot_listen_says_why(home, tmp_path, wrong):
    async def live() -> None:
        chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
        if wrong != "missing":
            chain.write_text("none")
            key.write_text("none")
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            tls = {"gateway_grpc_certificate": chain, "gateway_grpc_key": key}
            given = (
                {"gateway_grpc_port": port} if wrong == "taken" else {"gateway_grpc_port": 0} | tls
            )
            app = built(home, gateway_xai_grpc="api.x.ai", **given)
            try:
                await app.beside.start()
            finally:
                await app.stop()

    with pytest.raises(
        BadRequest, match="cannot be read" if wrong == "missing" else "Cannot listen"
    ):
        asyncio.run(live())


def test_without_the_library_it_is_said_how_to_get_it(home, monkeypatch):
    monkeypatch.setitem(sys.modules, "consentry.connectors.grpc_upstream", None)

    with pytest.raises(BadRequest, match=r"pip install 'consentry\[grpc\]'"):
        built(home, gateway_xai_grpc="api.x.ai")
