"""`witness`: cosigning the logs of others, so that none of them can show two histories."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.invocation import Invocation
from consentry.cli.terminal import say

witness = typer.Typer(
    help="Cosigning the logs of others (C2SP tlog-witness).", no_args_is_help=True
)

Name = Annotated[
    str,
    typer.Option(
        help="What the witness is called: its address without the scheme, and for ever.",
        show_default=False,
    ),
]


@witness.command("serve")
def serve_witness(
    context: typer.Context,
    *,
    name: Name,
    logs: Annotated[
        Path,
        typer.Option(
            help="A trust policy file (C2SP tlog-policy); each `log` line in it is cosigned.",
            show_default=False,
        ),
    ],
    host: Annotated[
        str, typer.Option(help="Address to listen on. It holds nothing private.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any free one.")
    ] = 8686,
) -> None:
    """Run the witness until Ctrl-C or SIGTERM."""
    from consentry.api.witness_app import witness_app
    from consentry.cli.serve import listen_on, server_of, stopping_on_signals
    from consentry.wiring import open_witness

    with contextlib.ExitStack() as held:
        held_witness = held.enter_context(open_witness(Invocation.of(context).settings, name, logs))
        listener = held.enter_context(listen_on(host, port))

        async def run() -> None:
            server = server_of(witness_app(held_witness), log_level="critical")
            async with stopping_on_signals([server]):
                shown = f"[{host}]" if ":" in host else host
                say(f"The witness answers at http://{shown}:{listener.getsockname()[1]}")
                say(f"  witness {name.replace('/', '-')} {held_witness.signer.vkey}")
                await server.serve(sockets=[listener])

        asyncio.run(run())


@witness.command("key")
def show_key(context: typer.Context, *, name: Name) -> None:
    """Print the verifier key of the witness, for the trust policies of logs and auditors."""
    from consentry.wiring import witness_signer

    say(str(witness_signer(Invocation.of(context).settings, name).vkey))
