"""The body of a request to the gateway, as it comes in: counted, timed, and within memory that was set aside."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from consentry.api.gateway_memory import Memory, Room
from consentry.gateway.exchange import Head
from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest, BodyTooLarge, RequestTimedOut

HELD_TIMES = 4
"""How often a body is in memory at the most: as it came, as text, as what was read from it, as pictures."""

_STEP_BYTES = 1024 * 1024
_GRACE_S = 5.0
_MIN_BYTES_PER_S = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimits:
    """What one body may take.

    Attributes:
        max_bytes: Of one that is read.
        max_passing_bytes: Of one that streams through.
        timeout_s: Longest that may be waited for it, all together.
    """

    max_bytes: int
    max_passing_bytes: int
    timeout_s: float


@dataclass(slots=True, kw_only=True)
class IncomingBody:
    """One body (`consentry.gateway.ports.Incoming`)."""

    receive: Receive
    head: Head
    limits: BodyLimits
    memory: Memory
    clock: Clock
    over: asyncio.Event = field(default_factory=asyncio.Event)
    received: int = 0
    _room: Room = field(init=False)
    _waited_s: float = 0.0

    def __post_init__(self) -> None:
        """Begin with nothing set aside."""
        self._room = Room(self.memory)

    async def whole(self) -> bytes:
        """Read all of it (see the port)."""
        declared = self._declared()
        most = self.limits.max_bytes
        await self._reserve(min(_STEP_BYTES, most) if declared is None else declared)
        chunks: list[bytes] = []
        async for chunk in self._read(self.limits.max_bytes):
            if self.received * HELD_TIMES > self._room.size:
                await self._reserve(min(2 * self.received, most))
            chunks.append(chunk)
        return b"".join(chunks)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield it as it comes in (see the port)."""
        async for chunk in self._read(self.limits.max_passing_bytes):
            yield chunk

    def keep(self, size: int) -> None:
        """Give back what is not needed any more."""
        self._room.keep(size)

    def close(self) -> None:
        """Give everything back."""
        self.keep(0)

    async def drain(self, seconds: float) -> None:
        """Take in and throw away what is left, for a while.

        A connection that is closed with bytes unread is reset, and then the sender of a refused
        upload may lose the very answer that says why.
        """
        with contextlib.suppress(TimeoutError, ClientDisconnect):
            async with asyncio.timeout(seconds):
                while not self.over.is_set():
                    message = await self.receive()
                    if not message.get("more_body", False):
                        self.over.set()

    async def until_gone(self) -> None:
        """Return when the client has gone away, after its body has been read."""
        await self.over.wait()
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def _declared(self) -> int | None:
        """Return how long the body says it is; None when it does not."""
        value = self.head.value(b"content-length")
        if value is None:
            return 0 if self.head.value(b"transfer-encoding") is None else None
        if not re.fullmatch(r"\d{1,18}", value, re.ASCII):
            raise BadRequest("Content-Length is a number.")
        return int(value)

    async def _reserve(self, size: int) -> None:
        if size > self.limits.max_bytes:
            raise _too_large(self.limits.max_bytes)
        await self._room.grow(size * HELD_TIMES)

    async def _read(self, max_bytes: int) -> AsyncIterator[bytes]:
        declared = self._declared()
        if declared is not None and declared > max_bytes:
            raise _too_large(max_bytes)
        while not self.over.is_set():
            chunk = await self._next()
            self.received += len(chunk)
            if self.received > max_bytes:
                raise _too_large(max_bytes)
            if chunk:
                yield chunk

    async def _next(self) -> bytes:
        began = self.clock.monotonic()
        try:
            async with asyncio.timeout(self._left_s()):
                message = await self.receive()
        except TimeoutError:
            raise _too_slow() from None
        # Only waiting counts: what we do with it meanwhile is not the sender's fault.
        self._waited_s += self.clock.monotonic() - began
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        if not message.get("more_body", False):
            self.over.set()
        return bytes(message.get("body", b""))

    def _left_s(self) -> float:
        """Return how long the next piece may take: a trickle holds memory that others wait for."""
        earned = _GRACE_S + self.received / _MIN_BYTES_PER_S
        return max(0.0, min(self.limits.timeout_s, earned) - self._waited_s)


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"A request has at most {max_bytes} bytes.")


def _too_slow() -> RequestTimedOut:
    return RequestTimedOut("The body came too slowly. Send it again.")
