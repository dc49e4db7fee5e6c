"""What an auditor reads of a running installation, with a token of hers: figures, and receipts that she picks.

She sees nobody and changes nothing; the log itself is under ``/log/``.
"""

from __future__ import annotations

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
from consentry.audit.live import MAX_SAMPLES
from consentry.kernel.errors import NotFound

router = APIRouter(tags=["audit"])

Auditor = Annotated[Principal, Depends(may(Scope.AUDIT_READ))]


class SampledOut(Outbound):
    """The receipt of an entry."""

    index: int
    receipt: str = Field(description="Compact JWS.")


class SampleOut(Outbound):
    """Receipts of entries that were picked, in order. An entry that is no verdict has none."""

    format: Literal["consentry.audit-sample/1"] = "consentry.audit-sample/1"
    receipts: list[SampledOut]


@router.get(
    "/v1/audit/receipts",
    operation_id="sampleReceipts",
    response_model=SampleOut,
    responses=documented(NotFound),
)
async def sample_receipts(
    request: Request,
    _: Auditor,
    leaf: Annotated[
        list[Annotated[int, Query(ge=0, le=2**53)]],
        Query(min_length=1, max_length=MAX_SAMPLES, description="An index; repeat for several."),
    ],
) -> Response:
    """Return the receipts of entries of the log that the auditor picks."""
    runtime = runtime_of(request)
    found = await runtime.work.do(
        Kind.STORE, partial(runtime.services.audit.sample, frozenset(leaf))
    )
    return answer(
        SampleOut(receipts=[SampledOut(index=i, receipt=jws) for i, jws in sorted(found.items())])
    )


@router.get(
    "/v1/audit/figures",
    operation_id="getFigures",
    response_class=Response,
    responses=documented(NotFound),
)
async def get_figures(
    request: Request, _: Auditor, threshold: Annotated[int, Query(ge=1, le=10**9)] = 10
) -> Response:
    """Return the figures of the published log (docs/specs/audit-export.md), small counts held back."""
    runtime = runtime_of(request)
    made = await runtime.work.do(Kind.STORE, partial(runtime.services.audit.figures, threshold))
    return Response(made, media_type="application/json", headers={"cache-control": "no-store"})
