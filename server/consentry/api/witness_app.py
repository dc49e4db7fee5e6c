"""The witness's own small server (C2SP tlog-witness): two routes, no credentials, nothing private.

    POST /add-checkpoint                   cosigns the head of a log that is known here
    GET  /<SHA-256 of origin>/checkpoint   the head that was cosigned last

Whoever asks proves himself by the log's own signature. What is kept is public: heads of logs.
"""

from __future__ import annotations

import re

from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from consentry.kernel.errors import ConsentryError
from consentry.transparency.witnessing import MAX_REQUEST_BYTES, Witness

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TEXT = "text/plain; charset=utf-8"


def witness_app(witness: Witness) -> Starlette:
    """Return the application. Requests are worked on in threads; the memory takes one at a time."""

    async def add_checkpoint(request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_REQUEST_BYTES:
                return PlainTextResponse("The request is too large.\n", 413)
        answer = await to_thread.run_sync(witness.add_checkpoint, body)
        return Response(answer.body, answer.status, media_type=answer.media_type)

    async def checkpoint(request: Request) -> Response:
        origin_hash = str(request.path_params["origin_hash"])
        if not _HASH.fullmatch(origin_hash):
            return PlainTextResponse("There is no such log here.\n", 404)
        found = await to_thread.run_sync(witness.checkpoint, origin_hash)
        if found is None:
            return PlainTextResponse("There is no such log here.\n", 404)
        return Response(found, media_type=_TEXT, headers={"cache-control": "public, max-age=5"})

    async def failed(_: Request, error: Exception) -> Response:
        status = error.status if isinstance(error, ConsentryError) else 500
        return PlainTextResponse("The witness cannot answer now. Try again later.\n", status)

    return Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/{origin_hash}/checkpoint", checkpoint, methods=["GET"]),
        ],
        exception_handlers={ConsentryError: failed},
    )
