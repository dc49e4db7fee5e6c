"""What the gateway adds to a generator's own time, and its memory under many large requests at once.

    python benchmarks/bench_gateway.py [--rounds 200] [--parallel 64]

A generator of our own, the gateway and the asker have a process each, over loopback. Each request is
made directly and through the gateway in turn, over HTTP and over gRPC; what the checks took, as the
gateway itself counts it, is taken off. Then `--parallel` edits of 20 MB each are sent at once.
Reads /proc, so it runs on Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import uvicorn
from bench_detect import resized, sample
from bench_memory import rss_mib
from consentry.api.gateway_grpc import GrpcDoor
from consentry.cli.heap import share_heaps
from consentry.cli.serve import listen_on, server_of
from consentry.settings import load_settings
from consentry.wiring import open_home
from consentry.wiring_gateway import gateway_app
from PIL import Image
from stage import PROMPT, jpeg
from xai_sdk.proto import image_pb2

TARGET_MS = 5.0
_WARM_UP = 10
_LARGE_SIDE_PX = 2570  # of noise, as a PNG: 19.8 MB
_SERVICE, _METHOD = "xai_api.Image", "GenerateImage"
_UNBOUNDED = (("grpc.max_receive_message_length", -1),)
_HEADERS = {"authorization": "Bearer of-the-caller"}


def answer_forever(line: Connection) -> None:
    """Be a generator: read the whole request, and answer with one small picture."""
    picture = base64.b64encode(jpeg(resized(sample("coffee"), 256, 256))).decode()
    body = json.dumps({"created": 1, "data": [{"b64_json": picture}]}).encode()
    message = image_pb2.ImageResponse(
        images=[image_pb2.GeneratedImage(base64=f"data:image/jpeg;base64,{picture}")]
    ).SerializeToString()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]

    async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401 -- ASGI
        del scope
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    handler = grpc.unary_unary_rpc_method_handler(lambda _request, _context: message)
    grpc_server = grpc.server(
        ThreadPoolExecutor(2),
        handlers=(grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: handler}),),
        options=_UNBOUNDED,
    )
    grpc_port = grpc_server.add_insecure_port("127.0.0.1:0")
    grpc_server.start()
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")
    run(uvicorn.Server(config), line, lambda: grpc_port)
    grpc_server.stop(None)


def guard_forever(folder: str, generator: str, grpc_generator: str, line: Connection) -> None:
    """Be the gateway in front of it, as `consentry gateway serve` runs it, with nobody enrolled."""
    share_heaps()
    settings = load_settings(
        home=Path(folder),
        gateway_openai=f"{generator}/v1",
        gateway_xai_grpc=f"http://{grpc_generator}",
        gateway_grpc_port=0,
        gateway_patience_s=600.0,
    )
    with open_home(settings) as home:
        home.warm_up()
        app = gateway_app(home)
        server = server_of(app, log_level="error", grace_s=round(settings.gateway_drain_s))
        run(server, line, lambda: app.beside.port if isinstance(app.beside, GrpcDoor) else 0)


def run(server: uvicorn.Server, line: Connection, grpc_port: Callable[[], int]) -> None:
    """Serve until the other side closes the line, to which both ports are told."""
    with listen_on("127.0.0.1", 0) as listener:
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True
        )
        thread.start()
        while not server.started:
            time.sleep(0.01)
        line.send((listener.getsockname()[1], grpc_port()))
        try:
            line.recv()
        except EOFError:
            server.should_exit = True
            thread.join(10)


@contextmanager
def process(target: Callable[..., None], *arguments: str) -> Iterator[tuple[str, str, int]]:
    """Run a server in a process of its own; yields its addresses and the process."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=target, args=(*arguments, there), daemon=True)
    child.start()
    there.close()
    port, grpc_port = here.recv()
    yield f"http://127.0.0.1:{port}", f"127.0.0.1:{grpc_port}", child.pid or 0
    here.close()
    child.join(30)


