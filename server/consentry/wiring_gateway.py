"""Builds the gateway out of an open home and the settings. Decides nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from starlette.types import ASGIApp

from consentry.accounts.budgets import KeyCharge, ProbeQuota
from consentry.api.gateway_app import GatewayApp, GatewaySettings
from consentry.api.gateway_body import HELD_TIMES, BodyLimits
from consentry.api.gateway_inner import InnerUpstream
from consentry.api.gateway_memory import room_for_one
from consentry.api.gateway_threads import (
    GatewayThreads,
    ThreadedChecks,
    ThreadedOutputs,
    ThreadedPictures,
)
from consentry.connectors.resolving import SystemResolver
from consentry.connectors.safe_http import FetchLimits, FetchPicture
from consentry.connectors.upstream import HttpUpstream
from consentry.gateway.configured.description import Description, read_description
from consentry.gateway.configured.dialect import ConfiguredDialect
from consentry.gateway.dialect import Dialect
from consentry.gateway.gate import Gate, GateLimits
from consentry.gateway.openai.dialect import OpenAIDialect
from consentry.gateway.ports import PictureSource, Upstream
from consentry.gateway.xai.dialect import XaiDialect
from consentry.gateway.xai_grpc.dialect import STREAMS, XaiGrpcDialect
from consentry.kernel.biometrics import as_pixels
from consentry.kernel.clock import Clock, SystemClock
from consentry.kernel.errors import BadRequest
from consentry.services import Services
from consentry.settings import Settings
from consentry.wiring import Home

if TYPE_CHECKING:
    from consentry.api.gateway_grpc import GrpcDoor
    from consentry.connectors.grpc_upstream import GrpcUpstream

OPENAI_PREFIX = "/openai/v1"
XAI_PREFIX = "/xai/v1"


def gateway_app(home: Home) -> GatewayApp:
    """Build the gateway that answers on a port of its own.

    Raises:
        BadRequest: If no generator is named, or a setting does not fit another.
    """
    parts = GatewayParts.of(home.services, home.settings)
    grpc = parts.grpc_upstream()
    gates: dict[str, Gate] = {}
    upstreams: list[HttpUpstream] = []
    for prefix, dialect, address in _generators(home.settings):
        upstream = HttpUpstream(
            address,
            connect_timeout_s=home.settings.gateway_connect_timeout_s,
            answer_timeout_s=home.settings.gateway_answer_timeout_s,
        )
        upstreams.append(upstream)
        gates[prefix] = parts.gate(dialect, upstream)

    async def close() -> None:
        for upstream in upstreams:
            await upstream.close()
        if grpc is not None:
            await grpc.close()

    app = parts.app(gates, close)
    if grpc is not None:
        app.beside = parts.grpc_door(grpc, app)
    return app


def gateway_around(home: Home, inner: ASGIApp, *, prefix: str) -> GatewayApp:
    """Build the gateway that stands around an application which speaks the API of OpenAI itself.

    Args:
        home: Stays open for as long as it is used.
        inner: Asked for what is allowed, and for everything that is not below ``prefix``.
        prefix: Where its API begins: ``/v1``.
    """
    parts = GatewayParts.of(home.services, home.settings)
    upstream = InnerUpstream(
        app=inner, prefix=prefix, answer_timeout_s=home.settings.gateway_answer_timeout_s
    )

    async def close() -> None:
        """Close nothing: the application is the platform's."""

    return parts.app({prefix: parts.gate(OpenAIDialect(), upstream)}, close, inner)


def _generators(settings: Settings) -> list[tuple[str, Dialect, str]]:
    found: list[tuple[str, Dialect, str]] = []
    if settings.gateway_openai is not None:
        found.append((OPENAI_PREFIX, OpenAIDialect(), settings.gateway_openai))
    if settings.gateway_xai is not None:
        found.append((XAI_PREFIX, XaiDialect(), settings.gateway_xai))
    found += [
        (f"/{api.name}", ConfiguredDialect(api), api.upstream)
        for api in _described(settings.gateway_apis)
    ]
    if not found and settings.gateway_xai_grpc is None:
        raise BadRequest(
            "The gateway stands in front of a generator, and none is named. Say where it is: "
            "--openai https://api.openai.com/v1, or CONSENTRY_GATEWAY_OPENAI."
        )
    if len({prefix for prefix, _, _ in found}) != len(found):
        raise BadRequest("Two descriptions of APIs have the same `name`.")
    return found


def _described(path: Path | None) -> list[Description]:
    if path is None:
        return []
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    return [read_description(each) for each in files]


def _look_at_nothing(services: Services) -> None:
    """Find out whether the models that the gateway needs are there and are the pinned ones."""
    nothing = as_pixels(np.zeros((64, 64, 3), np.uint8))
    services.look.faces.observe(nothing, thorough=False)
    services.check.text.read(nothing)
    services.check_output.exposure.score(nothing)


