"""Her view: the checks in which her face or her name mattered. Needs proof that it is she who reads.

No identifier of a person is part of an address: addresses end up in logs.
"""

from __future__ import annotations

from datetime import datetime, timedelta
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
from consentry.checks.digests import QUIET, Digest, MyDigests
from consentry.checks.mine import MAX_SHOWN, MyCheck, MyChecks
from consentry.checks.sightings import How, Stage
from consentry.kernel.errors import Forbidden, NotFound, VaultAbsent, VaultLocked, WrongPassphrase
from consentry.kernel.ids import SubjectId
from consentry.kernel.taxonomy import IntentCategory, PublicReason, Purpose, Verdict
from consentry.services import Services
from consentry.vault.passphrase import Passphrase

router = APIRouter(tags=["subjects"])

Reader = Annotated[Principal, Depends(may(Scope.CHECKS_MINE))]


class MyChecksIn(Inbound):
    """Whose, and from where on."""

    subject: str = Field(description="An identifier or, while unlocked, a name.", repr=False)
    before: AwareDatetime | None = Field(
        default=None, strict=False, description="Only checks before this moment."
    )
    limit: int = Field(default=50, ge=1, le=MAX_SHOWN)
    passphrase: str | None = Field(
        default=None,
        repr=False,
        description="Her own or, if she has none, the home's. A token needs it each time.",
    )


class MyDigestsIn(MyChecksIn):
    """Whose, from where on, and what counts as one."""

    quiet_minutes: int = Field(
        default=int(QUIET.total_seconds()) // 60,
        ge=1,
        le=24 * 60,
        description="Checks are told as one until nothing came for so long.",
    )


class MyCheckOut(Outbound):
    """A check in which she mattered."""

    check_id: str
    at: datetime
    how: How = Field(description="`possible`: a face that may be hers, or somebody else's.")
    stage: Stage
    category: IntentCategory
    purpose: Purpose
    region: str | None
    platform: str | None
    verdict: Verdict
    reasons: list[PublicReason]
    receipt: str | None = Field(description="Compact JWS; null when it is not kept any more.")
    log_index: int | None


class MyChecksOut(Outbound):
    """A page of them, newest first."""

    format: Literal["consentry.my-checks/1"] = "consentry.my-checks/1"
    kept_days: int = Field(description="Older ones are destroyed.")
    before: datetime | None = Field(description="Go on from here; null at the end.")
    checks: list[MyCheckOut]


class PlatformCountOut(Outbound):
    """How many checks a platform asked for."""

    platform: str | None = Field(description="Null when none was stated.")
    count: int


class DigestOut(Outbound):
    """Checks that came close upon one another, told as one."""

    count: int
    first: datetime
    last: datetime
    goes_on: bool = Field(description="There may be earlier ones, on the next page.")
    verdicts: dict[Verdict, int]
    categories: dict[IntentCategory, int]
    hows: dict[How, int]
    platforms: list[PlatformCountOut] = Field(description="Commonest first, at most 20.")
    other_platforms: int = Field(description="Asked for by platforms that are not listed.")


class MyDigestsOut(Outbound):
    """A page of them, newest first."""

    format: Literal["consentry.my-digests/1"] = "consentry.my-digests/1"
    kept_days: int = Field(description="Older checks are destroyed.")
    before: datetime | None = Field(description="Go on from here; null at the end.")
    digests: list[DigestOut]


@router.post(
    "/v1/subjects/checks",
    operation_id="listMyChecks",
    response_model=MyChecksOut,
    openapi_extra=json_body(MyChecksIn),
    responses=documented(
        Forbidden, NotFound, VaultAbsent, VaultLocked, WrongPassphrase, reads_body=True
    ),
)
async def list_my_checks(request: Request, principal: Reader) -> Response:
    """List the checks that somebody's face or name mattered in.

    Needs her passphrase: here, or for the owner within the last five minutes. They are sealed to her:
    with a passphrase of her own, nobody else in the home can read them.
    """
    runtime = runtime_of(request)
    page = await runtime.work.do_with(
        Kind.KEYS,
        partial(read_json, request, MyChecksIn),
        partial(_read, runtime.services, principal),
    )
    return answer(
        MyChecksOut(
            kept_days=page.kept_days,
            before=page.before,
            checks=[_out(each) for each in page.checks],
        )
    )


@router.post(
    "/v1/subjects/checks/digest",
    operation_id="listMyDigests",
    response_model=MyDigestsOut,
    openapi_extra=json_body(MyDigestsIn),
    responses=documented(
        Forbidden, NotFound, VaultAbsent, VaultLocked, WrongPassphrase, reads_body=True
    ),
)
async def list_my_digests(request: Request, principal: Reader) -> Response:
    """List the same, those that came close upon one another as one: how many, from when to when.

    A burst of requests is told once. Nothing is kept of it: it is made of the list, when it is read.
    """
    runtime = runtime_of(request)
    page = await runtime.work.do_with(
        Kind.KEYS,
        partial(read_json, request, MyDigestsIn),
        partial(_read_digests, runtime.services, principal),
    )
    return answer(
        MyDigestsOut(
            kept_days=page.kept_days,
            before=page.before,
            digests=[_digest_out(each) for each in page.digests],
        )
    )


def _read(services: Services, principal: Principal, body: MyChecksIn) -> MyChecks:
    subject = _proved(services, principal, body)
    return services.my_checks(subject, before=body.before, limit=body.limit)


def _read_digests(services: Services, principal: Principal, body: MyDigestsIn) -> MyDigests:
    return services.my_checks.digests(
        _proved(services, principal, body),
        before=body.before,
        limit=body.limit,
        quiet=timedelta(minutes=body.quiet_minutes),
    )


def _proved(services: Services, principal: Principal, body: MyChecksIn) -> SubjectId:
    if body.passphrase is None and not principal.is_owner:
        raise Forbidden("With this credential it needs her passphrase in the same request.")
    subject = services.people.find(body.subject)
    if body.passphrase is not None:
        services.prove(subject, Passphrase(body.passphrase))
    return subject


def _out(mine: MyCheck) -> MyCheckOut:
    sighting = mine.sighting
    return MyCheckOut(
        check_id=sighting.check,
        at=sighting.at,
        how=mine.how,
        stage=sighting.stage,
        category=sighting.category,
        purpose=sighting.purpose,
        region=sighting.region,
        platform=sighting.platform,
        verdict=sighting.verdict,
        reasons=list(sighting.reasons),
        receipt=mine.receipt,
        log_index=None if mine.log is None else mine.log.index,
    )


def _digest_out(digest: Digest) -> DigestOut:
    return DigestOut(
        count=digest.count,
        first=digest.first,
        last=digest.last,
        goes_on=digest.goes_on,
        verdicts=dict(digest.verdicts),
        categories=dict(digest.categories),
        hows=dict(digest.hows),
        platforms=[
            PlatformCountOut(platform=platform, count=count)
            for platform, count in digest.platforms.items()
        ],
        other_platforms=digest.other_platforms,
    )
