"""How requests come in: session first, then the form, then its token; then one page in the thread pool.

Every route goes through `Door.serve`, so no page can forget a step, and every error leaves as a page.
"""

from __future__ import annotations

import base64
import logging
import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from consentry.accounts.sessions import CSRF_FIELD, SESSION_COOKIE
from consentry.dashboard.forms import Form, read_form
from consentry.dashboard.visit import CONTENT_SECURITY_POLICY, Access, Place, Route, Visit
from consentry.kernel.errors import ConsentryError, TooManyRequests, Unauthenticated
from consentry.kernel.ids import Random
from consentry.services import Services

_REFERENCE_BYTES = 5
# What anybody may send who is not in yet: one secret.
_OPEN_BODY_BYTES = 4096
_T = TypeVar("_T")
_log = logging.getLogger("consentry.dashboard")

# `same-origin`, not `no-referrer`: with the latter a browser sends `Origin: null` with our own forms.
_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=(), display-capture=()",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Lets requests in to pages.

    Attributes:
        services: The use cases.
        place: Where this companion runs.
        limiter: Bounds how many page functions run at once.
        random: Source of the references of unexpected errors.
    """

    services: Services
    place: Place
    limiter: CapacityLimiter
    random: Random = os.urandom

    async def serve(self, route: Route, request: Request) -> Response:
        """Answer one request, whatever happens, with a page that carries the security headers."""
        visit = Visit(
            services=self.services,
            place=self.place,
            session=None,
            cookie=request.cookies.get(SESSION_COOKIE, ""),
            form=Form(),
            query=dict(request.query_params),
            path={name: str(value) for name, value in request.path_params.items()},
        )
        try:
            if route.access is Access.SESSION:
                session = await self._in_pool(partial(self.services.sessions.resume, visit.cookie))
                visit = replace(visit, session=session)
            if route.method == "POST":
                visit = replace(visit, form=await self._form(visit, request))
            response = await self._in_pool(partial(_answer, route, visit))
        except ConsentryError as problem:
            response = await self._in_pool(partial(_problem_page, visit, problem))
        except ClientDisconnect:
            raise
        except Exception as error:  # noqa: BLE001 -- the rim of all pages: nothing unexpected is shown
            response = self._unexpected(error)
        response.headers.update(_HEADERS)
        return response

    async def _form(self, visit: Visit, request: Request) -> Form:
        form = await read_form(
            request,
            max_bytes=_OPEN_BODY_BYTES if visit.session is None else self.place.max_body_bytes,
        )
        if visit.session is not None:
            visit.session.require_csrf(form.fields.get(CSRF_FIELD))
        return form

    async def _in_pool(self, work: Callable[[], _T]) -> _T:
        return await to_thread.run_sync(work, limiter=self.limiter)

    def _unexpected(self, error: Exception) -> Response:
        reference = base64.b32encode(self.random(_REFERENCE_BYTES)).decode("ascii").lower()
        # Only where and what kind: the text of a foreign exception may quote what it choked on.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        _log.error(
            "unexpected %s at %s:%s, reference %s",
            type(error).__name__,
            os.path.basename(frame.filename),  # noqa: PTH119 -- a text, not a place on this disk
            frame.lineno,
            reference,
        )
        return Response(_UNEXPECTED.format(reference=reference), 500, media_type="text/html")


def _answer(route: Route, visit: Visit) -> Response:
    try:
        return route.answer(visit)
    except ConsentryError as problem:
        if route.again is None:
            raise
        return _with_retry(route.again(replace(visit, problem=problem)), problem)


def _problem_page(visit: Visit, problem: ConsentryError) -> Response:
    shown = replace(visit, problem=problem)
    template = "closed.html" if isinstance(problem, Unauthenticated) else "problem.html"
    return _with_retry(shown.page(template), problem)


def _with_retry(response: Response, problem: ConsentryError) -> Response:
    if isinstance(problem, TooManyRequests):
        response.headers["retry-after"] = str(problem.retry_after_s)
    return response


_UNEXPECTED = """<!doctype html>
<html lang="en-GB"><head><meta charset="utf-8"><title>Something went wrong - Consentry</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/static/style.css"></head>
<body><main id="main"><h1 tabindex="-1">Something went wrong</h1>
<div class="problem" id="problem" role="alert"><p>Consentry made a mistake, and stopped rather than guess.
Nothing that was not confirmed has been done. Try again; if it happens again, look for the reference
<code>{reference}</code> in the terminal.</p></div>
<p><a href="/">Back to the start</a></p></main></body></html>
"""
