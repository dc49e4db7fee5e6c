"""What the enrolled have said yes to, and what they are asked: for the owner and her own programs.

No subject is ever part of an address: what is about one person is in the body, or listed for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, Field
from starlette.responses import Response

from consentry.accounts.principals import Principal, Scope
from consentry.api.authentication import may
from consentry.api.bodies import read_json
from consentry.api.problems import documented
from consentry.api.runtime import runtime_of
from consentry.api.wire import Inbound, Outbound, answer, json_body
from consentry.api.work import Kind
from consentry.consent.authority import Grant
from consentry.grants.grants import GrantTerms
from consentry.grants.requests import PendingRequest
from consentry.grants.tokens import MAX_LIFETIME_S, TokenInfo
from consentry.kernel.errors import NotFound, StorageFull, VaultAbsent, VaultLocked
from consentry.kernel.ids import ConsentRequestId, ConsentTokenId, GrantId, SubjectId
from consentry.kernel.taxonomy import IntentCategory, Purpose
from consentry.services import Services

router = APIRouter(tags=["consents"])

Reader = Annotated[Principal, Depends(may(Scope.CONSENTS_READ))]
Writer = Annotated[Principal, Depends(may(Scope.CONSENTS_WRITE))]


class GrantIn(Inbound):
    """A standing yes to everyday uses. Nothing revealing is for a grant."""

    subject: str = Field(repr=False, description="Whose, by identifier or name.")
    purposes: tuple[Purpose, ...]
    platform: str | None = Field(default=None, description="Null for any.")
    regions: tuple[str, ...] | None = Field(default=None, description="ISO 3166; null for all.")
    categories: tuple[IntentCategory, ...] = Field(
        default=(IntentCategory.NONE,), description="What the words may ask for."
    )
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None
    max_uses: int | None = None


class ApprovalIn(Inbound):
    """How long a yes to one question holds."""

    lifetime_s: int = Field(default=MAX_LIFETIME_S, ge=1, le=MAX_LIFETIME_S)


class GrantOut(Outbound):
    """A standing yes."""

    grant: str
    subject: str
    purposes: list[Purpose]
    platform: str | None
    regions: list[str] | None
    categories: list[IntentCategory]
    valid_from: datetime
    valid_until: datetime | None
    uses_left: int | None


class NewGrantOut(GrantOut):
    """A standing yes that was just given."""

    format: Literal["consentry.grant/1"] = "consentry.grant/1"


class GrantsOut(Outbound):
    """All that is there, of everybody in this home."""

    format: Literal["consentry.grants/1"] = "consentry.grants/1"
    grants: list[GrantOut]


class ConsentTokenOut(Outbound):
    """A yes to one request, or to a session with a studio. The token itself is not shown again."""

    token: str
    subject: str
    kind: str
    categories: list[IntentCategory]
    uses_left: int
    issued_at: datetime
    valid_until: datetime


class ConsentTokensOut(Outbound):
    """All that are there, of everybody in this home."""

    format: Literal["consentry.consent-tokens/1"] = "consentry.consent-tokens/1"
    tokens: list[ConsentTokenOut]


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


@router.get(
    "/v1/grants",
    operation_id="listGrants",
    response_model=GrantsOut,
    responses=documented(VaultAbsent, VaultLocked),
)
async def list_grants(request: Request, _: Reader) -> Response:
    """List every standing yes."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.STORE):
        grants = await runtime.work.run(Kind.STORE, partial(_grants, runtime.services))
    return answer(GrantsOut(grants=[_grant(grant) for grant in grants]))


@router.post(
    "/v1/grants",
    operation_id="giveGrant",
    status_code=201,
    response_model=NewGrantOut,
    openapi_extra=json_body(GrantIn),
    responses=documented(VaultAbsent, VaultLocked, StorageFull, reads_body=True),
)
async def give_grant(request: Request, _: Writer) -> Response:
    """Say yes to everyday uses. Needs the passphrase within the last five minutes."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.STORE):
        body = await read_json(request, GrantIn)
        grant = await runtime.work.run(Kind.STORE, partial(_given, runtime.services, body))
    return answer(NewGrantOut(**dict(_grant(grant))), 201)


@router.delete(
    "/v1/grants/{grant_id}",
    operation_id="revokeGrant",
    status_code=204,
    response_class=Response,
    responses=documented(NotFound),
)
async def revoke_grant(request: Request, _: Writer, grant_id: str) -> Response:
    """Take a yes back, also while locked. The next check does not rely on it."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.STORE):
        await runtime.work.run(
            Kind.STORE, partial(runtime.services.grants.revoke, GrantId(grant_id))
        )
    return Response(status_code=204)


