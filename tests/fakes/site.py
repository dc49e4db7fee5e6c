"""The application over a home in which everything is real but the eyes; asked without a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio
import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from consentry.accounts.principals import Scope
from consentry.accounts.sessions import CSRF_HEADER, SESSION_COOKIE
from consentry.api.app import create_app
from consentry.api.runtime import Shared
from consentry.services import Services
from fakes.home import TestHome
from fastapi import FastAPI

ORIGIN = "http://127.0.0.1:8484"
EXTENSION = "chrome-extension://abcdefghijklmnopabcdefghijklmnop"
PASSWORD = "correct horse battery staple"
MAX_BODY_BYTES = 200_000


class InProcess(httpx.BaseTransport):
    """Carries requests into an application; what is sent is not tidied by a server on the way."""

    def __init__(self, app, portal: BlockingPortal) -> None:
        self._portal = portal
        self._asgi = httpx.ASGITransport(app=app, raise_app_exceptions=True)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._portal.call(self._answer, request)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        response = await self._asgi.handle_async_request(request)
        content = await response.aread()
        return httpx.Response(
            response.status_code, headers=response.headers, content=content, request=request
        )


@dataclass
class Site:
    """One application on TCP and one on the socket, over the same services."""

    home: TestHome
    services: Services
    app: FastAPI
    socket_app: FastAPI
    portal: BlockingPortal
    open_clients: list[httpx.Client] = field(default_factory=list)

    def client(self, base_url: str = ORIGIN, app: FastAPI | None = None, **headers: str):
        client = httpx.Client(
            transport=InProcess(app or self.app, self.portal), base_url=base_url, headers=headers
        )
        self.open_clients.append(client)
        return client

    def nobody(self, **headers: str) -> httpx.Client:
        return self.client(**headers)

    def owner(self) -> httpx.Client:
        """At the socket."""
        return self.client("http://localhost", self.socket_app)

    def browser(self) -> httpx.Client:
        """The owner's dashboard, as its own scripts ask."""
        session = self.services.sessions.enter(self.services.sessions.new_entry())
        return self.client(
            **{
                "cookie": f"{SESSION_COOKIE}={session.cookie}",
                CSRF_HEADER: session.csrf_token,
                "origin": ORIGIN,
                "sec-fetch-site": "same-origin",
            }
        )

    def bearer(self, *scopes: Scope) -> httpx.Client:
        _, secret = self.services.tokens.issue("test", scopes, expires_in_days=1)
        return self.client(authorization=f"Bearer {secret}")


@contextmanager
def opened(home: TestHome, **options) -> Iterator[Site]:
    services = home.services()
    common = {
        "max_body_bytes": MAX_BODY_BYTES,
        "worker_threads": 2,
        "version": "0.0.0",
        "clock": home.clock,
        "shared": Shared.make(worker_threads=options.get("worker_threads", 2), clock=home.clock),
        "address": lambda: ORIGIN,
    } | options
    pages = common.pop("pages", None)
    tcp = create_app(
        services,
        host_allowlist=("127.0.0.1", "localhost"),
        trusted_socket=False,
        pages=None if pages is None else lambda: pages(services),
        **common,
    )
    local = create_app(services, host_allowlist=("localhost",), trusted_socket=True, **common)
    with start_blocking_portal() as portal:
        site = Site(home, services, tcp, local, portal)
        try:
            yield site
        finally:
            for client in site.open_clients:
                client.close()


def is_problem(response: httpx.Response, status: int, code: str) -> bool:
    """Whether it is a problem of exactly this kind, in the one shape."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert set(body) - {"issues"} == {"type", "title", "status", "detail", "code", "instance"}
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"urn:consentry:problem:{code}"
    assert body["instance"].startswith("urn:uuid:")
    return True


async def unread():
    raise AssertionError("the body was read")


async def call_raw(
    app,
    *,
    headers,
    path="/healthz",
    method="GET",
    chunks=(b"",),
    delay_s=0.0,
    receive=None,
    **scope,
):
    """Send a request that no client library would: returns (status, headers, body)."""
    messages = list(chunks)
    sent: list[dict] = []

    async def next_chunk():
        await anyio.sleep(delay_s)
        if not messages:
            await anyio.sleep_forever()
        body = messages.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(messages)}

    async def send(message):
        sent.append(message)

    whole = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "headers": headers,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "server": ("127.0.0.1", 8484),
        "client": ("127.0.0.1", 5000),
        "root_path": "",
    } | scope
    await app(whole, receive or next_chunk, send)
    body = b"".join(m.get("body", b"") for m in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), body
