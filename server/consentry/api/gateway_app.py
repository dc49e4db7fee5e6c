"""The gateway over HTTP, as a plain ASGI application: one for its own port, or around a platform's own.

    /openai/v1/…                  a gate: `consentry.gateway.gate`
    /health /healthz /readyz      whether it runs, and whether a check could be made
    /metrics                      counts and durations
    anything else                 closed; or the application that it stands in front of

One line of log for each request, without any content of it:

    openai images/edits 400 712ms check=640ms upstream=0ms verdict=refuse reasons=revealing_real_person stage=input …
"""

from __future__ import annotations

import asyncio
import logging
import posixpath
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consentry.api.gateway_body import BodyLimits, IncomingBody
from consentry.api.gateway_log import log_request, log_unexpected
from consentry.api.gateway_memory import Memory
from consentry.api.gateway_metrics import GatewayMetrics
from consentry.api.metrics import CONTENT_TYPE
from consentry.gateway.exchange import Answer, Head
from consentry.gateway.gate import Gate
from consentry.gateway.passage import Passage
from consentry.kernel.clock import Clock
from consentry.kernel.errors import ConsentryError, OperatorError, Overloaded

_log = logging.getLogger("consentry.gateway")
_PLAIN_PATH = re.compile(rb"/[A-Za-z0-9\-._~/]*")
_CLIENT_GONE = 499
_POLL_S = 0.02
_DRAIN_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """What all gates of one gateway share.

    Attributes:
        body: What one body may take.
        memory_bytes: Set aside for all bodies together.
        patience_s: Longest that a request waits for room.
        drain_s: Longest that requests have to finish when it stops.
    """

    body: BodyLimits
    memory_bytes: int
    patience_s: float
    drain_s: float


class Beside(Protocol):
    """Another way into the same gateway, on a port of its own."""

    async def start(self) -> int:
        """Listen, unless it does already, and return the port."""

    async def stop(self) -> None:
        """Turn new requests away, and let those that are here finish. May be called again."""


