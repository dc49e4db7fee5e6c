"""The transparency log in SQLite: appending inside the transaction of what is recorded.

    log_state    which log, its size, the right edge of its tree       one row
    log_leaves   the entries                                           never changed
    log_nodes    hashes of the tiles above them                        one for each 255 entries
    log_waiting  changes of enrolments, until the next batch           in random order from there

The write lock that SQLite takes when a transaction begins makes appending one at a time, over all
processes; a crash leaves entry and record, or neither.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection
from sqlmodel import Session

from consentry.kernel.clock import Clock, SystemClock
from consentry.kernel.errors import LogInconsistent
from consentry.kernel.ids import Random, SubjectId
from consentry.storage.database import Database, Erasure
from consentry.storage.failures import translated
from consentry.storage.log_view import (
    Run,
    SqlHeldLog,
    SqlLogView,
    Value,
    head_digest,
    read_heads,
)
from consentry.transparency import canonical
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.entries import (
    SALT_BYTES,
    Entry,
    Opening,
    RenewedEntry,
    SubjectChange,
    SubjectEntry,
    Versions,
    VersionsEntry,
    decode_entry,
    encode_entry,
    subject_change,
)
from consentry.transparency.erasure import ErasedEntry
from consentry.transparency.ports import HeadMemory
from consentry.transparency.tiles import HEIGHT
from consentry.transparency.tree import EMPTY_ROOT, Frontier, leaf_hash

_ID_BYTES = 8
_STATE = "SELECT origin, size, frontier, versions, superseded FROM log_state"
_OLDER = (
    "The log is older than what was signed of it: the database was put back from a backup. Nothing "
    "more is appended. Put the newest database back; if it is lost, run `consentry log renew`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An entry on its way into the log, with what opens it and whom it is about, if that is kept."""

    entry: bytes
    opening: Opening | None = None
    subject: SubjectId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    origin: str
    size: int
    frontier: bytes
    versions: bytes | None
    superseded: bytes | None


