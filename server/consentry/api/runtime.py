"""What the routes of one application share."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from fastapi import Request

from consentry.api.metrics import Metrics
from consentry.api.once import Once
from consentry.api.work import Traffic, Work
from consentry.kernel.clock import Clock, SystemClock
from consentry.kernel.ids import Random
from consentry.services import Services

_GOOD_FOR_S = 10.0

Probe = Callable[[], None]
"""Raises an `OperatorError` when something that a check needs is not there."""


class Readiness:
    """Asks the probes, and takes a good answer for good for a while: anybody may ask."""

    def __init__(self, probes: Sequence[Probe], clock: Clock) -> None:
        self._probes = probes
        self._clock = clock
        self._lock = threading.Lock()
        self._good_until = -math.inf  # guarded by _lock

    def require(self) -> None:
        """Pass when every probe does.

        Raises:
            OperatorError: What the first probe that fails raises.
        """
        with self._lock:
            if self._clock.monotonic() < self._good_until:
                return
            for probe in self._probes:
                probe()
            self._good_until = self._clock.monotonic() + _GOOD_FOR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the applications of one process share: the one on TCP, and the one on the socket.

    They stop together: neither locks the vault while the other still answers.

    Attributes:
        work: Where use cases run.
        metrics: What is counted.
        once: Answers that are kept for repetition.
        traffic: What is being answered.
    """

    work: Work
    metrics: Metrics
    once: Once
    traffic: Traffic

    @classmethod
    def make(
        cls, *, worker_threads: int, clock: Clock | None = None, random: Random = os.urandom
    ) -> Shared:
        """Make it, for one process.

        Args:
            worker_threads: Pictures worked on at the same time.
            clock: Where the time comes from; None for the machine's.
            random: Source of the key under which requests are compared.
        """
        metrics = Metrics()
        return cls(
            work=Work(threads=worker_threads, metrics=metrics),
            metrics=metrics,
            once=Once(clock or SystemClock(), random),
            traffic=Traffic(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """See the module.

    Attributes:
        services: The use cases.
        shared: With the other applications of this process.
        max_body_bytes: Largest body with pictures.
        is_trusted_socket: Every caller is the owner.
        address: Returns where the dashboard is reached, or None when nothing listens.
        readiness: What `/readyz` asks beyond the store and the gallery.
        version: Of the program.
        clock: Where the time comes from.
        is_log_public: The transparency log answers without a token.
    """

    services: Services
    shared: Shared
    max_body_bytes: int
    is_trusted_socket: bool
    address: Callable[[], str | None]
    readiness: Readiness
    version: str
    clock: Clock
    is_log_public: bool = False

    @property
    def work(self) -> Work:
        """Where use cases run."""
        return self.shared.work

    @property
    def metrics(self) -> Metrics:
        """What is counted."""
        return self.shared.metrics

    @property
    def once(self) -> Once:
        """Answers that are kept for repetition."""
        return self.shared.once


def runtime_of(request: Request) -> Runtime:
    """Return the runtime of the application that serves a request."""
    return cast(Runtime, request.app.state.runtime)


def own_origin_of(request: Request) -> str:
    """Return where this application was reached. The Host was compared with the allowlist before."""
    return f"{request.url.scheme}://{request.headers['host'].lower()}"
