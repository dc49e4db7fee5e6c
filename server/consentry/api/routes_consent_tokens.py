"""Consent to one request or to a studio session, and what she declares before she may give it.

Only the owner herself issues: no platform can ask for it, and no program of hers can begin it.
Pictures do not travel: each is named by the SHA-256 of its file.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from consentry.accounts.principals import Door, Principal, Scope
from consentry.api.authentication import may, owner_only
from consentry.api.bodies import read_json
from consentry.api.problems import documented
from consentry.api.runtime import runtime_of
from consentry.api.wire import Inbound, Outbound, answer, json_body
from consentry.api.work import Kind
from consentry.checks.check import MAX_CONTEXT_TURNS, MAX_PROMPT_CHARS
from consentry.grants.tokens import (
    MAX_LIFETIME_S,
    MAX_PICTURES,
    MAX_SESSION_DAYS,
    MAX_SESSION_PICTURES,
    MAX_SESSION_USES,
    IssuedToken,
    SessionTerms,
    TokenInfo,
    TokenTerms,
)
from consentry.kernel.errors import (
    Conflict,
    NotFound,
    StorageFull,
    VaultAbsent,
    VaultLocked,
)
from consentry.kernel.ids import ConsentTokenId, SubjectId
from consentry.kernel.taxonomy import IntentCategory, Purpose
from consentry.services import Services

router = APIRouter(tags=["consent tokens"])

Reader = Annotated[Principal, Depends(may(Scope.CONSENTS_READ))]
Writer = Annotated[Principal, Depends(may(Scope.CONSENTS_WRITE))]
Herself = Annotated[Principal, Depends(owner_only(Door.SOCKET, Door.DASHBOARD))]

Sha256 = Annotated[
    str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of a file, in hexadecimal.")
]
Region = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$", description="ISO 3166.")]
Platform = Annotated[str, Field(min_length=1, max_length=200)]


class DeclarationIn(Inbound):
    """Who declares it."""

    subject: str = Field(repr=False, description="By identifier or name.")


class ConsentTokenIn(Inbound):
    """One request that she says yes to: these words, these files, one use, minutes."""

    subject: str = Field(repr=False, description="Whose yes it is, by identifier or name.")
    platform: Platform = Field(description="Who alone may use it, as it names itself.")
    purpose: Purpose = Purpose.EDIT
    region: Region | None = Field(default=None, description="What must be stated; null: nothing.")
    categories: tuple[IntentCategory, ...] = Field(
        min_length=1,
        description="What she agrees that the words ask for; it must be what they are found to.",
    )
    prompt: str | None = Field(default=None, repr=False, max_length=MAX_PROMPT_CHARS)
    context: tuple[Annotated[str, Field(max_length=MAX_PROMPT_CHARS)], ...] = Field(
        default=(),
        repr=False,
        max_length=MAX_CONTEXT_TURNS,
        description="Earlier turns, oldest first.",
    )
    digests: tuple[Sha256, ...] = Field(
        min_length=1, max_length=MAX_PICTURES, description="Of the files, in order."
    )
    lifetime_s: int = Field(default=MAX_LIFETIME_S, ge=1, le=MAX_LIFETIME_S)

    def terms(self) -> TokenTerms:
        """Return it in the words of the use case."""
        return TokenTerms(
            platform=self.platform,
            purpose=self.purpose,
            region=self.region,
            categories=frozenset(self.categories),
            prompt=self.prompt,
            context=self.context,
            digests=tuple(bytes.fromhex(each) for each in self.digests),
            lifetime_s=self.lifetime_s,
        )


class ConsentSessionIn(Inbound):
    """A studio's work on listed pictures of hers, in swimwear or underwear."""

    subject: str = Field(repr=False, description="Whose yes it is, by identifier or name.")
    platform: Platform = Field(description="Who alone may use it, as it names itself.")
    purpose: Purpose = Purpose.EDIT
    region: Region | None = Field(default=None, description="What must be stated; null: nothing.")
    categories: tuple[IntentCategory, ...] = Field(
        min_length=1, description="Of `swimwear` and `underwear`."
    )
    digests: tuple[Sha256, ...] = Field(
        min_length=1,
        max_length=MAX_SESSION_PICTURES,
        description="Of the files; any of them may be sent, nothing else.",
    )
    max_uses: int = Field(ge=1, le=MAX_SESSION_USES)
    lifetime_days: int = Field(ge=1, le=MAX_SESSION_DAYS)

    def terms(self) -> SessionTerms:
        """Return it in the words of the use case."""
        return SessionTerms(
            platform=self.platform,
            purpose=self.purpose,
            region=self.region,
            categories=frozenset(self.categories),
            digests=tuple(bytes.fromhex(each) for each in self.digests),
            max_uses=self.max_uses,
            lifetime_days=self.lifetime_days,
        )


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


