"""Standing consent to everyday uses: give it, see it, take it back; for the owner and her programs.

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
from consentry.api.consent_records import ConsentRecordOut, ConsentRecordsOut, record_of
from consentry.api.problems import documented
from consentry.api.runtime import runtime_of
from consentry.api.wire import Inbound, Outbound, answer, json_body
from consentry.api.work import Kind
from consentry.consent.authority import Grant
from consentry.grants.grants import GrantTerms
from consentry.kernel.errors import NotFound, StorageFull, VaultAbsent, VaultLocked
from consentry.kernel.ids import GrantId
from consentry.kernel.taxonomy import IntentCategory, Purpose
from consentry.services import Services

router = APIRouter(tags=["grants"])

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
    """All that are there, of everybody in this home."""

    format: Literal["consentry.grants/1"] = "consentry.grants/1"
    grants: list[GrantOut]


@router.get(
    "/v1/grants",
    operation_id="listGrants",
    response_model=GrantsOut,
    responses=documented(VaultAbsent, VaultLocked),
)
async def list_grants(request: Request, _: Reader) -> Response:
    """List every standing yes."""
    runtime = runtime_of(request)
    grants = await runtime.work.do(Kind.STORE, partial(_grants, runtime.services))
    return answer(GrantsOut(grants=[_grant(grant) for grant in grants]))


@router.get(
    "/v1/grants/records",
    operation_id="listConsentRecords",
    response_model=ConsentRecordsOut,
    responses=documented(VaultAbsent, VaultLocked),
)
async def list_consent_records(request: Request, _: Reader) -> Response:
    """Export every standing yes as a consent record of ISO/IEC TS 27560."""
    runtime = runtime_of(request)
    now = runtime.clock.now()
    records = await runtime.work.do(Kind.STORE, partial(_records, runtime.services, now))
    return answer(ConsentRecordsOut(records=records))


@router.post(
    "/v1/grants",
    operation_id="giveGrant",
    status_code=201,
    response_model=NewGrantOut,
    openapi_extra=json_body(GrantIn),
    responses=documented(VaultAbsent, VaultLocked, StorageFull, reads_body=True),
)
async def give_grant(request: Request, _: Writer) -> Response:
    """Say yes to everyday uses. Needs her passphrase within the last five minutes."""
    runtime = runtime_of(request)
    grant = await runtime.work.do_with(
        Kind.STORE, partial(read_json, request, GrantIn), partial(_given, runtime.services)
    )
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
    await runtime.work.do(Kind.STORE, partial(runtime.services.grants.revoke, GrantId(grant_id)))
    return Response(status_code=204)


def _grants(services: Services) -> Sequence[Grant]:
    return [
        grant for person in services.people.all() for grant in services.grants.list(person.subject)
    ]


def _records(services: Services, now: datetime) -> list[ConsentRecordOut]:
    return [
        record_of(given, issuer=services.signer.issuer, now=now)
        for person in services.people.all()
        for given in services.grants.given(person.subject)
    ]


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
