"""What the routes of one application share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from fastapi import Request

from consentry.api.metrics import Metrics
from consentry.api.once import Once
from consentry.api.work import Work
from consentry.kernel.clock import Clock
from consentry.services import Services

Probe = Callable[[], None]
"""Raises an `OperatorError` when something that a check needs is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """See the module.

    Attributes:
        services: The use cases.
        work: Where they run.
        metrics: What is counted.
        once: Answers that are kept for repetition.
        max_body_bytes: Largest body with pictures.
        is_trusted_socket: Every caller is the owner.
        address: Returns where the dashboard is reached, or None when nothing listens.
        probes: What `/readyz` asks beyond the store and the gallery.
        version: Of the program.
        clock: Where the time comes from.
    """

    services: Services
    work: Work
    metrics: Metrics
    once: Once
    max_body_bytes: int
    is_trusted_socket: bool
    address: Callable[[], str | None]
    probes: Sequence[Probe]
    version: str
    clock: Clock


def runtime_of(request: Request) -> Runtime:
    """Return the runtime of the application that serves a request."""
    return cast(Runtime, request.app.state.runtime)


def own_origin_of(request: Request) -> str:
    """Return where this application was reached. The Host was compared with the allowlist before."""
    return f"{request.url.scheme}://{request.headers['host'].lower()}"
