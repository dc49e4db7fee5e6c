"""May what a generator has made be delivered? For platforms that do not stand behind the gateway."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from consentry.accounts.principals import Principal, Scope
from consentry.api.asking import Asker
from consentry.api.authentication import may_probe
from consentry.api.once import place_of
from consentry.api.outputs import Outputs, outputs_body, read_outputs
from consentry.api.problems import documented
from consentry.api.questions import require_allowed
from consentry.api.runtime import Runtime, runtime_of
from consentry.api.verdicts import CheckOut, VerdictOut, verdict_json
from consentry.api.work import Kind
from consentry.checks.results import ResultsRequest
from consentry.kernel.errors import (
    CheckUnusable,
    Conflict,
    IdempotencyKeyReused,
    NotFound,
    ReceiptInvalid,
    StorageFailed,
    StorageFull,
)
from consentry.kernel.taxonomy import Mode

router = APIRouter(tags=["checks"])

Probing = Annotated[Principal, Depends(may_probe(Scope.CHECKS_WRITE))]


@router.post(
    "/v1/outputs",
    operation_id="checkOutputs",
    response_model=VerdictOut | CheckOut,
    openapi_extra=outputs_body(),
    responses=documented(
        NotFound,
        CheckUnusable,
        Conflict,
        IdempotencyKeyReused,
        ReceiptInvalid,
        StorageFull,
        StorageFailed,
        reads_body=True,
    ),
)
async def check_outputs(request: Request, principal: Probing) -> Response:
    """Decide whether results may be delivered, beside what they were made from, and sign the verdict."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.PICTURES):
        outputs = await read_outputs(request, runtime)
        require_allowed(outputs.fields, principal)
        place = place_of(request, principal)
        asker = Asker.of(runtime.services, principal, place)

        async def decide() -> Response:
            answer = await runtime.work.run(Kind.PICTURES, partial(_judge, runtime, outputs, asker))
            asker.tell(request)
            return Response(answer, media_type="application/json")

        return await runtime.once.answer(place, outputs.parts(), decide)


def _judge(runtime: Runtime, outputs: Outputs, asker: Asker) -> bytes:
    services = runtime.services
    result = services.judge_results(
        ResultsRequest(
            results=outputs.results,
            asked=asker.request(outputs.fields, outputs.images),
            named=outputs.fields.named(),
        )
    )
    runtime.metrics.note_check(Mode.ACT, result.decision.verdict)
    return verdict_json(result, Mode.ACT, asker.principal, services.people)
