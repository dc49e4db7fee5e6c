"""The transparency log, as C2SP tlog-tiles: static files that anybody can verify.

    /log/checkpoint              the newest published head       good for seconds
    /log/key                     what verifies its signature
    /log/tile/<level>/<index>    hashes; /log/tile/entries/...   never changes

An operator's log is public (`CONSENTRY_LOG_PUBLIC`). A companion's is read with a token: how much it is
used is nobody's business.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from consentry.accounts.principals import Scope
from consentry.api.authentication import authenticate
from consentry.api.problems import documented
from consentry.api.runtime import Runtime, runtime_of
from consentry.api.work import Kind
from consentry.kernel.errors import NotFound, ProofInvalid
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.tiles import Tile

PREFIX = "/log/"
_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_SECONDS = "public, max-age=5"
_FOR_EVER = "public, max-age=31536000, immutable"

router = APIRouter(tags=["log"])


async def _require_reader(request: Request) -> None:
    """Pass for anybody when the log is public, else for auditors and whoever may read receipts."""
    if runtime_of(request).is_log_public:
        return
    principal = await authenticate(request)
    if Scope.AUDIT_READ not in principal.scopes:
        principal.require(Scope.RECEIPTS_READ)


Reader = Annotated[None, Depends(_require_reader)]


@router.get(
    "/log/checkpoint",
    operation_id="getLogCheckpoint",
    response_class=Response,
    responses=documented(NotFound),
)
async def get_checkpoint(request: Request, _: Reader) -> Response:
    """Return the newest published head, with its cosignatures (C2SP tlog-checkpoint)."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.STORE):
        signed = await runtime.work.run(Kind.STORE, partial(_published, runtime))
    return _answer(request, str(signed).encode(), _TEXT, _SECONDS)


@router.get("/log/key", operation_id="getLogKey", response_class=Response, responses=documented())
async def get_key(request: Request, _: Reader) -> Response:
    """Return the verifier key of the log (C2SP signed-note)."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.STORE):
        vkey = await runtime.work.run(Kind.STORE, partial(_vkey, runtime))
    return _answer(request, f"{vkey}\n".encode(), _TEXT, _SECONDS)


@router.get(
    "/log/tile/{path:path}",
    operation_id="getLogTile",
    response_class=Response,
    responses=documented(NotFound),
)
async def get_tile(request: Request, _: Reader, path: str) -> Response:
    """Return a tile of hashes, or a bundle of entries (C2SP tlog-tiles)."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.STORE):
        data = await runtime.work.run(Kind.STORE, partial(_tile, runtime, path))
    return _answer(request, data, _BYTES, _FOR_EVER)


def _published(runtime: Runtime) -> SignedCheckpoint:
    signed = runtime.services.log.published()
    if signed is None:
        raise NotFound("Nothing of the log has been published yet. Ask again later.")
    return signed


def _vkey(runtime: Runtime) -> str:
    with runtime.services.log.view() as view:
        return str(runtime.services.publish_log.vkey(view.origin))


def _tile(runtime: Runtime, path: str) -> bytes:
    try:
        tile = Tile.parse(path)
    except ProofInvalid as cause:
        raise NotFound("There is no such tile.") from cause
    # What no published head covers is not shown: entries go out in batches.
    if not tile.is_in(_published(runtime).checkpoint.size):
        raise NotFound("The published log has not come so far.")
    with runtime.services.log.view() as view:
        return view.read(tile)


def _answer(request: Request, data: bytes, media_type: str, caching: str) -> Response:
    # With a token, an answer is for its owner, and not for a cache in between.
    kept = caching if runtime_of(request).is_log_public else "no-store"
    return Response(data, media_type=media_type, headers={"cache-control": kept})
