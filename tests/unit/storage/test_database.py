"""The file: private, ours or left alone, and honest about what went wrong."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from consentry.kernel.errors import Conflict, StorageFailed
from consentry.storage.database import Database
from consentry.storage.migrations import HEAD
from consentry.storage.subjects import SqlSubjectStore
from contracts.subject_store import MODEL, person, read, template, who

TESTS = Path(__file__).parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="file modes of POSIX")


def mode_of(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_file_journal_and_folder_are_for_the_owner_alone(database, path):
    SqlSubjectStore(database).add_subject(person(1), [template(1)])
    previous = os.umask(0)
    try:
        Database.open(path.parent / "second" / "consentry.db").close()
    finally:
        os.umask(previous)

    assert mode_of(path.parent) == 0o700
    assert mode_of(path.parent / "second") == 0o700
    assert mode_of(path.parent / "second" / "consentry.db") == 0o600
    assert {mode_of(f) for f in path.parent.iterdir() if f.is_file()} == {0o600}


@posix
def test_a_file_that_others_could_read_is_closed_to_them(database, path):
    database.close()
    path.chmod(0o644)
    Database.open(path).close()

    assert mode_of(path) == 0o600


def test_every_connection_waits_syncs_and_overwrites(database):
    with database.snapshot() as long, database.reading() as session:
        pooled = session.connection().connection.driver_connection
        for connection in (database.held(), long, pooled):
            asked = {
                name: connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
            }
            assert asked == {
                "journal_mode": "wal",
                "synchronous": 2,
                "secure_delete": 1,
                "foreign_keys": 1,
            }
            assert connection.execute("PRAGMA busy_timeout").fetchone()[0] == 5000


@pytest.mark.parametrize(
    "content",
    [b"hello", b"\x00" * 5000, b"PNG" * 10_000, b"SQLite format 3\x00" + b"\xff" * 4080],
    ids=["short", "zeros", "long", "only-the-first-words"],
)
def test_a_foreign_file_is_refused_and_left_as_it_is(path, content):
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(StorageFailed):
        Database.open(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_left_as_it_is(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()

    with pytest.raises(StorageFailed, match="another program"):
        Database.open(path)
    assert path.read_bytes() == before
    assert [f.name for f in path.parent.iterdir()] == [path.name]


def test_a_folder_in_the_place_of_the_file_is_refused(path):
    path.mkdir(parents=True)

    with pytest.raises(StorageFailed):
        Database.open(path)


def test_a_file_in_the_place_of_the_folder_is_refused(path):
    path.parent.write_text("no folder")

    with pytest.raises(StorageFailed):
        Database.open(path)


def test_a_sound_database_has_no_problems(database):
    SqlSubjectStore(database).add_subject(person(1), [template(1)])

    assert database.integrity() == ()


def test_a_damaged_page_is_told_with_what_to_do(database, path):
    store = SqlSubjectStore(database)
    for n in range(1, 60):
        store.add_subject(person(n), [template(n)])
    database.close()
    data = bytearray(path.read_bytes())
    for page in range(len(data) // 4096 - 12, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(data)

    damaged = Database.open(path)
    assert damaged.integrity()
    with pytest.raises(StorageFailed, match="restore a backup"):
        read(SqlSubjectStore(damaged))
    damaged.close()


def test_rows_that_the_revision_does_not_cover_are_told(database):
    store = SqlSubjectStore(database)
    store.add_subject(person(1), [template(1)])
    database.held().execute("UPDATE state SET revision = 0")

    assert database.integrity() == ("templates are newer than the revision says",)


def test_a_template_whose_owner_is_missing_is_told(database, path):
    SqlSubjectStore(database).add_subject(person(1), [template(1)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM subjects")

    assert database.integrity() == (
        "a row of templates points to one of subjects that is not there",
    )


def test_info_counts_rows_and_bytes(database, path):
    store = SqlSubjectStore(database)
    store.add_subject(person(1), [template(1), template(2)])
    store.add_subject(person(2), [])

    info = database.info()

    assert (info.path, info.schema, info.revision) == (path, HEAD, 2)
    assert (info.counts["subjects"], info.counts["templates"]) == (2, 2)
    assert info.size_bytes == path.stat().st_size > 0
    assert info.journal_bytes > 0


def test_a_lock_that_another_process_keeps_is_told_and_nothing_is_kept(path):
    database = Database.open(path, busy_timeout_s=0.1)
    store = SqlSubjectStore(database)
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageFailed, match="Another process"):
            store.add_subject(person(1), [template(1)])
        assert store.subjects() == ()
    store.add_subject(person(1), [template(1)])
    database.close()


def test_an_error_shows_none_of_the_values_that_it_is_about(database):
    store = SqlSubjectStore(database)
    store.add_subject(person(1), [template(1)])

    with pytest.raises(Conflict) as caught:
        store.add_subject(person(1), [template(2)])

    shown, cause = [], caught.value
    while cause is not None:
        shown.append(f"{cause!s} {cause!r}")
        cause = cause.__cause__ or cause.__context__
    assert len(shown) > 1
    assert who(1) not in "".join(shown)
    assert repr(person(1).wrapped_key)[2:20] not in "".join(shown)


def test_a_closed_database_refuses_every_use(database):
    store = SqlSubjectStore(database)
    store.revision()
    database.close()

    for use in (store.revision, store.subjects, store.template_counts, database.info):
        with pytest.raises(StorageFailed, match="closed"):
            use()


def test_a_threads_connection_is_closed_with_the_thread(database):
    threads = [threading.Thread(target=SqlSubjectStore(database).revision) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(database._held) <= 1


@posix
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_that_may_not_be_written_is_told(database, path):
    database.close()
    path.parent.chmod(0o500)
    try:
        with pytest.raises(StorageFailed, match="own"):
            SqlSubjectStore(Database.open(path)).add_subject(person(1), [])
    finally:
        path.parent.chmod(0o700)


# --- a full disk ------------------------------------------------------------------------------

_FILL = """
import os, sys
sys.path[:0] = [sys.argv[2]]
from pathlib import Path
from consentry.kernel.errors import StorageFull
from consentry.storage.database import Database
from consentry.storage.subjects import SqlSubjectStore
from contracts.subject_store import MODEL, person, read, template, who

