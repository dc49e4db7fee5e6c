"""The messages of a call to the gateway over gRPC, as they come in: counted, timed, within set memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import grpc.aio

from consentry.api.gateway_body import HELD_TIMES
from consentry.api.gateway_memory import Memory, Room
from consentry.kernel.errors import BadRequest, BodyTooLarge, RequestTimedOut


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLimits:
    """What the messages of one call may take.

    Attributes:
        max_bytes: Of one.
        max_passing_bytes: Of all, when they stream through.
        timeout_s: Longest that may be waited for one.
    """

    max_bytes: int
    max_passing_bytes: int
    timeout_s: float


@dataclass(slots=True, kw_only=True)
class IncomingMessages:
    """The messages of one call (`consentry.gateway.ports.Incoming`).

    How long a message is, is not known before all of it is here: so room is set aside for the
    largest, and what it does not need is given back. Until then nothing of it is taken from the
    connection.
    """

    context: grpc.aio.ServicerContext[bytes, bytes]
    limits: MessageLimits
    memory: Memory
    _room: Room = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing set aside."""
        self._room = Room(self.memory)

    async def whole(self) -> bytes:
        """Return the one message that there is."""
        await self._room.grow(self.limits.max_bytes * HELD_TIMES)
        message = await self._next()
        if message is None or await self._next() is not None:
            raise BadRequest("The method takes one message.")
        self.keep(len(message) * HELD_TIMES)
        return message

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield them as they come in."""
        await self._room.grow(self.limits.max_bytes)
        received = 0
        while (message := await self._next()) is not None:
            received += len(message)
            if received > self.limits.max_passing_bytes:
                raise BodyTooLarge(f"A call has at most {self.limits.max_passing_bytes} bytes.")
            yield message
        self.keep(0)

    def keep(self, size: int) -> None:
        """Give back what is not needed any more."""
        self._room.keep(size)

    def close(self) -> None:
        """Give everything back."""
        self.keep(0)

    async def _next(self) -> bytes | None:
        try:
            async with asyncio.timeout(self.limits.timeout_s):
                message: object = await self.context.read()
        except TimeoutError:
            raise RequestTimedOut("The request came too slowly. Send it again.") from None
        return message if isinstance(message, bytes) else None
