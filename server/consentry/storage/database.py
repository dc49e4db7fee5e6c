"""The SQLite file: opening, transactions, erasing for good, and looking after it.

    reading()   a consistent view            many at once
    writing()   BEGIN IMMEDIATE ... COMMIT   one at a time, on the disk when it returns
    erasing()   writing, and the old bytes are gone from file and journal when it returns
    held()      a bare connection of this thread, for what is asked before every search

The file is never opened except through SQLite: closing any other handle of this process on it
would drop SQLite's locks (https://www.sqlite.org/howtocorrupt.html, 2.2).
"""

from __future__ import annotations

import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool
from sqlmodel import Session

from consentry.kernel.clock import SystemClock
from consentry.kernel.errors import StorageFailed, StorageFull
from consentry.storage.failures import BUSY, translated
from consentry.storage.migrations import migrate, schema_of
from consentry.storage.tables import ErasureRow

APPLICATION_ID = 0x43737479
"""Written into the file's header by the first migration."""

_OPTION = "consentry_begin"
_PIECE_BYTES = 16
_SHORT_BYTES = 1024
_TABLES = (
    "subjects",
    "templates",
    "tombstones",
    "erasures",
    "receipts",
    "vault_header",
    "tokens",
    "api_keys",
    "grants",
    "consent_tokens",
    "consent_requests",
    "aliases",
    "feed",
    "log_leaves",
    "log_waiting",
)
_STILL_THERE = (
    "The change was made, but another process keeps reading the database, so old bytes are still in "
    "its journal. Stop that process and run `consentry db check`, which removes them."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseInfo:
    """What `consentry db` shows. Counts, never contents.

    Attributes:
        path: The file.
        size_bytes: Of the file.
        journal_bytes: Of the write-ahead journal beside it.
        schema: Revision of the schema.
        revision: Revision of the templates.
        counts: Rows of each table.
    """

    path: Path
    size_bytes: int
    journal_bytes: int
    schema: str | None
    revision: int
    counts: Mapping[str, int]


@dataclass(slots=True)
class Erasure:
    """A change under way whose old bytes must go for good."""

    session: Session
    _pieces: list[bytes] = field(default_factory=list)

    def forget(self, *values: bytes, kept: bytes = b"") -> None:
        """Name values that must not be left anywhere once the change is made.

        Args:
            values: What the change removes or replaces.
            kept: What takes its place; parts that the two share need not go.
        """
        for value in values:
            self._pieces += [piece for piece in _pieces_of(value) if piece not in kept]

    def remains_in(self, image: bytes) -> bool:
        """Whether any part of a forgotten value is in an image of the database."""
        return any(piece in image for piece in self._pieces)


class Database:
    """One SQLite file. Safe to share between threads; other processes may use the file too.

    ``_write_queue`` lets one thread at a time wait for SQLite's write lock, because that waits by
    polling. ``_held`` (guarded by ``_guard``) are the threads' own connections.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float = 10.0) -> None:
        """Prepare to use a file; `open` is what makes it usable.

        Args:
            path: The file. It and its folder are made if they are not there, for the owner alone.
            busy_timeout_s: How long to wait for another process to let go of the database.
        """
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._write_queue = threading.Lock()
        self._guard = threading.Lock()
        self._held: weakref.WeakSet[_Held] = weakref.WeakSet()
        self._thread = threading.local()
        self._is_closed = False
        self._engine = create_engine(
            "sqlite://",
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=4,
            max_overflow=-1,
            hide_parameters=True,
        )
        event.listen(self._engine, "begin", _begin)
        self._writer = self._engine.execution_options(**{_OPTION: "BEGIN IMMEDIATE"})

    @classmethod
    def open(cls, path: Path, *, busy_timeout_s: float = 10.0) -> Self:
        """Open a database, or make it, and bring it up to date.

        Raises:
            StorageFailed: If the file is not a Consentry database, is damaged, cannot be written,
                or was made by a newer Consentry. It is left as it is.
            StorageFull: If the disk is full.
        """
        database = cls(path, busy_timeout_s=busy_timeout_s)
        try:
            with translated(path):
                _make_file(path)
                database._claim()
                migrate(database._writer)
            # An erasure that a crash cut short must not keep the home from opening, on a full disk
            # for instance: `integrity` tells of it, and the next start or erasure tries again.
            with suppress(StorageFailed, StorageFull):
                database.finish_erasures()
        except BaseException:
            database.close()
            raise
        return database

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine; its transactions begin with ``BEGIN IMMEDIATE``."""
        return self._writer

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a consistent view."""
        with translated(self._path), Session(self._engine) as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Make a change; it is on the disk, whole, when this returns, or not at all.

        Raises:
            StorageFull: If the disk is full.
            StorageFailed: If another process does not let go of the database in time.
            Conflict: If something is stored twice.
        """
        with (
            self._turn(),
            translated(self._path),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def erasing(self) -> Iterator[Erasure]:
        """Make a change whose old bytes are gone from file and journal when this returns.

        SQLite's ``secure_delete`` overwrites what is deleted, but not copies that it left in unused
        parts of pages when it moved rows about (after some 2 in 1000 deletions). So
        before the commit the pages are searched, and when anything is left the file is rebuilt
        after it. The commit carries a mark until that is done; a crash in between is made good at
        the next start.

        Raises:
            StorageFailed: If other processes kept the journal in use. The change itself was made.
        """
        with self.writing() as session:
            erasure = Erasure(session)
            yield erasure
            mark = ErasureRow()
            session.add(mark)
            session.flush()
            is_left = erasure.remains_in(_driver(session).serialize())
        if mark.id is not None:
            self._finish([mark.id], rebuild=is_left)

    def finish_erasures(self) -> None:
        """Finish what a crash interrupted. Costs one query when there is nothing to do.

        Raises:
            StorageFailed: If other processes keep the journal in use.
            StorageFull: If there is no room to rebuild the file.
        """
        with translated(self._path):
            marks = self.held().execute("SELECT id FROM erasures").fetchall()
        if marks:
            self._finish([int(mark[0]) for mark in marks], rebuild=True)

    def held(self) -> sqlite3.Connection:
        """Return this thread's bare connection, outside of any transaction.

        Fetch every row of a query at once: an unfinished one would hold an old view open.
        """
        held: _Held | None = getattr(self._thread, "held", None)
        if held is None or self._is_closed:
            held = _Held(self._connect())
            with self._guard:
                self._held.add(held)
            self._thread.held = held
        return held.connection

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Open a bare connection of its own with a consistent view, for long reads."""
        with translated(self._path):
            connection = self._connect()
        with closing(connection):
            with translated(self._path):
                connection.execute("BEGIN")
                # The view is taken by the first read, not by BEGIN.
                connection.execute("SELECT revision FROM state").fetchall()
            yield connection

    def integrity(self) -> tuple[str, ...]:
        """Check the whole file, and return what is wrong with it: nothing, if it is sound."""
        try:
            with translated(self._path), self.snapshot() as connection:
                problems = [
                    str(row[0])
                    for row in connection.execute("PRAGMA integrity_check")
                    if row[0] != "ok"
                ]
                problems += [
                    f"a row of {row[0]} points to one of {row[2]} that is not there"
                    for row in connection.execute("PRAGMA foreign_key_check")
                ]
                problems += _state_problems(connection)
        except StorageFailed as cause:
            return (str(cause),)
        return tuple(problems)

    def info(self) -> DatabaseInfo:
        """Return size, schema and counts."""
        journal = self._path.with_name(self._path.name + "-wal")
        with translated(self._path), self._engine.connect() as connection:
            counts = {table: _one(connection, f"SELECT count(*) FROM {table}") for table in _TABLES}  # noqa: S608 -- names of ours
            return DatabaseInfo(
                path=self._path,
                size_bytes=self._path.stat().st_size,
                journal_bytes=journal.stat().st_size if journal.exists() else 0,
                schema=schema_of(connection),
                revision=_one(connection, "SELECT revision FROM state"),
                counts=counts,
            )

    def close(self) -> None:
        """Let go of the file. Every later use raises StorageFailed."""
        self._is_closed = True
        self._engine.dispose()
        with self._guard:
            for held in self._held:
                held.connection.close()
            self._held.clear()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._write_queue.acquire(timeout=self._busy_timeout_s):
            raise StorageFailed("Another request is still writing. Try again in a moment.")
        try:
            yield
        finally:
            self._write_queue.release()

    def _connect(self) -> sqlite3.Connection:
        if self._is_closed:
            raise StorageFailed("The database is closed: Consentry is shutting down.")
        connection = sqlite3.connect(
            self._path,
            timeout=self._busy_timeout_s,
            isolation_level=None,  # transactions begin where we say, never by themselves
            check_same_thread=False,  # the pool hands a connection to one thread at a time
        )
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA temp_store = MEMORY")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _claim(self) -> None:
        """Make sure that the file is ours, or empty, before anything is written into it."""
        with closing(self._connect()) as connection:
            owner = connection.execute("PRAGMA application_id").fetchone()[0]
            tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
            if owner != APPLICATION_ID and (owner or tables):
                raise StorageFailed(
                    "The file in the place of the database belongs to another program, so it was "
                    "left alone. Move it away, or choose another data folder (CONSENTRY_HOME)."
                )
            self._until_free(lambda: _set_wal(connection), otherwise=BUSY)

    def _finish(self, marks: list[int], *, rebuild: bool) -> None:
        with self._turn(), translated(self._path), closing(self._connect()) as connection:
            if rebuild:
                connection.execute("VACUUM")
            self._until_free(lambda: _empty_journal(connection), otherwise=_STILL_THERE)
            connection.executemany("DELETE FROM erasures WHERE id = ?", [(m,) for m in marks])

    def _until_free(self, attempt: Callable[[], bool], *, otherwise: str) -> None:
        """Try until the database is free. SQLite's own waiting does not cover these two cases."""
        clock = SystemClock()
        deadline = clock.monotonic() + self._busy_timeout_s
        while not attempt():
            if clock.monotonic() >= deadline:
                raise StorageFailed(otherwise)
            time.sleep(0.005)


class _Held:
    """Owns a thread's connection, and closes it when the thread ends."""

    __slots__ = ("__weakref__", "connection")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        weakref.finalize(self, connection.close)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_OPTION, "BEGIN"))


