"""One application out of routes, hardening and rim.

    rim -> hardening -> routes of /v1, /.well-known, status -> pages of the dashboard, if any

The same routes serve TCP, the 0600 unix socket and the command line in-process; the last two are made
with ``trusted_socket=True``, and such an application never answers over TCP.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial

from anyio import to_thread
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Match, Route

from consentry.api import (
    routes_audit,
    routes_backup,
    routes_checks,
    routes_consent_requests,
    routes_consent_tokens,
    routes_contests,
    routes_faces,
    routes_feed,
    routes_grants,
    routes_keys,
    routes_log,
    routes_my_checks,
    routes_names,
    routes_outputs,
    routes_pairing,
    routes_policy,
    routes_receipts,
    routes_rights,
    routes_status,
    routes_subjects,
    routes_tokens,
    routes_vault,
    routes_words,
)
from consentry.api.bodies import complaint
from consentry.api.hardening import BODY_TIMEOUT_S, Doorway, Hardening
from consentry.api.problems import problem_response
from consentry.api.rim import Rim
from consentry.api.runtime import Probe, Readiness, Runtime, Shared
from consentry.kernel.clock import Clock, SystemClock
from consentry.kernel.errors import (
    BadRequest,
    ConsentryError,
    MethodNotAllowed,
    NotFound,
    OperatorError,
)
from consentry.kernel.ids import Random
from consentry.services import Services

TITLE = "Consentry"
DESCRIPTION = (
    "Consent protection for faces: enrol your own, and edits of it are refused or asked for. "
    "docs/api.md says who may call what."
)
SHUTDOWN_GRACE_S = 10.0

_ROUTERS: tuple[APIRouter, ...] = (
    routes_status.router,
    routes_vault.router,
    routes_words.router,
    routes_subjects.router,
    routes_my_checks.router,
    routes_checks.router,
    routes_outputs.router,
    routes_policy.router,
    routes_grants.router,
    routes_consent_tokens.router,
    routes_consent_requests.router,
    routes_names.router,
    routes_contests.router,
    routes_feed.router,
    routes_faces.router,
    routes_receipts.router,
    routes_rights.router,
    routes_log.router,
    routes_audit.router,
    routes_tokens.router,
    routes_keys.router,
    routes_backup.router,
    routes_pairing.router,
)
_VERBS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]


def create_app(  # noqa: PLR0913 -- each is a decision of wiring's own, and given by keyword
    services: Services,
    *,
    host_allowlist: Collection[str],
    max_body_bytes: int,
    worker_threads: int,
    trusted_socket: bool,
    version: str,
    pages: Callable[[], APIRouter] | None = None,
    address: Callable[[], str | None] = lambda: None,
    probes: Sequence[Probe] = (),
    shared: Shared | None = None,
    body_timeout_s: float = BODY_TIMEOUT_S,
    log_public: bool = False,
    clock: Clock | None = None,
    random: Random = os.urandom,
) -> FastAPI:
    """Return the application, hardened.

    Args:
        services: The use cases.
        host_allowlist: Names that a Host header may have, ``127.0.0.1`` for example. A name without
            a port goes with the port that a connection came in on.
        max_body_bytes: Largest body.
        worker_threads: Pictures worked on at the same time.
        trusted_socket: Every caller is the owner. For the 0600 unix socket and for use in-process;
            answers 403 to whatever comes over TCP or from a browser.
        version: Of the program.
        pages: Makes the routes of the dashboard, which come after those of the API.
        address: Returns where the dashboard is reached (``http://127.0.0.1:8484``), or None.
        probes: What `/readyz` asks beyond the store and the gallery.
        shared: With another application in the same process and event loop; None for the only one.
        body_timeout_s: Longest that a body may take to come in.
        log_public: The transparency log answers without a token.
        clock: Where the time comes from; None for the machine's.
        random: Source of correlation ids.
    """
    clock = clock or SystemClock()
    shared = shared or Shared.make(worker_threads=worker_threads, clock=clock, random=random)
    runtime = Runtime(
        services=services,
        shared=shared,
        max_body_bytes=max_body_bytes,
        is_trusted_socket=trusted_socket,
        address=address,
        readiness=Readiness(probes, clock),
        version=version,
        clock=clock,
        is_log_public=log_public,
    )
    services.custody.on_lock(shared.once.forget)
    doorway = Doorway(
        hosts=frozenset(name.lower() for name in host_allowlist),
        max_body_bytes=max_body_bytes,
        body_timeout_s=body_timeout_s,
        is_trusted_socket=trusted_socket,
    )
    app = bare_app(
        version,
        middleware=[
            Middleware(
                Rim, metrics=shared.metrics, traffic=shared.traffic, clock=clock, random=random
            ),
            Middleware(Hardening, doorway=doorway),
        ],
    )
    app.state.runtime = runtime
    if pages is not None:
        app.include_router(pages())
    return app


def bare_app(version: str, *, middleware: Sequence[Middleware]) -> FastAPI:
    """Return the routes without what they work on: enough to describe them."""
    app = FastAPI(
        title=TITLE,
        version=version,
        description=DESCRIPTION,
        # The documentation pages of FastAPI load scripts from another site; docs/openapi.json is the
        # document itself.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # No telemetry, whatever the environment says (FASTAPI_OTEL_AUTO_CONFIGURE).
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
        redirect_slashes=False,
        lifespan=_lifespan,
        middleware=middleware,
        exception_handlers={
            ConsentryError: _on_consentry_error,
            RequestValidationError: _on_invalid_request,
            HTTPException: _on_http_exception,
        },
    )
    for router in _ROUTERS:
        # Flat, not included: the routes stay what OpenAPI, the log and 405 answers see.
        app.router.routes.extend(router.routes)
    for prefix in ("/v1", "/.well-known", "/log"):
        app.router.routes.append(
            Route(prefix + "/{rest:path}", _closed, methods=_VERBS, include_in_schema=False)
        )
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """At the end: finish what is being answered, then destroy the keys in memory."""
    yield
    runtime: Runtime = app.state.runtime
    runtime.work.close()
    await runtime.shared.traffic.until_quiet(grace_s=SHUTDOWN_GRACE_S)
    # Whom a refused request was about can be found out only while the keys are there.
    await to_thread.run_sync(
        partial(runtime.services.check.afterwards.finish, grace_s=SHUTDOWN_GRACE_S)
    )
    await to_thread.run_sync(runtime.services.custody.lock)


async def _closed(request: Request) -> Response:
    """Answer for whatever is under our prefixes and is no route: it never reaches the pages."""
    partial = [
        route
        for route in request.app.router.routes
        if isinstance(route, Route)
        and route.endpoint is not _closed
        and route.matches(request.scope)[0] is Match.PARTIAL
    ]
    # An address that is a route of its own is not also an identifier of another's.
    own = [route for route in partial if route.path == request.url.path]
    allowed = {verb for route in own or partial for verb in route.methods or ()}
    if allowed:
        request.scope["allow"] = ", ".join(sorted(allowed))
        raise MethodNotAllowed(f"This route takes {request.scope['allow']}.")
    raise NotFound("There is no such route.")


async def _on_consentry_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, ConsentryError):  # pragma: no cover -- registered for this class only
        raise error
    allow = request.scope.get("allow")
    headers = {"allow": allow} if isinstance(error, MethodNotAllowed) and allow else None
    return problem_response(error, request.state.instance, headers)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):  # pragma: no cover -- as above
        raise error
    found = [(each["type"], each["loc"], each["msg"]) for each in error.errors()]
    return problem_response(BadRequest(complaint(found)), request.state.instance)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """Translate what the framework raises itself."""
    if not isinstance(error, HTTPException):  # pragma: no cover -- as above
        raise error
    problem: ConsentryError
    match error.status_code:
        case 404:
            problem = NotFound("There is no such route.")
        case 405:
            problem = MethodNotAllowed("This route does not take that verb.")
        case status if status < OperatorError.status:
            problem = BadRequest("The request could not be read.")
        case status:
            problem = OperatorError(f"the framework answered {status}")
    return problem_response(problem, request.state.instance, error.headers)
