"""Outermost: names each request, answers the unexpected, writes one line of log.

    POST /v1/checks 200 412ms door=token ref=3f0c…

The line has the route's template, not the address; no query, header, body, name or identifier.
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consentry.accounts.budgets import BudgetState
from consentry.api.metrics import Metrics
from consentry.api.problems import unexpected_response
from consentry.api.work import Traffic
from consentry.kernel.clock import Clock
from consentry.kernel.ids import Random

_log = logging.getLogger("consentry.access")
_UUID_BYTES = 16
_CLIENT_GONE = 499
_MAX_VERB_CHARS = 10


class Rim:
    """Wraps an application; see the module."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        traffic: Traffic,
        clock: Clock,
        random: Random = os.urandom,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._traffic = traffic
        self._clock = clock
        self._random = random

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        instance = uuid.UUID(bytes=self._random(_UUID_BYTES), version=4).urn
        scope.setdefault("state", {})["instance"] = instance
        answer = _Answer(send=send, scope=scope)
        began = self._clock.monotonic()
        try:
            with self._traffic.request():
                await self._app(scope, receive, answer.send_message)
        except ClientDisconnect:
            answer.status = _CLIENT_GONE
        except Exception as error:  # noqa: BLE001 -- the rim: nothing unexpected is shown
            response = unexpected_response(error, instance)
            if not answer.has_started:
                await response(scope, receive, answer.send_message)
        finally:
            self._note(scope, answer.status, self._clock.monotonic() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route_of(scope)
        method = str(scope["method"])
        self._metrics.note_request(method=method, route=route, status=status, seconds=seconds)
        _log.info(
            "%s %s %d %dms door=%s ref=%s",
            method if method.isalpha() and len(method) <= _MAX_VERB_CHARS else "?",
            route,
            status,
            round(seconds * 1000),
            scope["state"].get("door", "none"),
            scope["state"]["instance"],
        )


@dataclass(slots=True)
class _Answer:
    """Watches an answer go out, and adds the state of the budgets that it was held against."""

    send: Send
    scope: Scope
    has_started: bool = False
    status: int = 500

    async def send_message(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_started = True
            self.status = message["status"]
            budgets = self.scope["state"].get("budgets")
            if isinstance(budgets, tuple) and budgets:
                headers = [*message.get("headers", ()), *_rate_limit_fields(budgets)]
                message = {**message, "headers": headers}
        await self.send(message)


def _rate_limit_fields(budgets: Sequence[BudgetState]) -> list[tuple[bytes, bytes]]:
    """Return the two fields of draft-ietf-httpapi-ratelimit-headers-10: lists of quota policies."""
    policies = [
        f'"{each.name}";q={each.quota};w={each.window_s}'
        + ("" if each.unit is None else f';qu="{each.unit}"')
        for each in budgets
    ]
    left = [f'"{each.name}";r={each.remaining};t={each.reset_s}' for each in budgets]
    return [
        (b"ratelimit-policy", ", ".join(policies).encode()),
        (b"ratelimit", ", ".join(left).encode()),
    ]


def _route_of(scope: Scope) -> str:
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "-"
