"""The owner's vault: create, unlock, lock, change the passphrase, rotate."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from consentry.accounts.principals import Principal, Scope
from consentry.api.authentication import may
from consentry.api.bodies import read_json
from consentry.api.problems import documented
from consentry.api.runtime import Runtime, runtime_of
from consentry.api.wire import Inbound, Outbound, answer, json_body
from consentry.api.work import Kind
from consentry.kernel.errors import (
    Conflict,
    VaultAbsent,
    VaultExists,
    VaultLocked,
    WeakPassphrase,
    WrongPassphrase,
)
from consentry.vault.custody import VaultState
from consentry.vault.passphrase import Passphrase

router = APIRouter(tags=["vault"])

Reader = Annotated[Principal, Depends(may(Scope.VAULT_READ))]
Keeper = Annotated[Principal, Depends(may(Scope.VAULT_WRITE))]


class PassphraseIn(Inbound):
    """The vault's passphrase."""

    passphrase: str = Field(repr=False)


class NewPassphraseIn(Inbound):
    """The passphrase that holds, and the one that shall."""

    old: str = Field(repr=False)
    new: str = Field(repr=False)


class VaultOut(Outbound):
    """Whether there is a vault, and whether it is open."""

    format: Literal["consentry.vault/1"] = "consentry.vault/1"
    state: VaultState


class RotatedOut(Outbound):
    """The epoch key that wraps everybody's keys now."""

    format: Literal["consentry.rotated/1"] = "consentry.rotated/1"
    epoch: int


@router.get("/v1/vault", operation_id="getVault", response_model=VaultOut, responses=documented())
async def get_vault(request: Request, _: Reader) -> Response:
    """Say whether there is a vault, and whether it is open."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.STORE):
        return await _state(runtime)


@router.post(
    "/v1/vault",
    operation_id="createVault",
    status_code=201,
    response_model=VaultOut,
    openapi_extra=json_body(PassphraseIn),
    responses=documented(VaultExists, WeakPassphrase, reads_body=True),
)
async def create_vault(request: Request, _: Keeper) -> Response:
    """Make a vault, and leave it unlocked. A forgotten passphrase cannot be recovered."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.KEYS):
        body = await read_json(request, PassphraseIn)
        secret = Passphrase(body.passphrase)
        await runtime.work.run(Kind.KEYS, partial(runtime.services.custody.create, secret))
        return await _state(runtime, 201)


@router.post(
    "/v1/vault/unlock",
    operation_id="unlockVault",
    response_model=VaultOut,
    openapi_extra=json_body(PassphraseIn),
    responses=documented(VaultAbsent, WrongPassphrase, reads_body=True),
)
async def unlock_vault(request: Request, _: Keeper) -> Response:
    """Open the vault. After five wrong passphrases in a row each further one has to wait."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.KEYS):
        body = await read_json(request, PassphraseIn)
        secret = Passphrase(body.passphrase)
        await runtime.work.run(Kind.KEYS, partial(runtime.services.custody.unlock, secret))
        return await _state(runtime)


@router.post(
    "/v1/vault/lock", operation_id="lockVault", response_model=VaultOut, responses=documented()
)
async def lock_vault(request: Request, _: Keeper) -> Response:
    """Destroy the keys and the references in memory, before the answer."""
    runtime = runtime_of(request)
    # Not in the queue of the unlocks: whoever wants to lock has no time to wait for them.
    async with runtime.work.place(Kind.STORE):
        await runtime.work.run(Kind.STORE, runtime.services.custody.lock)
        return await _state(runtime)


@router.post(
    "/v1/vault/passphrase",
    operation_id="changePassphrase",
    response_model=VaultOut,
    openapi_extra=json_body(NewPassphraseIn),
    responses=documented(Conflict, VaultAbsent, WrongPassphrase, WeakPassphrase, reads_body=True),
)
async def change_passphrase(request: Request, _: Keeper) -> Response:
    """Put the same keys under a new passphrase. Backups keep the one they were made with."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.KEYS):
        body = await read_json(request, NewPassphraseIn)
        change = partial(
            runtime.services.custody.change_passphrase, Passphrase(body.old), Passphrase(body.new)
        )
        await runtime.work.run(Kind.KEYS, change)
        return await _state(runtime)


@router.post(
    "/v1/vault/rotate",
    operation_id="rotateKeys",
    response_model=RotatedOut,
    responses=documented(Conflict, VaultAbsent, VaultLocked),
)
async def rotate_keys(request: Request, _: Keeper) -> Response:
    """Renew the key that wraps everybody's keys, and destroy the old one."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.KEYS):
        return answer(
            RotatedOut(epoch=await runtime.work.run(Kind.KEYS, runtime.services.rotate_keys))
        )


async def _state(runtime: Runtime, status: int = 200) -> Response:
    state = await runtime.work.run(Kind.STORE, lambda: runtime.services.custody.state)
    return answer(VaultOut(state=state), status)
