"""The vault's header: what the passphrase opens. One row, changed by compare-and-swap."""

from __future__ import annotations

from consentry.kernel.errors import Conflict, VaultExists
from consentry.storage.database import Database
from consentry.storage.tables import VaultHeaderRow


class SqlHeaderStore:
    """`consentry.vault.custody.HeaderStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> bytes | None:
        """Return the header, or None when there is no vault."""
        with self._database.reading() as session:
            row = session.get(VaultHeaderRow, 1)
            return None if row is None else row.header

    def create(self, header: bytes) -> None:
        """Keep the first header."""
        with self._database.writing() as session:
            if session.get(VaultHeaderRow, 1) is not None:
                raise VaultExists("There is a vault here already; nothing was changed.")
            session.add(VaultHeaderRow(id=1, header=header))

    def replace(self, old: bytes, new: bytes) -> None:
        """Swap the header. Of the old one, which an old passphrase opens, no byte is left."""
        with self._database.erasing() as erasure:
            row = erasure.session.get(VaultHeaderRow, 1)
            if row is None or row.header != old:
                raise Conflict(
                    "The vault was changed by another process meanwhile. Nothing was changed here; try again."
                )
            row.header = new
            erasure.forget(old, kept=new)
