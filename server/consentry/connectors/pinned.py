"""A connection to exactly the addresses that were checked, with a clock and a meter on it."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import httpcore

from consentry.connectors.addresses import Address
from consentry.kernel.clock import Clock
from consentry.kernel.errors import ImageTooLarge


@dataclass(slots=True)
class Allowance:
    """What one fetch may still take, over all its connections. Belongs to one thread.

    Attributes:
        clock: Monotonic time.
        ends_at: On that clock.
        step_s: The longest that one read or write may take.
        wire_bytes: What may still be received, headers included.
    """

    clock: Clock
    ends_at: float
    step_s: float
    wire_bytes: int

    @property
    def left_s(self) -> float:
        """Seconds that are left; 0 or less when there are none."""
        return self.ends_at - self.clock.monotonic()

    def step(self) -> float:
        """Return how long the next read or write may take.

        Raises:
            httpcore.ReadTimeout: If the time is over.
        """
        if self.left_s <= 0:
            raise httpcore.ReadTimeout("the fetch took too long")
        return min(self.step_s, self.left_s)

    def received(self, size: int) -> None:
        """Count what came in.

        Raises:
            ImageTooLarge: If it is more than may come.
        """
        self.wire_bytes -= size
        if self.wire_bytes < 0:
            raise ImageTooLarge("the picture at this address is too large; send it smaller")


class MeteredStream(httpcore.NetworkStream):
    """A stream of which every read and write is held against an `Allowance`."""

    def __init__(self, stream: httpcore.NetworkStream, allowance: Allowance) -> None:
        self._stream = stream
        self._allowance = allowance

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 -- httpcore's own interface
        """Return what comes next, at most ``max_bytes``."""
        data = self._stream.read(max_bytes, timeout=self._allowance.step())
        self._allowance.received(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 -- httpcore's own interface
        """Send all of ``buffer``."""
        self._stream.write(buffer, timeout=self._allowance.step())

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 -- httpcore's own interface
    ) -> httpcore.NetworkStream:
        """Go on encrypted; the certificate must be for ``server_hostname``."""
        stream = self._stream.start_tls(ssl_context, server_hostname, self._allowance.step())
        return MeteredStream(stream, self._allowance)

    def get_extra_info(self, info: str) -> object:
        """Return what the stream knows of itself."""
        return self._stream.get_extra_info(info)


@dataclass(frozen=True, slots=True)
class PinnedBackend(httpcore.NetworkBackend):
    """Connects to the given addresses, whatever name it is asked for: nothing is resolved again.

    Attributes:
        addresses: Checked; tried in order until one answers.
        allowance: Of the fetch.
        network: What opens the sockets.
    """

    addresses: Sequence[Address]
    allowance: Allowance
    network: httpcore.NetworkBackend

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 -- the name that was resolved; only its addresses count
        port: int,
        timeout: float | None = None,  # noqa: ARG002 -- httpcore's own interface
        local_address: str | None = None,  # noqa: ARG002 -- httpcore's own interface
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Open a connection.

        Raises:
            httpcore.ConnectError, httpcore.ConnectTimeout: If no address answers.
        """
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in self.addresses:
            try:
                stream = self.network.connect_tcp(
                    str(address),
                    port,
                    timeout=self.allowance.step(),
                    socket_options=socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return MeteredStream(stream, self.allowance)
        raise failure or httpcore.ConnectError("there is no address")
