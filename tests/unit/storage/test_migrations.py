"""The schema is made by migrations, once, in one transaction, whoever comes first."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from consentry.kernel.errors import StorageFailed
from consentry.storage import migrations
from consentry.storage.database import APPLICATION_ID, Database
from consentry.storage.migrations import HEAD, REVISIONS, schema_of
from sqlmodel import SQLModel


def set_schema(path, revision):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))


def test_the_listed_revisions_are_the_files_that_there_are():
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)

    steps = [step.revision for step in script.walk_revisions()]

    assert tuple(reversed(steps)) == REVISIONS
    assert script.get_heads() == [HEAD]


def test_migrations_lead_to_the_tables_that_the_code_knows(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, SQLModel.metadata) == []


def test_a_new_database_is_at_the_newest_schema_and_says_whose_it_is(database):
    with database.engine.connect() as connection:
        assert schema_of(connection) == HEAD
    assert database.held().execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


def test_a_database_of_a_newer_consentry_is_refused_and_left_as_it_is(path, database):
    database.close()
    set_schema(path, "9999")
    before = path.read_bytes()

    with pytest.raises(StorageFailed, match="made by a newer Consentry"):
        Database.open(path)
    assert path.read_bytes() == before


def test_a_current_database_is_opened_without_alembic(path, database):
    database.close()
    script = (
        "import sys; from pathlib import Path\n"
        "from consentry.storage.database import Database\n"
        "Database.open(Path(sys.argv[1])).close()\n"
        "print('alembic' in sys.modules)"
    )

    answer = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "False"


def test_a_migration_that_fails_leaves_nothing_behind(path, monkeypatch):
    path.parent.mkdir()

    def fail(*_: object, **__: object) -> None:
        raise StorageFailed("half way")

    monkeypatch.setattr("alembic.operations.ops.CreateIndexOp.create_index", fail)
    with pytest.raises(StorageFailed, match="half way"):
        Database.open(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)

    monkeypatch.undo()
    Database.open(path).close()


def test_a_home_with_a_per_cent_sign_and_spaces_in_its_path_is_made(tmp_path):
    opened = Database.open(tmp_path / "100% mine ?#" / "consentry.db")

    assert opened.info().schema == HEAD
    opened.close()


_START_AT_ONCE = """
import os, sys, time
from pathlib import Path
from consentry.storage.database import Database
import alembic.command

for attempt in range(4):
    path, start, pids = Path(sys.argv[1]) / str(attempt) / "c.db", time.monotonic() + 0.05, []
    for n in range(5):
        pid = os.fork()
        if not pid:
            time.sleep(max(0, start - time.monotonic()))
            database = Database.open(path)
            os._exit(0 if database.info().schema and not database.integrity() else 1)
        pids.append(pid)
    for pid in pids:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="starts processes by fork")
def test_processes_that_start_at_once_all_find_a_whole_database(tmp_path):
    answer = subprocess.run(
        [sys.executable, "-c", _START_AT_ONCE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (answer.returncode, answer.stderr) == (0, "")
