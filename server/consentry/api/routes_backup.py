"""A sealed backup: export, and restore into an empty home."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from consentry.accounts.principals import Principal, Scope
from consentry.api.authentication import may
from consentry.api.bodies import parse_fields, read_form, read_json
from consentry.api.problems import documented
from consentry.api.routes_vault import PassphraseIn
from consentry.api.runtime import runtime_of
from consentry.api.wire import Inbound, Outbound, answer, form_body, json_body
from consentry.api.work import Kind
from consentry.kernel.errors import (
    BadRequest,
    StorageFull,
    VaultAbsent,
    VaultExists,
    WrongPassphrase,
)
from consentry.vault.passphrase import Passphrase

router = APIRouter(tags=["backup"])

Keeper = Annotated[Principal, Depends(may(Scope.BACKUP))]

FILE_NAME = "consentry-backup.bin"


class RestoreFields(Inbound):
    """The fields of a restore."""

    passphrase: str = Field(repr=False)


class RestoredOut(Outbound):
    """How many people are enrolled now."""

    format: Literal["consentry.restored/1"] = "consentry.restored/1"
    subjects: int


@router.post(
    "/v1/backup",
    operation_id="exportBackup",
    response_class=Response,
    openapi_extra=json_body(PassphraseIn),
    responses={
        **documented(VaultAbsent, WrongPassphrase, reads_body=True),
        200: {
            "description": "The sealed file (docs/specs/sealed-backup.md).",
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        },
    },
)
async def export_backup(request: Request, _: Keeper) -> Response:
    """Write what is needed to open the vault elsewhere into one file, sealed by its passphrase."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.KEYS):
        body = await read_json(request, PassphraseIn)
        export = partial(runtime.services.export_backup, Passphrase(body.passphrase))
        file = await runtime.work.run(Kind.KEYS, export)
    return Response(
        file,
        media_type="application/octet-stream",
        headers={"content-disposition": f'attachment; filename="{FILE_NAME}"'},
    )


@router.post(
    "/v1/backup/restore",
    operation_id="restoreBackup",
    status_code=201,
    response_model=RestoredOut,
    openapi_extra=form_body(
        files={"backup": "The file."},
        fields={"passphrase": {"type": "string"}},
        required=["backup", "passphrase"],
    ),
    responses=documented(VaultExists, WrongPassphrase, StorageFull, reads_body=True),
)
async def restore_backup(request: Request, _: Keeper) -> Response:
    """Restore into a home that has no vault, and unlock it."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.KEYS):
        form = await read_form(request, max_bytes=runtime.max_body_bytes, max_files=1)
        form.require_only(fields=frozenset({"passphrase"}), files=frozenset({"backup"}))
        fields = parse_fields(RestoreFields, form.fields)
        if "backup" not in form.files:
            raise BadRequest("The form has no file named `backup`.")
        restore = partial(
            runtime.services.restore_backup, form.files["backup"][0], Passphrase(fields.passphrase)
        )
        count = await runtime.work.run(Kind.KEYS, restore)
    return answer(RestoredOut(subjects=count), 201)
