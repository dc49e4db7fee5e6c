"""A generator of our own over real HTTP: keeps what it was sent, and answers what a test tells it to."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from fakes.coloured_faces import picture

Message = dict
LANDSCAPE = picture()


@dataclass(frozen=True)
class Asked:
    """One request, as it arrived."""

    method: str
    path: str
    query: bytes
    headers: dict[str, str]
    body: bytes


@dataclass
class Told:
    """What to answer: a body, or chunks that are sent one by one, each after ``pause_s``."""

    body: bytes | list[bytes] = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    pause_s: float = 0.0
    breaks_off: bool = False
    sent: int = 0


def made(*pictures: bytes) -> bytes:
    """An answer of the image endpoints."""
    return json.dumps(
        {"created": 1, "data": [{"b64_json": base64.b64encode(each).decode()} for each in pictures]}
    ).encode()


def events(*found: dict | str) -> list[bytes]:
    """A stream of server-sent events."""
    return [
        b"data: " + (each if isinstance(each, str) else json.dumps(each)).encode() + b"\n\n"
        if isinstance(each, str) or "type" not in each
        else f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode()
        for each in found
    ]


class Generator:
    """The application. ``tell`` a path what to answer; ``asked`` is what came."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.files: dict[str, bytes] = {}
        self.cut_off = 0
        self.told_for_anything: bytes | None = None
        self._told: dict[tuple[str, str], Told] = {}

    def tell(self, path: str, told: Told, method: str = "POST") -> None:
        self._told[method, path] = told

    def forwarded(self, path: str) -> list[Asked]:
        return [each for each in self.asked if each.path == path]

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            return
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.cut_off += 1
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope["path"].removeprefix("/v1")
        asked = Asked(scope["method"], path, scope["query_string"], headers, bytes(body))
        self.asked.append(asked)
        told = self._told.get((asked.method, path)) or self._default(asked)
        try:
            await self._answer(told, receive, send)
        except asyncio.CancelledError:
            self.cut_off += 1
            raise

    def _default(self, asked: Asked) -> Told:
        kind, _, rest = asked.path.removeprefix("/").partition("/")
        if kind == "images":
            return Told(made(LANDSCAPE))
        if kind == "files" and rest.endswith("/content"):
            name = rest.removesuffix("/content")
            if name not in self.files or "authorization" not in asked.headers:
                return Told(b'{"error":{"message":"No such File"}}', 404)
            return Told(self.files[name], headers={"content-type": "application/octet-stream"})
        if self.told_for_anything is not None:
            return Told(self.told_for_anything)
        return Told(b'{"error":{"message":"not told"}}', 404)

    async def _answer(self, told: Told, receive, send) -> None:
        headers = [(name.encode(), value.encode()) for name, value in told.headers.items()]
        if isinstance(told.body, bytes):
            headers.append((b"content-length", str(len(told.body)).encode()))
            await _unless_gone(asyncio.sleep(told.pause_s), receive)
        await send({"type": "http.response.start", "status": told.status, "headers": headers})
        chunks = [told.body] if isinstance(told.body, bytes) else told.body
        for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            told.sent += 1
            if not isinstance(told.body, bytes):
                await _unless_gone(asyncio.sleep(told.pause_s), receive)
        if not told.breaks_off:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _unless_gone(pause: Awaitable, receive: Callable) -> None:
    """Wait, but end at once when the other side has gone."""
    tasks = [asyncio.ensure_future(pause), asyncio.ensure_future(receive())]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for each in pending:
        each.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    if tasks[1] in done and tasks[1].result()["type"] == "http.disconnect":
        raise asyncio.CancelledError


class _Quiet(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def serving(app, *, lifespan: str = "off", grace_s: int = 5) -> Iterator[str]:
    """Run an application on a port of its own, in a thread. Yields its address."""
    with listening(app, lifespan=lifespan, grace_s=grace_s) as (address, _):
        yield address


@contextmanager
def listening(app, *, lifespan: str = "off", grace_s: int = 5):
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan=lifespan,
        ws="none",
        timeout_graceful_shutdown=grace_s,
    )
    server = _Quiet(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", server
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
