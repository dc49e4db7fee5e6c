"""Subjects in SQLite keep the contract of every subject store, and leave nothing behind."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from contextlib import closing

import pytest
from consentry.enrolment.ports import HomeContents
from consentry.kernel.errors import StorageFailed, VaultExists
from consentry.storage.database import Database
from consentry.storage.home import SqlHomeStore
from consentry.storage.subjects import SqlSubjectStore
from consentry.storage.vault_header import SqlHeaderStore
from contracts.subject_store import (
    MODEL,
    SubjectStoreContract,
    person,
    read,
    shared,
    template,
    who,
)


class TestSqlSubjectStore(SubjectStoreContract):
    def make(self):
        return SqlSubjectStore(self.request.getfixturevalue("database"))


@pytest.fixture
def store(database):
    return SqlSubjectStore(database)


def contents(subjects, templates):
    return HomeContents(header=b"header", subjects=subjects, templates=templates)


def on_disk(path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def traces_of(n: int) -> list[bytes]:
    """Every part of what is stored of a person with one template of her own number."""
    values = [person(n).wrapped_key, person(n).sealed_name, template(n).sealed]
    pieces = [v[i : i + 12] for v in values for i in range(0, len(v) - 12, 12)]
    return [*pieces, who(n).encode(), template(n).template.encode()]


def test_a_stored_subject_is_on_the_disk_so_that_the_next_tests_mean_something(store, path):
    store.add_subject(person(1), [template(1)])

    disk = on_disk(path)
    assert all(piece in disk for piece in traces_of(1)[:-2])


def test_no_byte_of_a_removed_subject_is_left_in_the_files(store, path):
    store.add_subject(person(1), [template(1)])
    store.add_subject(person(2), [template(2)])
    store.remove_subject(who(1))

    disk = on_disk(path)
    assert not [piece for piece in traces_of(1) if piece in disk]
    assert all(piece in disk for piece in traces_of(2)[:-2])


def test_no_byte_of_an_old_wrapped_key_is_left_in_the_files(store, path):
    store.add_subject(person(1), [template(1)])
    store.rewrap_keys({who(1): random.Random(99).randbytes(45)})

    disk = on_disk(path)
    old = person(1).wrapped_key
    assert not [i for i in range(33) if old[i : i + 12] in disk]


def test_copies_in_unused_parts_of_pages_are_found_and_removed_too(store, path):
    """SQLite leaves such copies when it moves rows about; secure_delete does not reach them (ADR 0004)."""
    store.add_subject(person(1), [template(1)])
    store.add_subject(person(2), [template(2)])
    with closing(sqlite3.connect(path)) as stranger, stranger:
        stranger.execute("PRAGMA secure_delete = OFF")
        stranger.execute(
            "INSERT INTO subjects SELECT 'a copy', wrapped_key, sealed_name, policy, enrolled_at, NULL, 0 "
            "FROM subjects WHERE subject = ?",
            (who(1),),
        )
        stranger.execute("DELETE FROM subjects WHERE subject = 'a copy'")
    assert on_disk(path).count(person(1).wrapped_key) > 1

    store.remove_subject(who(1))

    disk = on_disk(path)
    assert not [piece for piece in traces_of(1) if piece in disk]
    assert store.subjects() == (shared(person(2)),)
    assert [t.sealed for t in read(store)] == [template(2).sealed]


def test_the_file_is_rebuilt_only_when_a_copy_was_left(database, store):
    statements: list[str] = []
    connect = database._connect

    def watched() -> sqlite3.Connection:
        connection = connect()
        connection.set_trace_callback(statements.append)
        return connection

    database._connect = watched
    store.add_subject(person(1), [template(1)])
    store.remove_subject(who(1))

    assert [s for s in statements if "wal_checkpoint" in s]
    assert "VACUUM" not in statements


def test_a_removal_waits_for_a_reader_of_the_journal_and_then_leaves_nothing(store, path):
    store.add_subject(person(1), [template(1)])
    opened, done = threading.Event(), []

    def look() -> None:
        with store.snapshot(MODEL) as snapshot:
            opened.set()
            time.sleep(0.3)
            done.append(len(list(snapshot.templates)))

    reader = threading.Thread(target=look)
    reader.start()
    opened.wait()
    store.remove_subject(who(1))

    assert done == [1]
    reader.join()
    disk = on_disk(path)
    assert not [piece for piece in traces_of(1) if piece in disk]


def test_a_reader_that_never_ends_makes_the_removal_say_so_and_the_next_start_finishes_it(path):
    database = Database.open(path, busy_timeout_s=0.1)
    store = SqlSubjectStore(database)
    store.add_subject(person(1), [template(1)])
    stranger = sqlite3.connect(path, isolation_level=None)
    stranger.execute("BEGIN")
    stranger.execute("SELECT * FROM state").fetchall()

    with pytest.raises(StorageFailed, match="journal"):
        store.remove_subject(who(1))
    assert store.subjects() == ()
    assert database.integrity() == (
        "an erasure is not finished; start Consentry again to finish it",
    )
    assert person(1).wrapped_key in on_disk(path)

    stranger.execute("COMMIT")
    again = Database.open(path)
    assert again.integrity() == ()
    disk = on_disk(path)
    assert not [piece for piece in traces_of(1) if piece in disk]
    stranger.close()
    again.close()
    database.close()


def test_the_revision_is_fresh_after_a_change_by_another_connection(store, path):
    other = Database.open(path)
    for n in range(1, 30):
        SqlSubjectStore(other).add_subject(person(n), [template(n)])
        assert store.revision() == n
    other.close()


def test_asking_for_the_revision_leaves_no_view_open(database, store):
    store.add_subject(person(1), [template(1)])
    store.revision()

    busy, *_ = database.held().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    assert busy == 0
    assert not database.held().in_transaction


def test_asking_for_the_revision_is_one_question(database, store):
    store.add_subject(person(1), [template(1)])
    store.revision()
    asked: list[str] = []

    database.held().set_trace_callback(asked.append)
    store.revision()
    database.held().set_trace_callback(None)

    assert len(asked) == 1


def test_removals_beyond_what_is_remembered_ask_for_a_snapshot(database):
    store = SqlSubjectStore(database, keep_tombstones=3)
    for n in range(1, 8):
        store.add_subject(person(n), [template(n)])
    for n in range(1, 6):
        store.remove_subject(who(n))

    # 7 additions, then removals at revisions 8 to 12: of those, the newest 3 are remembered.
    assert store.changes_since(8, MODEL) is None
    changes = store.changes_since(9, MODEL)
    assert changes is not None
    assert len(changes.removed) == 3
    assert database.info().counts["tombstones"] == 3


def test_a_tombstone_says_nothing_but_row_and_revision(database, store):
    store.add_subject(person(1), [template(1)])
    store.remove_subject(who(1))

    with database.snapshot() as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(tombstones)")]
    assert columns == ["row", "revision"]


def test_a_restored_backup_is_there_whole(database, store):
    pairs = [(who(1), template(1)), (who(2), template(2))]
    SqlHomeStore(database).restore(contents([person(1), person(2)], pairs))

    assert SqlHeaderStore(database).load() == b"header"
    assert store.subjects() == (shared(person(1)), shared(person(2)))
    assert [t.subject for t in read(store)] == [who(1), who(2)]
    assert store.revision() == 1


def test_a_backup_is_never_restored_over_a_vault(database, store):
    SqlHeaderStore(database).create(b"mine")

    with pytest.raises(VaultExists):
        SqlHomeStore(database).restore(contents([person(1)], []))
    assert SqlHeaderStore(database).load() == b"mine"
    assert store.subjects() == ()


def test_a_backup_that_names_nobody_as_owner_of_a_template_is_refused_whole(database, store):
    with pytest.raises(Exception, match="stored already"):
        SqlHomeStore(database).restore(contents([person(1)], [(who(2), template(2))]))
    assert SqlHeaderStore(database).load() is None
    assert store.subjects() == ()
