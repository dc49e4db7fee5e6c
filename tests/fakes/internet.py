"""The internet as a browser under test sees it: one local proxy that is every site and notes every request.

A browser that is started with this proxy can reach nothing else, so what is noted is all that it asked for.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import itertools
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request that a browser made."""

    method: str
    scheme: str
    host: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a site answers."""

    body: bytes = b""
    type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Internet:
    """Sites by name. `put` what they show; `requests` is everything that was asked for, in order."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], Answer | Callable[[Request], Answer]] = {}
        self._lock = threading.Lock()  # guards _requests
        self._requests: list[Request] = []
        self._tls = _certificate()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def start(self) -> None:
        """Answer requests until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def address(self) -> str:
        """Host and port of the proxy."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def put(
        self,
        url: str,
        body: bytes | str | Callable[[Request], Answer],
        *,
        status: int = 200,
        **headers: str,
    ) -> str:
        """Show `body` at `url` (`//host/path`, for http and https alike). Returns it as an https address."""
        parts = urlsplit(url)
        kind = _TYPES.get(Path(parts.path).suffix, _TYPES[".html"])
        if callable(body):
            answer: Answer | Callable[[Request], Answer] = body
        else:
            data = body.encode() if isinstance(body, str) else body
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = Answer(data, named.pop("content-type", kind), status, named)
        self._answers[parts.netloc, parts.path or "/"] = answer
        return f"https://{parts.netloc}{parts.path or '/'}"

    @property
    def requests(self) -> list[Request]:
        """Everything that was asked for until now."""
        with self._lock:
            return list(self._requests)

    def uploads(self, host: str) -> list[Request]:
        """What a site was sent with a body."""
        return [each for each in self.requests if each.host == host and each.body]

    def forget(self) -> None:
        """Begin a new log."""
        with self._lock:
            self._requests.clear()

    def _answer(self, request: Request) -> Answer:
        with self._lock:
            self._requests.append(request)
        answer = self._answers.get((request.host, urlsplit(request.path).path))
        if answer is None:
            return Answer(b"not here", "text/plain", 404)
        return answer(request) if callable(answer) else answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        internet = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            tunnel: str | None = None

            def do_CONNECT(self) -> None:
                """Become the site that was asked for, behind TLS."""
                self.send_response(200)
                self.end_headers()
                self.wfile.flush()
                host = self.path.rpartition(":")[0]
                with contextlib.suppress(OSError):
                    self.connection = internet._tls.wrap_socket(self.connection, server_side=True)
                    self.rfile = self.connection.makefile("rb", -1)
                    self.wfile = self.connection.makefile("wb", 0)
                    self.tunnel = host
                    self.close_connection = False
                    return
                self.close_connection = True

            def finish(self) -> None:
                # The server closes the socket that it accepted; the one with TLS around it is ours.
                try:
                    super().finish()
                finally:
                    self.connection.close()

            def answer(self) -> None:
                if self.headers.get("upgrade", "").lower() == "websocket":
                    self._listen()
                    return
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length) if length else self._chunks()
                parts = urlsplit(self.path)
                scheme, host = ("https", self.tunnel) if self.tunnel else ("http", parts.netloc)
                path = parts.path + (f"?{parts.query}" if parts.query else "")
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = internet._answer(
                    Request(self.command, scheme, host or "", path or "/", headers, body)
                )
                self.send_response(answer.status)
                self.send_header("content-type", answer.type)
                self.send_header("content-length", str(len(answer.body)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_HEAD = do_OPTIONS = do_PATCH = do_DELETE = answer  # noqa: N815 -- the words of the base class

            def _listen(self) -> None:
                """Be a WebSocket that says nothing; each message is noted as a request with the method WS."""
                key = self.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
                accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
                self.send_response(101)
                self.send_header("upgrade", "websocket")
                self.send_header("connection", "Upgrade")
                self.send_header("sec-websocket-accept", accept)
                self.end_headers()
                message = b""
                while head := self.rfile.read(2):
                    size = head[1] & 0x7F
                    if size >= 126:
                        size = int.from_bytes(self.rfile.read(2 if size == 126 else 8))
                    mask = self.rfile.read(4)
                    body = self.rfile.read(size)
                    if head[0] & 0x0F in {0, 1, 2}:
                        message += bytes(
                            a ^ b for a, b in zip(body, itertools.cycle(mask), strict=False)
                        )
                        if head[0] & 0x80:
                            internet._answer(
                                Request("WS", "https", self.tunnel or "", self.path, {}, message)
                            )
                            message = b""
                self.close_connection = True

            def _chunks(self) -> bytes:
                if "chunked" not in (self.headers.get("transfer-encoding") or ""):
                    return b""
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's word
                """Requests are noted; nothing is printed."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that closes its connections is no error."""


@contextlib.contextmanager
def running_internet() -> Iterator[Internet]:
    """An internet for the length of a block."""
    internet = Internet()
    internet.start()
    try:
        yield internet
    finally:
        internet.stop()


def _certificate() -> ssl.SSLContext:
    """TLS with a key of its own; the browser under test is told not to ask whose."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "every site")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "site.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context.load_cert_chain(file)
    return context
