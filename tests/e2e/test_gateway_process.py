"""The gateway as an operator runs it: its own process, the real models, the real client, SIGTERM."""

from __future__ import annotations

import base64
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import httpx
import openai
import pytest
import xai_sdk
from fakes.gateway_site import KEY, blocked
from fakes.generator import LANDSCAPE, Generator, Told, made, serving
from fakes.grpc_site import GrpcGenerator, grpc_serving
from PIL import Image
from skimage import data
from xai_sdk.proto import image_pb2

COMMAND = Path(sys.executable).with_name("consentry")
MODEL = "gpt-image-1.5"
PASSPHRASE = "correct horse battery staple"
START_TIMEOUT_S = 90

pytestmark = [pytest.mark.e2e]


@dataclass
class Running:
    """A `consentry gateway serve` in front of two generators of ours, one of which speaks gRPC."""

    process: subprocess.Popen[str]
    generator: Generator
    painter: GrpcGenerator
    lines: list[str] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line)
            if line.startswith("consentry-gateway-ready"):
                self.ready.set()
        self.ready.set()

    @property
    def text(self) -> str:
        return "".join(self.lines)

    @property
    def address(self) -> str:
        return re.search(r"consentry-gateway-ready (\S+)", self.text)[1]


def data_url(encoded: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(encoded).decode()


def astronaut(*, turned: int = 0, side: int = 512) -> bytes:
    image = Image.fromarray(data.astronaut()).resize((side, side)).rotate(turned)
    encoded = io.BytesIO()
    image.save(encoded, "PNG")
    return encoded.getvalue()


def landscape() -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(data.coffee()).resize((300, 200)).save(encoded, "PNG")
    return encoded.getvalue()


def animation() -> bytes:
    """A GIF in whose third frame she is."""
    frames = [Image.new("RGB", (512, 512), (90, 120 + i, 90)) for i in range(2)]
    frames.append(Image.fromarray(data.astronaut()))
    encoded = io.BytesIO()
    frames[0].save(encoded, "GIF", save_all=True, append_images=frames[1:], duration=80)
    return encoded.getvalue()


@pytest.fixture(scope="module")
def running(models_dir: Path) -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="consentry-") as folder:
        photo = Path(folder) / "photo.png"
        photo.write_bytes(astronaut())
        environment = {
            **{name: value for name, value in os.environ.items() if "CONSENTRY_" not in name},
            "CONSENTRY_HOME": f"{folder}/home",
            "CONSENTRY_MODELS_DIR": str(models_dir),
            "CONSENTRY_PASSPHRASE": PASSPHRASE,
            "CONSENTRY_LOG_LEVEL": "info",
            "PYTHONUNBUFFERED": "1",
        }
        subprocess.run(
            [COMMAND, "enrol", photo, "--subject", "Eileen"],
            env=environment,
            check=True,
            capture_output=True,
            timeout=START_TIMEOUT_S,
        )
        generator = Generator()
        painter = GrpcGenerator()
        with serving(generator) as behind, grpc_serving(painter) as behind_grpc:
            ports = ["--port", "0", "--grpc-port", "0"]
            generators = ["--openai", f"{behind}/v1", "--xai-grpc", behind_grpc]
            process = subprocess.Popen(
                [COMMAND, "gateway", "serve", *generators, *ports],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            running = Running(process, generator, painter)
            reader = threading.Thread(target=running.read)
            reader.start()
            try:
                running.ready.wait(START_TIMEOUT_S)
                assert "consentry-gateway-ready" in running.text, running.text
                yield running
            finally:
                process.kill()
                process.wait()
                reader.join()
                process.stdout.close()


@pytest.fixture
def client(running: Running) -> Iterator[openai.OpenAI]:
    running.generator.__init__()
    base = f"{running.address}/openai/v1"
    with openai.OpenAI(base_url=base, api_key=KEY, max_retries=0, timeout=120) as client:
        yield client


def test_an_edit_of_a_landscape_passes(running, client):
    running.generator.tell("/images/edits", Told(made(landscape())))

    client.images.edit(model=MODEL, image=landscape(), prompt="make it a watercolour")

    assert landscape() in running.generator.asked[0].body


@pytest.mark.parametrize(
    "shown",
    [astronaut(), astronaut(turned=90), astronaut(side=220), animation()],
    ids=["as-she-is", "turned-by-90-degrees", "small", "third-frame-of-a-gif"],
)
def test_her_face_is_found_by_the_real_models(running, client, shown):
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(
            model=MODEL, image=[landscape(), shown], prompt="make the sky a little bluer"
        )

    assert blocked(caught, "likeness")
    assert running.generator.asked == []


def test_what_the_generator_made_of_words_is_withheld_when_it_is_she(running, client):
    running.generator.tell("/images/generations", Told(made(astronaut(side=300))))

    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model=MODEL, prompt="a portrait of an explorer in a suit")

    assert blocked(caught, "likeness", stage="output")


def test_a_revealing_edit_is_refused(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(model=MODEL, image=astronaut(), prompt="put her in a bikini")

    assert blocked(caught, "sexual")


def test_the_client_of_xai_passes_the_same_gate(running):
    api_host = re.search(r"api_host for xai-sdk +(\S+)", running.text)[1]
    made_of = image_pb2.GeneratedImage(base64=data_url(landscape()))
    running.painter.tell("Image/GenerateImage", image_pb2.ImageResponse(images=[made_of]))
    with xai_sdk.Client(KEY, api_host=api_host, timeout=120) as client:
        answer = client.image.sample("make it a watercolour", "m", image_url=data_url(landscape()))
        assert answer.image == landscape()

        with pytest.raises(grpc.RpcError) as caught:
            client.image.sample("make the sky bluer", "m", image_url=data_url(astronaut()))

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "the likeness of somebody" in caught.value.details()
    assert len(running.painter.asked) == 1


def test_it_says_that_it_is_ready_and_logs_nothing_of_what_was_asked(running):
    assert httpx.get(f"{running.address}/readyz", timeout=60).json() == {"status": "ready"}
    assert "openai images/edits 400" in running.text
    for secret in ("bikini", "watercolour", KEY, PASSPHRASE, "Eileen", "sub_", "chk_"):
        assert secret not in running.text


def test_sigterm_lets_the_last_request_finish(running, client):
    running.generator.tell("/images/generations", Told(made(LANDSCAPE), pause_s=1.5))
    answers = []

    def ask():
        answers.append(client.images.generate(model=MODEL, prompt="a mountain"))

    asking = threading.Thread(target=ask)
    asking.start()
    while not running.generator.asked:
        asking.join(0.05)
    running.process.send_signal(signal.SIGTERM)
    asking.join(60)

    assert len(answers) == 1
    assert running.process.wait(60) == 0
    assert running.text.endswith("Stopped.\n")
