"""A generator behind the gateway: requests go out, and answers come back, byte for byte.

Nothing is added, unpacked, redirected, remembered or tried again: the caller has a client for that.
"""

from __future__ import annotations

import http.cookiejar
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from consentry.gateway.exchange import Answer, Head, Headers
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
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(
                answer_timeout_s, connect=connect_timeout_s, pool=connect_timeout_s
            ),
            limits=httpx.Limits(
                max_connections=max_connections, max_keepalive_connections=max_connections
            ),
            follow_redirects=False,
            trust_env=False,
            # One caller's cookies are not for another, and are handed on as they are.
            cookies=http.cookiejar.CookieJar(
                http.cookiejar.DefaultCookiePolicy(allowed_domains=())
            ),
        )

    @asynccontextmanager
    async def send(self, head: Head, body: bytes | AsyncIterator[bytes]) -> AsyncIterator[Answer]:
        """Send a request, and yield its answer while it comes in."""
        query = b"?" + head.query if head.query else b""
        request = httpx.Request(
            head.method,
            f"{self._base}/{head.path}{query.decode('ascii')}",
            headers=_onward(head.headers, is_whole=isinstance(body, bytes)),
            content=body,
        )
        try:
            response = await self._client.send(request, stream=True)
        except httpx.TimeoutException as cause:
            raise UpstreamTimedOut("The generator did not answer in time.") from cause
        except httpx.HTTPError as cause:
            raise Unreachable("The generator could not be reached.") from cause
        try:
            yield Answer(
                status=response.status_code,
                headers=_of_answer(response.headers.raw),
                chunks=_chunks(response),
            )
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_raw():
            yield chunk
    except httpx.TimeoutException as cause:
        raise UpstreamTimedOut("The generator fell silent in the middle of its answer.") from cause
    except httpx.HTTPError as cause:
        raise Unreachable("The generator broke off in the middle of its answer.") from cause


def _onward(headers: Headers, *, is_whole: bool) -> list[tuple[bytes, bytes]]:
    # The length of a whole body is what it is; of one that streams through, what was said.
    left_out = _OF_ONE_HOP | _named_by_connection(headers) | ({_LENGTH} if is_whole else set())
    return [each for each in headers if each[0].lower() not in left_out]


def _of_answer(headers: list[tuple[bytes, bytes]]) -> Headers:
    left_out = _OF_ONE_HOP | _named_by_connection(tuple(headers))
    return tuple((name.lower(), value) for name, value in headers if name.lower() not in left_out)


def _named_by_connection(headers: Headers) -> frozenset[bytes]:
    return frozenset(
        each.strip().lower()
        for name, value in headers
        if name.lower() == b"connection"
        for each in value.split(b",")
    )


def _base_of(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as cause:
        raise BadRequest("The address of the generator cannot be read.") from cause
    is_plain = not (parsed.userinfo or parsed.query or parsed.fragment)
    if parsed.scheme not in ("http", "https") or not parsed.host or not is_plain:
        raise BadRequest(
            "The address of the generator is http:// or https://, a host and a path, and nothing else."
        )
    return str(parsed).rstrip("/")
