"""How often SQLite's secure_delete leaves something of a deleted row in the file (ADR 0004).

    .venv/bin/python benchmarks/secure_delete_residue.py

Subjects come and go at random; after each deletion the journal is emptied and the file searched for
parts of what was deleted. Nothing of Consentry runs here: this is why Consentry searches for itself.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

_STEPS = 2_500
_TABLES = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    PRAGMA secure_delete = ON;
    CREATE TABLE subjects (subject TEXT PRIMARY KEY, wrapped_key BLOB, sealed_name BLOB);
    CREATE TABLE templates (row INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT, sealed BLOB);
    CREATE INDEX templates_by_subject ON templates (subject);
"""


def _add(connection: sqlite3.Connection, dice: random.Random) -> tuple[str, bytes, bytes]:
    subject = ("sub_" + dice.randbytes(13).hex(), dice.randbytes(40), dice.randbytes(60))
    connection.execute("INSERT INTO subjects VALUES (?, ?, ?)", subject)
    for _ in range(dice.randint(1, 6)):
        sealed = dice.randbytes(dice.randint(600, 900))
        connection.execute(
            "INSERT INTO templates (subject, sealed) VALUES (?, ?)", (subject[0], sealed)
        )
    return subject


def _trial(seed: int, path: Path) -> tuple[int, int]:
    """Return how many subjects were deleted, and of how many something was left."""
    dice = random.Random(seed)
    deleted = left = 0
    enrolled: list[tuple[str, bytes, bytes]] = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(_TABLES)
        for _ in range(_STEPS):
            if not enrolled or dice.random() > 0.45:
                enrolled.append(_add(connection, dice))
                continue
            subject, key, name = enrolled.pop(dice.randrange(len(enrolled)))
            connection.execute("DELETE FROM templates WHERE subject = ?", (subject,))
            connection.execute("DELETE FROM subjects WHERE subject = ?", (subject,))
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            image = path.read_bytes()
            deleted += 1
            left += any(part in image for part in (subject.encode(), key[:16], name[:16]))
    return deleted, left


def main() -> None:
    """Print one line a trial."""
    print(f"SQLite {sqlite3.sqlite_version}")
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(10, 14):
            deleted, left = _trial(seed, Path(folder) / f"{seed}.db")
            print(f"  {deleted} subjects deleted, something left of {left}")


if __name__ == "__main__":
    main()