class IssuedConsentOut(Outbound):
    """A token, to be handed to the platform. It is shown this once."""

    format: Literal["consentry.consent-token/1"] = "consentry.consent-token/1"
    token: str
    jws: str = Field(repr=False, description="What the platform sends as `token`.")
    valid_until: datetime


class DeclarationOut(Outbound):
    """What one person has declared about herself."""

    subject: str
    is_adult: bool = Field(description="Whether she has declared to be 18 or older.")
    may_consent_from: datetime | None = Field(
        description="After an announcement: from when she may consent to a revealing use."
    )
    may_consent_until: datetime | None = Field(description="Excluded.")


class DeclarationsOut(Outbound):
    """Of everybody in this home, and the cooling-off time."""

    format: Literal["consentry.declarations/1"] = "consentry.declarations/1"
    intimate_delay_s: float = Field(description="0: no announcement is needed.")
    declarations: list[DeclarationOut]


@router.get(
    "/v1/consent-tokens",
    operation_id="listConsentTokens",
    response_model=ConsentTokensOut,
    responses=documented(VaultAbsent, VaultLocked),
)
async def list_consent_tokens(request: Request, _: Reader) -> Response:
    """List every token and session that has been given."""
    runtime = runtime_of(request)
    tokens = await runtime.work.do(Kind.STORE, partial(_tokens, runtime.services))
    return answer(ConsentTokensOut(tokens=tokens))


@router.post(
    "/v1/consent-tokens",
    operation_id="issueConsentToken",
    status_code=201,
    response_model=IssuedConsentOut,
    openapi_extra=json_body(ConsentTokenIn),
    responses=documented(Conflict, VaultAbsent, VaultLocked, StorageFull, reads_body=True),
)
async def issue_consent_token(request: Request, _: Herself) -> Response:
    """Say yes to one request; for a revealing one she has declared to be 18 or older.

    Needs her passphrase within the last five minutes.
    """
    runtime = runtime_of(request)
    issued = await runtime.work.do_with(
        Kind.STORE,
        partial(read_json, request, ConsentTokenIn, max_bytes=runtime.max_body_bytes),
        partial(_issued, runtime.services),
    )
    return _handed_out(issued)


@router.post(
    "/v1/consent-sessions",
    operation_id="openConsentSession",
    status_code=201,
    response_model=IssuedConsentOut,
    openapi_extra=json_body(ConsentSessionIn),
    responses=documented(Conflict, VaultAbsent, VaultLocked, StorageFull, reads_body=True),
)
async def open_consent_session(request: Request, _: Herself) -> Response:
    """Say yes to a studio's work on listed pictures. Needs her passphrase within five minutes."""
    runtime = runtime_of(request)
    issued = await runtime.work.do_with(
        Kind.STORE,
        partial(read_json, request, ConsentSessionIn),
        partial(_opened, runtime.services),
    )
    return _handed_out(issued)


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
    await runtime.work.do(
        Kind.STORE, partial(runtime.services.consent_tokens.revoke, ConsentTokenId(token_id))
    )
    return Response(status_code=204)


