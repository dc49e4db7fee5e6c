"""Bearer tokens: make, list, revoke."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from consentry.accounts.ports import StoredToken
from consentry.accounts.principals import Principal, Scope
from consentry.accounts.tokens import MAX_LIFETIME_DAYS
from consentry.api.authentication import may
from consentry.api.bodies import read_json
from consentry.api.problems import documented
from consentry.api.runtime import runtime_of
from consentry.api.wire import Inbound, Outbound, answer, json_body
from consentry.api.work import Kind
from consentry.kernel.errors import Conflict, Forbidden, NotFound, StorageFull
from consentry.kernel.ids import TokenId

router = APIRouter(tags=["tokens"])

Holder = Annotated[Principal, Depends(may(Scope.TOKENS))]


class TokenIn(Inbound):
    """A token to make."""

    name: str = Field(description="For your own list.")
    scopes: tuple[Scope, ...]
    expires_in_days: int | None = Field(
        default=None,
        description=f"1 to {MAX_LIFETIME_DAYS}; null for one that holds until it is revoked.",
    )


class TokenOut(Outbound):
    """A token, without its secret."""

    token: str = Field(description="Its identifier: to revoke it by.")
    name: str
    scopes: list[str]
    created_at: datetime
    last_used_day: date | None
    expires_at: datetime | None


class NewTokenOut(TokenOut):
    """A token that was just made."""

    format: Literal["consentry.token/1"] = "consentry.token/1"
    secret: str = Field(description="Shown this once.")


class TokensOut(Outbound):
    """All tokens, oldest first."""

    format: Literal["consentry.tokens/1"] = "consentry.tokens/1"
    tokens: list[TokenOut]


@router.get(
    "/v1/tokens", operation_id="listTokens", response_model=TokensOut, responses=documented()
)
async def list_tokens(request: Request, _: Holder) -> Response:
    """List all tokens."""
    runtime = runtime_of(request)
    tokens = await runtime.work.do(Kind.STORE, runtime.services.tokens.list)
    return answer(TokensOut(tokens=[_token(token) for token in tokens]))


@router.post(
    "/v1/tokens",
    operation_id="makeToken",
    status_code=201,
    response_model=NewTokenOut,
    openapi_extra=json_body(TokenIn),
    responses=documented(Conflict, StorageFull, reads_body=True),
)
async def make_token(request: Request, principal: Holder) -> Response:
    """Make a token. Its scopes are at most those of the caller."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.STORE):
        body = await read_json(request, TokenIn)
        if not set(body.scopes) <= principal.scopes:
            raise Forbidden("A token cannot make one that may do more than itself.")
        token, secret = await runtime.work.run(
            Kind.STORE,
            partial(
                runtime.services.tokens.issue,
                body.name,
                body.scopes,
                expires_in_days=body.expires_in_days,
            ),
        )
    return answer(NewTokenOut(**dict(_token(token)), secret=secret), 201)


@router.delete(
    "/v1/tokens/{token}",
    operation_id="revokeToken",
    status_code=204,
    response_class=Response,
    responses=documented(NotFound),
)
async def revoke_token(request: Request, _: Holder, token: str) -> Response:
    """Revoke a token: the very next request with it is refused."""
    runtime = runtime_of(request)
    await runtime.work.do(Kind.STORE, partial(runtime.services.tokens.revoke, TokenId(token)))
    return Response(status_code=204)


def _token(token: StoredToken) -> TokenOut:
    return TokenOut(
        token=token.token,
        name=token.name,
        scopes=sorted(token.scopes),
        created_at=token.created_at,
        last_used_day=token.last_used_day,
        expires_at=token.expires_at,
    )
