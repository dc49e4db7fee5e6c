"""Signed verdicts: the list of them, and whether one holds."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from starlette.responses import Response

from consentry.accounts.principals import Principal, Scope
from consentry.api.authentication import may
from consentry.api.bodies import read_json
from consentry.api.problems import documented
from consentry.api.proving import ProofOut, prove
from consentry.api.runtime import Runtime, runtime_of
from consentry.api.wire import Inbound, Outbound, answer, json_body
from consentry.api.work import Kind
from consentry.checks.ports import StoredReceipt
from consentry.consent.explanation import explain_public
from consentry.kernel.errors import LogInconsistent, NotFound, ReceiptInvalid
from consentry.kernel.ids import CheckId
from consentry.kernel.taxonomy import Mode, Obligation, PublicReason, Verdict
from consentry.transparency.jwks import parse_jwks
from consentry.transparency.receipts import verify_receipt

router = APIRouter(tags=["receipts"])

Reader = Annotated[Principal, Depends(may(Scope.RECEIPTS_READ))]

MAX_LISTED = 500


def _not_a_number(value: object) -> object:
    """Pass a date and time as it is written: pydantic would take a number for seconds since 1970."""
    if isinstance(value, str) and "T" not in value.upper():
        raise ValueError("a date and time with a time zone (RFC 3339)")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_not_a_number)]


class JwkIn(BaseModel):
    """A public key; members that are not needed here are passed over (RFC 7517, section 4)."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, hide_input_in_errors=True)

    kty: str
    crv: str | None = None
    x: str | None = None


class JwksIn(Inbound):
    """Somebody else's public keys."""

    keys: tuple[JwkIn, ...] = Field(max_length=100)


class ReceiptIn(Inbound):
    """A receipt to verify."""

    receipt: str = Field(description="Compact JWS.")
    jwks: JwksIn | None = Field(default=None, description="The issuer's keys; null: this one's.")


class ReceiptOut(Outbound):
    """A signed verdict. Holds no picture, no prompt and no person."""

    format: Literal["consentry.receipt/1"] = "consentry.receipt/1"
    check_id: str
    issued_at: datetime
    verdict: Verdict
    reasons: list[PublicReason]
    receipt: str = Field(description="Compact JWS.")


class ReceiptsOut(Outbound):
    """Receipts, newest first."""

    format: Literal["consentry.receipts/1"] = "consentry.receipts/1"
    total: int
    receipts: list[ReceiptOut]


class LogPlaceOut(Outbound):
    """Where a verdict stands in the issuer's log."""

    origin: str
    index: int


class VerifiedOut(Outbound):
    """What a receipt says whose signature holds."""

    format: Literal["consentry.verified/1"] = "consentry.verified/1"
    issuer: str
    check_id: str
    issued_at: datetime
    mode: Mode
    verdict: Verdict
    reasons: list[PublicReason]
    obligations: list[Obligation]
    policy_version: str
    engines: dict[str, str]
    explanation: str = Field(description="What the receipt shows, in plain English.")
    log: LogPlaceOut | None = Field(description="Null for a receipt that names no log.")


@router.get(
    "/v1/receipts",
    operation_id="listReceipts",
    response_model=ReceiptsOut,
    responses=documented(),
)
async def list_receipts(
    request: Request,
    _: Reader,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 50,
    before: Annotated[Moment | None, Query(description="With a time zone.")] = None,
) -> Response:
    """List receipts issued before a moment, newest first."""
    runtime = runtime_of(request)
    return await runtime.work.do(Kind.STORE, partial(_listed, runtime, limit, before))


@router.get(
    "/v1/receipts/{check_id}",
    operation_id="getReceipt",
    response_model=ReceiptOut,
    responses=documented(NotFound),
)
async def get_receipt(request: Request, _: Reader, check_id: str) -> Response:
    """Return the receipt of a check."""
    runtime = runtime_of(request)
    stored = await runtime.work.do(
        Kind.STORE, partial(runtime.services.receipts.get, CheckId(check_id))
    )
    return answer(_receipt(stored))


@router.get(
    "/v1/receipts/{check_id}/proof",
    operation_id="getReceiptProof",
    response_model=ProofOut,
    responses=documented(NotFound, LogInconsistent),
)
async def get_receipt_proof(request: Request, _: Reader, check_id: str) -> Response:
    """Prove that the verdict of a check is in the log."""
    return await prove(request, check_id, caller=None)


@router.post(
    "/v1/receipts/verify",
    operation_id="verifyReceipt",
    response_model=VerifiedOut,
    openapi_extra=json_body(ReceiptIn),
    responses=documented(ReceiptInvalid, reads_body=True),
)
async def verify(request: Request, _: Reader) -> Response:
    """Verify signature and form of a receipt, with this companion's keys or somebody else's."""
    runtime = runtime_of(request)
    return await runtime.work.do_with(
        Kind.STORE, partial(read_json, request, ReceiptIn), partial(_verified, runtime)
    )


def _listed(runtime: Runtime, limit: int, before: datetime | None) -> Response:
    found = runtime.services.receipts.newest(limit, before)
    return answer(
        ReceiptsOut(
            total=runtime.services.receipts.count(), receipts=[_receipt(stored) for stored in found]
        )
    )


def _receipt(stored: StoredReceipt) -> ReceiptOut:
    return ReceiptOut(
        check_id=stored.check,
        issued_at=stored.issued_at,
        verdict=stored.verdict,
        reasons=list(stored.reasons),
        receipt=stored.jws,
    )


def _verified(runtime: Runtime, body: ReceiptIn) -> Response:
    jwks = (
        runtime.services.signer.jwks()
        if body.jwks is None
        else parse_jwks(body.jwks.model_dump_json())
    )
    claims = verify_receipt(body.receipt, jwks)
    return answer(
        VerifiedOut(
            issuer=claims.issuer,
            check_id=claims.check,
            issued_at=claims.issued_at,
            mode=claims.mode,
            verdict=claims.verdict,
            reasons=list(claims.reasons),
            obligations=list(claims.obligations),
            policy_version=claims.policy_version,
            engines=dict(claims.engines),
            explanation=explain_public(claims.verdict, claims.reasons, claims.obligations),
            log=(
                None
                if claims.log is None
                else LogPlaceOut(origin=claims.log.origin, index=claims.log.index)
            ),
        )
    )
