"""May these images, with this prompt, be used in this way? One question, or several at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from consentry.accounts.principals import Principal, Scope
from consentry.api.asking import Asker
from consentry.api.authentication import may, may_probe
from consentry.api.bodies import parse_json, read_json_members
from consentry.api.once import Place, place_of
from consentry.api.problems import Problem, documented, problem_response
from consentry.api.proving import ProofOut, prove
from consentry.api.questions import (
    CheckFields,
    CheckIn,
    question_body,
    read_question,
    require_allowed,
)
from consentry.api.runtime import Runtime, runtime_of
from consentry.api.verdicts import CheckOut, VerdictOut, recalled_json, verdict_json
from consentry.api.wire import Inbound, Outbound, json_body
from consentry.api.work import Kind
from consentry.kernel.errors import (
    Conflict,
    ConsentryError,
    IdempotencyKeyReused,
    LogInconsistent,
    MethodNotAllowed,
    NotFound,
    StorageFailed,
    StorageFull,
)
from consentry.kernel.ids import CheckId
from consentry.kernel.taxonomy import Mode

router = APIRouter(tags=["checks"])

Probing = Annotated[Principal, Depends(may_probe(Scope.CHECKS_WRITE))]
Reader = Annotated[Principal, Depends(may(Scope.CHECKS_READ))]

MAX_BATCH = 32


class BatchIn(Inbound):
    """Several questions. Each is judged by itself."""

    checks: tuple[CheckIn, ...] = Field(min_length=1, max_length=MAX_BATCH)


class BatchItemOut(Outbound):
    """The answer to one question: a verdict, or the problem in its place. Never both, never neither."""

    check: VerdictOut | CheckOut | None
    problem: Problem | None


class BatchOut(Outbound):
    """The answers, in the order of the questions."""

    format: Literal["consentry.batch/1"] = "consentry.batch/1"
    results: list[BatchItemOut]


@router.post(
    "/v1/checks",
    operation_id="checkImages",
    response_model=VerdictOut | CheckOut,
    openapi_extra=question_body(),
    responses=documented(
        Conflict, IdempotencyKeyReused, StorageFull, StorageFailed, reads_body=True
    ),
)
async def check_images(request: Request, principal: Probing) -> Response:
    """Decide, and in `act` mode sign the verdict. A picture that cannot be read is no error here."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.PICTURES):
        fields, images = await read_question(request, runtime)
        asking = _Asking(runtime, request, principal)
        return await asking.judge(fields, images, place_of(request, principal))


@router.post(
    "/v1/checks/batch",
    operation_id="checkBatch",
    response_model=BatchOut,
    openapi_extra=json_body(BatchIn),
    responses=documented(Conflict, StorageFull, StorageFailed, reads_body=True),
)
async def check_batch(request: Request, principal: Probing) -> Response:
    """Decide several questions, one after the other. One that fails spoils no other.

    With an `Idempotency-Key`, each place in the list has its own: a repeated batch carries out only
    what had no verdict before.
    """
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.PICTURES):
        items = await read_json_members(
            request, "checks", max_bytes=runtime.max_body_bytes, max_items=MAX_BATCH
        )
        asking = _Asking(runtime, request, principal)
        place = place_of(request, principal)
        answers = [
            await asking.judge_item(item, None if place is None else place.of_item(number))
            for number, item in enumerate(items)
        ]
    body = b'{"format":"consentry.batch/1","results":[' + b",".join(answers) + b"]}"
    return Response(body, media_type="application/json")


@router.get(
    "/v1/checks/{check_id}",
    operation_id="getCheck",
    response_model=VerdictOut,
    responses=documented(NotFound),
)
async def get_check(request: Request, principal: Reader, check_id: str) -> Response:
    """Return an answer of your own again. Somebody else's is not found."""
    if check_id == "batch":
        # A route of its own, which takes another verb: no check is called so.
        request.scope["allow"] = "POST"
        raise MethodNotAllowed("This route takes POST.")
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.STORE):
        found = await runtime.work.run(
            Kind.STORE,
            partial(runtime.services.recall, CheckId(check_id), caller=principal.caller),
        )
    return Response(recalled_json(found), media_type="application/json")


@router.get(
    "/v1/checks/{check_id}/proof",
    operation_id="getCheckProof",
    response_model=ProofOut,
    responses=documented(NotFound, LogInconsistent),
)
async def get_check_proof(request: Request, principal: Reader, check_id: str) -> Response:
    """Prove that an answer of your own is in the log. Somebody else's is not found."""
    return await prove(request, check_id, caller=principal.caller)


@dataclass(frozen=True, slots=True)
class _Asking:
    """One request, which asks one thing or several."""

    runtime: Runtime
    request: Request
    principal: Principal

    async def judge(
        self, fields: CheckFields, images: tuple[bytes, ...], place: Place | None
    ) -> Response:
        """Answer one question, once for each key."""
        require_allowed(fields, self.principal)
        asker = Asker.of(self.runtime.services, self.principal, place)
        check = partial(self._check, fields, images, asker)

        async def decide() -> Response:
            answer = await self.runtime.work.run(Kind.PICTURES, check)
            asker.tell(self.request)
            return Response(answer, media_type="application/json")

        if fields.mode is Mode.INFORM:
            # Leaves nothing behind, so there is nothing to repeat.
            return await decide()
        parts = [fields.model_dump_json().encode(), *images]
        return await self.runtime.once.answer(place, parts, decide)

    async def judge_item(self, item: bytes, place: Place | None) -> bytes:
        """Answer one question of several, with a verdict or with a problem."""
        try:
            question = await self.runtime.work.run(Kind.STORE, partial(parse_json, CheckIn, item))
            images = await self.runtime.work.run(Kind.STORE, question.pictures)
            answer = await self.judge(question.fields(), images, place)
        except ConsentryError as error:
            problem = problem_response(error, self.request.state.instance)
            return b'{"check":null,"problem":' + bytes(problem.body) + b"}"
        return b'{"check":' + bytes(answer.body) + b',"problem":null}'

    def _check(self, fields: CheckFields, images: tuple[bytes, ...], asker: Asker) -> bytes:
        services = self.runtime.services
        result = services.check(asker.request(fields, images))
        self.runtime.metrics.note_check(fields.mode, result.decision.verdict)
        return verdict_json(result, fields.mode, self.principal, services.people)
