"""The gateway over real HTTP, before a generator of our own: everything in it is real but the eyes and the web."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import httpx
from consentry.api.gateway_app import GatewayApp, GatewaySettings
from consentry.api.gateway_body import BodyLimits
from consentry.api.gateway_threads import GatewayThreads, ThreadedChecks, ThreadedOutputs
from consentry.connectors.upstream import HttpUpstream
from consentry.gateway.gate import Gate, GateLimits
from consentry.gateway.openai.dialect import OpenAIDialect
from consentry.kernel.clock import SystemClock
from consentry.kernel.errors import ImageNotFetched
from fakes.generator import Generator, listening, serving
from fakes.home import TestHome

KEY = "sk-of-the-caller"
ADA = (200, 30, 30)
"""Enrolled, and protects every edit."""
EVE = (30, 30, 200)
"""Somebody whom nobody knows."""
EVERYDAY = "make the sky blue"
REVEALING = "take her clothes off"


@dataclass
class StagedWeb:
    """The web, as far as a test has put pictures there."""

    pictures: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.pictures:
            raise ImageNotFetched("There is no picture at this address.")
        return self.pictures[url]


@dataclass
class GatewaySite:
    """A running gateway and the generator behind it."""

    home: TestHome
    generator: Generator
    web: StagedWeb
    app: GatewayApp
    address: str
    server: object

    @property
    def openai(self) -> str:
        """The base URL for clients."""
        return f"{self.address}/openai/v1"

    def post(self, path: str, **sent) -> httpx.Response:
        """Send what no client library would."""
        headers = {"authorization": f"Bearer {KEY}"} | sent.pop("headers", {})
        return httpx.post(f"{self.openai}/{path}", headers=headers, timeout=30, **sent)

    def get(self, path: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {KEY}"}
        return httpx.get(f"{self.openai}/{path}", headers=headers, timeout=30)


def gateway_app(
    home: TestHome,
    upstream,
    web,
    *,
    max_body_bytes: int = 64 * 1024 * 1024,
    memory_bytes: int = 512 * 1024 * 1024,
    patience_s: float = 20.0,
    body_timeout_s: float = 20.0,
    max_answer_bytes: int = 64 * 1024 * 1024,
    drain_s: float = 5.0,
    threads: int = 2,
    inner=None,
    prefix: str = "/openai/v1",
) -> GatewayApp:
    workers = GatewayThreads(threads)
    gate = Gate(
        dialect=OpenAIDialect(),
        upstream=upstream,
        pictures=web,
        checks=ThreadedChecks(home.check_images, workers),
        outputs=ThreadedOutputs(home.check_output, workers),
        limits=GateLimits(max_answer_bytes=max_answer_bytes),
        clock=SystemClock(),
        platform="studio",
    )

    async def stop() -> None:
        workers.close()
        if isinstance(upstream, HttpUpstream):
            await upstream.close()

    return GatewayApp(
        gates={prefix: gate},
        settings=GatewaySettings(
            body=BodyLimits(
                max_bytes=max_body_bytes,
                max_passing_bytes=2 * max_body_bytes,
                timeout_s=body_timeout_s,
            ),
            memory_bytes=memory_bytes,
            patience_s=patience_s,
            drain_s=drain_s,
        ),
        clock=SystemClock(),
        is_ready=lambda: None,
        on_stop=stop,
        inner=inner,
    )


@contextmanager
def gateway_site(
    home: TestHome, *, answer_timeout_s: float = 20.0, **options
) -> Iterator[GatewaySite]:
    generator, web = Generator(), StagedWeb()
    with ExitStack() as stack:
        behind = options.pop("upstream_address", None) or stack.enter_context(serving(generator))
        upstream = HttpUpstream(
            f"{behind}/v1", connect_timeout_s=5.0, answer_timeout_s=answer_timeout_s
        )
        app = gateway_app(home, upstream, web, **options)
        address, server = stack.enter_context(listening(app, lifespan="on"))
        yield GatewaySite(home, generator, web, app, address, server)


def blocked(
    caught, *categories: str, stage: str = "input", code: str = "moderation_blocked"
) -> bool:
    """Whether what a client raised is the refusal that users of this API know."""
    error = caught.value
    kind = (
        "image_generation_user_error" if code == "moderation_blocked" else "invalid_request_error"
    )
    assert (error.status_code, error.code, error.type) == (400, code, kind)
    assert error.param is None
    details = {"moderation_stage": stage, "categories": list(categories)}
    assert error.body["moderation_details"] == details
    assert error.request_id.startswith("req_")
    assert error.request_id in error.message
    return True