@dataclass(slots=True)
class GatewayApp:
    """See the module. Belongs to one event loop.

    Attributes:
        gates: By the prefix of their addresses: ``/openai/v1``.
        inner: What answers for other addresses; None: nobody does.
        settings: What one request, and all together, may take.
        clock: Where durations come from.
        is_ready: Raises an `OperatorError` when a check could not be made; called in a thread.
        on_stop: Awaited when it stops.
        metrics: What is counted.
        memory: For bodies.
        beside: Starts and stops with it.
        is_closing: It turns new requests away.
    """

    gates: Mapping[str, Gate]
    settings: GatewaySettings
    clock: Clock
    is_ready: Callable[[], None]
    on_stop: Callable[[], Awaitable[None]]
    inner: ASGIApp | None = None
    metrics: GatewayMetrics = field(default_factory=GatewayMetrics)
    memory: Memory = field(init=False)
    beside: Beside | None = None
    _active: int = 0
    is_closing: bool = False

    def __post_init__(self) -> None:
        self.memory = Memory(self.settings.memory_bytes, self.settings.patience_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the beginning and end of the whole."""
        if scope["type"] == "http":
            found = self._gate_of(scope)
            if found is not None:
                await self._serve(found[0], found[1], scope, receive, send)
            elif self.inner is not None:
                await self.inner(scope, receive, send)
            else:
                response = await self._own(scope)
                await response(scope, receive, send)
        elif scope["type"] == "lifespan":
            if self.inner is None:
                await self._live(receive, send)
            else:
                await self.inner(scope, receive, partial(self._stop_with_it, send))
        elif self.inner is not None and self._gate_of(scope) is None:
            await self.inner(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": ""})

    async def stop(self) -> None:
        """Turn new requests away, let those that are here finish, and close what they used."""
        self.is_closing = True
        async with asyncio.TaskGroup() as group:
            group.create_task(self._drain())
            if self.beside is not None:
                group.create_task(self.beside.stop())
        await self.on_stop()

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(self.settings.drain_s):
                while self._active:  # noqa: ASYNC110 -- an event would have to be reset by every request
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            _log.warning("stopping with %d requests that have not finished", self._active)

    def _gate_of(self, scope: Scope) -> tuple[str, Gate] | None:
        """Return the gate of a path, in whatever way it is written.

        The application behind may be more lenient than we are; what is not written plainly is
        closed by the gate, not handed on around it.
        """
        path = posixpath.normpath("/" + _route_path(scope).lstrip("/")).lower()
        return next(
            (
                (prefix, gate)
                for prefix, gate in self.gates.items()
                if path == prefix.lower() or path.startswith(prefix.lower() + "/")
            ),
            None,
        )

    async def _own(self, scope: Scope) -> Response:
        match scope["method"], scope["path"]:
            case "GET", "/health" | "/healthz":
                return JSONResponse({"status": "ok"})
            case "GET", "/readyz":
                return await self._readiness()
            case "GET", "/metrics":
                self.metrics.note_load(
                    active=self._active, memory=self.memory.used, waiting=self.memory.waiting
                )
                return Response(self.metrics.render(), media_type=CONTENT_TYPE)
            case _:
                return JSONResponse({"error": "There is nothing at this address."}, 404)

    async def _readiness(self) -> Response:
        if self.is_closing:
            return JSONResponse({"status": "stopping"}, 503)
        try:
            await asyncio.to_thread(self.is_ready)
        except ConsentryError as error:
            return JSONResponse({"status": "not ready", "code": error.code}, 503)
        return JSONResponse({"status": "ready"})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                if self.beside is not None:
                    await self.beside.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _stop_with_it(self, send: Send, message: Message) -> None:
        """Stop when the application that it stands around has stopped."""
        if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
            await self.stop()
        await send(message)

    async def _serve(
        self, prefix: str, gate: Gate, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Carry one request through its gate; when its client goes away, it ends."""
        head, passage = _head_of(scope, prefix), gate.passage()
        body = IncomingBody(
            receive=receive,
            head=head,
            limits=self.settings.body,
            memory=self.memory,
            clock=self.clock,
        )
        request = _Request(app=self, gate=gate, head=head, body=body, passage=passage, send=send)
        began = self.clock.monotonic()
        self._active += 1
        try:
            await request.run()
        finally:
            self._active -= 1
            seconds = self.clock.monotonic() - began
            name = gate.dialect.name
            self.metrics.note(name, passage, status=request.status, seconds=seconds)
            log_request(name, passage, request.status, seconds)


@dataclass(slots=True, kw_only=True)
class _Request:
    """One request; lives as long as that."""

    app: GatewayApp
    gate: Gate
    head: Head
    body: IncomingBody
    passage: Passage
    send: Send
    status: int = _CLIENT_GONE
    has_started: bool = False

    async def run(self) -> None:
        """Answer, unless the client goes away before: then whatever was begun ends."""
        answering = asyncio.create_task(self._answer())
        watching = asyncio.create_task(self.body.until_gone())
        try:
            await asyncio.wait({answering, watching}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answering.cancel()
            watching.cancel()
            ended = await asyncio.gather(answering, watching, return_exceptions=True)
            self.body.close()
        if isinstance(ended[0], Exception):
            log_unexpected(ended[0], self.passage.request_id)

    async def _answer(self) -> None:
        async with AsyncExitStack() as stack:
            try:
                await self._deliver(await self._opened(stack))
            except ClientDisconnect:
                self.status = _CLIENT_GONE
            except ConsentryError as error:
                # In the middle of an answer that passes unread: all that is left is to break off.
                self.passage.error = error.code
            except Exception as error:
                # The rim: whatever nobody foresaw refuses, too.
                self.passage.error = OperatorError.code
                if self.has_started:
                    raise
                log_unexpected(error, self.passage.request_id)
                await self._deliver(self._refused(OperatorError("unexpected")))

    async def _opened(self, stack: AsyncExitStack) -> Answer:
        if self.app.is_closing:
            return self._refused(Overloaded("This gateway is stopping. Try again."))
        return await self.gate.open(self.head, self.body, self.passage, stack)

    def _refused(self, error: ConsentryError) -> Answer:
        return self.gate.refused(self.head, self.passage, error)

    async def _deliver(self, answer: Answer) -> None:
        headers = list(answer.headers)
        has_rest = not self.body.over.is_set()
        if self.app.is_closing or has_rest:
            # What is left of the body would be taken for the next request.
            headers.append((b"connection", b"close"))
        self.status, self.has_started = answer.status, True
        start = {"type": "http.response.start", "status": answer.status, "headers": headers}
        await self.send(start)
        async for chunk in answer.chunks:
            await self.send({"type": "http.response.body", "body": chunk, "more_body": True})
        self.body.close()
        if has_rest and self.head.value(b"expect") is None:
            await self.body.drain(_DRAIN_S)
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})


def _route_path(scope: Scope) -> str:
    """Return the path below where the application is mounted, as its own router sees it."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root + "/") else path


def _head_of(scope: Scope, prefix: str) -> Head:
    raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    path = _route_path(scope)
    # Every way of writing a path but the plain one is closed, so that no two servers read it apart.
    is_plain = _PLAIN_PATH.fullmatch(raw.partition(b"?")[0]) and path.startswith(prefix + "/")
    return Head(
        method=scope["method"],
        path=path[len(prefix) + 1 :] if is_plain else "",
        query=scope["query_string"],
        headers=tuple((name.lower(), value) for name, value in scope["headers"]),
    )
