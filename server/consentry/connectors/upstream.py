"""A generator behind the gateway: requests go out, and answers come back, byte for byte.

Nothing is added, unpacked, redirected, remembered or tried again: the caller has a client for that.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpcore

from consentry.gateway.exchange import Answer, Head, Headers, named_by_connection
from consentry.kernel.errors import BadRequest, Unreachable, UpstreamTimedOut

_OF_ONE_HOP = frozenset(
    {
        b"connection",
        b"expect",
        b"host",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Header fields that are between two neighbours (RFC 9110, 7.6.1)."""
_LENGTH = b"content-length"
_IDLE_S = 30.0
_BROKEN = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


class HttpUpstream:
    """One generator, over HTTP (`consentry.gateway.ports.Upstream`). Belongs to one event loop."""

    def __init__(
        self,
        base_url: str,
        *,
        connect_timeout_s: float = 10.0,
        answer_timeout_s: float = 600.0,
        max_connections: int = 256,
    ) -> None:
        """Connect to nothing yet.

        Args:
            base_url: Where its API begins, ``https://api.openai.com/v1`` for example.
            connect_timeout_s: Longest to connect, and to be given a connection.
            answer_timeout_s: Longest silence: before the first byte and between two.
            max_connections: At the same time.

        Raises:
            BadRequest: If it is no plain http or https address.
        """
        self._base = _base_of(base_url)
        self._timeouts = {
            "connect": connect_timeout_s,
            "pool": connect_timeout_s,
            "read": answer_timeout_s,
            "write": answer_timeout_s,
        }
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=_IDLE_S,
        )

    @asynccontextmanager
    async def send(self, head: Head, body: bytes | AsyncIterator[bytes]) -> AsyncIterator[Answer]:
        """Send a request, and yield its answer while it comes in."""
        request = httpcore.Request(
            head.method,
            self._base.below(head),
            headers=_onward(head, body, self._base),
            content=body,
            extensions={"timeout": self._timeouts},
        )
        try:
            response = await self._pool.handle_async_request(request)
        except httpcore.TimeoutException as cause:
            raise UpstreamTimedOut("The generator did not answer in time.") from cause
        except _BROKEN as cause:
            raise Unreachable("The generator could not be reached.") from cause
        try:
            yield Answer(
                status=response.status,
                headers=_of_answer(response.headers),
                chunks=_chunks(response),
            )
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


@dataclass(frozen=True, slots=True)
class _Base:
    """Where an API begins."""

    scheme: bytes
    host: bytes
    port: int | None
    path: bytes

    def below(self, head: Head) -> httpcore.URL:
        """Return the address of what a request is for."""
        query = b"?" + head.query if head.query else b""
        target = self.path + b"/" + head.path.encode("ascii") + query
        return httpcore.URL(scheme=self.scheme, host=self.host, port=self.port, target=target)

    @property
    def named(self) -> bytes:
        """As in the Host field: the port only where it is not the usual one."""
        host = b"[" + self.host + b"]" if b":" in self.host else self.host
        return host if self.port is None else b"%s:%d" % (host, self.port)


async def _chunks(response: httpcore.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_stream():
            yield chunk
    except httpcore.TimeoutException as cause:
        raise UpstreamTimedOut("The generator fell silent in the middle of its answer.") from cause
    except _BROKEN as cause:
        raise Unreachable("The generator broke off in the middle of its answer.") from cause


def _onward(
    head: Head, body: bytes | AsyncIterator[bytes], base: _Base
) -> list[tuple[bytes, bytes]]:
    # The length of a whole body is what it is; of one that streams through, what was said.
    is_whole = isinstance(body, bytes)
    left_out = _OF_ONE_HOP | head.of_one_hop | ({_LENGTH} if is_whole else set())
    headers = [(b"host", base.named)]
    headers += [each for each in head.headers if each[0].lower() not in left_out]
    if isinstance(body, bytes):
        if body or head.method == "POST":
            headers.append((_LENGTH, b"%d" % len(body)))
    elif head.value(_LENGTH) is None:
        headers.append((b"transfer-encoding", b"chunked"))
    return headers


def _of_answer(headers: Sequence[tuple[bytes, bytes]]) -> Headers:
    left_out = _OF_ONE_HOP | named_by_connection(tuple(headers))
    return tuple((name.lower(), value) for name, value in headers if name.lower() not in left_out)


def _base_of(url: str) -> _Base:
    parts = urlsplit(url)
    is_plain = "@" not in parts.netloc and not parts.query and not parts.fragment and url.isascii()
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
        raise BadRequest(
            "The address of the generator is http:// or https://, a host and a path, and nothing else."
        )
    try:
        port = parts.port
    except ValueError as cause:
        raise BadRequest("The port of the generator's address is no port.") from cause
    return _Base(
        parts.scheme.encode(), parts.hostname.encode(), port, parts.path.rstrip("/").encode()
    )
