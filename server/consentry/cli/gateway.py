"""`gateway`: in front of a generator, speaking its own API (docs/gateway.md)."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.heap import share_heaps
from consentry.cli.invocation import Invocation
from consentry.cli.options import PassphraseFd
from consentry.cli.terminal import note, say

if TYPE_CHECKING:
    import uvicorn

    from consentry.api.gateway_app import GatewayApp
    from consentry.settings import Settings
    from consentry.wiring import Home

gateway = typer.Typer(
    help="A gateway in front of an image generator, speaking its own API.", no_args_is_help=True
)

_STAY_OPEN_EVERY_S = 5.0
_STARTED_POLL_S = 0.02


@gateway.command("serve")
def serve_gateway(  # noqa: PLR0913 -- each an option of the command
    context: typer.Context,
    *,
    openai: Annotated[
        str | None,
        typer.Option(
            "--openai",
            metavar="URL",
            help="The generator behind /openai/v1, for example https://api.openai.com/v1.",
            show_default=False,
        ),
    ] = None,
    xai: Annotated[
        str | None,
        typer.Option(
            "--xai",
            metavar="URL",
            help="The generator behind /xai/v1, for example https://api.x.ai/v1.",
            show_default=False,
        ),
    ] = None,
    xai_grpc: Annotated[
        str | None,
        typer.Option(
            "--xai-grpc",
            metavar="HOST:PORT",
            help="The generator behind the gRPC door, which `xai-sdk` needs, for example api.x.ai:443.",
            show_default=False,
        ),
    ] = None,
    apis: Annotated[
        Path | None,
        typer.Option(
            "--api",
            metavar="FILE",
            help="A description of another JSON API, or a folder of them (docs/gateway-apis.md).",
            show_default=False,
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on: 127.0.0.1 when left out.", show_default=False),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Port to listen on; 0 takes any free one.", show_default=False
        ),
    ] = None,
    grpc_port: Annotated[
        int | None,
        typer.Option(
            "--grpc-port",
            min=0,
            max=65535,
            help="Port of the gRPC door: 8586 when left out; 0 takes any free one.",
            show_default=False,
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--grpc-certificate",
            metavar="FILE",
            help="Certificate of the gRPC door, in PEM; without one it speaks in plain.",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--grpc-key",
            metavar="FILE",
            help="Private key of that certificate, in PEM.",
            show_default=False,
        ),
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option(
            help="Whom it acts for; goes into every receipt and grant.", show_default=False
        ),
    ] = None,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Run the gateway until Ctrl-C or SIGTERM; requests that are here then finish first.

    Clients change nothing but their base URL: http://HOST:PORT/openai/v1. When people are enrolled in the data
    folder, it needs its passphrase, and stays unlocked for as long as it runs.
    """
    from consentry.settings import load_settings
    from consentry.vault.custody import VaultState
    from consentry.wiring import open_home

    invocation = Invocation.of(context)
    invocation.is_companion = True
    given = {
        "gateway_openai": openai,
        "gateway_xai": xai,
        "gateway_xai_grpc": xai_grpc,
        "gateway_apis": apis,
        "gateway_host": host,
        "gateway_port": port,
        "gateway_grpc_port": grpc_port,
        "gateway_grpc_certificate": certificate,
        "gateway_grpc_key": key,
        "gateway_platform": platform,
        "model": invocation.model,
        # It is nobody's desk: who stops it locks it.
        "idle_lock_s": 86_400.0,
    }
    settings = load_settings(**{"log_level": invocation.settings.log_level, **given})
    share_heaps()
    with open_home(settings) as home:
        if home.services.custody.state is VaultState.LOCKED:
            passphrase = invocation.passphrase(passphrase_fd).required()
            home.services.custody.unlock(passphrase)
        asyncio.run(_serve(home, settings))
    say("Stopped.")


async def _serve(home: Home, settings: Settings) -> None:
    from consentry.cli.serve import listen_on, server_of, stopping_on_signals
    from consentry.wiring_gateway import gateway_app

    app = gateway_app(home)
    with listen_on(settings.gateway_host, settings.gateway_port) as listener:
        # Before the rest, so that a port that is taken is told at once.
        grpc_port = None if app.beside is None else await app.beside.start()
        server = server_of(app, log_level="critical", grace_s=round(settings.gateway_drain_s))
        async with stopping_on_signals([server]):
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            keeping = asyncio.create_task(_stay_open(home))
            stopping = asyncio.create_task(_stop_beside(app, server))
            try:
                while not (server.started or serving.done()):  # noqa: ASYNC110 -- uvicorn has no event
                    await asyncio.sleep(_STARTED_POLL_S)
                await asyncio.to_thread(home.warm_up)
                _announce(app.gates, settings, int(listener.getsockname()[1]), grpc_port)
                await serving
            finally:
                keeping.cancel()
                stopping.cancel()


async def _stop_beside(app: GatewayApp, server: uvicorn.Server) -> None:
    """Let the door beside stop taking requests when the server does, not after it has finished."""
    while not server.should_exit:  # noqa: ASYNC110 -- uvicorn has no event
        await asyncio.sleep(_STARTED_POLL_S)
    if app.beside is not None:
        await app.beside.stop()


async def _stay_open(home: Home) -> None:
    """Keep the vault from locking for idleness: a gateway that has locked would refuse everybody."""
    from consentry.vault.custody import VaultState

    while True:
        await asyncio.sleep(_STAY_OPEN_EVERY_S)
        if home.services.custody.state is VaultState.UNLOCKED:
            home.services.custody.keys()


def _announce(
    prefixes: Iterable[str], settings: Settings, port: int, grpc_port: int | None
) -> None:
    shown_host = (
        f"[{settings.gateway_host}]" if ":" in settings.gateway_host else settings.gateway_host
    )
    address = f"http://{shown_host}:{port}"
    say("The gateway is running.")
    for prefix in prefixes:
        say(f"  base URL for clients   {address}{prefix}")
    if grpc_port is not None:
        say(f"  api_host for xai-sdk   {_api_host(settings, shown_host, grpc_port)}")
    say(f"  health and metrics     {address}/health {address}/metrics")
    if settings.gateway_platform is None:
        note("No --platform is named: grants that are bound to a platform do not count here.")
    say("Stop with Ctrl-C.")
    if grpc_port is not None:
        say(f"consentry-gateway-grpc {shown_host}:{grpc_port}")
    # For scripts: the last line before requests are answered.
    say(f"consentry-gateway-ready {address} pid={os.getpid()}")
    sys.stdout.flush()


def _api_host(settings: Settings, shown_host: str, port: int) -> str:
    """Return what a client names. By this name alone it speaks in plain without being told to."""
    is_plain = settings.gateway_grpc_certificate is None
    host = "localhost" if is_plain and settings.gateway_host == "127.0.0.1" else shown_host
    return f"{host}:{port}"
