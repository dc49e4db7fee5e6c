"""What Alembic runs around migrations. Uses the connection, and the transaction, that it is given.

For developers: ``alembic`` on the command line is not set up. Write the next file in ``versions/``
by hand, add its number to ``REVISIONS``, and let the tests compare it with ``tables.py``.
"""

from __future__ import annotations

from alembic import context


def _run() -> None:
    context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


# Alembic loads this file under that name. Imported like any other module it does nothing.
if __name__ == "env_py":
    _run()
