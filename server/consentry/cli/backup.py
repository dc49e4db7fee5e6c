"""`backup`: the vault as one sealed file, the keys that go with it, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.files import read_file, write_file
from consentry.cli.invocation import Invocation
from consentry.cli.options import PassphraseFd
from consentry.cli.terminal import note, say

backup = typer.Typer(help="The vault as one sealed file, and back.", no_args_is_help=True)

_KEYS_SUFFIX = ".keys"


@backup.command("export")
def export_backup(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")],
    keys: Annotated[
        Path | None,
        typer.Option(
            metavar="KEYFILE",
            help="Where to write the key file; without it FILE.keys.",
            show_default=False,
        ),
    ] = None,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole",
            help="One file that opens with the passphrase alone, for moving, also to the browser "
            "extension. No erasure reaches it: destroy it when you have moved.",
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over files that are there.")
    ] = False,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Write everything enrolled into a sealed file that opens with the present passphrase and a key file."""
    from consentry.cli import calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        passphrase = invocation.passphrase(passphrase_fd).required()
        data = calls.export_backup(line, passphrase, is_whole=whole)
        key_file = None if whole else calls.export_backup_keys(line, passphrase)
    write_file(file, data, may_replace=force, is_private=True)
    say(
        f"Written: {file} ({len(data)} bytes). It opens with the passphrase of today, and only with it."
    )
    if key_file is None:
        note("An erasure here does not reach that file. Destroy it when it has served.")
        return
    beside = keys or file.with_name(file.name + _KEYS_SUFFIX)
    write_file(beside, key_file, may_replace=force, is_private=True)
    say(f"Written: {beside}. A restore needs it, too: keep it apart from the backup.")


@backup.command("keys")
def export_backup_keys(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")],
    force: Annotated[bool, typer.Option("--force", help="Write over FILE if it is there.")] = False,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Write the key file of backups anew. After an erasure: over the old one, then no backup opens her."""
    from consentry.cli import calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        key_file = calls.export_backup_keys(line, invocation.passphrase(passphrase_fd).required())
    write_file(file, key_file, may_replace=force, is_private=True)
    say(f"Written: {file}. It goes with every backup of this home; destroy older ones.")


@backup.command("restore")
def restore_backup(
    context: typer.Context,
    *,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A file that `backup export` wrote.")
    ],
    keys: Annotated[
        Path | None,
        typer.Option(
            metavar="KEYFILE",
            help="The key file that goes with it; without it FILE.keys, if that is there.",
            show_default=False,
        ),
    ] = None,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Put a backup into a data folder that has no vault. Nothing is ever overwritten."""
    from consentry.cli import calls

    invocation = Invocation.of(context)
    most = invocation.settings.max_body_bytes
    data = read_file(file, max_bytes=most)
    beside = file.with_name(file.name + _KEYS_SUFFIX)
    key_path = keys or (beside if beside.exists() else None)
    key_file = None if key_path is None else read_file(key_path, max_bytes=most)
    with invocation.line() as line:
        passphrase = invocation.passphrase(passphrase_fd).required("Passphrase of the backup: ")
        restored = calls.restore_backup(line, data, key_file, passphrase)
    say(f"Restored: {restored.subjects} enrolled.")
    if restored.closed:
        note(
            f"{restored.closed} in the backup stayed closed: erased since it was made, or not in "
            "this key file."
        )
