"""`backup`: the vault as one sealed file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.files import read_file, write_file
from consentry.cli.invocation import Invocation
from consentry.cli.options import PassphraseFd
from consentry.cli.terminal import say

backup = typer.Typer(help="The vault as one sealed file, and back.", no_args_is_help=True)


@backup.command("export")
def export_backup(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")],
    force: Annotated[bool, typer.Option("--force", help="Write over FILE if it is there.")] = False,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Write everything enrolled into a sealed file that opens with the present passphrase."""
    from consentry.cli import calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        data = calls.export_backup(line, invocation.passphrase(passphrase_fd).required())
    write_file(file, data, may_replace=force, is_private=True)
    say(
        f"Written: {file} ({len(data)} bytes). It opens with the passphrase of today, and only with it."
    )


@backup.command("restore")
def restore_backup(
    context: typer.Context,
    *,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A file that `backup export` wrote.")
    ],
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Put a backup into a data folder that has no vault. Nothing is ever overwritten."""
    from consentry.cli import calls

    invocation = Invocation.of(context)
    data = read_file(file, max_bytes=invocation.settings.max_body_bytes)
    with invocation.line() as line:
        passphrase = invocation.passphrase(passphrase_fd).required("Passphrase of the backup: ")
        count = calls.restore_backup(line, data, passphrase).subjects
    say(f"Restored: {count} enrolled.")
