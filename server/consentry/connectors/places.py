"""A URL, taken apart once. What is checked and what is connected to are the same parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import ClassVar
from urllib.parse import urljoin

import httpx

from consentry.connectors.addresses import Address
from consentry.kernel.errors import ImageNotFetched

MAX_URL_CHARS = 8192
_MAX_HOST_CHARS = 253
_MAX_PORT = 65_535
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# The last label of a name is never a number; resolvers take "2130706433" and "0x7f.1" for addresses.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_CREDENTIALS = re.compile(r"[^/?#]*//[^/?#]*@")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NEVER_PUBLIC = frozenset({"arpa", "internal", "invalid", "local", "localhost", "onion", "test"})
"""Top-level names that lead nowhere public (RFC 6761 and ICANN's reservations)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a URL leads.

    Attributes:
        scheme: ``http`` or ``https``.
        host: A name in its ASCII form, lower case, without the root's dot; or an address.
        address: What the host is, when the URL names an address.
        port: 1 to 65535.
        target: Path and query, as they are sent.
    """

    scheme: str
    host: str
    address: Address | None
    port: int
    target: bytes

    SCHEMES: ClassVar[frozenset[str]] = frozenset(_DEFAULT_PORTS)

    @classmethod
    def of(cls, url: str) -> Place:
        """Take a URL apart.

        Raises:
            ImageNotFetched: If it is not an absolute URL of a public web server in its plain form:
                other schemes, credentials, names of this network, numbers written otherwise than in
                four decimal parts, zone identifiers, control characters.
        """
        if len(url) > MAX_URL_CHARS:
            raise ImageNotFetched(f"The address has more than {MAX_URL_CHARS} characters.")
        if "\\" in url or any(ord(char) <= ord(" ") for char in url):
            raise ImageNotFetched("The address has characters that no address has. Escape them.")
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as cause:
            raise ImageNotFetched("This is not a web address.") from cause
        if parsed.scheme not in cls.SCHEMES:
            raise ImageNotFetched("Pictures are fetched from https addresses only.")
        if _CREDENTIALS.match(url):
            raise ImageNotFetched("An address with a user name or password in it is not fetched.")
        port = _DEFAULT_PORTS[parsed.scheme] if parsed.port is None else parsed.port
        if not 0 < port <= _MAX_PORT:
            raise ImageNotFetched("The address names a port that there is not.")
        host, address = _host(parsed.raw_host.decode("ascii"))
        return cls(
            scheme=parsed.scheme, host=host, address=address, port=port, target=parsed.raw_path
        )

    def follow(self, location: str) -> Place:
        """Return where a redirect from here leads.

        Raises:
            ImageNotFetched: As `of`.
        """
        try:
            return Place.of(urljoin(f"{self.origin}{self.target.decode('ascii')}", location))
        except ValueError as cause:
            raise ImageNotFetched("The server answers with an address that is none.") from cause

    @property
    def origin(self) -> str:
        """Scheme, host and port, as in a URL."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def netloc(self) -> str:
        """Host and, where it is not the scheme's own, port: the ``Host`` header."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def _host(written: str) -> tuple[str, Address | None]:
    host = written.lower().strip("[]")
    if ":" in host:
        try:
            address = IPv6Address(host)
        except AddressValueError as cause:
            raise ImageNotFetched("The address has a host that is none.") from cause
        if address.scope_id is not None:
            raise ImageNotFetched("The address does not lead to a public server.")
        return str(address), address
    host = host.removesuffix(".")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return host, IPv4Address(host)
        except AddressValueError as cause:
            # Octal, hexadecimal, short and whole-number forms: read differently by different programs.
            raise ImageNotFetched("The address has a number for a host.") from cause
    is_name = len(host) <= _MAX_HOST_CHARS and all(_LABEL.fullmatch(label) for label in labels)
    if not is_name or len(labels) == 1 or labels[-1] in _NEVER_PUBLIC:
        raise ImageNotFetched("The address does not lead to a public server.")
    return host, None
