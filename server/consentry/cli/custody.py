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
    """Unlock the running companion. It stays so until it is locked or idle."""
    from consentry.cli import calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        calls.require_server(line, _WITHOUT_SERVER)
        calls.unlock(line, invocation.passphrase(passphrase_fd).required())
    say("Unlocked. It locks by itself when it is not used for a while, or with: consentry lock")


def lock(context: typer.Context) -> None:
    """Lock the running companion. Its keys in memory are destroyed."""
    from consentry.cli import calls

    with Invocation.of(context).line() as line:
        calls.require_server(line, _WITHOUT_SERVER)
        calls.lock(line)
    say("Locked.")
