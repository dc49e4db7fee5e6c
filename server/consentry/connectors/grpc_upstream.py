"""A generator that speaks gRPC, behind the gateway: messages go out and come back, byte for byte.

Nothing is tried again, and no proxy of the environment is used: the caller has a client for that. Needs the extra
``grpc``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import TypeAlias
from urllib.parse import urlsplit

import grpc
import grpc.aio

from consentry.gateway.exchange import (
    GRPC_MESSAGE,
    GRPC_STATUS,
    GRPC_TIMEOUT,
    Answer,
    Head,
    Headers,
    Messages,
    value_of,
)
from consentry.kernel.errors import BadRequest, Unreachable, UpstreamTimedOut

_HTTPS_PORT = 443
_TIMEOUT = re.compile(r"(\d{1,8})m", re.ASCII)
# As the client `xai-sdk` itself does, so that a silent call is not taken for a dead one.
_KEEPALIVE = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)
_OF_ONE_HOP = frozenset(
    {b"accept-encoding", b"connection", b"content-type", b"host", b"te", b"trailer", b"user-agent"}
)
"""Besides those that begin with ``grpc-``: gRPC writes its own."""

# gRPC gives its own failures and those of the other side in one form; only the words differ.
_OF_THE_CONNECTION = re.compile(
    r"ipv[46]:|\d+\.\d+\.\d+\.\d+|connect|socket|resol|recvmsg|sendmsg|keepalive|goaway|stream",
    re.IGNORECASE,
)
_TOO_LARGE_HERE = "CLIENT: Received message larger than max"

_Method: TypeAlias = grpc.aio.StreamStreamMultiCallable[bytes, bytes]


class GrpcUpstream:
    """One generator, over gRPC (`consentry.gateway.ports.Upstream`). Belongs to one event loop."""

    def __init__(
        self,
        address: str,
        *,
        streams: Collection[str],
        answer_timeout_s: float,
        max_answer_bytes: int,
    ) -> None:
        """Connect to nothing yet.

        Args:
            address: ``api.x.ai``, ``api.x.ai:443`` or ``https://api.x.ai``, over TLS; or
                ``http://127.0.0.1:50051`` in plain.
            streams: Methods of which each message of the answer stands for itself.
            answer_timeout_s: Longest silence: before the first message and between two.
            max_answer_bytes: Of one message that comes back.

        Raises:
            BadRequest: If the address is none.
        """
        self._target, self._is_plain = _target_of(address)
        self._streams = streams
        self._answer_timeout_s = answer_timeout_s
        self._options = (
            ("grpc.enable_retries", 0),
            ("grpc.enable_http_proxy", 0),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", max_answer_bytes),
            *_KEEPALIVE,
        )
        self._channel: grpc.aio.Channel | None = None

    @asynccontextmanager
    async def send(self, head: Head, body: bytes | AsyncIterator[bytes]) -> AsyncIterator[Answer]:
        """Call a method, and yield its answer while it comes in."""
        method: _Method = self._opened().stream_stream(f"/{head.path}")
        call = method(metadata=_onward(head.headers), timeout=_timeout_of(head))
        exchange = _Exchange(call, self._answer_timeout_s)
        try:
            await exchange.write(body)
            first = await exchange.read()
            if first is None:
                # Told before an answer has begun: then it has not been at work, and may be asked again.
                await exchange.require_reached()
            messages = Messages(is_stream=head.path in self._streams)
            yield Answer(
                status=200,
                headers=_headers_of(await call.initial_metadata()),
                chunks=exchange.chunks(first, messages),
                messages=messages,
            )
        finally:
            call.cancel()

    async def close(self) -> None:
        """Close every connection."""
        if self._channel is not None:
            await self._channel.close()

    def _opened(self) -> grpc.aio.Channel:
        # Not before it is used: a channel belongs to the event loop that runs when it is made.
        if self._channel is None:
            self._channel = (
                grpc.aio.insecure_channel(self._target, options=self._options)
                if self._is_plain
                else grpc.aio.secure_channel(
                    self._target, grpc.ssl_channel_credentials(), options=self._options
                )
            )
        return self._channel


class _Exchange:
    """One call; lives as long as that."""

    def __init__(
        self, call: grpc.aio.StreamStreamCall[bytes, bytes], answer_timeout_s: float
    ) -> None:
        self._call = call
        self._answer_timeout_s = answer_timeout_s

    async def write(self, body: bytes | AsyncIterator[bytes]) -> None:
        """Send everything. A generator that has ended the call before says why in its status."""
        try:
            if isinstance(body, bytes):
                await self._call.write(body)
            else:
                async for chunk in body:
                    await self._call.write(chunk)
            await self._call.done_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return

    async def read(self) -> bytes | None:
        """Return the next message; None at the end, whatever it is.

        Raises:
            UpstreamTimedOut: If it does not come in time.
        """
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                message: object = await self._call.read()
        except TimeoutError as cause:
            raise UpstreamTimedOut("The generator did not answer in time.") from cause
        except grpc.aio.AioRpcError:
            return None
        return message if isinstance(message, bytes) else None

    async def chunks(self, first: bytes | None, messages: Messages) -> AsyncIterator[bytes]:
        """Yield the messages, and then note how the call ended."""
        message = first
        while message is not None:
            yield message
            message = await self.read()
        messages.trailers = await self._ending()

    async def require_reached(self) -> None:
        """Pass when it was the generator that ended the call, and not this side for it.

        Raises:
            Unreachable: If there is none, or it broke off.
        """
        code, details = await self._call.code(), await self._call.details() or ""
        if code is grpc.StatusCode.UNAVAILABLE and _OF_THE_CONNECTION.search(details):
            # Its words would tell the caller where the generator is.
            raise Unreachable("The generator could not be reached, or broke off.")

    async def _ending(self) -> Headers:
        """Return the status and what came with it.

        Raises:
            Unreachable: If the generator broke off, or its answer is larger than is read here.
        """
        await self.require_reached()
        code, details = await self._call.code(), await self._call.details() or ""
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE_HERE in details:
            raise Unreachable("The answer of the generator is too large to be examined.")
        return (
            (GRPC_STATUS, str(code.value[0]).encode()),
            (GRPC_MESSAGE, details.encode()),
            *_headers_of(await self._call.trailing_metadata()),
        )


def _onward(headers: Headers) -> list[tuple[str, str | bytes]]:
    return [
        (key.decode("latin-1"), value if key.endswith(b"-bin") else value.decode("latin-1"))
        for key, value in headers
        if key not in _OF_ONE_HOP and not key.startswith(b"grpc-")
    ]


def _headers_of(metadata: grpc.aio.Metadata | None) -> Headers:
    return tuple(
        (key.encode("latin-1"), value if isinstance(value, bytes) else value.encode("latin-1"))
        for key, value in metadata or ()
    )


def _timeout_of(head: Head) -> float | None:
    found = _TIMEOUT.fullmatch(value_of(head.headers, GRPC_TIMEOUT) or "")
    return None if found is None else int(found[1]) / 1000


def _target_of(address: str) -> tuple[str, bool]:
    """Return host and port, and whether it is plain."""
    parts = urlsplit(address if "://" in address else f"https://{address}")
    is_bare = "@" not in parts.netloc and not (parts.path.strip("/") or parts.query)
    try:
        port = parts.port
    except ValueError as cause:
        raise BadRequest("The port of the generator's gRPC address is no port.") from cause
    is_plain = parts.scheme == "http"
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_bare:
        raise BadRequest(
            "The gRPC address of the generator is a host and a port, api.x.ai:443, or http:// before them for one "
            "without TLS."
        )
    if is_plain and port is None:
        raise BadRequest("The gRPC address of a generator without TLS names its port.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{port or _HTTPS_PORT}", is_plain
