"""What a web page, or a careless program, may not even try. Pure ASGI, around API and dashboard.

A local server can be reached by every page that the owner visits (docs/adr/0010). In this order:

    connection   a trusted application never answers over TCP; no WebSockets
    head         size of the header; exactly one Host, of the allowlist; a plain path
    origin       exact Origin, or none and a bearer token; Sec-Fetch-Site as the second line
    body         counted as it streams in, and in time
    answer       never framed, sniffed, cached or shared with another origin; no CORS, ever
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consentry.api.problems import problem_response
from consentry.kernel.errors import (
    BadRequest,
    BodyTooLarge,
    ConsentryError,
    Forbidden,
    HeadersTooLarge,
    RequestTimedOut,
    WrongHost,
)

MAX_HEADER_FIELDS = 100
MAX_HEADER_BYTES = 16 * 1024
BODY_TIMEOUT_S = 30.0
DRAIN_S = 2.0
OPEN_TO_EXTENSIONS = frozenset(
    {"/v1/pairings/hello", "/v1/pairings/confirm", "/v1/identity/challenge"}
)
"""What an extension may call before it has a token, or before it gives its token away."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN_READS = ("/healthz", "/readyz", "/.well-known/")
_EXTENSION_ORIGIN = re.compile(
    r"(?:chrome-extension://[a-p]{32}|(?:moz|safari-web)-extension://[0-9a-fA-F-]{36})", re.ASCII
)
_PLAIN_PATH = re.compile(rb"/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*")
# Encoded dot, slash, backslash and everything below the space: no client of ours sends them.
_ODD_ENCODING = re.compile(rb"%(?:2[eEfF]|5[cC]|[01][0-9A-Fa-f]|7[fF])")
# Two of these, and one layer might read the first and another the second.
_AT_MOST_ONE = frozenset(
    {
        b"authorization",
        b"content-length",
        b"content-type",
        b"cookie",
        b"idempotency-key",
        b"origin",
        b"sec-fetch-site",
        b"x-csrf-token",
    }
)
_API_CSP = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_CACHING = b"cache-control"
_MAY_BE_KEPT = "/log/"
"""Tiles of a public log never change, and say so themselves."""
_FRAMING_CSP = "frame-ancestors 'none'"
_ALWAYS: Mapping[bytes, bytes] = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"cache-control": b"no-store",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorway:
    """What this application listens on.

    Attributes:
        hosts: Names that a Host header may have. One without a port goes with the port that the
            connection came in on; one with a port must be equal to the whole header.
        max_body_bytes: Largest body.
        body_timeout_s: Longest that a body may take to come in.
        is_trusted_socket: Every caller is the owner: then TCP is refused outright, and so is
            anything that a browser sends.
    """

    hosts: Collection[str]
    max_body_bytes: int
    body_timeout_s: float = BODY_TIMEOUT_S
    is_trusted_socket: bool


@dataclass(frozen=True, slots=True)
class _Head:
    """The header of a request, with what matters here picked out."""

    method: str
    path: str
    origin: str | None
    fetch_site: str | None
    is_page_load: bool
    has_bearer: bool
    has_browser_marks: bool
    own_origin: str

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/v1/")

    @property
    def changes_state(self) -> bool:
        return self.method not in _SAFE_METHODS


class Hardening:
    """Stands around an application; see the module. Keeps no state between requests."""

    def __init__(self, app: ASGIApp, doorway: Doorway) -> None:
        self._app = app
        self._doorway = doorway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            # Before it is accepted, this makes the server answer 403 to the upgrade.
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        body = _Body(doorway=self._doorway, receive=receive)
        sender = _Sender(send=send, body=body, scope=scope, receive=receive)
        try:
            self._admit(scope)
            body.admit_declared(_field(scope, b"content-length"))
        except ConsentryError as refusal:
            await sender.refuse(refusal)
            return
        await self._app(scope, body.next, sender.send_message)

    def _admit(self, scope: Scope) -> None:
        """Raise unless the head of a request may pass."""
        _check_fields(scope)
        _check_path(scope)
        host = self._check_host(scope)
        head = _head_of(scope, host)
        if self._doorway.is_trusted_socket:
            _check_socket(scope, head)
            return
        _check_origin(head)

    def _check_host(self, scope: Scope) -> str:
        found = [value for name, value in scope["headers"] if name == b"host"]
        host = found[0].decode("latin-1").lower() if len(found) == 1 else ""
        port = (scope.get("server") or ("", None))[1]
        with_port = {f"{name}:{port}" for name in self._doorway.hosts} if port else set()
        # Browsers leave out the default port.
        bare = set(self._doorway.hosts) if port in (None, 80) else set()
        explicit = {name for name in self._doorway.hosts if re.search(r":\d+\Z", name)}
        if host not in with_port | bare | explicit:
            raise WrongHost(
                "This request is for another site. Use the address that `consentry serve` prints."
            )
        return host


