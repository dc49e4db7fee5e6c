"""Letting a browser in: the dashboard by a one-time address, an extension by a code it is typed.

The extension's side of pairing asks for no credential: the typed code is what it proves to know.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from consentry.accounts.pairing import Parties
from consentry.accounts.principals import Door, Principal
from consentry.accounts.sessions import ENTRY_LIFETIME_S
from consentry.api.authentication import owner_only
from consentry.api.bodies import read_json
from consentry.api.problems import documented
from consentry.api.runtime import own_origin_of, runtime_of
from consentry.api.wire import (
    Inbound,
    Outbound,
    answer,
    from_base64url,
    json_body,
    to_base64url,
)
from consentry.api.work import Kind
from consentry.kernel.errors import Conflict, StorageFull, VaultAbsent, VaultLocked

router = APIRouter(tags=["pairing"])

Owner = Annotated[Principal, Depends(owner_only(Door.SOCKET, Door.DASHBOARD))]
Terminal = Annotated[Principal, Depends(owner_only(Door.SOCKET))]

_MAX_BYTES = 4096


class HelloIn(Inbound):
    """An extension that is about to prove that the code was typed into it."""

    client_nonce: str = Field(description="32 random bytes, base64url.", max_length=64)


class ConfirmIn(Inbound):
    """Its proof."""

    server_nonce: str = Field(description="From hello.", max_length=64)
    client_mac: str = Field(description="32 bytes, base64url.", max_length=64, repr=False)
    name: str = Field(description="What the owner sees in her list of tokens.", max_length=200)


class ChallengeIn(Inbound):
    """Are you the companion that was pinned?"""

    nonce: str = Field(description="32 random bytes, base64url.", max_length=64)


class CodeOut(Outbound):
    """A code to type into the extension."""

    format: Literal["consentry.pairing-code/1"] = "consentry.pairing-code/1"
    code: str
    expires_at: datetime


class HelloOut(Outbound):
    """The companion's half of the exchange."""

    format: Literal["consentry.pairing-hello/1"] = "consentry.pairing-hello/1"
    server_nonce: str
    companion_key: str = Field(description="Ed25519, base64url. Not to be pinned before confirm.")
    expires_in_s: int


class PairedOut(Outbound):
    """The companion's proof, and the sealed token."""

    format: Literal["consentry.paired/1"] = "consentry.paired/1"
    server_mac: str
    signature: str
    sealed_token: str


class IdentityOut(Outbound):
    """The answer of the pinned key."""

    format: Literal["consentry.identity/1"] = "consentry.identity/1"
    companion_key: str
    signature: str


class EntryOut(Outbound):
    """A one-time address of the dashboard."""

    format: Literal["consentry.entry/1"] = "consentry.entry/1"
    path: str = Field(description="The secret is behind the #, which browsers never send.")
    url: str | None = Field(description="Null when nothing listens.")
    expires_at: datetime


@router.post(
    "/v1/pairings",
    operation_id="beginPairing",
    status_code=201,
    response_model=CodeOut,
    responses=documented(VaultAbsent, VaultLocked),
)
async def begin_pairing(request: Request, principal: Owner) -> Response:
    """Make a code, for two minutes and three tries. At the dashboard only while unlocked."""
    runtime = runtime_of(request)
    if principal.door is Door.DASHBOARD:
        async with runtime.work.place(Kind.STORE):
            await runtime.work.run(Kind.STORE, runtime.services.custody.keys)
    code = runtime.services.pairing.begin()
    return answer(CodeOut(code=code.text, expires_at=code.expires_at), 201)


@router.delete(
    "/v1/pairings",
    operation_id="cancelPairing",
    status_code=204,
    response_class=Response,
    responses=documented(),
)
async def cancel_pairing(request: Request, _: Owner) -> Response:
    """Void the code that waits, if any."""
    runtime_of(request).services.pairing.cancel()
    return Response(status_code=204)


@router.post(
    "/v1/pairings/hello",
    operation_id="helloPairing",
    response_model=HelloOut,
    openapi_extra=json_body(HelloIn),
    responses=documented(Conflict, is_open=True, reads_body=True),
)
async def hello_pairing(request: Request) -> Response:
    """Exchange nonces (docs/specs/pairing.md)."""
    desk = runtime_of(request).services.pairing
    body = await read_json(request, HelloIn, max_bytes=_MAX_BYTES)
    hello = desk.hello(from_base64url(body.client_nonce, field="client_nonce"))
    return answer(
        HelloOut(
            server_nonce=to_base64url(hello.server_nonce),
            companion_key=to_base64url(hello.companion_key),
            expires_in_s=hello.expires_in_s,
        )
    )


@router.post(
    "/v1/pairings/confirm",
    operation_id="confirmPairing",
    status_code=201,
    response_model=PairedOut,
    openapi_extra=json_body(ConfirmIn),
    responses=documented(Conflict, StorageFull, is_open=True, reads_body=True),
)
async def confirm_pairing(request: Request) -> Response:
    """Check the extension's proof; answer with the companion's, and a sealed token."""
    runtime = runtime_of(request)
    desk = runtime.services.pairing
    async with runtime.work.place(Kind.STORE):
        body = await read_json(request, ConfirmIn, max_bytes=_MAX_BYTES)
        confirm = partial(
            desk.confirm,
            from_base64url(body.server_nonce, field="server_nonce"),
            from_base64url(body.client_mac, field="client_mac"),
            parties=Parties(
                server_origin=own_origin_of(request),
                client_origin=request.headers.get("origin", ""),
            ),
            name=body.name,
        )
        try:
            paired = await runtime.work.run(Kind.STORE, confirm)
        finally:
            request.state.budgets = (desk.tries(),)
    return answer(
        PairedOut(
            server_mac=to_base64url(paired.server_mac),
            signature=to_base64url(paired.signature),
            sealed_token=to_base64url(paired.sealed_token),
        ),
        201,
    )


@router.post(
    "/v1/identity/challenge",
    operation_id="challengeIdentity",
    response_model=IdentityOut,
    openapi_extra=json_body(ChallengeIn),
    responses=documented(is_open=True, reads_body=True),
)
async def challenge_identity(request: Request) -> Response:
    """Sign a nonce with the pinned key. Asked before a token or a picture is sent."""
    desk = runtime_of(request).services.pairing
    body = await read_json(request, ChallengeIn, max_bytes=_MAX_BYTES)
    signature = desk.challenge(
        from_base64url(body.nonce, field="nonce"), server_origin=own_origin_of(request)
    )
    return answer(
        IdentityOut(
            companion_key=to_base64url(desk.companion_key), signature=to_base64url(signature)
        )
    )


@router.post(
    "/v1/entries",
    operation_id="makeEntry",
    status_code=201,
    response_model=EntryOut,
    responses=documented(),
)
async def make_entry(request: Request, _: Terminal) -> Response:
    """Make an address that opens the dashboard once. For the socket only."""
    runtime = runtime_of(request)
    path = f"/enter#{runtime.services.sessions.new_entry()}"
    address = runtime.address()
    return answer(
        EntryOut(
            path=path,
            url=None if address is None else address + path,
            expires_at=runtime.clock.now() + timedelta(seconds=ENTRY_LIFETIME_S),
        ),
        201,
    )
