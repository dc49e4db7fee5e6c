"""What is open to all who may reach this address at all, and what an operator measures."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from consentry.accounts.principals import Principal, Scope
from consentry.api.authentication import find_caller, may
from consentry.api.metrics import CONTENT_TYPE
from consentry.api.problems import documented
from consentry.api.runtime import Runtime, runtime_of
from consentry.api.wire import Outbound, answer
from consentry.api.work import Kind
from consentry.consent.decide import POLICY_VERSION
from consentry.enrolment.references import GalleryState
from consentry.kernel.errors import NotReady, OperatorError
from consentry.vault.custody import VaultState

router = APIRouter(tags=["status"])

Meter = Annotated[Principal, Depends(may(Scope.METRICS_READ))]


class AliveOut(Outbound):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class ReadyOut(Outbound):
    """A check would be worked on. Whether it finds anybody also depends on the vault."""

    status: Literal["ready"] = "ready"
    vault: VaultState | None = None
    gallery: GalleryState | None = None


class EndpointsOut(Outbound):
    """Where a platform finds what, as paths on this address."""

    checks: Literal["/v1/checks"] = "/v1/checks"
    batch: Literal["/v1/checks/batch"] = "/v1/checks/batch"
    outputs: Literal["/v1/outputs"] = "/v1/outputs"
    consent_requests: Literal["/v1/consent-requests/{request_id}"] = (
        "/v1/consent-requests/{request_id}"
    )
    feed: Literal["/v1/feed"] = "/v1/feed"
    reasons: Literal["/v1/reasons"] = "/v1/reasons"
    policy: Literal["/v1/policy"] = "/v1/policy"
    jwks: Literal["/.well-known/jwks.json"] = "/.well-known/jwks.json"


class AboutOut(Outbound):
    """What answers here."""

    format: Literal["consentry.about/1"] = "consentry.about/1"
    name: Literal["consentry"] = "consentry"
    version: str
    api: list[str]
    policy_version: str
    issuer: str = Field(description="Who signs the receipts: the `iss` of each.")
    endpoints: EndpointsOut


class JwkOut(Outbound):
    """One Ed25519 public key (RFC 8037)."""

    kty: str
    crv: str
    x: str
    kid: str
    alg: str
    use: str


class JwksOut(Outbound):
    """The keys that verify this companion's receipts (RFC 7517)."""

    keys: list[JwkOut]


@router.get(
    "/healthz",
    operation_id="getHealth",
    response_model=AliveOut,
    responses=documented(is_open=True),
)
async def get_health() -> Response:
    """Say that the process is alive. Asks nothing of it."""
    return answer(AliveOut())


@router.get(
    "/readyz",
    operation_id="getReadiness",
    response_model=ReadyOut,
    responses=documented(NotReady),
)
async def get_readiness(request: Request) -> Response:
    """Say whether models, store and gallery are there; more only to callers with a credential."""
    caller = await find_caller(request)
    runtime = runtime_of(request)
    return await runtime.work.do(Kind.PICTURES, partial(_ready, runtime, caller))


@router.get(
    "/metrics",
    operation_id="getMetrics",
    response_class=Response,
    responses={
        **documented(),
        200: {
            "description": "Counts and durations in the Prometheus text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
    },
)
async def get_metrics(request: Request, _: Meter) -> Response:
    """Return counts and durations."""
    return Response(runtime_of(request).metrics.render(), headers={"content-type": CONTENT_TYPE})


@router.get(
    "/.well-known/jwks.json",
    operation_id="getKeys",
    response_model=JwksOut,
    responses=documented(is_open=True),
)
async def get_keys(request: Request) -> Response:
    """Return the public keys that verify receipts."""
    jwks = runtime_of(request).services.signer.jwks()
    return answer(JwksOut(keys=[JwkOut(**key) for key in jwks["keys"]]))


@router.get(
    "/.well-known/consentry",
    operation_id="getAbout",
    response_model=AboutOut,
    responses=documented(is_open=True),
)
async def get_about(request: Request) -> Response:
    """Say what answers here, which versions of the API it speaks, and where to find what."""
    runtime = runtime_of(request)
    return answer(
        AboutOut(
            version=runtime.version,
            api=["/v1"],
            policy_version=POLICY_VERSION,
            issuer=runtime.services.signer.issuer,
            endpoints=EndpointsOut(),
        )
    )


def _ready(runtime: Runtime, caller: Principal | None) -> Response:
    services = runtime.services
    try:
        runtime.readiness.require()
        services.receipts.count()
        gallery = services.gallery.state()
    except OperatorError as cause:
        raise NotReady(str(cause)) from cause
    if caller is None:
        return answer(ReadyOut(), leaves_out=frozenset({"vault", "gallery"}))
    caller.require(Scope.VAULT_READ)
    return answer(ReadyOut(vault=services.custody.state, gallery=gallery))
