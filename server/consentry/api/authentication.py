"""Who is calling: settled before a byte of the body is read.

trusted socket              the owner: the file's permissions are the credential
Authorization: Bearer cst_… the token's scopes; a cookie beside it plays no part
Authorization: Bearer csk_… the API key's scopes, and what is left of its budget on every answer
session cookie              the owner, and whatever is no GET also carries X-CSRF-Token
else                        401
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import Request

from consentry.accounts.budgets import BudgetState
from consentry.accounts.keys import SECRET_PREFIX as KEY_PREFIX
from consentry.accounts.principals import (
    OWNER_AT_DASHBOARD,
    OWNER_AT_SOCKET,
    Door,
    Principal,
    Scope,
)
from consentry.accounts.sessions import CSRF_HEADER, SESSION_COOKIE
from consentry.api.runtime import Runtime, runtime_of
from consentry.api.work import Kind
from consentry.kernel.errors import Forbidden, TooManyRequests, Unauthenticated

_BEARER = "bearer "
_ANONYMOUS = (
    "This needs a credential: a bearer token, or the dashboard opened from your terminal with "
    "consentry open."
)

Guard = Callable[[Request], Awaitable[Principal]]


def may(*scopes: Scope) -> Guard:
    """Return a dependency that lets callers with one of these scopes in."""

    async def guard(request: Request) -> Principal:
        principal = await authenticate(request)
        principal.require(*scopes)
        return principal

    return guard


def anybody() -> Guard:
    """Return a dependency that lets in whoever has a credential that holds."""
    return authenticate


def may_probe(scope: Scope) -> Guard:
    """Return a dependency that lets callers with a scope in whose budget is not used up.

    Before the body is read: whoever has nothing left uploads nothing.
    """

    async def guard(request: Request) -> Principal:
        principal = await authenticate(request)
        principal.require(scope)
        used_up = [state for state in budgets_of(request) if state.remaining == 0]
        if principal.quota is not None and used_up:
            wait = max(state.reset_s for state in used_up)
            raise TooManyRequests(
                f"The budget of this key is used up. Wait {wait} s, or ask the operator for a "
                "larger one.",
                retry_after_s=wait,
            )
        return principal

    return guard


def budgets_of(request: Request) -> tuple[BudgetState, ...]:
    """Return what is left of the budgets that this request is held against."""
    found: tuple[BudgetState, ...] = getattr(request.state, "budgets", ())
    return found


def owner_only(*doors: Door) -> Guard:
    """Return a dependency that lets the owner in, through the given doors of hers."""

    async def guard(request: Request) -> Principal:
        principal = await authenticate(request)
        if not principal.is_owner or principal.door not in doors:
            raise Forbidden("Only the owner may do this, and not from here.")
        return principal

    return guard


async def authenticate(request: Request) -> Principal:
    """Return who is calling.

    Raises:
        Unauthenticated: If there is no credential, or one that does not hold.
        TooManyRequests: After many bearer tokens that do not hold.
        Forbidden: If a session's request does not carry its CSRF token.
    """
    principal = await find_caller(request)
    if principal is None:
        raise Unauthenticated(_ANONYMOUS)
    return principal


async def find_caller(request: Request) -> Principal | None:
    """Return who is calling; None when there is no credential at all.

    Raises:
        Unauthenticated, TooManyRequests, Forbidden: As `authenticate`, if there is one.
    """
    runtime = runtime_of(request)
    if runtime.is_trusted_socket:
        principal = OWNER_AT_SOCKET
    elif "authorization" in request.headers:
        principal = await _bearer(request, runtime)
    elif SESSION_COOKIE in request.cookies:
        principal = _session(request, runtime)
    else:
        return None
    request.state.door = principal.door.value
    return principal


async def _bearer(request: Request, runtime: Runtime) -> Principal:
    value = request.headers["authorization"]
    if value[: len(_BEARER)].lower() != _BEARER:
        raise Unauthenticated(_ANONYMOUS)
    secret = value[len(_BEARER) :].strip(" ")
    is_key = secret.startswith(KEY_PREFIX)
    desk = runtime.services.keys if is_key else runtime.services.tokens
    # Of guesses on every answer to one, and on no other: it would only tell how much others guess.
    try:
        async with runtime.work.place(Kind.STORE):
            principal = await runtime.work.run(Kind.STORE, partial(desk.authenticate, secret))
            if principal.key is not None and principal.quota is not None:
                request.state.budgets = await runtime.work.run(
                    Kind.STORE,
                    partial(runtime.services.probes.states, principal.key, principal.quota),
                )
    except Unauthenticated:
        request.state.budgets = (desk.guesses(),)
        raise
    return principal


def _session(request: Request, runtime: Runtime) -> Principal:
    session = runtime.services.sessions.resume(request.cookies[SESSION_COOKIE])
    if request.method not in {"GET", "HEAD"}:
        session.require_csrf(request.headers.get(CSRF_HEADER))
    return OWNER_AT_DASHBOARD
