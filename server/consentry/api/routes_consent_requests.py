"""What the enrolled are asked, her answers, and whom she does not want to hear from."""

from __future__ import annotations

import base64
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
from consentry.kernel.errors import (
    Forbidden,
    NotFound,
    StorageFull,
    VaultAbsent,
    VaultLocked,
    WrongPassphrase,
)
from consentry.kernel.ids import ConsentRequestId, SubjectId
from consentry.kernel.taxonomy import IntentCategory, Purpose
from consentry.services import Services
from consentry.vault.passphrase import Passphrase

router = APIRouter(tags=["consent requests"])

Reader = Annotated[Principal, Depends(may(Scope.CONSENTS_READ))]
Writer = Annotated[Principal, Depends(may(Scope.CONSENTS_WRITE))]
Viewer = Annotated[Principal, Depends(may(Scope.CONSENTS_READ, Scope.CONSENTS_ANSWER))]
Answerer = Annotated[Principal, Depends(may(Scope.CONSENTS_WRITE, Scope.CONSENTS_ANSWER))]


class ApprovalIn(Inbound):
    """How long a yes to one question holds."""

    lifetime_s: int = Field(default=MAX_LIFETIME_S, ge=1, le=MAX_LIFETIME_S)
    passphrase: str | None = Field(
        default=None,
        repr=False,
        description="Her own or, if she has none, the home's. `consents:answer` needs it each time.",
    )


class UnblockIn(Inbound):
    """Who may ask again."""

    number: int = Field(ge=1, description="As `GET /v1/blocked-askers` lists it.")


class PendingOut(Outbound):
    """A question that waits for an answer."""

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


class PicturesOut(Outbound):
    """What a question is about."""

    format: Literal["consentry.consent-pictures/1"] = "consentry.consent-pictures/1"
    pictures: list[str] = Field(description="Small copies, JPEG in base64.")


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
async def list_consent_requests(request: Request, _: Viewer) -> Response:
    """List every question that waits for an answer."""
    runtime = runtime_of(request)
    waiting = await runtime.work.do(Kind.STORE, partial(_waiting, runtime.services))
    return answer(PendingsOut(requests=[_pending(each) for each in waiting]))


@router.get(
    "/v1/consent-requests/{request_id}/pictures",
    operation_id="getConsentRequestPictures",
    response_model=PicturesOut,
    responses=documented(NotFound, VaultAbsent, VaultLocked),
)
async def get_consent_request_pictures(request: Request, _: Viewer, request_id: str) -> Response:
    """Show the small copies of the pictures that a question is about."""
    runtime = runtime_of(request)
    waiting = await runtime.work.do(Kind.STORE, partial(_waiting, runtime.services))
    for each in waiting:
        if each.request == request_id:
            texts = [base64.b64encode(picture).decode("ascii") for picture in each.pictures]
            return answer(PicturesOut(pictures=texts))
    raise NotFound("There is no such request, or it has been answered or has lapsed.")


@router.post(
    "/v1/consent-requests/{request_id}/approve",
    operation_id="approveConsentRequest",
    status_code=204,
    response_class=Response,
    openapi_extra=json_body(ApprovalIn),
    responses=documented(
        NotFound, VaultAbsent, VaultLocked, StorageFull, WrongPassphrase, reads_body=True
    ),
)
async def approve_consent_request(
    request: Request, principal: Answerer, request_id: str
) -> Response:
    """Say yes once. Needs her passphrase: here, or (`consents:write`) within the last five minutes."""
    runtime = runtime_of(request)
    await runtime.work.do_with(
        Kind.KEYS,
        partial(read_json, request, ApprovalIn),
        partial(_approve, runtime.services, principal, ConsentRequestId(request_id)),
    )
    return Response(status_code=204)


@router.post(
    "/v1/consent-requests/{request_id}/decline",
    operation_id="declineConsentRequest",
    status_code=204,
    response_class=Response,
    responses=documented(NotFound),
)
async def decline_consent_request(request: Request, _: Answerer, request_id: str) -> Response:
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
async def block_asker(request: Request, _: Answerer, request_id: str) -> Response:
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


def _approve(
    services: Services, principal: Principal, request: ConsentRequestId, body: ApprovalIn
) -> None:
    if body.passphrase is not None:
        services.prove(services.consent_requests.whom(request), Passphrase(body.passphrase))
    elif Scope.CONSENTS_WRITE not in principal.scopes:
        raise Forbidden("With this credential a yes needs her passphrase in the same request.")
    services.consent_requests.approve(request, lifetime_s=body.lifetime_s)


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