def _make_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Before SQLite would, so that it is never readable for others; the journal takes its mode over.
    with suppress(FileExistsError), path.open("xb"):
        pass
    path.chmod(0o600)


def _set_wal(connection: sqlite3.Connection) -> bool:
    try:
        return bool(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal")
    except sqlite3.OperationalError as cause:
        if cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            return False
        raise


def _empty_journal(connection: sqlite3.Connection) -> bool:
    """Move the journal into the file and cut it to nothing; False while somebody reads from it."""
    return bool(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)


def _driver(session: Session) -> sqlite3.Connection:
    driver = session.connection().connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError("the engine's driver is sqlite3")
    return driver


def _one(connection: Connection, statement: str) -> int:
    return int(connection.exec_driver_sql(statement).scalar_one())


def _state_problems(connection: sqlite3.Connection) -> list[str]:
    problems = []
    ahead = (
        "SELECT count(*) FROM state, (SELECT revision AS r FROM templates UNION ALL "
        "SELECT revision FROM tombstones) WHERE r > revision"
    )
    if connection.execute("SELECT count(*) FROM state").fetchone()[0] != 1:
        problems.append("the revision of the templates is missing")
    elif connection.execute(ahead).fetchone()[0]:
        problems.append("templates are newer than the revision says")
    if connection.execute("SELECT count(*) FROM erasures").fetchone()[0]:
        problems.append("an erasure is not finished; start Consentry again to finish it")
    return problems


def _pieces_of(value: bytes) -> list[bytes]:
    """Parts of a value, each long enough to be its own: all of a short value, samples of a long one."""
    last = max(0, len(value) - _PIECE_BYTES)
    starts = {*range(0, last, _PIECE_BYTES), last}
    if len(value) > _SHORT_BYTES:
        starts = {0, last // 2, last}
    return [value[start : start + _PIECE_BYTES] for start in sorted(starts)]
