"""`keys`: the vault's own. A key itself is never shown."""

from __future__ import annotations

import typer

from consentry.cli.documents import Json
from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson, PassphraseFd
from consentry.cli.people import open_vault
from consentry.cli.terminal import say, say_document

keys = typer.Typer(help="The vault's keys. A key itself is never shown.", no_args_is_help=True)


@keys.command("show")
def show_keys(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show the state of the vault and the fingerprint of the key that signs receipts."""
    from consentry.cli import calls

    with Invocation.of(context).line() as line:
        vault = calls.vault(line)
        fingerprints = [key.kid for key in calls.receipt_keys(line).keys]
    if as_json:
        shown: list[Json] = list(fingerprints)
        say_document(
            {"format": "consentry.keys/1", "vault": vault.state.value, "receipt_keys": shown}
        )
        return
    say(f"vault: {vault.state.value}")
    for fingerprint in fingerprints:
        say(f"receipts are signed by: {fingerprint}")


@keys.command("rotate")
def rotate_keys(context: typer.Context, *, passphrase_fd: PassphraseFd = None) -> None:
    """Make a new epoch key, wrap every subject's key under it, and destroy the old one."""
    from consentry.cli import calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        open_vault(line, invocation.passphrase(passphrase_fd), may_create=False)
        calls.rotate_keys(line)
    say("Rotated. The old epoch key is destroyed.")


@keys.command("passphrase")
def change_passphrase(context: typer.Context, *, passphrase_fd: PassphraseFd = None) -> None:
    """Change the passphrase. Through a descriptor: the present one on the first line, the new on the second."""
    from consentry.cli import calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        old, new = invocation.passphrase(passphrase_fd).change()
        calls.change_passphrase(line, old, new)
    say("Changed. Backups made before still open with the old passphrase.")
