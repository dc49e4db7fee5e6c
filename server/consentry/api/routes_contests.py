"""Two people who claim one face: until it is settled, nobody's yes counts (law 3)."""

from __future__ import annotations

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
from consentry.kernel.errors import Conflict, NotFound, StorageFull
from consentry.kernel.ids import ContestId
from consentry.services import Services

router = APIRouter(tags=["contests"])

Reader = Annotated[Principal, Depends(may(Scope.SUBJECTS_READ))]
Writer = Annotated[Principal, Depends(may(Scope.SUBJECTS_WRITE))]


class ContestIn(Inbound):
    """Who claims whose face."""

    claimant: str = Field(repr=False, description="Who claims it, by identifier or name.")
    respondent: str = Field(repr=False, description="As whose it is enrolled.")


class ContestOut(Outbound):
    """A contest that is not settled."""

    contest: str
    claimant: str
    respondent: str
    opened_at: datetime


class NewContestOut(Outbound):
    """A contest that was just opened."""

    format: Literal["consentry.contest/1"] = "consentry.contest/1"
    contest: str


class ContestsOut(Outbound):
    """All contests that are not settled, oldest first."""

    format: Literal["consentry.contests/1"] = "consentry.contests/1"
    contests: list[ContestOut]


@router.get(
    "/v1/contests",
    operation_id="listContests",
    response_model=ContestsOut,
    responses=documented(),
)
async def list_contests(request: Request, _: Reader) -> Response:
    """List every contest that is not settled."""
    runtime = runtime_of(request)
    found = await runtime.work.do(Kind.STORE, runtime.services.contests.all)
    return answer(
        ContestsOut(
            contests=[
                ContestOut(
                    contest=each.contest,
                    claimant=each.claimant,
                    respondent=each.respondent,
                    opened_at=each.opened_at,
                )
                for each in found
            ]
        )
    )


@router.post(
    "/v1/contests",
    operation_id="openContest",
    status_code=201,
    response_model=NewContestOut,
    openapi_extra=json_body(ContestIn),
    responses=documented(Conflict, StorageFull, reads_body=True),
)
async def open_contest(request: Request, _: Writer) -> Response:
    """Say that a face is another's. Needs no passphrase: it only tightens."""
    runtime = runtime_of(request)
    contest = await runtime.work.do_with(
        Kind.STORE, partial(read_json, request, ContestIn), partial(_opened, runtime.services)
    )
    return answer(NewContestOut(contest=contest), 201)


@router.post(
    "/v1/contests/{contest_id}/settle",
    operation_id="settleContest",
    status_code=204,
    response_class=Response,
    responses=documented(NotFound),
)
async def settle_contest(request: Request, _: Writer, contest_id: str) -> Response:
    """End a contest, both enrolments left as they are. Needs the passphrase within five minutes."""
    runtime = runtime_of(request)
    await runtime.work.do(
        Kind.STORE, partial(runtime.services.contests.settle, ContestId(contest_id))
    )
    return Response(status_code=204)


def _opened(services: Services, body: ContestIn) -> ContestId:
    find = services.people.find
    return services.contests.open(find(body.claimant), find(body.respondent))
