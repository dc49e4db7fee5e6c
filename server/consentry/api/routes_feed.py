"""What platforms have to hear of, and how far their questions to somebody have come."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import Response

from consentry.accounts.principals import Principal, Scope
from consentry.api.authentication import may
from consentry.api.problems import documented
from consentry.api.runtime import runtime_of
from consentry.api.wire import Outbound, answer
from consentry.api.work import Kind
from consentry.checks.news import MAX_CHANGES
from consentry.grants.ports import FeedKind, RequestState
from consentry.kernel.ids import ConsentRequestId

router = APIRouter(tags=["feed"])

Reader = Annotated[Principal, Depends(may(Scope.FEED_READ))]
Follower = Annotated[Principal, Depends(may(Scope.CONSENT_REQUEST))]


class ChangeOut(Outbound):
    """Something changed."""

    kind: FeedKind
    hour: datetime = Field(description="To the hour, UTC.")
    check_id: str | None = Field(
        description="The check of yours that relied on it; null when it is about none."
    )


class FeedOut(Outbound):
    """What changed since a cursor, oldest first."""

    format: Literal["consentry.feed/1"] = "consentry.feed/1"
    changes: list[ChangeOut]
    cursor: str = Field(description="Opaque. Where to go on from next time.")
    has_more: bool


class ConsentStatusOut(Outbound):
    """How far a question to somebody has come."""

    format: Literal["consentry.consent-status/1"] = "consentry.consent-status/1"
    state: RequestState = Field(
        description="Unknown, lapsed and somebody else's are all `expired`."
    )
    token: str | None = Field(
        description="With `approved`: show it with the very same question, once."
    )


@router.get(
    "/v1/feed",
    operation_id="readFeed",
    response_model=FeedOut,
    responses=documented(),
)
async def read_feed(
    request: Request,
    principal: Reader,
    cursor: Annotated[str | None, Query(max_length=100, pattern="^[A-Za-z0-9_-]+$")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_CHANGES)] = 100,
) -> Response:
    """Return what changed: consent that was taken back, rules that changed. Never whose."""
    runtime = runtime_of(request)
    news = await runtime.work.do(
        Kind.STORE, partial(runtime.services.news, principal.caller, cursor=cursor, limit=limit)
    )
    changes = [ChangeOut(kind=c.kind, hour=c.hour, check_id=c.check) for c in news.changes]
    return answer(FeedOut(changes=changes, cursor=news.cursor, has_more=news.has_more))


@router.get(
    "/v1/consent-requests/{request_id}",
    operation_id="getConsentRequest",
    response_model=ConsentStatusOut,
    responses=documented(),
)
async def get_consent_request(request: Request, principal: Follower, request_id: str) -> Response:
    """Say how far a consent request of your own has come."""
    runtime = runtime_of(request)
    poll = runtime.services.consent_requests.poll
    status = await runtime.work.do(
        Kind.STORE, partial(poll, ConsentRequestId(request_id), caller=principal.caller)
    )
    return answer(ConsentStatusOut(state=status.state, token=status.token))
