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
from consentry.enrolment.backups import BackupKind
from consentry.kernel.errors import (
    BadRequest,
    StorageFull,
    VaultAbsent,
    VaultExists,
    WrongPassphrase,
)
from consentry.vault.backup_keys import read_key_file
from consentry.vault.passphrase import Passphrase

router = APIRouter(tags=["backup"])

Keeper = Annotated[Principal, Depends(may(Scope.BACKUP))]

FILE_NAME = "consentry-backup.bin"
KEY_FILE_NAME = "consentry-backup.keys"
_MOST_KEY_FILES = 8


class RestoreFields(Inbound):
    """The fields of a restore."""

    passphrase: str = Field(repr=False)


class BackupIn(PassphraseIn):
    """What kind of backup."""

    kind: BackupKind = Field(
        default=BackupKind.APART,
        description="`apart`: opens together with the key file, and an erasure reaches every copy "
        "of it. `whole`: opens with the passphrase alone, for moving; no erasure reaches it.",
    )


class RestoredOut(Outbound):
    """How many people are enrolled now."""

    format: Literal["consentry.restored/1"] = "consentry.restored/1"
    subjects: int
    closed: int = Field(
        description="How many people in the backup stayed closed: erased since, or not in the key file."
    )


@router.post(
    "/v1/backup",
    operation_id="exportBackup",
    response_class=Response,
    openapi_extra=json_body(BackupIn),
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
        body = await read_json(request, BackupIn)
        export = partial(runtime.services.export_backup, Passphrase(body.passphrase), body.kind)
        file = await runtime.work.run(Kind.KEYS, export)
    return Response(
        file,
        media_type="application/octet-stream",
        headers={"content-disposition": f'attachment; filename="{FILE_NAME}"'},
    )


@router.post(
    "/v1/backup/keys",
    operation_id="exportBackupKeys",
    response_class=Response,
    openapi_extra=json_body(PassphraseIn),
    responses={
        **documented(VaultAbsent, WrongPassphrase, StorageFull, reads_body=True),
        200: {
            "description": "The key file (docs/specs/sealed-backup.md).",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
    },
)
async def export_backup_keys(request: Request, _: Keeper) -> Response:
    """Write the key file that goes with backups. Keep it apart from them; write it anew after an erasure."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.KEYS):
        body = await read_json(request, PassphraseIn)
        export = partial(runtime.services.export_backup.key_file, Passphrase(body.passphrase))
        text = await runtime.work.run(Kind.KEYS, export)
    return Response(
        text,
        media_type="text/plain",
        headers={"content-disposition": f'attachment; filename="{KEY_FILE_NAME}"'},
    )


@router.post(
    "/v1/backup/restore",
    operation_id="restoreBackup",
    status_code=201,
    response_model=RestoredOut,
    openapi_extra=form_body(
        files={"backup": "The file.", "keys": "Its key file; not with a whole backup."},
        fields={"passphrase": {"type": "string"}},
        required=["backup", "passphrase"],
    ),
    responses=documented(VaultExists, WrongPassphrase, StorageFull, reads_body=True),
)
async def restore_backup(request: Request, _: Keeper) -> Response:
    """Restore into a home that has no vault, and unlock it."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.KEYS):
        form = await read_form(
            request, max_bytes=runtime.max_body_bytes, max_files=1 + _MOST_KEY_FILES
        )
        form.require_only(fields=frozenset({"passphrase"}), files=frozenset({"backup", "keys"}))
        fields = parse_fields(RestoreFields, form.fields)
        if "backup" not in form.files:
            raise BadRequest("The form has no file named `backup`.")
        restore = partial(
            runtime.services.restore_backup,
            form.files["backup"][0],
            Passphrase(fields.passphrase),
            [key for file in form.files.get("keys", ()) for key in read_key_file(file)],
        )
        restored = await runtime.work.run(Kind.KEYS, restore)
    return answer(RestoredOut(subjects=restored.subjects, closed=restored.closed), 201)
