"""`unlock` and `lock`: the keys of a running companion."""

from __future__ import annotations

import typer

from consentry.cli.invocation import Invocation
from consentry.cli.options import PassphraseFd
from consentry.cli.terminal import say

_WITHOUT_SERVER = (
    "Without one, every command asks for the passphrase itself and forgets it when it ends."
)


def unlock(context: typer.Context, *, passphrase_fd: PassphraseFd = None) -> None:
    """Bring the keys into the running companion's memory, until it is locked or idle."""
    from consentry.cli import calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        calls.require_server(line, _WITHOUT_SERVER)
        calls.unlock(line, invocation.passphrase(passphrase_fd).required())
    say("Unlocked. It locks by itself when it is not used for a while, or with: consentry lock")


def lock(context: typer.Context) -> None:
    """Destroy the keys in the running companion's memory."""
    from consentry.cli import calls

    with Invocation.of(context).line() as line:
        calls.require_server(line, _WITHOUT_SERVER)
        calls.lock(line)
    say("Locked.")
