"""A generator in the same process: the application that the gateway stands around is its upstream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Scope

from consentry.gateway.exchange import Answer, Head, one
from consentry.kernel.errors import Unreachable, UpstreamTimedOut

_AHEAD = 8
"""Pieces of an answer that may wait for their check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerUpstream:
    """An ASGI application (`consentry.gateway.ports.Upstream`).

    Attributes:
        prefix: Put before the paths: ``/v1``.
        answer_timeout_s: Longest silence.
    """

    app: ASGIApp
    prefix: str
    answer_timeout_s: float = 600.0

    @asynccontextmanager
    async def send(self, head: Head, body: bytes | AsyncIterator[bytes]) -> AsyncIterator[Answer]:
        """Call the application, and yield its answer while it comes."""
        exchange = _Exchange(one(body) if isinstance(body, bytes) else body, self.answer_timeout_s)
        running = asyncio.create_task(exchange.run(self.app, self._scope(head, body)))
        try:
            start = await exchange.next()
            if start["type"] != "http.response.start":
                raise Unreachable("The generator ended without an answer.")
            headers = tuple((bytes(n).lower(), bytes(v)) for n, v in start.get("headers", ()))
            yield Answer(status=start["status"], headers=headers, chunks=exchange.chunks())
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def _scope(self, head: Head, body: bytes | AsyncIterator[bytes]) -> Scope:
        path = f"{self.prefix}/{head.path}"
        headers = list(head.headers)
        if isinstance(body, bytes):
            headers = [each for each in headers if each[0] != b"content-length"]
            headers.append((b"content-length", str(len(body)).encode()))
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": head.method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode("ascii"),
            "query_string": head.query,
            "root_path": "",
            "headers": headers,
            "client": None,
            "server": None,
            "state": {},
        }


@dataclass(slots=True)
class _Exchange:
    """One call of the application."""

    body: AsyncIterator[bytes]
    timeout_s: float
    _sent: asyncio.Queue[Message] = field(default_factory=lambda: asyncio.Queue(_AHEAD))
    _is_read: bool = False

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        try:
            await app(scope, self._receive, self._sent.put)
        finally:
            # Also after a failure: whoever waits for more learns that there is none.
            await self._sent.put({"type": "ended"})

    async def next(self) -> Message:
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._sent.get()
        except TimeoutError:
            raise UpstreamTimedOut("The generator did not answer in time.") from None

    async def chunks(self) -> AsyncIterator[bytes]:
        while (message := await self.next())["type"] == "http.response.body":
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body", False):
                return
        raise Unreachable("The generator broke off in the middle of its answer.")

    async def _receive(self) -> Message:
        if self._is_read:
            await asyncio.get_running_loop().create_future()
        chunk = await anext(self.body, None)
        self._is_read = chunk is None
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}
