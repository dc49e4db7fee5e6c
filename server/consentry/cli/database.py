"""`db`: the store of this data folder. Works beside a running companion, and without the models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from consentry.cli.documents import Json
from consentry.cli.exits import ExitCode
from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson
from consentry.cli.terminal import note, say, say_document
from consentry.kernel.errors import VaultAbsent

if TYPE_CHECKING:
    from consentry.storage.database import Database

database = typer.Typer(help="The database of this data folder.", no_args_is_help=True)


@database.command("info")
def show_info(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show size, schema and counts; never contents."""
    with _database(context) as store:
        info = store.info()
    if as_json:
        counts: dict[str, Json] = dict(info.counts)
        say_document(
            {
                "format": "consentry.db/1",
                "size_bytes": info.size_bytes,
                "journal_bytes": info.journal_bytes,
                "schema": info.schema,
                "revision": info.revision,
                "counts": counts,
            }
        )
        return
    say(f"file: {info.path} ({info.size_bytes} bytes, journal {info.journal_bytes})")
    say(f"schema: {info.schema or 'none'}, revision {info.revision}")
    for table, count in info.counts.items():
        say(f"{table.replace('_', ' ')}: {count}")


@database.command("check")
def check_database(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Check the whole file, and finish erasures that a crash interrupted."""
    with _database(context) as store:
        store.finish_erasures()
        problems = store.integrity()
    if as_json:
        found: list[Json] = list(problems)
        say_document({"format": "consentry.db-check/1", "sound": not problems, "problems": found})
    else:
        say("The database is sound." if not problems else "The database is damaged:")
        for problem in problems:
            say(f"  {problem}")
    if problems:
        note(
            "Stop the companion, keep a copy of the data folder, and restore a backup into a new one."
        )
        raise typer.Exit(ExitCode.OUR_FAULT)


@database.command("migrate")
def migrate_database(context: typer.Context) -> None:
    """Bring the database to the schema of this version. Every command does so when it opens it."""
    with _database(context) as store:
        say(f"The database is at schema {store.info().schema}.")


@contextmanager
def _database(context: typer.Context) -> Iterator[Database]:
    from consentry.storage.database import Database

    path = Invocation.of(context).settings.database_path
    if not path.exists():
        raise VaultAbsent("There is no database in this data folder yet. The first use makes it.")
    store = Database.open(path)
    try:
        yield store
    finally:
        store.close()
