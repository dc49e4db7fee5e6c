"""The application behind a real server, on a real port and a real unix socket, spoken to byte by byte."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from anyio import CapacityLimiter
from consentry.accounts.principals import Scope
from consentry.dashboard.router import dashboard_router
from consentry.dashboard.visit import Place
from fakes.coloured_faces import picture
from fakes.site import MAX_BODY_BYTES, Site, opened


class Quiet(uvicorn.Server):
    @contextmanager
    def capture_signals(self):
        yield


@dataclass
class Running:
    site: Site
    port: int
    path: Path
    swapped_port: int

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, data: bytes, *, port: int | None = None, wait_s: float = 5.0) -> bytes:
        """Write these bytes, and read until the server closes or falls silent."""
        with socket.create_connection(("127.0.0.1", port or self.port), timeout=wait_s) as line:
            line.sendall(data.replace(b"PORT", str(port or self.port).encode()))
            answer = b""
            try:
                while chunk := line.recv(65536):
                    answer += chunk
                    if b"\r\n\r\n" in answer and b"keep-open" not in data:
                        line.settimeout(0.3)
            except TimeoutError:
                pass
            return answer

    def status(self, data: bytes, **options) -> int:
        return int(self.send(data, **options).split(b" ")[1])


@contextmanager
def serving(site: Site, tmp_path: Path) -> Iterator[Running]:
    def config(app):
        return uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
        )

    tcp, swapped = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    path = tmp_path / "s.sock"
    local = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    local.bind(str(path))
    path.chmod(0o600)
    local.listen()
    # The last one is the mistake that must not matter: the trusted application on a port.
    pairs = [(site.app, tcp), (site.socket_app, local), (site.socket_app, swapped)]
    servers = [(Quiet(config(app)), listener) for app, listener in pairs]

    async def run():
        await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in servers))

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        while not all(server.started for server, _ in servers):
            time.sleep(0.01)
        yield Running(site, tcp.getsockname()[1], path, swapped.getsockname()[1])
    finally:
        for server, _ in servers:
            server.should_exit = True
        thread.join(20)
        for _, listener in servers:
            listener.close()


@pytest.fixture
def running(home, tmp_path) -> Iterator[Running]:
    home.create()

    def pages(services):
        return dashboard_router(
            services,
            place=Place(data_folder=tmp_path, idle_lock_s=900, max_body_bytes=MAX_BODY_BYTES),
            limiter=CapacityLimiter(2),
        )

    with opened(home, body_timeout_s=0.5, pages=pages) as site, serving(site, tmp_path) as running:
        yield running


def get(path: bytes, *fields: bytes, host: bytes = b"127.0.0.1:PORT") -> bytes:
    head = [b"GET %s HTTP/1.1" % path, b"Host: " + host, *fields, b"Connection: close"]
    return b"\r\n".join(head) + b"\r\n\r\n"


def test_hostile_requests_on_a_real_port(running):
    """One server for all of these, because starting one takes longer than asking."""
    bearer = running.site.bearer(*Scope).headers["authorization"].encode()
    auth = b"Authorization: " + bearer
    post = (
        b"POST /v1/checks HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Type: application/json\r\n"
        + auth
        + b"\r\n"
    )
    chunk = b"%x\r\n" % 50_000 + b" " * 50_000 + b"\r\n"
    expected = {
        "an ordinary request": (get(b"/healthz"), {200}),
        "a name that was rebound": (get(b"/healthz", host=b"evil.example:PORT"), {421}),
        "two hosts": (get(b"/healthz", b"Host: evil.example"), {400, 421}),
        "no host": (b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", {400, 421}),
        "http/1.0 without a host": (b"GET /healthz HTTP/1.0\r\n\r\n", {400, 421}),
        "absolute form": (get(b"http://127.0.0.1:PORT/healthz"), {400}),
        "absolute form, foreign": (get(b"http://evil.example/healthz"), {400}),
        "two slashes": (get(b"//v1/vault", auth), {400}),
        "encoded dots": (get(b"/v1/%2e%2e/healthz", auth), {400}),
        "encoded slash": (get(b"/v1%2fvault", auth), {400}),
        "websocket": (
            get(
                b"/v1/vault",
                b"Upgrade: websocket",
                b"Sec-WebSocket-Key: x",
                b"Sec-WebSocket-Version: 13",
            ),
            {400, 401, 403, 426},
        ),
        "two lengths": (post + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", {400}),
        "declared too large": (post + b"Content-Length: 99999999\r\n\r\n", {413}),
        "chunked too large": (
            post + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 5 + b"0\r\n\r\n",
            {413},
        ),
        "chunked of the right size": (
            post + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 3 + b"0\r\n\r\n",
            {400},
        ),
        "a body that never comes": (post + b"Content-Length: 10\r\n\r\n{", {408}),
        "a long header": (get(b"/healthz", b"X: " + b"x" * 20_000), {431}),
        "a preflight": (
            get(b"/v1/checks", b"Origin: https://evil.example").replace(b"GET", b"OPTIONS"),
            {403},
        ),
        "a forged client address": (get(b"/v1/vault", b"X-Forwarded-For: unix"), {401}),
        "a forged host": (get(b"/healthz", b"X-Forwarded-Host: 127.0.0.1", host=b"evil"), {421}),
    }
    answers = {name: running.status(data) for name, (data, _) in expected.items()}
    wrong = {name: status for name, status in answers.items() if status not in expected[name][1]}
    assert wrong == {}


def test_the_socket_is_the_owner_and_the_same_application_on_a_port_is_nobody(running):
    with httpx.Client(
        transport=httpx.HTTPTransport(uds=str(running.path)), base_url="http://localhost"
    ) as owner:
        assert owner.get("/v1/vault").json()["state"] == "unlocked"
        answer = owner.post(
            "/v1/subjects", files={"photos": picture((200, 0, 0))}, data={"name": "Ada"}
        )
        assert answer.status_code == 201
    for host in (b"localhost", b"localhost:PORT", b"127.0.0.1:PORT", b""):
        status = running.status(get(b"/v1/vault", host=host), port=running.swapped_port)
        assert status in {400, 403, 421}
    assert running.status(get(b"/v1/vault", b"Origin: http://localhost", host=b"localhost")) in {
        403,
        421,
    }


def test_a_browser_signs_in_by_a_form_of_ours_and_pages_cannot_be_framed(running):
    secret = running.site.services.sessions.new_entry()
    marks = {"origin": running.origin, "sec-fetch-site": "same-origin"}
    with httpx.Client(base_url=running.origin) as browser:
        page = browser.get("/enter")
        assert page.headers["x-frame-options"] == "DENY"
        policies = page.headers.get_list("content-security-policy")
        assert policies[-1] == "frame-ancestors 'none'"
        assert len(policies) == 2
        # Under `no-referrer` a browser would send `Origin: null` with the page's own forms.
        assert page.headers["referrer-policy"] == "same-origin"
        foreign = browser.post("/enter", data={"secret": secret}, headers={"origin": "null"})
        assert foreign.status_code == 403
        assert browser.post("/enter", data={"secret": secret}, headers=marks).status_code == 204
        assert browser.get("/").status_code == 200
        assert browser.get("/v1/vault").json()["state"] == "unlocked"
        assert browser.post("/v1/vault/lock", headers=marks).status_code == 403
        unknown = browser.get("/v1/nothing")
        assert json.loads(unknown.text)["code"] == "not-found"


def test_stopping_answers_what_was_begun_and_then_locks(home, tmp_path):
    home.create()
    home.enrol((0, 0, 200))  # so that a check that finds the vault locked would refuse
    began, go_on = threading.Event(), threading.Event()
    detect = home.faces.detect

    def slow(pixels, *, thorough):
        began.set()
        go_on.wait(10)
        return detect(pixels, thorough=thorough)

    home.faces.detect = slow
    answers = []
    with opened(home) as site:
        bearer = dict(site.bearer(*Scope).headers)
        with serving(site, tmp_path) as running:
            thread = threading.Thread(
                target=lambda: answers.append(
                    httpx.post(
                        f"{running.origin}/v1/checks",
                        headers={"authorization": bearer["authorization"]},
                        files={"images": picture((200, 0, 0))},
                        timeout=20,
                    )
                )
            )
            thread.start()
            assert began.wait(10)
            threading.Timer(0.3, go_on.set).start()
        thread.join()
    assert answers[0].json()["verdict"] == "allow"
    assert home.custody.state == "locked"


def test_a_refused_upload_gets_its_answer_and_not_a_reset_connection(running):
    answers = [
        httpx.post(
            f"{running.origin}/v1/checks",
            content=b"x" * size,
            headers={"authorization": "Bearer wrong", "content-type": "application/json"},
        ).status_code
        for size in [200_000, 3_000_000] * 10
    ]

    assert set(answers[1::2]) == {413}
    assert set(answers[::2]) <= {401, 429}
