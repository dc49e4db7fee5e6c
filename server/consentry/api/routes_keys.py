"""API keys of platforms: make, list, rotate, revoke. The owner's, and of her own programs with `tokens`."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from consentry.accounts.budgets import ProbeQuota
from consentry.accounts.keys import (
    DEFAULT_QUOTA,
    MAX_FACES,
    MAX_OVERLAP_HOURS,
    MAX_PLATFORM_CHARS,
)
from consentry.accounts.ports import StoredKey
from consentry.accounts.principals import Principal, Scope
from consentry.accounts.tokens import MAX_LIFETIME_DAYS
from consentry.api.authentication import may
from consentry.api.bodies import read_json
from consentry.api.problems import documented
from consentry.api.runtime import runtime_of
from consentry.api.wire import Inbound, Outbound, answer, json_body
from consentry.api.work import Kind
from consentry.kernel.errors import Conflict, Forbidden, NotFound, StorageFull
from consentry.kernel.ids import KeyId

router = APIRouter(tags=["keys"])

Holder = Annotated[Principal, Depends(may(Scope.TOKENS))]


class KeyIn(Inbound):
    """A key to make."""

    name: str = Field(description="For your own list.")
    platform: str = Field(
        description=f"Whom it speaks for, at most {MAX_PLATFORM_CHARS} characters."
    )
    scopes: tuple[Scope, ...] = Field(
        description="Of `checks:write`, `checks:read`, `consent:request`, `feed:read`."
    )
    faces_per_hour: int = Field(default=DEFAULT_QUOTA.per_hour, ge=1, le=MAX_FACES)
    faces_per_day: int = Field(default=DEFAULT_QUOTA.per_day, ge=1, le=MAX_FACES)
    expires_in_days: int | None = Field(
        default=None,
        description=f"1 to {MAX_LIFETIME_DAYS}; null for one that holds until it is revoked.",
    )


class RotationIn(Inbound):
    """How a key is rotated."""

    overlap_hours: int = Field(
        default=24,
        ge=0,
        le=MAX_OVERLAP_HOURS,
        description="How long the old secret holds beside the new one; 0 ends it at once.",
    )


class KeyOut(Outbound):
    """A key, without its secrets."""

    key: str = Field(description="Its identifier: to rotate and revoke it by.")
    name: str
    platform: str
    scopes: list[str]
    faces_per_hour: int
    faces_per_day: int
    created_at: datetime
    last_used_day: date | None
    expires_at: datetime | None
    secrets: int = Field(description="How many secrets it has: two while a rotation overlaps.")


class NewKeyOut(KeyOut):
    """A key that was just made."""

    format: Literal["consentry.api-key/1"] = "consentry.api-key/1"
    secret: str = Field(description="Shown this once.")


class RotatedKeyOut(Outbound):
    """The new secret of a key."""

    format: Literal["consentry.rotated-api-key/1"] = "consentry.rotated-api-key/1"
    key: str
    secret: str = Field(description="Shown this once.")


class KeysOut(Outbound):
    """All keys, oldest first."""

    format: Literal["consentry.api-keys/1"] = "consentry.api-keys/1"
    keys: list[KeyOut]


@router.get("/v1/keys", operation_id="listKeys", response_model=KeysOut, responses=documented())
async def list_keys(request: Request, _: Holder) -> Response:
    """List all keys of platforms."""
    runtime = runtime_of(request)
    keys = await runtime.work.do(Kind.STORE, runtime.services.keys.list)
    return answer(KeysOut(keys=[_key(key) for key in keys]))


@router.post(
    "/v1/keys",
    operation_id="makeKey",
    status_code=201,
    response_model=NewKeyOut,
    openapi_extra=json_body(KeyIn),
    responses=documented(Conflict, StorageFull, reads_body=True),
)
async def make_key(request: Request, principal: Holder) -> Response:
    """Make a key for a platform. Its scopes are at most those of the caller."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.STORE):
        body = await read_json(request, KeyIn)
        if not set(body.scopes) <= principal.scopes:
            raise Forbidden("A token cannot make a key that may do more than itself.")
        key, secret = await runtime.work.run(
            Kind.STORE,
            partial(
                runtime.services.keys.issue,
                body.name,
                body.platform,
                body.scopes,
                quota=ProbeQuota(per_hour=body.faces_per_hour, per_day=body.faces_per_day),
                expires_in_days=body.expires_in_days,
            ),
        )
    return answer(NewKeyOut(**dict(_key(key)), secret=secret), 201)


@router.post(
    "/v1/keys/{key}/rotate",
    operation_id="rotateKey",
    response_model=RotatedKeyOut,
    openapi_extra=json_body(RotationIn),
    responses=documented(NotFound, StorageFull, reads_body=True),
)
async def rotate_key(request: Request, _: Holder, key: str) -> Response:
    """Give a key a new secret. The old one holds for the overlap, then no more."""
    runtime = runtime_of(request)
    secret = await runtime.work.do_with(
        Kind.STORE,
        partial(read_json, request, RotationIn),
        lambda body: runtime.services.keys.rotate(KeyId(key), overlap_hours=body.overlap_hours),
    )
    return answer(RotatedKeyOut(key=key, secret=secret))


@router.delete(
    "/v1/keys/{key}",
    operation_id="revokeKey",
    status_code=204,
    response_class=Response,
    responses=documented(NotFound),
)
async def revoke_key(request: Request, _: Holder, key: str) -> Response:
    """Revoke a key: the very next request with any of its secrets is refused."""
    runtime = runtime_of(request)
    await runtime.work.do(Kind.STORE, partial(runtime.services.keys.revoke, KeyId(key)))
    return Response(status_code=204)


def _key(key: StoredKey) -> KeyOut:
    return KeyOut(
        key=key.key,
        name=key.name,
        platform=key.platform,
        scopes=sorted(key.scopes),
        faces_per_hour=key.faces_per_hour,
        faces_per_day=key.faces_per_day,
        created_at=key.created_at,
        last_used_day=key.last_used_day,
        expires_at=key.expires_at,
        secrets=len(key.secrets),
    )
