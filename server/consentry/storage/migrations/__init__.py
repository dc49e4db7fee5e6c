"""The schema's history, as Alembic migrations that are part of the package.

`migrate` brings an empty or older database to `HEAD` in one transaction. Alembic is slow to import,
so it is imported only when there is something to do.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine

from consentry.kernel.errors import StorageFailed

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011")
"""Every revision, oldest first. A test compares this with the files in ``versions/``."""

HEAD = REVISIONS[-1]


def schema_of(connection: Connection) -> str | None:
    """Return the revision of the schema, or None for a database without tables."""
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'alembic_version'"
    if connection.exec_driver_sql(tables).first() is None:
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return None if row is None else str(row[0])


def migrate(engine: Engine) -> None:
    """Bring the schema to `HEAD`. Returns at once when it is there already.

    Args:
        engine: Begins its transactions with ``BEGIN IMMEDIATE``: that is the lock which keeps two
            processes that start at once apart. The second finds the work done.

    Raises:
        StorageFailed: If the database was made by a newer Consentry, or a migration left rows that
            point nowhere. Nothing was changed.
    """
    with engine.connect() as connection:
        found = schema_of(connection)
    if found == HEAD:
        return
    _require_known(found)
    with engine.connect() as connection:
        # Not back into the pool afterwards: this one does not enforce foreign keys.
        connection.detach()
        driver = connection.connection.driver_connection
        if driver is not None:
            # Tables that others point to can be rebuilt only like this, and only outside of a
            # transaction can it be said.
            driver.execute("PRAGMA foreign_keys = OFF")
        with connection.begin():
            found = schema_of(connection)
            _require_known(found)
            if found != HEAD:
                _upgrade(connection)


def _require_known(found: str | None) -> None:
    if found is not None and found not in REVISIONS:
        raise StorageFailed(
            f"The database was made by a newer Consentry (schema {found}; this one knows {HEAD}). "
            "Update Consentry, or restore a backup into an empty data folder."
        )


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    # Config files interpolate: a per cent sign in a path is written twice.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise StorageFailed("The database could not be brought up to date: rows point nowhere.")