def _check_fields(scope: Scope) -> None:
    headers = scope["headers"]
    size = sum(len(name) + len(value) for name, value in headers) + len(scope["query_string"])
    if len(headers) > MAX_HEADER_FIELDS or size > MAX_HEADER_BYTES:
        raise HeadersTooLarge(
            f"A header has at most {MAX_HEADER_FIELDS} fields and {MAX_HEADER_BYTES} bytes."
        )
    names = [name for name, _ in headers if name in _AT_MOST_ONE]
    if len(names) != len(set(names)):
        raise BadRequest("A header field that decides something appears twice.")


def _check_path(scope: Scope) -> None:
    """Refuse every way of writing a path but the plain one, so that no two layers read it apart."""
    raw = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    raw = raw.partition(b"?")[0]
    is_plain = _PLAIN_PATH.fullmatch(raw) and not _ODD_ENCODING.search(raw)
    segments = raw.split(b"/")[1:]
    has_tricks = b"" in segments[:-1] or any(part in (b".", b"..") for part in segments)
    if not is_plain or has_tricks:
        raise BadRequest("The path is not written plainly: no //, no dots, no encoded slashes.")


def _head_of(scope: Scope, host: str) -> _Head:
    authorization = _field(scope, b"authorization") or ""
    return _Head(
        method=scope["method"],
        path=scope["path"],
        origin=_field(scope, b"origin"),
        fetch_site=_field(scope, b"sec-fetch-site"),
        is_page_load=(
            _field(scope, b"sec-fetch-mode") == "navigate"
            and _field(scope, b"sec-fetch-dest") == "document"
        ),
        has_bearer=authorization[:7].lower() == "bearer ",
        has_browser_marks=any(
            name == b"origin" or name.startswith(b"sec-fetch-") for name, _ in scope["headers"]
        ),
        own_origin=f"{scope['scheme']}://{host}",
    )


def _check_socket(scope: Scope, head: _Head) -> None:
    """The last line: wired by mistake to a port, the trusted application answers nobody."""
    port = (scope.get("server") or ("", None))[1]
    if port is not None or head.has_browser_marks:
        raise Forbidden("This door is for programs of the owner's on this machine.")


def _check_origin(head: _Head) -> None:
    if head.origin is not None and _EXTENSION_ORIGIN.fullmatch(head.origin):
        _check_extension(head)
        return
    if head.origin is not None and head.origin != head.own_origin:
        raise Forbidden("Pages of other sites may not call this address.")
    if head.changes_state and head.origin is None and not head.has_bearer:
        raise Forbidden("A request that changes something names its Origin, or brings a token.")
    if head.fetch_site in (None, "same-origin", "none"):
        return
    if head.origin is None and head.has_bearer:
        # The reads of an extension: they carry no Origin, and no page can make them.
        return
    is_link = head.is_page_load and not head.changes_state and not head.is_api
    if not is_link:
        raise Forbidden("Pages of other sites may not call this address.")


def _check_extension(head: _Head) -> None:
    if head.is_api and (head.has_bearer or head.path in OPEN_TO_EXTENSIONS):
        return
    if not head.changes_state and head.path.startswith(_OPEN_READS):
        return
    raise Forbidden("An extension needs a token: pair it first.")