@dataclass(frozen=True, slots=True)
class GatewayParts:
    """What all gates of a gateway share."""

    services: Services
    settings: Settings
    threads: GatewayThreads
    pictures: PictureSource
    clock: Clock

    @classmethod
    def of(
        cls, services: Services, settings: Settings, pictures: PictureSource | None = None
    ) -> GatewayParts:
        """Make them, with threads that start as they are needed.

        Args:
            services: The use cases.
            settings: Those of the gateway.
            pictures: Fetches pictures by address; None for the SSRF-safe client.

        Raises:
            BadRequest: If the largest body would never find room.
        """
        held = settings.gateway_max_body_bytes * HELD_TIMES
        if held > room_for_one(settings.gateway_memory_bytes):
            raise BadRequest(
                "CONSENTRY_GATEWAY_MEMORY_BYTES does not hold one body: make it at least "
                f"{HELD_TIMES + 1} times CONSENTRY_GATEWAY_MAX_BODY_BYTES."
            )
        threads, clock = GatewayThreads(settings.gateway_checks), SystemClock()
        fetch = FetchPicture(
            resolver=SystemResolver(),
            clock=clock,
            limits=FetchLimits(max_bytes=settings.max_image_bytes),
        )
        return cls(services, settings, threads, pictures or ThreadedPictures(fetch, threads), clock)

    def gate(self, dialect: Dialect, upstream: Upstream) -> Gate:
        """Build a gate in front of one generator."""
        settings = self.settings
        return Gate(
            dialect=dialect,
            upstream=upstream,
            pictures=self.pictures,
            checks=ThreadedChecks(self.services.check, self.threads),
            outputs=ThreadedOutputs(self.services.check_output, self.threads),
            limits=GateLimits(
                max_picture_bytes=settings.max_image_bytes,
                max_answer_bytes=settings.gateway_max_answer_bytes,
            ),
            clock=self.clock,
            platform=settings.gateway_platform,
            caller=settings.gateway_caller or "gateway",
            meter=self._meter(),
        )

    def _meter(self) -> KeyCharge | None:
        """Return what charges the platform's API key; None when it has named none.

        Raises:
            BadRequest: If it is none of this home.
        """
        name = self.settings.gateway_caller
        if name is None:
            return None
        key = next((each for each in self.services.keys.list() if each.key == name), None)
        if key is None:
            raise BadRequest(
                "CONSENTRY_GATEWAY_CALLER names no API key of this data folder. Take one from: consentry platform list"
            )
        quota = ProbeQuota(per_hour=key.faces_per_hour, per_day=key.faces_per_day)
        return KeyCharge(self.services.probes, key.key, quota)

    def grpc_upstream(self) -> GrpcUpstream | None:
        """Build what leads to the generator behind the gRPC door; None when none is named.

        Raises:
            BadRequest: If its address is none, the library is not installed, or a setting does
                not fit another.
        """
        settings = self.settings
        if settings.gateway_xai_grpc is None:
            return None
        held = settings.gateway_grpc_max_message_bytes * HELD_TIMES
        if held > room_for_one(settings.gateway_memory_bytes):
            raise BadRequest(
                "CONSENTRY_GATEWAY_MEMORY_BYTES does not hold one message: make it at least "
                f"{HELD_TIMES + 1} times CONSENTRY_GATEWAY_GRPC_MAX_MESSAGE_BYTES."
            )
        if (settings.gateway_grpc_certificate is None) != (settings.gateway_grpc_key is None):
            raise BadRequest(
                "The gRPC door speaks TLS with a certificate and its key. Name both, or neither."
            )
        try:
            from consentry.connectors.grpc_upstream import GrpcUpstream
        except ModuleNotFoundError as cause:
            raise BadRequest(
                "The gRPC door needs a library that is not installed: pip install 'consentry[grpc]'"
            ) from cause
        return GrpcUpstream(
            settings.gateway_xai_grpc,
            streams=STREAMS,
            answer_timeout_s=settings.gateway_answer_timeout_s,
            max_answer_bytes=settings.gateway_max_answer_bytes,
        )

    def grpc_door(self, upstream: Upstream, app: GatewayApp) -> GrpcDoor:
        """Build the door for gRPC, beside an application with which it shares memory and figures."""
        from consentry.api.gateway_grpc import GrpcDoor, GrpcDoorSettings
        from consentry.api.gateway_messages import MessageLimits

        settings = self.settings
        return GrpcDoor(
            gate=self.gate(XaiGrpcDialect(), upstream),
            settings=GrpcDoorSettings(
                host=settings.gateway_host,
                port=settings.gateway_grpc_port,
                certificate=settings.gateway_grpc_certificate,
                key=settings.gateway_grpc_key,
                messages=MessageLimits(
                    max_bytes=settings.gateway_grpc_max_message_bytes,
                    max_passing_bytes=settings.gateway_max_upload_bytes,
                    # Whoever waits for room waits longer than one who is slow may hold it.
                    timeout_s=min(settings.gateway_body_timeout_s, settings.gateway_patience_s),
                ),
                drain_s=settings.gateway_drain_s,
            ),
            memory=app.memory,
            metrics=app.metrics,
            clock=self.clock,
        )

    def app(
        self,
        gates: dict[str, Gate],
        close: Callable[[], Awaitable[None]],
        inner: ASGIApp | None = None,
    ) -> GatewayApp:
        """Build the application that carries requests to the gates."""
        settings = self.settings

        async def stop() -> None:
            await close()
            self.threads.close()

        return GatewayApp(
            gates=gates,
            settings=GatewaySettings(
                body=BodyLimits(
                    max_bytes=settings.gateway_max_body_bytes,
                    max_passing_bytes=settings.gateway_max_upload_bytes,
                    timeout_s=settings.gateway_body_timeout_s,
                ),
                memory_bytes=settings.gateway_memory_bytes,
                patience_s=settings.gateway_patience_s,
                drain_s=settings.gateway_drain_s,
            ),
            clock=self.clock,
            is_ready=lambda: _look_at_nothing(self.services),
            on_stop=stop,
            inner=inner,
        )