@router.get(
    "/v1/consent-tokens",
    operation_id="listConsentTokens",
    response_model=ConsentTokensOut,
    responses=documented(),
)
async def list_consent_tokens(request: Request, _: Reader) -> Response:
    """List every token and session that has been given."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.STORE):
        tokens = await runtime.work.run(Kind.STORE, partial(_tokens, runtime.services))
    return answer(ConsentTokensOut(tokens=tokens))


@router.delete(
    "/v1/consent-tokens/{token_id}",
    operation_id="revokeConsentToken",
    status_code=204,
    response_class=Response,
    responses=documented(NotFound),
)
async def revoke_consent_token(request: Request, _: Writer, token_id: str) -> Response:
    """Take a token or a session back, also while locked."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.STORE):
        await runtime.work.run(
            Kind.STORE, partial(runtime.services.consent_tokens.revoke, ConsentTokenId(token_id))
        )
    return Response(status_code=204)


@router.get(
    "/v1/consent-requests",
    operation_id="listConsentRequests",
    response_model=PendingsOut,
    responses=documented(VaultAbsent, VaultLocked),
)
async def list_consent_requests(request: Request, _: Reader) -> Response:
    """List every question that waits for an answer."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.STORE):
        waiting = await runtime.work.run(Kind.STORE, partial(_waiting, runtime.services))
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
    """Say yes once. Needs the passphrase within the last five minutes."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.STORE):
        body = await read_json(request, ApprovalIn)
        await runtime.work.run(
            Kind.STORE,
            partial(
                runtime.services.consent_requests.approve,
                ConsentRequestId(request_id),
                lifetime_s=body.lifetime_s,
            ),
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
    async with runtime.work.place(Kind.STORE):
        await runtime.work.run(
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
    async with runtime.work.place(Kind.STORE):
        await runtime.work.run(
            Kind.STORE,
            partial(runtime.services.consent_requests.block_asker, ConsentRequestId(request_id)),
        )
    return Response(status_code=204)


def _everybody(services: Services) -> list[SubjectId]:
    return [person.subject for person in services.people.all()]


def _grants(services: Services) -> Sequence[Grant]:
    return [grant for subject in _everybody(services) for grant in services.grants.list(subject)]


def _given(services: Services, body: GrantIn) -> Grant:
    terms = GrantTerms(
        purposes=frozenset(body.purposes),
        platform=body.platform,
        regions=None if body.regions is None else frozenset(body.regions),
        categories=frozenset(body.categories),
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        max_uses=body.max_uses,
    )
    return services.grants.create(services.people.find(body.subject), terms)


def _tokens(services: Services) -> list[ConsentTokenOut]:
    return [
        _token(subject, token)
        for subject in _everybody(services)
        for token in services.consent_tokens.list(subject)
    ]


def _waiting(services: Services) -> Sequence[PendingRequest]:
    return [
        each
        for subject in _everybody(services)
        for each in services.consent_requests.pending(subject)
    ]


def _grant(grant: Grant) -> GrantOut:
    return GrantOut(
        grant=grant.grant,
        subject=grant.subject,
        purposes=sorted(grant.purposes),
        platform=grant.platform,
        regions=None if grant.regions is None else sorted(grant.regions),
        categories=sorted(grant.categories),
        valid_from=grant.valid_from,
        valid_until=grant.valid_until,
        uses_left=grant.uses_left,
    )


def _token(subject: SubjectId, token: TokenInfo) -> ConsentTokenOut:
    return ConsentTokenOut(
        token=token.token,
        subject=subject,
        kind=token.kind.value,
        categories=sorted(token.categories),
        uses_left=token.uses_left,
        issued_at=token.issued_at,
        valid_until=token.valid_until,
    )


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