def main() -> None:
    """Print the medians and what lies between them; then the memory."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--parallel", type=int, default=64)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="consentry-bench-"))
        generator, grpc_generator, _ = stack.enter_context(process(answer_forever))
        gateway, grpc_gateway, child = stack.enter_context(
            process(guard_forever, folder, generator, grpc_generator)
        )
        client = stack.enter_context(
            httpx.Client(headers=_HEADERS, timeout=3600, trust_env=False, limits=_no_limits())
        )
        over = over_http(client, generator, gateway), over_grpc(grpc_generator, grpc_gateway)
        for ask in chain.from_iterable(over):
            added(client, gateway, ask, arguments.rounds)
        under_load(client, gateway, child, arguments.parallel)


def _no_limits() -> httpx.Limits:
    return httpx.Limits(max_connections=None, max_keepalive_connections=None)


@dataclass(frozen=True)
class Ask:
    """One request, to the generator itself and through the gateway."""

    title: str
    directly: Callable[[], object]
    through: Callable[[], object]


def over_http(client: httpx.Client, generator: str, gateway: str) -> Iterator[Ask]:
    """Ask in the dialect of OpenAI."""
    photo = _photo()

    def words(base: str) -> None:
        client.post(f"{base}/images/generations", json={"prompt": PROMPT}).raise_for_status()

    def edit(base: str) -> None:
        files = {"image": ("a.jpg", photo, "image/jpeg")}
        answer = client.post(f"{base}/images/edits", data={"prompt": PROMPT}, files=files)
        answer.raise_for_status()

    direct, through = f"{generator}/v1", f"{gateway}/openai/v1"
    yield Ask("generation from words", partial(words, direct), partial(words, through))
    title = f"edit of a photo of {len(photo) // 1000} kB"
    yield Ask(title, partial(edit, direct), partial(edit, through))


def over_grpc(generator: str, gateway: str) -> Iterator[Ask]:
    """Ask as xAI's own client does."""
    photo = _photo()
    picture = f"data:image/jpeg;base64,{base64.b64encode(photo).decode()}"
    words = image_pb2.GenerateImageRequest(prompt=PROMPT)
    edit = image_pb2.GenerateImageRequest(
        prompt=PROMPT, image=image_pb2.ImageUrlContent(image_url=picture)
    )
    title = f"edit of a photo of {len(photo) // 1000} kB, gRPC"
    with ExitStack() as stack:
        channels = [
            stack.enter_context(grpc.insecure_channel(each, options=_UNBOUNDED))
            for each in (generator, gateway)
        ]
        direct, through = (each.unary_unary(f"/{_SERVICE}/{_METHOD}") for each in channels)
        for named, request in (("generation from words, gRPC", words), (title, edit)):
            message = request.SerializeToString()
            yield Ask(named, partial(_call, direct, message), partial(_call, through, message))


def _call(method: grpc.UnaryUnaryMultiCallable[bytes, bytes], message: bytes) -> None:
    method(message, metadata=tuple(_HEADERS.items()))


def _photo() -> bytes:
    return jpeg(resized(sample("coffee"), 1024, 1024))


def added(client: httpx.Client, gateway: str, ask: Ask, rounds: int) -> None:
    """Measure what the gateway adds to one request, apart from its checks."""
    direct: list[float] = []
    through: list[float] = []
    checks: list[float] = []
    for turn in range(rounds + _WARM_UP):
        before = seconds_in_checks(client, gateway)
        own = _ms(ask.directly)
        whole = _ms(ask.through)
        if turn >= _WARM_UP:
            direct.append(own)
            through.append(whole)
            checks.append(1e3 * (seconds_in_checks(client, gateway) - before))
    extra = [t - d - c for t, d, c in zip(through, direct, checks, strict=True)]
    print(
        f"{ask.title}, {rounds} rounds: directly {statistics.median(direct):.1f} ms, through the gateway "
        f"{statistics.median(through):.1f} ms, of which checks {statistics.median(checks):.1f} ms; "
        f"it adds {statistics.median(extra):.1f} ms at the median (target under {TARGET_MS:.0f}), "
        f"{statistics.quantiles(extra, n=20)[-1]:.1f} ms at the 95th percentile",
        flush=True,
    )


def seconds_in_checks(client: httpx.Client, gateway: str) -> float:
    """All that the gateway has spent in checks so far, as it counts it."""
    told = client.get(f"{gateway}/metrics").text
    return sum(
        float(line.rsplit(" ", 1)[1])
        for line in told.splitlines()
        if line.startswith("consentry_gateway_seconds_sum") and 'part="check"' in line
    )


def under_load(client: httpx.Client, gateway: str, child: int, parallel: int) -> None:
    """Send many large edits at once, and watch the memory and the health of the gateway."""
    noise = np.random.default_rng(5).integers(0, 256, (_LARGE_SIDE_PX, _LARGE_SIDE_PX, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG", compress_level=0)
    large = buffer.getvalue()
    before, peak, health = rss_mib(child), 0.0, [0.0]
    is_over = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not is_over.wait(0.02):
            peak = max(peak, rss_mib(child))
            health.append(_ms(lambda: client.get(f"{gateway}/health").raise_for_status()))

    def edit() -> int:
        files = {"image": ("a.png", large, "image/png")}
        answer = client.post(
            f"{gateway}/openai/v1/images/edits", data={"prompt": PROMPT}, files=files
        )
        return answer.status_code

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    with ThreadPoolExecutor(parallel) as pool:
        codes = [each.result() for each in [pool.submit(edit) for _ in range(parallel)]]
    took = time.perf_counter() - began
    is_over.set()
    watcher.join()
    counts = {code: codes.count(code) for code in sorted(set(codes))}
    print(
        f"{parallel} edits of {len(large) / 1e6:.1f} MB at once ({os.cpu_count()} cores): answers {counts} in "
        f"{took:.0f} s; resident {before:.0f} MiB before, {peak:.0f} MiB at the most (bodies may take "
        f"1024); /health meanwhile {statistics.median(health):.0f} ms at the median, {max(health):.0f} at worst"
    )


def _ms(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - began)


if __name__ == "__main__":
    main()