@dataclass(frozen=True, slots=True)
class SqlLog:
    """`consentry.transparency.ports.LogStore`. Holds no state of its own; safe between threads.

    Attributes:
        database: Where it is.
        memory: The last signed head, outside of the database.
        name: What the origin of a new log begins with.
        program: Version of Consentry, and
        models: SHA-256 of each model file: announced before the first verdict under them.
    """

    database: Database
    memory: HeadMemory
    name: str = "consentry.local"
    program: str = "0"
    models: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=SystemClock)
    random: Random = os.urandom

    def place(self, session: Session) -> tuple[str, int]:
        """Return origin and index of the entry that comes next, in a transaction that writes.

        Raises:
            LogInconsistent: If the log is older than what was signed of it.
        """
        state = self._state(session.connection())
        self._require_newest(state)
        return state.origin, state.size

    def announce(self, session: Session, policy: str, engines: Mapping[str, str]) -> None:
        """Append the versions that decide, unless the log has announced them already."""
        connection = session.connection()
        last = self._state(connection).versions
        before = None if last is None else decode_entry(last)
        announced = before.versions if isinstance(before, VersionsEntry) else None
        versions = Versions(
            program=self.program,
            policy=policy,
            # Not every door asks every engine.
            engines={**({} if announced is None else announced.engines), **engines},
            models=self.models,
        )
        if versions != announced:
            entry = VersionsEntry(day=self.clock.now().date(), versions=versions)
            self.append(session, [item_of(entry)])
            connection.exec_driver_sql("UPDATE log_state SET versions = ?", (encode_entry(entry),))

    def append(self, session: Session, items: Sequence[Item]) -> int:
        """Append in the transaction of what is recorded, and return the index of the first.

        Raises:
            LogInconsistent: If the log is older than what was signed of it.
        """
        connection = session.connection()
        state = self._state(connection)
        self._require_newest(state)
        frontier, whole = Frontier.from_bytes(state.size, state.frontier).append(
            leaf_hash(item.entry) for item in items
        )
        numbered = list(enumerate(items, state.size))
        _insert(
            connection,
            "INSERT INTO log_leaves (leaf, entry) VALUES (?, ?)",
            [(leaf, item.entry) for leaf, item in numbered],
        )
        _insert(
            connection,
            "INSERT INTO log_nodes (level, number, hash) VALUES (?, ?, ?)",
            [(n.level // HEIGHT, n.index, n.hash) for n in whole if n.level % HEIGHT == 0],
        )
        _insert(
            connection,
            "INSERT INTO log_openings (leaf, salt, opened, subject) VALUES (?, ?, ?, ?)",
            [
                (leaf, item.opening.salt, opened_text(item.opening), item.subject)
                for leaf, item in numbered
                if item.opening is not None
            ],
        )
        connection.exec_driver_sql(
            "UPDATE log_state SET size = ?, frontier = ?", (frontier.size, frontier.to_bytes())
        )
        return state.size

    @contextmanager
    def view(self) -> Iterator[SqlLogView]:
        """Look at the log."""
        self._begin()
        with self.database.snapshot() as connection:
            run = _run_bare(connection, self.database)
            ((origin, size),) = run("SELECT origin, size FROM log_state")
            yield SqlLogView(origin=str(origin), size=int(size or 0), run=run)

    @contextmanager
    def hold(self) -> Iterator[SqlHeldLog]:
        """Keep everybody from appending while the block runs."""
        self._begin()
        with self.database.writing() as session:
            state = self._state(session.connection())
            yield SqlHeldLog(
                origin=state.origin,
                size=state.size,
                run=_run(session.connection()),
                superseded=state.superseded,
            )

    def take_in(self) -> int:
        """Bring waiting entries into the log, in random order."""
        self._begin()
        with self.database.writing() as session:
            connection = session.connection()
            waiting = connection.exec_driver_sql(
                "SELECT entry, salt, opened, subject FROM log_waiting"
            ).fetchall()
            # By random numbers: an order that says nothing about who came first.
            keyed = sorted((self.random(SALT_BYTES), tuple(row)) for row in waiting)
            first = self.append(session, [_waiting_item(*row) for _, row in keyed])
            connection.exec_driver_sql("DELETE FROM log_waiting")
        return first + len(keyed)

    def index_of(self, entry: bytes) -> int | None:
        """Return where an entry stands; None when it is not in the log (yet). Reads all of it."""
        with self.database.snapshot() as connection:
            run = _run_bare(connection, self.database)
            rows = run("SELECT leaf FROM log_leaves WHERE entry = ? LIMIT 1", (entry,))
        return int(rows[0][0] or 0) if rows else None

    def published(self) -> SignedCheckpoint | None:
        """Return the newest head that enough witnesses cosigned."""
        with self.database.reading() as session:
            connection = session.connection()
            row = connection.exec_driver_sql(
                "SELECT c.note FROM log_checkpoints c, log_state s WHERE c.origin = s.origin "
                "AND c.is_published ORDER BY c.size DESC LIMIT 1"
            ).fetchone()
        return None if row is None else SignedCheckpoint.parse(row[0])

    def note_cosigned(self, signed: SignedCheckpoint, *, is_published: bool) -> None:
        """Keep the cosignatures of a head, and forget heads that this one makes useless."""
        checkpoint = signed.checkpoint
        place = (checkpoint.origin, checkpoint.size)
        with self.database.writing() as session:
            connection = session.connection()
            row = connection.exec_driver_sql(
                "SELECT note, is_published FROM log_checkpoints WHERE origin = ? AND size = ?",
                place,
            ).fetchone()
            if row is None:
                return  # another process published a larger one since
            kept = SignedCheckpoint.parse(row[0]).note.with_signatures(signed.note.signatures)
            connection.exec_driver_sql(
                "UPDATE log_checkpoints SET note = ?, is_published = ? "
                "WHERE origin = ? AND size = ?",
                (str(kept), bool(row[1]) or is_published, *place),
            )
            if is_published:
                connection.exec_driver_sql(
                    "DELETE FROM log_checkpoints WHERE origin = ? AND size < ?", place
                )

    def renew(self) -> str:
        """Go on under a new origin, with an entry that tells so."""
        remembered = self._remembered()
        with self.database.writing() as session:
            connection = session.connection()
            state = self._state(connection)
            heads = [*read_heads(_run(connection)), *([remembered] if remembered else [])]
            known = [each.checkpoint for each in heads]
            lost = max(known, key=lambda each: each.size, default=None)
            origin = self._new_origin()
            connection.exec_driver_sql(
                "UPDATE log_state SET origin = ?, superseded = ?",
                (origin, None if remembered is None else head_digest(remembered)),
            )
            entry = RenewedEntry(
                day=self.clock.now().date(),
                origin=state.origin if lost is None else lost.origin,
                size=0 if lost is None else lost.size,
                root=EMPTY_ROOT if lost is None else lost.root,
            )
            self.append(session, [item_of(entry)])
        return origin

    def _remembered(self) -> SignedCheckpoint | None:
        try:
            return self.memory.read()
        except LogInconsistent:
            # Damaged: it says nothing any more, and must not keep the renewed log from going on.
            self.memory.set_aside()
            return None

    def _require_newest(self, state: _State) -> None:
        remembered = self.memory.read()
        if remembered is None or head_digest(remembered) == state.superseded:
            return
        head = remembered.checkpoint
        if head.origin != state.origin or head.size > state.size:
            raise LogInconsistent(_OLDER)

    def _begin(self) -> None:
        """Name the log, the first time that anybody looks at it."""
        with self.database.reading() as session:
            found = session.connection().exec_driver_sql("SELECT 1 FROM log_state").fetchone()
        if found is None:
            with self.database.writing() as session:
                self._state(session.connection())

    def _state(self, connection: Connection) -> _State:
        row = connection.exec_driver_sql(_STATE).fetchone()
        if row is None:
            connection.exec_driver_sql(
                "INSERT INTO log_state (id, origin, size, frontier) VALUES (1, ?, 0, ?)",
                (self._new_origin(), b""),
            )
            row = connection.exec_driver_sql(_STATE).one()
        return _State(
            origin=row[0], size=row[1], frontier=row[2], versions=row[3], superseded=row[4]
        )

    def _new_origin(self) -> str:
        return f"{self.name}/{self.random(_ID_BYTES).hex()}"


def item_of(entry: Entry, opening: Opening | None = None, subject: SubjectId | None = None) -> Item:
    """Make an entry ready for the log."""
    return Item(entry=encode_entry(entry), opening=opening, subject=subject)


def await_change(
    session: Session,
    change: SubjectChange,
    subject: SubjectId,
    at: datetime,
    *,
    random: Random = os.urandom,
) -> ErasedEntry:
    """Record a change of an enrolment in its own transaction; it comes into the log with the next batch.

    What opens it is kept for as long as she is enrolled. Of a revocation nothing is kept: the caller
    alone has it, and gives it to her.
    """
    opening = subject_change(change, subject, random(SALT_BYTES))
    day = at.astimezone(UTC).date()
    item = item_of(SubjectEntry(day=day, change=opening.commit("change")), opening, subject)
    keeps = change is not SubjectChange.REVOKED
    session.connection().exec_driver_sql(
        "INSERT INTO log_waiting (entry, salt, opened, subject) VALUES (?, ?, ?, ?)",
        (
            item.entry,
            opening.salt if keeps else None,
            opened_text(opening) if keeps else None,
            subject if keeps else None,
        ),
    )
    return ErasedEntry(subject=subject, entry=item.entry, salt=opening.salt)


def origin_of(session: Session) -> str | None:
    """Return which log it is; None when it has not begun."""
    row = session.connection().exec_driver_sql("SELECT origin FROM log_state").fetchone()
    return None if row is None else str(row[0])


def forget_openings(erasure: Erasure, subject: SubjectId) -> int:
    """Destroy what opens the entries about her, and return of how many.

    The entries stay in the log, and are about nobody.
    """
    connection = erasure.session.connection()
    count = 0
    for table in ("log_openings", "log_waiting"):
        rows = connection.exec_driver_sql(
            f"SELECT salt FROM {table} WHERE subject = ?",  # noqa: S608 -- names of ours
            (subject,),
        ).fetchall()
        erasure.forget(*(row[0] for row in rows))
        count += len(rows)
    connection.exec_driver_sql("DELETE FROM log_openings WHERE subject = ?", (subject,))
    connection.exec_driver_sql(
        "UPDATE log_waiting SET salt = NULL, opened = NULL, subject = NULL WHERE subject = ?",
        (subject,),
    )
    return count


def opened_text(opening: Opening) -> str:
    """Return the values that an opening opens, as they are kept."""
    return canonical.encode(dict(opening.values)).decode()


def _waiting_item(
    entry: bytes, salt: bytes | None, opened: str | None, subject: str | None
) -> Item:
    if salt is None or opened is None:
        return Item(entry=entry)
    values = {name: str(value) for name, value in canonical.decode(opened.encode()).items()}
    return Item(
        entry=entry,
        opening=Opening(salt=salt, values=values),
        subject=None if subject is None else SubjectId(subject),
    )


def _insert(connection: Connection, statement: str, rows: list[tuple[Value, ...]]) -> None:
    if rows:
        connection.exec_driver_sql(statement, rows)


def _run(connection: Connection) -> Run:
    def run(statement: str, values: tuple[Value, ...] = ()) -> Sequence[Sequence[Value]]:
        return connection.exec_driver_sql(statement, values).fetchall()

    return run


def _run_bare(connection: sqlite3.Connection, database: Database) -> Run:
    def run(statement: str, values: tuple[Value, ...] = ()) -> Sequence[Sequence[Value]]:
        with translated(database.path):
            return connection.execute(statement, values).fetchall()

    return run
