"""The gateway's gRPC door before a generator of our own that speaks gRPC: everything in it is real but the eyes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import grpc
from consentry.api.gateway_app import GatewayApp
from consentry.api.gateway_grpc import GrpcDoor, GrpcDoorSettings
from consentry.api.gateway_messages import MessageLimits
from consentry.connectors.grpc_upstream import GrpcUpstream
from consentry.gateway.xai_grpc.dialect import STREAMS, XaiGrpcDialect
from consentry.kernel.clock import SystemClock
from fakes.gateway_site import StagedWeb, gateway_app
from fakes.generator import listening
from fakes.home import TestHome

KEY = "xai-of-the-caller"


@dataclass(frozen=True)
class Asked:
    """One call, as it arrived."""

    method: str
    metadata: dict[str, str]
    messages: list[bytes]
    seconds_left: float | None

    @property
    def message(self) -> bytes:
        (only,) = self.messages
        return only


@dataclass
class Told:
    """What to answer: messages, and then a status. Waits for ``released`` before the first, and before the end."""

    messages: list[bytes] = field(default_factory=list)
    code: grpc.StatusCode = grpc.StatusCode.OK
    details: str = ""
    metadata: tuple[tuple[str, str | bytes], ...] = ()
    initial: tuple[tuple[str, str | bytes], ...] = ()
    released: threading.Event | None = None


class GrpcGenerator(grpc.GenericRpcHandler):
    """The server. ``tell`` a method what to answer; ``asked`` is what came, ``gone`` how often a caller went away."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.gone = threading.Event()
        self._told: dict[str, Told] = {}

    def forget(self) -> None:
        self.__init__()

    def tell(self, method: str, *messages, **rest) -> None:
        bodies = [
            each if isinstance(each, bytes) else each.SerializeToString() for each in messages
        ]
        self._told[method] = Told(bodies, **rest)

    def forwarded(self, method: str) -> list[Asked]:
        return [each for each in self.asked if each.method == method]

    def _default(self, method: str) -> Told:
        return Told(code=grpc.StatusCode.NOT_FOUND, details="not told")

    def service(self, details):
        method = details.method.removeprefix("/xai_api.")

        def answer(messages, context):
            metadata = dict(context.invocation_metadata())
            self.asked.append(Asked(method, metadata, list(messages), context.time_remaining()))
            told = self._told.get(method) or self._default(method)
            context.add_callback(lambda: None if context.code() else self.gone.set())
            if told.released is not None:
                while not told.released.wait(0.02):
                    if not context.is_active():
                        self.gone.set()
                        return
            if told.initial:
                context.send_initial_metadata(told.initial)
            yield from told.messages
            context.set_trailing_metadata(told.metadata)
            if told.code is not grpc.StatusCode.OK:
                context.abort(told.code, told.details)

        return grpc.stream_stream_rpc_method_handler(answer)


@contextmanager
def grpc_serving(generator: GrpcGenerator) -> Iterator[str]:
    """Run it on a port of its own. Yields its address."""
    threads = ThreadPoolExecutor(16)
    server = grpc.server(
        threads,
        handlers=(generator,),
        options=(("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)),
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop(None).wait(10)
        threads.shutdown()


@dataclass
class GrpcSite:
    """A running gateway with a gRPC door, and the generator behind it."""

    home: TestHome
    generator: GrpcGenerator
    web: StagedWeb
    app: GatewayApp
    door: GrpcDoor
    address: str
    server: object

    @property
    def api_host(self) -> str:
        return f"localhost:{self.door.port}"


def grpc_door(
    app: GatewayApp,
    upstream: GrpcUpstream,
    *,
    certificate: Path | None = None,
    key: Path | None = None,
    max_bytes: int = 20 * 1024 * 1024,
    timeout_s: float = 20.0,
    drain_s: float = 5.0,
) -> GrpcDoor:
    """A door beside the gates of an application, with the same checks behind it."""
    (first, *_) = app.gates.values()
    messages = MessageLimits(
        max_bytes=max_bytes, max_passing_bytes=2 * max_bytes, timeout_s=timeout_s
    )
    return GrpcDoor(
        gate=replace(first, dialect=XaiGrpcDialect(), upstream=upstream),
        settings=GrpcDoorSettings(
            host="127.0.0.1",
            port=0,
            certificate=certificate,
            key=key,
            messages=messages,
            drain_s=drain_s,
        ),
        memory=app.memory,
        metrics=app.metrics,
        clock=SystemClock(),
    )


def stand_beside(app: GatewayApp, upstream: GrpcUpstream, **options) -> GrpcDoor:
    """Open a door beside an application; it closes with it."""
    app.beside = door = grpc_door(app, upstream, **options)
    stop = app.on_stop

    async def close() -> None:
        await upstream.close()
        await stop()

    app.on_stop = close
    return door


class NoUpstream:
    """Stands where the HTTP gates have theirs."""

    def send(self, head, body):
        raise AssertionError("nothing is sent over HTTP here")


@contextmanager
def grpc_site(
    home: TestHome,
    *,
    address: str | None = None,
    answer_timeout_s: float = 20.0,
    max_answer_bytes: int = 64 * 1024 * 1024,
    memory_bytes: int = 512 * 1024 * 1024,
    patience_s: float = 20.0,
    **options,
) -> Iterator[GrpcSite]:
    generator, web = GrpcGenerator(), StagedWeb()
    with ExitStack() as stack:
        behind = address or stack.enter_context(grpc_serving(generator))
        upstream = GrpcUpstream(
            behind,
            streams=STREAMS,
            answer_timeout_s=answer_timeout_s,
            max_answer_bytes=max_answer_bytes,
        )
        app = gateway_app(
            home,
            NoUpstream(),
            web,
            memory_bytes=memory_bytes,
            patience_s=patience_s,
            max_answer_bytes=max_answer_bytes,
        )
        door = stand_beside(app, upstream, **options)
        http, server = stack.enter_context(listening(app, lifespan="on"))
        yield GrpcSite(home, generator, web, app, door, http, server)
