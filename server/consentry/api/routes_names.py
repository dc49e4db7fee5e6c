"""Protected names, handles and offices: each counts as the person herself (law 6)."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Request
from pydantic import Field, model_validator
from starlette.responses import Response

from consentry.accounts.principals import Door, Principal, Scope
from consentry.api.authentication import may, owner_only
from consentry.api.bodies import read_json
from consentry.api.problems import documented
from consentry.api.runtime import runtime_of
from consentry.api.wire import Inbound, Outbound, answer, json_body
from consentry.api.work import Kind
from consentry.enrolment.aliases import Alias, AliasKind, AliasProof
from consentry.kernel.errors import Conflict, NotFound, StorageFull, VaultAbsent, VaultLocked
from consentry.kernel.ids import AliasId
from consentry.services import Services

router = APIRouter(tags=["names"])

Reader = Annotated[Principal, Depends(may(Scope.SUBJECTS_READ))]
Writer = Annotated[Principal, Depends(may(Scope.SUBJECTS_WRITE))]
Owner = Annotated[Principal, Depends(owner_only(Door.SOCKET, Door.DASHBOARD))]

MAX_POSTED_CHARS = 10_000


class AliasIn(Inbound):
    """A name to protect."""

    subject: str = Field(repr=False, description="Whose it is, by identifier or name.")
    text: str = Field(repr=False, description="The name, handle or office.")
    kind: AliasKind = AliasKind.NAME


class AliasProofIn(Inbound):
    """How it was established that a name is hers."""

    proof: Literal["posted_code", "operator"] = Field(
        description="`posted_code`, with `posted`; or `operator`: you have looked at it yourself.",
    )
    posted: str | None = Field(
        default=None,
        repr=False,
        max_length=MAX_POSTED_CHARS,
        description="What you read under the handle; the code must be in it. Nothing is fetched.",
    )

    @model_validator(mode="after")
    def _what_was_posted(self) -> Self:
        if (self.proof == "posted_code") is (self.posted is None):
            raise ValueError("`posted` goes with the proof `posted_code`, and with no other")
        return self


class AliasOut(Outbound):
    """A protected name, as its owner sees it."""

    alias: str
    subject: str
    text: str
    kind: AliasKind
    proof: AliasProof
    code: str = Field(description="What to post under a handle to prove that it is hers.")
    added_at: datetime


class NewAliasOut(AliasOut):
    """A protected name that was just added, or is newly proved."""

    format: Literal["consentry.alias/1"] = "consentry.alias/1"


class AliasesOut(Outbound):
    """All protected names, of everybody in this home."""

    format: Literal["consentry.aliases/1"] = "consentry.aliases/1"
    aliases: list[AliasOut]


@router.get(
    "/v1/aliases",
    operation_id="listAliases",
    response_model=AliasesOut,
    responses=documented(VaultAbsent, VaultLocked),
)
async def list_aliases(request: Request, _: Reader) -> Response:
    """List every protected name."""
    runtime = runtime_of(request)
    aliases = await runtime.work.do(Kind.STORE, partial(_listed, runtime.services))
    return answer(AliasesOut(aliases=aliases))


@router.post(
    "/v1/aliases",
    operation_id="addAlias",
    status_code=201,
    response_model=NewAliasOut,
    openapi_extra=json_body(AliasIn),
    responses=documented(Conflict, VaultAbsent, VaultLocked, StorageFull, reads_body=True),
)
async def add_alias(request: Request, _: Writer) -> Response:
    """Protect a name; the next check goes by it. In a home of her own her word is enough."""
    runtime = runtime_of(request)
    added = await runtime.work.do_with(
        Kind.STORE, partial(read_json, request, AliasIn), partial(_added, runtime.services)
    )
    return answer(added, 201)


@router.post(
    "/v1/aliases/{alias_id}/verify",
    operation_id="verifyAlias",
    response_model=NewAliasOut,
    openapi_extra=json_body(AliasProofIn),
    responses=documented(VaultAbsent, VaultLocked, StorageFull, reads_body=True),
)
async def verify_alias(request: Request, _: Owner, alias_id: str) -> Response:
    """Keep how it was established that a name is hers."""
    runtime = runtime_of(request)
    proved = await runtime.work.do_with(
        Kind.STORE,
        partial(read_json, request, AliasProofIn),
        partial(_proved, runtime.services, AliasId(alias_id)),
    )
    return answer(proved)


@router.delete(
    "/v1/aliases/{alias_id}",
    operation_id="removeAlias",
    status_code=204,
    response_class=Response,
    responses=documented(NotFound),
)
async def remove_alias(request: Request, _: Writer, alias_id: str) -> Response:
    """Protect a name no longer. Protects less, so it needs the passphrase within five minutes."""
    runtime = runtime_of(request)
    await runtime.work.do(Kind.STORE, partial(runtime.services.aliases.remove, AliasId(alias_id)))
    return Response(status_code=204)


def _listed(services: Services) -> list[AliasOut]:
    return [
        _alias(services, alias)
        for person in services.people.all()
        for alias in services.aliases.list(person.subject)
    ]


def _added(services: Services, body: AliasIn) -> NewAliasOut:
    subject = services.people.find(body.subject)
    alias = services.aliases.add(subject, body.text, body.kind, AliasProof.OWN_WORD)
    return _newly(services, alias)


def _proved(services: Services, alias: AliasId, body: AliasProofIn) -> NewAliasOut:
    if body.posted is None:
        return _newly(services, services.aliases.review(alias))
    return _newly(services, services.aliases.verify(alias, body.posted))


def _newly(services: Services, alias: Alias) -> NewAliasOut:
    return NewAliasOut(**dict(_alias(services, alias)))


def _alias(services: Services, alias: Alias) -> AliasOut:
    return AliasOut(
        alias=alias.alias,
        subject=alias.subject,
        text=alias.text,
        kind=alias.kind,
        proof=alias.proof,
        code=services.aliases.code(alias.alias),
        added_at=alias.added_at,
    )
