"""What is kept and for how long, deleting what is due, legal holds, and a copy for the person.

No identifier of a person is part of an address: addresses end up in logs.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, Field, TypeAdapter
from starlette.responses import Response

from consentry.accounts.principals import Door, Principal
from consentry.api.authentication import anybody, owner_only
from consentry.api.bodies import read_json
from consentry.api.problems import documented
from consentry.api.runtime import runtime_of
from consentry.api.wire import Inbound, Outbound, answer, json_body
from consentry.api.work import Kind
from consentry.kernel.errors import Forbidden, NotFound, StorageFull, VaultAbsent, VaultLocked
from consentry.rights.export import SubjectCopy
from consentry.rights.holds import Hold, HoldId
from consentry.rights.inventory import inventory
from consentry.rights.kept import Place
from consentry.services import Services

router = APIRouter(tags=["rights"])

Anybody = Annotated[Principal, Depends(anybody())]
Owner = Annotated[Principal, Depends(owner_only(Door.SOCKET, Door.DASHBOARD))]

_COPY = TypeAdapter(SubjectCopy)


class KeptOut(Outbound):
    """One thing that is kept."""

    name: str = Field(description="Table or file; empty for what is in memory.")
    place: Place
    fields: dict[str, str]
    what: str
    why: str
    opens: str = Field(description="Who can read it, and what of it.")
    ends: str = Field(description="How long it is kept, and what ends it.")
    plain: str = Field(
        description="For the person whom it is about; empty where it is about nobody."
    )


class HoldOut(Outbound):
    """A legal hold."""

    hold: str
    reason: str
    placed_by: str
    placed_at: datetime
    until: datetime


class InventoryOut(Outbound):
    """Everything that is kept, and the holds that keep records longer."""

    format: Literal["consentry.inventory/1"] = "consentry.inventory/1"
    kept: list[KeptOut]
    holds: list[HoldOut]


class RetentionIn(Inbound):
    """Whether it is only counted."""

    dry_run: bool = False


class RetentionOut(Outbound):
    """What was deleted, or would be."""

    format: Literal["consentry.retention/1"] = "consentry.retention/1"
    dry_run: bool
    counts: dict[str, int]
    held: list[str] = Field(description="Tables that a legal hold keeps.")


class HoldIn(Inbound):
    """A hold to be placed. The texts are shown to everybody enrolled: name nobody in them."""

    reason: str
    placed_by: str
    until: AwareDatetime = Field(strict=False)


class NewHoldOut(HoldOut):
    """A hold that was just placed."""

    format: Literal["consentry.hold/1"] = "consentry.hold/1"


class HoldsOut(Outbound):
    """The holds that are in force."""

    format: Literal["consentry.holds/1"] = "consentry.holds/1"
    holds: list[HoldOut]


class CopyIn(Inbound):
    """Whose copy."""

    subject: str = Field(description="An identifier or a name.", repr=False)


@router.get(
    "/v1/inventory",
    operation_id="getInventory",
    response_model=InventoryOut,
    responses=documented(),
)
async def get_inventory(request: Request, _: Anybody) -> Response:
    """Say what is kept, why, who can open it, and for how long."""
    runtime = runtime_of(request)
    return await runtime.work.do(Kind.STORE, partial(_inventory, runtime.services))


@router.post(
    "/v1/retention",
    operation_id="enforceRetention",
    response_model=RetentionOut,
    openapi_extra=json_body(RetentionIn),
    responses=documented(StorageFull, reads_body=True),
)
async def enforce_retention(request: Request, _: Owner) -> Response:
    """Delete what is due, or count it. A running companion does it by itself each day."""
    runtime = runtime_of(request)
    report = await runtime.work.do_with(
        Kind.STORE,
        partial(read_json, request, RetentionIn),
        lambda body: runtime.services.retention(is_dry=body.dry_run),
    )
    return answer(
        RetentionOut(dry_run=report.is_dry, counts=dict(report.counts), held=list(report.held))
    )


@router.get("/v1/holds", operation_id="listHolds", response_model=HoldsOut, responses=documented())
async def list_holds(request: Request, _: Anybody) -> Response:
    """List the legal holds that are in force. Everybody whom they concern may see them."""
    runtime = runtime_of(request)
    holds = await runtime.work.do(Kind.STORE, runtime.services.holds.active)
    return answer(HoldsOut(holds=list(map(_hold, holds))))


@router.post(
    "/v1/holds",
    operation_id="placeHold",
    status_code=201,
    response_model=NewHoldOut,
    openapi_extra=json_body(HoldIn),
    responses=documented(StorageFull, reads_body=True),
)
async def place_hold(request: Request, _: Owner) -> Response:
    """Keep records from deletion until a moment; never a template, a key or a name."""
    runtime = runtime_of(request)
    hold = await runtime.work.do_with(
        Kind.STORE,
        partial(read_json, request, HoldIn),
        lambda body: runtime.services.holds.place(
            reason=body.reason, placed_by=body.placed_by, until=body.until
        ),
    )
    return answer(NewHoldOut(**_hold(hold).model_dump()), 201)


@router.delete(
    "/v1/holds/{hold_id}",
    operation_id="liftHold",
    status_code=204,
    response_class=Response,
    responses=documented(NotFound),
)
async def lift_hold(request: Request, _: Owner, hold_id: str) -> Response:
    """End a hold before its time."""
    runtime = runtime_of(request)
    await runtime.work.do(Kind.STORE, partial(runtime.services.holds.lift, HoldId(hold_id)))
    return Response(status_code=204)


@router.post(
    "/v1/subjects/export",
    operation_id="exportSubject",
    response_class=Response,
    openapi_extra=json_body(CopyIn),
    responses={
        **documented(Forbidden, VaultAbsent, VaultLocked, reads_body=True),
        200: {
            "description": "All that is kept about her (docs/specs/subject-copy.md).",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
    },
)
async def export_subject(request: Request, _: Owner) -> Response:
    """Give a person a copy of all that is kept about her. Needs proof that it is she who asks."""
    runtime = runtime_of(request)
    copy = await runtime.work.do_with(
        Kind.STORE,
        partial(read_json, request, CopyIn),
        lambda body: runtime.services.export_subject(runtime.services.people.find(body.subject)),
    )
    return Response(_COPY.dump_json(copy), media_type="application/json")


def copy_schema() -> str:
    """Return the JSON Schema of a copy, for docs/specs/subject-copy.schema.json."""
    import json

    return json.dumps(_COPY.json_schema(), indent=1, sort_keys=True) + "\n"


def _inventory(services: Services) -> Response:
    return answer(
        InventoryOut(
            kept=[
                KeptOut(
                    name=each.name,
                    place=each.place,
                    fields=dict(each.fields),
                    what=each.what,
                    why=each.why,
                    opens=each.opens,
                    ends=each.ends,
                    plain=each.plain,
                )
                for each in inventory(services.periods)
            ],
            holds=list(map(_hold, services.holds.active())),
        )
    )


def _hold(hold: Hold) -> HoldOut:
    return HoldOut(
        hold=hold.hold,
        reason=hold.reason,
        placed_by=hold.placed_by,
        placed_at=hold.placed_at,
        until=hold.until,
    )