@router.get(
    "/v1/declarations",
    operation_id="listDeclarations",
    response_model=DeclarationsOut,
    responses=documented(),
)
async def list_declarations(request: Request, _: Reader) -> Response:
    """Say who has declared to be 18 or older, and what has been announced."""
    runtime = runtime_of(request)
    return answer(await runtime.work.do(Kind.STORE, partial(_declared, runtime.services)))


@router.post(
    "/v1/declarations/adult",
    operation_id="declareAdult",
    status_code=204,
    response_class=Response,
    openapi_extra=json_body(DeclarationIn),
    responses=documented(reads_body=True),
)
async def declare_adult(request: Request, _: Herself) -> Response:
    """Declare to be 18 or older. Needs her passphrase within the last five minutes."""
    runtime = runtime_of(request)
    await runtime.work.do_with(
        Kind.STORE, partial(read_json, request, DeclarationIn), partial(_attest, runtime.services)
    )
    return Response(status_code=204)


@router.post(
    "/v1/declarations/intimate",
    operation_id="announceIntimate",
    response_model=DeclarationsOut,
    openapi_extra=json_body(DeclarationIn),
    responses=documented(reads_body=True),
)
async def announce_intimate(request: Request, _: Herself) -> Response:
    """Begin the cooling-off time before a consent to a revealing use. It gives nothing by itself.

    Needs her passphrase within the last five minutes.
    """
    runtime = runtime_of(request)
    declared = await runtime.work.do_with(
        Kind.STORE,
        partial(read_json, request, DeclarationIn),
        partial(_announced, runtime.services),
    )
    return answer(declared)


@router.post(
    "/v1/declarations/intimate/withdraw",
    operation_id="withdrawIntimate",
    status_code=204,
    response_class=Response,
    openapi_extra=json_body(DeclarationIn),
    responses=documented(reads_body=True),
)
async def withdraw_intimate(request: Request, _: Writer) -> Response:
    """Take an announcement back. Needs no proof: it only takes something away."""
    runtime = runtime_of(request)
    await runtime.work.do_with(
        Kind.STORE,
        partial(read_json, request, DeclarationIn),
        partial(_withdrawn, runtime.services),
    )
    return Response(status_code=204)


def _issued(services: Services, body: ConsentTokenIn) -> IssuedToken:
    return services.consent_tokens.issue(services.people.find(body.subject), body.terms())


def _opened(services: Services, body: ConsentSessionIn) -> IssuedToken:
    return services.consent_tokens.open_session(services.people.find(body.subject), body.terms())


def _handed_out(issued: IssuedToken) -> Response:
    return answer(
        IssuedConsentOut(token=issued.token, jws=issued.jws, valid_until=issued.valid_until), 201
    )


def _attest(services: Services, body: DeclarationIn) -> None:
    services.consent_tokens.attest_adult(services.people.find(body.subject))


def _announced(services: Services, body: DeclarationIn) -> DeclarationsOut:
    services.consent_tokens.announce_intimate(services.people.find(body.subject))
    return _declared(services)


def _withdrawn(services: Services, body: DeclarationIn) -> None:
    services.consent_tokens.take_back_announcement(services.people.find(body.subject))


def _declared(services: Services) -> DeclarationsOut:
    desk = services.consent_tokens
    found = []
    for person in services.people.all():
        window = desk.window(person.subject)
        found.append(
            DeclarationOut(
                subject=person.subject,
                is_adult=desk.is_attested_adult(person.subject),
                may_consent_from=None if window is None else window.begins_at,
                may_consent_until=None if window is None else window.ends_at,
            )
        )
    return DeclarationsOut(intimate_delay_s=desk.intimate_delay_s, declarations=found)


def _tokens(services: Services) -> list[ConsentTokenOut]:
    return [
        _token(person.subject, token)
        for person in services.people.all()
        for token in services.consent_tokens.list(person.subject)
    ]


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
