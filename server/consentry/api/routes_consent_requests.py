"""What the enrolled are asked, her answers, and whom she does not want to hear from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from consentry.accounts.principals import Principal, Scope
from consentry.api.authentication import may
from consentry.api.bodies import read_json
from consentry.api.problems import documented
from consentry.api.runtime import runtime_of
from consentry.api.wire import Inbound, Outbound, answer, json_body
from consentry.api.work import Kind
from consentry.grants.requests import PendingRequest
from consentry.grants.tokens import MAX_LIFETIME_S
from consentry.kernel.errors import NotFound, StorageFull, VaultAbsent, VaultLocked
from consentry.kernel.ids import ConsentRequestId, SubjectId
from consentry.kernel.taxonomy import IntentCategory, Purpose
from consentry.services import Services

router = APIRouter(tags=["consent requests"])

Reader = Annotated[Principal, Depends(may(Scope.CONSENTS_READ))]
Writer = Annotated[Principal, Depends(may(Scope.CONSENTS_WRITE))]


class ApprovalIn(Inbound):
    """How long a yes to one question holds."""

    lifetime_s: int = Field(default=MAX_LIFETIME_S, ge=1, le=MAX_LIFETIME_S)


class UnblockIn(Inbound):
    """Who may ask again."""

    number: int = Field(ge=1, description="As `GET /v1/blocked-askers` lists it.")


class PendingOut(Outbound):
    """A question that waits for an answer. Its pictures are at the dashboard."""

    request_id: str
    subject: str
    platform: str
    asker: str | None
    purpose: Purpose
    region: str | None
    category: IntentCategory
    prompt: str | None
    context: list[str]
    pictures: int
    asked_at: datetime
    ends_at: datetime


class PendingsOut(Outbound):
    """All questions that wait, to everybody in this home."""

    format: Literal["consentry.consent-requests/1"] = "consentry.consent-requests/1"
    requests: list[PendingOut]


class BlockedAskerOut(Outbound):
    """Somebody whom one person does not want to hear from."""

    number: int
    subject: str
    platform: str
    asker: str | None
    blocked_at: datetime


class BlockedAskersOut(Outbound):
    """All of them, of everybody in this home."""

    format: Literal["consentry.blocked-askers/1"] = "consentry.blocked-askers/1"
    askers: list[BlockedAskerOut]


@router.get(
    "/v1/consent-requests",
    operation_id="listConsentRequests",
    response_model=PendingsOut,
    responses=documented(VaultAbsent, VaultLocked),
)
async def list_consent_requests(request: Request, _: Reader) -> Response:
    """List every question that waits for an answer."""
    runtime = runtime_of(request)
    waiting = await runtime.work.do(Kind.STORE, partial(_waiting, runtime.services))
    return answer(PendingsOut(requests=[_pending(each) for each in waiting]))


@router.post(
    "/v1/consent-requests/{request_id}/approve",
    operation_id="approveConsentRequest",
    status_code=204,
    response_class=Response,
    openapi_extra=json_body(ApprovalIn),
    responses=documented(NotFound, VaultAbsent, VaultLocked, StorageFull, reads_body=True),
)
async def approve_consent_request(request: Request, _: Writer, request_id: str) -> Response:
    """Say yes once. Needs her passphrase within the last five minutes."""
    runtime = runtime_of(request)
    approve = runtime.services.consent_requests.approve
    await runtime.work.do_with(
        Kind.STORE,
        partial(read_json, request, ApprovalIn),
        lambda body: approve(ConsentRequestId(request_id), lifetime_s=body.lifetime_s),
    )
    return Response(status_code=204)


@router.post(
    "/v1/consent-requests/{request_id}/decline",
    operation_id="declineConsentRequest",
    status_code=204,
    response_class=Response,
    responses=documented(NotFound),
)
async def decline_consent_request(request: Request, _: Writer, request_id: str) -> Response:
    """Say no, also while locked. A no needs no proof."""
    runtime = runtime_of(request)
    await runtime.work.do(
        Kind.STORE,
        partial(runtime.services.consent_requests.decline, ConsentRequestId(request_id)),
    )
    return Response(status_code=204)


@router.post(
    "/v1/consent-requests/{request_id}/block",
    operation_id="blockAsker",
    status_code=204,
    response_class=Response,
    responses=documented(NotFound, VaultAbsent, VaultLocked, StorageFull),
)
async def block_asker(request: Request, _: Writer, request_id: str) -> Response:
    """Say no, and never hear from this asker again. He is not told."""
    runtime = runtime_of(request)
    await runtime.work.do(
        Kind.STORE,
        partial(runtime.services.consent_requests.block_asker, ConsentRequestId(request_id)),
    )
    return Response(status_code=204)


@router.get(
    "/v1/blocked-askers",
    operation_id="listBlockedAskers",
    response_model=BlockedAskersOut,
    responses=documented(VaultAbsent, VaultLocked),
)
async def list_blocked_askers(request: Request, _: Reader) -> Response:
    """List everybody whose questions are not shown any more."""
    runtime = runtime_of(request)
    askers = await runtime.work.do(Kind.STORE, partial(_blocked, runtime.services))
    return answer(BlockedAskersOut(askers=askers))


@router.post(
    "/v1/blocked-askers/unblock",
    operation_id="unblockAsker",
    status_code=204,
    response_class=Response,
    openapi_extra=json_body(UnblockIn),
    responses=documented(NotFound, VaultAbsent, VaultLocked, reads_body=True),
)
async def unblock_asker(request: Request, _: Writer) -> Response:
    """Let somebody ask again."""
    runtime = runtime_of(request)
    await runtime.work.do_with(
        Kind.STORE, partial(read_json, request, UnblockIn), partial(_unblock, runtime.services)
    )
    return Response(status_code=204)


def _waiting(services: Services) -> Sequence[PendingRequest]:
    return [
        each
        for person in services.people.all()
        for each in services.consent_requests.pending(person.subject)
    ]


def _blocked(services: Services) -> list[BlockedAskerOut]:
    return [
        BlockedAskerOut(
            number=each.number,
            subject=person.subject,
            platform=each.platform,
            asker=each.asker,
            blocked_at=each.blocked_at,
        )
        for person in services.people.all()
        for each in services.consent_requests.blocked(person.subject)
    ]


def _unblock(services: Services, body: UnblockIn) -> None:
    for asker in _blocked(services):
        if asker.number == body.number:
            services.consent_requests.unblock(SubjectId(asker.subject), asker.number)
            return
    raise NotFound("Nobody is blocked under that number (any more).")


def _pending(waiting: PendingRequest) -> PendingOut:
    return PendingOut(
        request_id=waiting.request,
        subject=waiting.subject,
        platform=waiting.platform,
        asker=waiting.asker,
        purpose=waiting.purpose,
        region=waiting.region,
        category=waiting.category,
        prompt=waiting.prompt,
        context=list(waiting.context),
        pictures=len(waiting.pictures),
        asked_at=waiting.asked_at,
        ends_at=waiting.ends_at,
    )
