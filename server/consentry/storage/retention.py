"""Deleting by age, in short transactions of the oldest rows, and what opens a person's log entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from consentry.kernel.ids import SubjectId
from consentry.rights.retention import Due
from consentry.storage.database import Database
from consentry.storage.tables import to_microseconds
from consentry.transparency import canonical
from consentry.transparency.entries import Opening, decode_entry

_HOUR_S = 3600
_LOOK_AT = 2_000
# Of each table: which rows are due, oldest first. A question mark is the moment.
_ROWS = {
    Due.RECEIPTS: ("receipts", "check_id", "issued_at < ?", "issued_at"),
    Due.FEED: ("feed", "cursor", "hour < ?", "cursor"),
    Due.TOKENS: ("tokens", "token", "expires_at < ?", "expires_at"),
    Due.KEYS: ("api_keys", "key", "expires_at < ?", "expires_at"),
    Due.SECRETS: ("api_key_secrets", "digest", "ends_at < ?", "ends_at"),
}
_OPENINGS = (
    "SELECT o.leaf, l.entry FROM log_openings o JOIN log_leaves l ON l.leaf = o.leaf "
    "WHERE o.subject IS NULL AND o.leaf > ? ORDER BY o.leaf LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class SqlRetentionStore:
    """`consentry.rights.retention.RetentionStore` in SQLite. Holds no state of its own."""

    database: Database

    def count(self, due: Due, before: datetime) -> int:
        """Return how much ended, or was made, before a moment."""
        with self.database.reading() as session:
            connection = session.connection()
            if due is Due.OPENINGS:
                return _count_openings(connection, before)
            if due is Due.SPENDING:
                statement, value = (
                    "SELECT count(*) FROM probe_spending WHERE hour < ?",
                    _hour(before),
                )
            else:
                table, _, where, _ = _ROWS[due]
                statement = f"SELECT count(*) FROM {table} WHERE {where}"  # noqa: S608 -- names of ours
                value = to_microseconds(before)
            return int(connection.exec_driver_sql(statement, (value,)).scalar_one())

    def delete(self, due: Due, before: datetime, most: int) -> int:
        """Delete at most so many, the oldest first."""
        with self.database.writing() as session:
            connection = session.connection()
            if due is Due.OPENINGS:
                leaves = _due_openings(connection, before, -1, most)
                return _each(connection, "DELETE FROM log_openings WHERE leaf = ?", leaves)
            if due is Due.SPENDING:
                return connection.exec_driver_sql(
                    "DELETE FROM probe_spending WHERE hour < ?", (_hour(before),)
                ).rowcount
            table, key, where, order = _ROWS[due]
            rows = connection.exec_driver_sql(
                f"SELECT {key} FROM {table} WHERE {where} ORDER BY {order} LIMIT ?",  # noqa: S608 -- names of ours
                (to_microseconds(before), most),
            ).fetchall()
            keys = [row[0] for row in rows]
            if due is Due.KEYS:
                _each(connection, "DELETE FROM api_key_secrets WHERE key = ?", keys)
                _each(connection, "DELETE FROM probe_spending WHERE key = ?", keys)
            return _each(connection, f"DELETE FROM {table} WHERE {key} = ?", keys)  # noqa: S608 -- names of ours

    def openings_of(self, subject: SubjectId) -> Sequence[tuple[int, Opening]]:
        """Return index and opening of each entry of the log that is about a person, ascending."""
        with self.database.reading() as session:
            rows = session.connection().exec_driver_sql(
                "SELECT leaf, salt, opened FROM log_openings WHERE subject = ? ORDER BY leaf",
                (subject,),
            )
            return tuple(
                (
                    int(leaf),
                    Opening(
                        salt=salt,
                        values={k: str(v) for k, v in canonical.decode(opened.encode()).items()},
                    ),
                )
                for leaf, salt, opened in rows.fetchall()
            )


def _due_openings(connection: Connection, before: datetime, after: int, most: int) -> list[int]:
    """Return the first leaves of verdicts whose day is over, up to the first whose day is not.

    The clear field of an entry is a day: a day is due when all of it is. Enrolments are passed
    over: what opens them goes with the person.
    """
    rows = connection.exec_driver_sql(_OPENINGS, (after, most)).fetchall()
    last = before.astimezone(UTC).date()
    found: list[int] = []
    for leaf, entry in rows:
        if decode_entry(entry).day >= last:
            break
        found.append(int(leaf))
    return found


def _count_openings(connection: Connection, before: datetime) -> int:
    total, after = 0, -1
    while found := _due_openings(connection, before, after, _LOOK_AT):
        total, after = total + len(found), found[-1]
    return total


def _each(connection: Connection, statement: str, keys: Sequence[str | int | bytes]) -> int:
    for key in keys:
        connection.exec_driver_sql(statement, (key,))
    return len(keys)


def _hour(moment: datetime) -> int:
    return int(moment.timestamp()) // _HOUR_S