path, limit = Path(sys.argv[1]), int(sys.argv[3])
database = Database.open(path)
store = SqlSubjectStore(database)
if limit:
    import resource
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
kept = 0
try:
    for n in range(1, 5000):
        store.add_subject(person(n), [template(n, size_bytes=20_000)])
        kept = n
except StorageFull:
    print("full", kept)
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
else:
    (path.parent / "ballast").unlink()
assert len(read(store)) == len(store.subjects()) == store.revision() == kept, "not what was kept"
assert database.integrity() == (), "damaged"
store.add_subject(person(9999), [template(9999)])
store.remove_subject(who(1))
print("goes on", len(read(store)))
database.close()
"""


def fill(path, limit_bytes: int) -> list[str]:
    answer = subprocess.run(
        [sys.executable, "-c", _FILL, str(path), str(TESTS), str(limit_bytes)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    return answer.stdout.split()


@posix
def test_a_file_that_may_not_grow_is_a_full_disk_and_keeps_all_that_was_acknowledged(path):
    word, kept, *rest = fill(path, 1_000_000)

    assert word == "full"
    assert int(kept) > 10
    assert rest == ["goes", "on", kept]


@contextmanager
def small_disk(place):
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("no small disk can be made here; the test above covers a limit on the file")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root makes small disks"
)
def test_a_disk_that_is_full_keeps_all_that_was_acknowledged(tmp_path):
    place = tmp_path / "small"
    with small_disk(place):
        (place / "ballast").write_bytes(b"x" * 7_000_000)

        word, kept, *rest = fill(place / "consentry.db", 0)

        assert word == "full"
        assert int(kept) > 5
        assert rest == ["goes", "on", kept]


# --- several processes ------------------------------------------------------------------------

_WORK = """
import sys
sys.path[:0] = [sys.argv[2]]
from pathlib import Path
from consentry.storage.database import Database
from consentry.storage.subjects import SqlSubjectStore
from contracts.subject_store import person, template, who

store = SqlSubjectStore(Database.open(Path(sys.argv[1]), busy_timeout_s=30))
sys.stdin.readline()
first = int(sys.argv[3])
for n in range(first, first + 24):
    store.add_subject(person(n), [template(2 * n), template(2 * n + 1)])
    if n % 4 == 0:
        store.remove_subject(who(n))
"""


def test_two_processes_that_change_at_once_lose_nothing(database, path):
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _WORK, str(path), str(TESTS), str(first)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for first in (1000, 2000)
    ]
    store = SqlSubjectStore(database)
    known: dict[int, bytes] = {}
    revision = 0

    def follow() -> None:
        nonlocal revision
        changes = store.changes_since(revision, MODEL)
        assert changes is not None
        for row in changes.removed:
            known.pop(row, None)
        known.update({t.row: t.sealed for t in changes.added})
        revision = changes.revision

    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    while any(worker.poll() is None for worker in workers):
        follow()
        time.sleep(0.02)
    for worker in workers:
        _, complaint = worker.communicate()
        assert (worker.returncode, complaint) == (0, "")
    follow()

    expected = {who(f + n) for f in (1000, 2000) for n in range(24) if (f + n) % 4}
    assert {s.subject for s in store.subjects()} == expected
    assert store.revision() == revision == 2 * (24 + 6)
    assert known == {t.row: t.sealed for t in read(store)}
    assert database.integrity() == ()
