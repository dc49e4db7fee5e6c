"""The gateway over gRPC: one gate, on a port of its own. Every method of every service comes here.

A call becomes what the gate knows: its method is a path, its metadata are header fields, its messages are a body. Needs
the extra ``grpc``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias

import grpc
import grpc.aio

from consentry.api.gateway_log import log_request, log_unexpected
from consentry.api.gateway_memory import Memory
from consentry.api.gateway_messages import IncomingMessages, MessageLimits
from consentry.api.gateway_metrics import GatewayMetrics
from consentry.gateway.exchange import (
    GRPC_MESSAGE,
    GRPC_STATUS,
    GRPC_TIMEOUT,
    Answer,
    Head,
    Headers,
    value_of,
)
from consentry.gateway.gate import Gate
from consentry.gateway.passage import Passage
from consentry.gateway.receipts import with_room
from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest, ConsentryError, OperatorError

AT_ONCE = 256
"""Calls that are answered at the same time; more are turned away unread."""

_MAX_METADATA_BYTES = 6 * 1024
"""Clients take 8 KiB of it, unless they are told otherwise."""
_CODES: Mapping[int, grpc.StatusCode] = {each.value[0]: each for each in grpc.StatusCode}
_OPTIONS = (
    # Two processes would share the port unnoticed.
    ("grpc.so_reuseport", 0),
    # What is not read is left with its sender.
    ("grpc.http2.bdp_probe", 0),
    # Clients ask every 30 seconds whether anybody is there, and are not sent away for it.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
)

_Context: TypeAlias = grpc.aio.ServicerContext[bytes, bytes]
_Method: TypeAlias = Callable[[object, _Context], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcDoorSettings:
    """Where the door is, and what one call may take.

    Attributes:
        host: Address to listen on.
        port: 0 for any free one.
        certificate: Of TLS, with what it is signed by, in PEM; None to speak without.
        key: Its private key, in PEM.
        messages: What the messages of one call may take.
        drain_s: Longest that calls have to finish when it stops.
    """

    host: str
    port: int
    certificate: Path | None
    key: Path | None
    messages: MessageLimits
    drain_s: float


@dataclass(slots=True, kw_only=True)
class GrpcDoor:
    """See the module. Belongs to one event loop.

    Attributes:
        port: That it listens on; 0 before.
    """

    gate: Gate
    settings: GrpcDoorSettings
    memory: Memory
    metrics: GatewayMetrics
    clock: Clock
    port: int = 0
    _server: grpc.aio.Server | None = field(default=None)

    async def start(self) -> int:
        """Listen, unless it does already.

        Returns:
            The port.

        Raises:
            BadRequest: If it cannot, or the certificate cannot be read.
        """
        if self._server is None:
            server = grpc.aio.server(
                handlers=(_Everything(self._serve),),
                options=(
                    ("grpc.max_receive_message_length", self.settings.messages.max_bytes),
                    ("grpc.max_send_message_length", -1),
                    *_OPTIONS,
                ),
                maximum_concurrent_rpcs=AT_ONCE,
            )
            self.port = _bound(server, self.settings)
            await server.start()
            self._server = server
        return self.port

    async def stop(self) -> None:
        """Turn new calls away, and let those that are here finish. May be called more than once."""
        if self._server is not None:
            await self._server.stop(self.settings.drain_s)

    async def _serve(self, path: str, _: object, context: _Context) -> None:
        """Carry one call through the gate. When its client goes away, this is cancelled."""
        passage = self.gate.passage()
        call = _Call(
            gate=self.gate,
            head=_head_of(path, context),
            messages=IncomingMessages(
                context=context, limits=self.settings.messages, memory=self.memory
            ),
            passage=passage,
            context=context,
        )
        began = self.clock.monotonic()
        try:
            await call.run()
        finally:
            call.messages.close()
            seconds = self.clock.monotonic() - began
            name = self.gate.dialect.name
            self.metrics.note(name, passage, status=call.status, seconds=seconds)
            log_request(name, passage, call.status, seconds)
        await _end(context, call.ending)


class _Everything(grpc.GenericRpcHandler):
    """Takes every method: which of them are open is for the gate to say."""

    def __init__(self, serve: Callable[[str, object, _Context], Awaitable[None]]) -> None:
        self._serve = serve

    def service(
        self, details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        """Return what answers a call. One message or many: on the wire it is the same."""
        path = details.method.removeprefix("/")
        behaviour: _Method = partial(self._serve, path)
        return grpc.stream_stream_rpc_method_handler(behaviour)


@dataclass(slots=True, kw_only=True)
class _Call:
    """One call; lives as long as that.

    Attributes:
        ending: What it ends with: ``grpc-status`` and the rest.
    """

    gate: Gate
    head: Head
    messages: IncomingMessages
    passage: Passage
    context: _Context
    ending: Headers = ()
    status: int = grpc.StatusCode.CANCELLED.value[0]

    async def run(self) -> None:
        """Answer; what nobody foresaw refuses, too."""
        async with AsyncExitStack() as stack:
            try:
                await self._deliver(
                    await self.gate.open(self.head, self.messages, self.passage, stack)
                )
            except ConsentryError as error:
                # In the middle of an answer that passes unread.
                self._refuse(error)
            except Exception as error:  # noqa: BLE001 -- the rim: nothing passes, and the place is logged
                log_unexpected(error, self.passage.request_id)
                self._refuse(OperatorError("unexpected"))

    def _refuse(self, error: ConsentryError) -> None:
        self._ends_with(self.gate.refused(self.head, self.passage, error).headers)

    async def _deliver(self, answer: Answer) -> None:
        if answer.messages is None:
            self._ends_with(answer.headers)
            return
        has_begun = False
        async for message in answer.chunks:
            if not has_begun:
                await self.context.send_initial_metadata(_metadata_of(answer.headers))
                has_begun = True
            await self.context.write(message)
        self._ends_with(answer.messages.trailers)

    def _ends_with(self, headers: Headers) -> None:
        self.ending = headers
        self.status = int(value_of(headers, GRPC_STATUS) or 0)


async def _end(context: _Context, headers: Headers) -> None:
    """Say how a call ended. Not within it: saying a failure raises."""
    number = int(value_of(headers, GRPC_STATUS) or 0)
    metadata = _metadata_of(with_room(headers, _MAX_METADATA_BYTES))
    if number == 0:
        context.set_trailing_metadata(metadata)
        return
    code = _CODES.get(number, grpc.StatusCode.UNKNOWN)
    words = next((value for key, value in headers if key == GRPC_MESSAGE), b"")
    await context.abort(code, words.decode("utf-8", "replace"), metadata)


def _head_of(path: str, context: _Context) -> Head:
    headers = tuple(
        (key.encode("latin-1"), value if isinstance(value, bytes) else value.encode("latin-1"))
        for key, value in context.invocation_metadata() or ()
    )
    left = context.time_remaining()
    if left is not None:
        headers = (*headers, (GRPC_TIMEOUT, b"%dm" % max(1, int(left * 1000))))
    return Head(method="POST", path=path, headers=headers)


_RICH_STATUS = b"grpc-status-details-bin"
_OF_HTTP = frozenset({b"content-length", b"content-type", b"connection", b"te", b"trailer"})


def _metadata_of(headers: Headers) -> tuple[tuple[str, str | bytes], ...]:
    return tuple(
        (key.decode("latin-1"), value if key.endswith(b"-bin") else value.decode("latin-1"))
        for key, value in headers
        if key == _RICH_STATUS or not (key.startswith((b"grpc-", b":")) or key in _OF_HTTP)
    )


def _bound(server: grpc.aio.Server, settings: GrpcDoorSettings) -> int:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"{host}:{settings.port}"
    try:
        if settings.certificate is None or settings.key is None:
            return server.add_insecure_port(address)
        pair = (settings.key.read_bytes(), settings.certificate.read_bytes())
        return server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
    except OSError as cause:
        raise BadRequest(
            f"The certificate of the gRPC door or its key cannot be read ({cause.strerror})."
        ) from cause
    except RuntimeError as cause:
        raise BadRequest(
            f"Cannot listen for gRPC on {settings.host} port {settings.port}: the port is taken, the address is none "
            "of this machine's, or the certificate and its key are not in PEM or do not belong together. Choose "
            "another port: --grpc-port 0 finds a free one."
        ) from cause