@dataclass(slots=True)
class _Body:
    """Counts and times a body as the application reads it."""

    doorway: Doorway
    receive: Receive
    violation: ConsentryError | None = None
    received: int = 0
    spent_s: float = 0.0
    is_over: bool = False

    def admit_declared(self, length: str | None) -> None:
        """Refuse a body that says itself that it is too large, before a byte of it is read."""
        if length is None:
            return
        if not re.fullmatch(r"\d{1,18}", length, re.ASCII):
            raise BadRequest("Content-Length is a number.")
        self._admit(int(length))

    async def next(self) -> Message:
        """Return the next message, or raise if the body is too large or too slow."""
        if self.is_over:
            return await self.receive()
        message = await self._timed()
        if message["type"] == "http.request":
            self.received += len(message.get("body", b""))
            self.is_over = not message.get("more_body", False)
            try:
                self._admit(self.received)
            except BodyTooLarge as violation:
                self.violation = violation
                raise
        return message

    async def drain(self) -> None:
        """Take in and throw away what is left of the body, within limits.

        A connection that is closed with bytes unread is reset, and then the sender of a refused
        upload may lose the very answer that says why.
        """
        with anyio.move_on_after(DRAIN_S):
            while not self.is_over and self.received <= self.doorway.max_body_bytes:
                message = await self.receive()
                self.received += len(message.get("body", b""))
                self.is_over = not message.get("more_body", False)

    async def _timed(self) -> Message:
        began = anyio.current_time()
        with anyio.move_on_after(self.doorway.body_timeout_s - self.spent_s):
            message = await self.receive()
            # Only waiting counts: a slow reader on our side is not the sender's fault.
            self.spent_s += anyio.current_time() - began
            return message
        self.violation = RequestTimedOut("The body came too slowly. Send it again.")
        raise self.violation

    def _admit(self, size: int) -> None:
        if size > self.doorway.max_body_bytes:
            raise BodyTooLarge(f"A request has at most {self.doorway.max_body_bytes} bytes.")


@dataclass(slots=True)
class _Sender:
    """Adds the headers, and puts a violation in place of whatever the application made of it."""

    send: Send
    body: _Body
    scope: Scope
    receive: Receive
    is_replaced: bool = False
    has_started: bool = False

    async def refuse(self, refusal: ConsentryError) -> None:
        # The rest of the body is not read; a kept connection would take it for the next request.
        instance = str(self.scope.get("state", {}).get("instance", ""))
        response = problem_response(refusal, instance, {"connection": "close"})
        await response(self.scope, self.receive, self._send_hardened)

    async def send_message(self, message: Message) -> None:
        violation = self.body.violation
        if violation is not None and not self.has_started and not self.is_replaced:
            self.is_replaced = True
            await self.refuse(violation)
        if not self.is_replaced:
            await self._send_hardened(message)

    async def _send_hardened(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_started = True
            may_be_kept = self.scope["path"].startswith(_MAY_BE_KEPT)
            message = {**message, "headers": _hardened(message.get("headers", ()), may_be_kept)}
        elif not message.get("more_body", False) and not self._waits_to_be_asked():
            await self.body.drain()
        await self.send(message)

    def _waits_to_be_asked(self) -> bool:
        """Whether the sender holds its body back until it is asked for: then there is no rest."""
        return (_field(self.scope, b"expect") or "").lower() == "100-continue"


def _hardened(
    headers: Collection[tuple[bytes, bytes]],
    may_be_kept: bool,  # noqa: FBT001 -- of one caller
) -> list[tuple[bytes, bytes]]:
    caching = [each for each in headers if each[0].lower() == _CACHING] if may_be_kept else []
    kept = [
        (name, value)
        for name, value in headers
        if name.lower() not in _ALWAYS and not name.lower().startswith(b"access-control-")
    ]
    names = {name.lower(): value for name, value in kept}
    kept.extend(each for each in _ALWAYS.items() if each[0] != _CACHING or not caching)
    kept.extend(caching)
    if b"content-security-policy" in names:
        # Several policies all hold, so this can only add to the page's own.
        kept.append((b"content-security-policy", _FRAMING_CSP.encode()))
    else:
        kept.append((b"content-security-policy", _API_CSP.encode()))
    if b"referrer-policy" not in names:
        is_page = names.get(b"content-type", b"").startswith(b"text/html")
        # `no-referrer` on a page makes browsers send `Origin: null` with its own forms (Fetch
        # standard, "append a request Origin header"), which is refused here.
        kept.append((b"referrer-policy", b"same-origin" if is_page else b"no-referrer"))
    return kept


def _field(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)
