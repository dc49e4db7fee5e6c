"""All pages as one router."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from importlib import resources

from anyio import CapacityLimiter
from fastapi import APIRouter, Request, Response

from consentry.dashboard import (
    checking,
    consents,
    contests,
    entry,
    my_checks,
    names,
    pairing,
    people,
    protection,
    vault,
)
from consentry.dashboard.door import Door
from consentry.dashboard.visit import Place, Route
from consentry.kernel.ids import Random
from consentry.services import Services

ROUTES: tuple[Route, ...] = (
    *entry.ROUTES,
    *vault.ROUTES,
    *people.ROUTES,
    *checking.ROUTES,
    *consents.ROUTES,
    *my_checks.ROUTES,
    *protection.ROUTES,
    *names.ROUTES,
    *contests.ROUTES,
    *pairing.ROUTES,
)
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_STATIC_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


def dashboard_router(
    services: Services,
    *,
    place: Place,
    limiter: CapacityLimiter,
    random: Random = os.urandom,
) -> APIRouter:
    """Return the pages, to be included at the root of the app.

    Args:
        services: The use cases.
        place: What the pages tell about where this companion runs.
        limiter: Bounds the threads that pages run in.
        random: Source of the references of unexpected errors.
    """
    door = Door(services=services, place=place, limiter=limiter, random=random)
    router = APIRouter(include_in_schema=False)
    for route in ROUTES:
        router.add_api_route(
            route.path, _endpoint(door, route), methods=[route.method], response_model=None
        )
    router.add_api_route("/static/{name}", _static_endpoint(), methods=["GET"], response_model=None)
    return router


def _endpoint(door: Door, route: Route) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await door.serve(route, request)

    return endpoint


def _static_endpoint() -> Callable[[str], Awaitable[Response]]:
    # All of them are in memory, so no path that is sent ever reaches the file system.
    folder = resources.files("consentry.dashboard") / "static"
    files = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}

    async def static(name: str) -> Response:
        content = files.get(name)
        if content is None:
            return Response("There is no such file.", 404, media_type="text/plain")
        media_type = _MEDIA_TYPES[name[name.rindex(".") :]]
        return Response(content, media_type=media_type, headers=_STATIC_HEADERS)

    return static
