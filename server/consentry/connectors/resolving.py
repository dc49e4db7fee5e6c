"""From a name to addresses, asked once and in bounded time."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol

from consentry.connectors.addresses import Address

_THREADS = 8
"""A resolver that hangs holds one each until it gives up; beyond them, lookups wait and time out."""


class Resolver(Protocol):
    """Port: who is asked for the addresses of a name."""

    def resolve(self, host: str, *, timeout_s: float) -> tuple[Address, ...]:
        """Return the addresses of a name; empty when there are none or no answer came in time."""


@dataclass(frozen=True, slots=True)
class SystemResolver:
    """Asks as the machine is set up to. Safe to share between threads; the executor is its guard."""

    _executor: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_THREADS, thread_name_prefix="resolve"),
        repr=False,
    )

    def resolve(self, host: str, *, timeout_s: float) -> tuple[Address, ...]:
        """Return the addresses of a name, in the order that the machine prefers."""
        try:
            return self._executor.submit(_look_up, host).result(timeout=timeout_s)
        except (TimeoutError, OSError, UnicodeError):
            return ()


def _look_up(host: str) -> tuple[Address, ...]:
    # With the root's dot, so that no search list of this machine's network is appended to the name.
    found = socket.getaddrinfo(f"{host}.", None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(ip_address(str(entry[4][0])) for entry in found))
