"""What SQLite says when something goes wrong -> the words of `consentry.kernel.errors`.

No message of SQLite's is passed on: it may hold a value. Statements never hold one, because
parameters are bound, and the engine hides them.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from consentry.kernel.errors import Conflict, ConsentryError, StorageFailed, StorageFull

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_PROBE_BYTES = 256 * 1024

FULL = "The disk is full, so the change was not kept. Make room and try again."
BUSY = (
    "Another process is using the database and did not let go of it in time. Wait for it to finish, "
    "then try again."
)
_DAMAGED = (
    "The database file is damaged. Nothing was changed. Stop Consentry, keep a copy of the file, "
    "and restore a backup into an empty data folder (`consentry db check` says what is broken)."
)
_CLOSED_OFF = (
    "The database file cannot be opened or written. Make sure that you own it and its folder, and "
    "that the disk is not mounted read-only."
)
_DISK = (
    "The disk did not read or write as it should. Nothing acknowledged was lost; check the disk."
)

_DUPLICATE = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
}
_WORDS = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_FORMAT: _DAMAGED,
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_CANTOPEN: _CLOSED_OFF,
    sqlite3.SQLITE_PERM: _CLOSED_OFF,
    sqlite3.SQLITE_READONLY: _CLOSED_OFF,
}
# SQLite tells a full disk apart, but not a spent quota or a limit on the size of files.
_PERHAPS_FULL = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise what SQLite and the file system say, in our words.

    Raises:
        StorageFull: If there is no room on the disk, or in the quota.
        Conflict: If something by that name is there already.
        StorageFailed: If the file is locked, damaged, unreadable, or the disk is broken.
    """
    try:
        yield
    except (DBAPIError, sqlite3.Error, OSError) as cause:
        said = cause.orig if isinstance(cause, DBAPIError) else cause
        ours = translation(said, path) if isinstance(said, sqlite3.Error | OSError) else None
        if ours is None:
            raise
        raise ours from cause


def translation(cause: sqlite3.Error | OSError, path: Path) -> ConsentryError | None:
    """Return the error to raise instead, or None for a mistake in our own use of SQLite."""
    if isinstance(cause, OSError):
        return StorageFull(FULL) if cause.errno in _NO_ROOM else StorageFailed(_CLOSED_OFF)
    extended: int | None = getattr(cause, "sqlite_errorcode", None)
    if extended is None:
        return None
    if extended in _DUPLICATE:
        return Conflict("Something by that name is stored already.")
    primary = extended & 0xFF
    if primary == sqlite3.SQLITE_FULL or (primary in _PERHAPS_FULL and _is_out_of_room(path)):
        return StorageFull(FULL)
    return StorageFailed(_WORDS.get(primary, "The database refused the change; nothing was kept."))


def _is_out_of_room(path: Path) -> bool:
    """Ask the file system itself, by writing a file of its own beside the database."""
    journal = path.with_name(path.name + "-wal")
    try:
        reach = max(file.stat().st_size for file in (path, journal) if file.exists())
        with tempfile.TemporaryFile(dir=path.parent, buffering=0) as probe:
            probe.write(os.urandom(_PROBE_BYTES))
            # A hole: costs nothing, but is as long as the file that would not grow.
            probe.seek(reach + _PROBE_BYTES)
            probe.write(b"\0")
            os.fsync(probe.fileno())
    except (OSError, ValueError) as cause:
        return isinstance(cause, OSError) and cause.errno in _NO_ROOM
    return False
