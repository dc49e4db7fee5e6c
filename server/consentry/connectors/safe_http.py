"""Fetches a picture from a URL that a stranger chose, without being led astray (docs/adr/0022).

    URL --take apart--> place --resolve once--> addresses --all public?--> connect to exactly these
                          ^                                                       |
                          +------------- redirect, checked like the first --------+
                                                                                  |
                               bytes <--cap, clock-- body <--sniff, cap----------+

Nothing of ours goes with it: no cookie, no credential, no proxy of the environment, no address that
it came from. Failures that would tell what this machine's own network looks like are one and the
same answer.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TypeAlias

import httpcore

from consentry.connectors.addresses import Address, AddressRule, is_public
from consentry.connectors.pinned import Allowance, PinnedBackend
from consentry.connectors.places import Place
from consentry.connectors.resolving import Resolver
from consentry.connectors.unpacking import unpacked
from consentry.imagery.formats import sniff
from consentry.kernel.clock import Clock
from consentry.kernel.errors import ImageNotFetched, ImageTooLarge

_OK = 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SNIFFED_BYTES = 1024
"""As many as `imagery.formats` looks at."""
_HEADER_BYTES = 64 * 1024
"""Of one answer, on the wire, with what TLS and chunking add on top of the body."""
_MAX_ADDRESSES = 4

_Headers: TypeAlias = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """What one fetch may take.

    Attributes:
        max_bytes: Of the picture, as sent and as unpacked.
        total_s: From the first lookup to the last byte, over all redirects.
        step_s: One connection attempt, read or write.
        max_redirects: How many are followed.
        schemes: Of ``http`` and ``https``.
        ports: That may be connected to.
    """

    max_bytes: int = 20 * 1024 * 1024
    total_s: float = 15.0
    step_s: float = 5.0
    max_redirects: int = 3
    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = frozenset({443, 8443})


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPicture:
    """Fetch pictures by URL. Stateless but for the shared TLS context; safe to share between threads.

    Attributes:
        resolver: Asked once for each name on the way.
        clock: Bounds the whole fetch.
        limits: What it may take.
        may_connect: Which addresses are allowed; of a name, all of them must be.
        tls: Verifies certificates and names; never weakened.
        network: What opens the sockets.
    """

    resolver: Resolver
    clock: Clock
    limits: FetchLimits = field(default_factory=FetchLimits)
    may_connect: AddressRule = is_public
    tls: ssl.SSLContext = field(default_factory=httpcore.default_ssl_context, repr=False)
    network: httpcore.NetworkBackend = field(default_factory=httpcore.SyncBackend, repr=False)

    def __call__(self, url: str) -> bytes:
        """Return the bytes of the picture at ``url``, of a format that is read here.

        The name in the URL, the media type that the server declares and its length are not
        believed. The bytes still have to be decoded under the caps of `imagery`.

        Raises:
            ImageNotFetched: If it may not be fetched, or was not: address, certificate, status,
                time, number of redirects.
            ImageTooLarge: If it is larger than the limit.
            EmptyImage, UnknownImageFormat: If what comes is no picture.
        """
        allowance = Allowance(
            clock=self.clock,
            ends_at=self.clock.monotonic() + self.limits.total_s,
            step_s=self.limits.step_s,
            wire_bytes=self.limits.max_bytes + (self.limits.max_redirects + 1) * _HEADER_BYTES,
        )
        place = Place.of(url)
        for _ in range(self.limits.max_redirects + 1):
            found = self._get(place, allowance)
            if isinstance(found, bytes):
                return found
            place = found
        raise ImageNotFetched(
            f"The address redirects more than {self.limits.max_redirects} times. Give the last one."
        )

    def _get(self, place: Place, allowance: Allowance) -> bytes | Place:
        backend = PinnedBackend(self._addresses(place, allowance), allowance, self.network)
        headers = [
            ("Host", place.netloc),
            ("Accept", "image/*"),
            ("Accept-Encoding", "identity"),
            ("User-Agent", "consentry"),
            ("Connection", "close"),
        ]
        url = httpcore.URL(
            scheme=place.scheme, host=place.host, port=place.port, target=place.target
        )
        try:
            with (
                httpcore.ConnectionPool(
                    ssl_context=self.tls, max_connections=1, network_backend=backend
                ) as pool,
                pool.stream("GET", url, headers=headers) as answer,
            ):
                return self._read(place, answer)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as cause:
            # Which of them it was would tell a caller what listens where.
            raise ImageNotFetched(
                "The server did not answer in time, or not over a connection that holds."
            ) from cause

    def _addresses(self, place: Place, allowance: Allowance) -> tuple[Address, ...]:
        limits = self.limits
        if place.scheme not in limits.schemes:
            raise ImageNotFetched("Pictures are fetched from https addresses only.")
        if place.port not in limits.ports:
            raise ImageNotFetched("The address names a port that pictures are not fetched from.")
        if place.address is not None:
            found: tuple[Address, ...] = (place.address,)
        else:
            timeout_s = max(0.0, min(limits.step_s, allowance.left_s))
            found = self.resolver.resolve(place.host, timeout_s=timeout_s)
        # A name with one public and one private address is an attempt, or a mistake to be mended.
        if not found or not all(map(self.may_connect, found)):
            # One answer for "no such name" and "inside": else names of this network could be tried.
            raise ImageNotFetched("The address does not lead to a public server.")
        return found[:_MAX_ADDRESSES]

    def _read(self, place: Place, answer: httpcore.Response) -> bytes | Place:
        if answer.status in _REDIRECTS:
            location = _header(answer.headers, b"location")
            if location is None:
                raise ImageNotFetched("The server redirects to nowhere.")
            return place.follow(location)
        if answer.status != _OK:
            raise ImageNotFetched("The server does not give the picture. Is the address right?")
        declared = _header(answer.headers, b"content-length") or ""
        if declared.isdecimal() and int(declared) > self.limits.max_bytes:
            raise ImageTooLarge("the picture at this address is too large; send it smaller")
        encoding = _header(answer.headers, b"content-encoding")
        with closing(unpacked(answer.iter_stream(), encoding)) as chunks:
            return self._picture(chunks)

    def _picture(self, chunks: Iterator[bytes]) -> bytes:
        data, is_known = bytearray(), False
        for chunk in chunks:
            data += chunk
            if len(data) > self.limits.max_bytes:
                raise ImageTooLarge("the picture at this address is too large; send it smaller")
            if not is_known and len(data) >= _SNIFFED_BYTES:
                sniff(bytes(data[:_SNIFFED_BYTES]))
                is_known = True
        if not is_known:
            sniff(bytes(data))
        return bytes(data)


def _header(headers: _Headers, name: bytes) -> str | None:
    for each, value in headers:
        if each.lower() == name:
            return value.decode("latin-1").strip()
    return None
