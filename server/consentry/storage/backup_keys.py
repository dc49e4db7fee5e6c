"""Backup keys in SQLite: beside the subject, and gone with her."""

from __future__ import annotations

import os
from collections.abc import Mapping

from sqlmodel import Session, select

from consentry.kernel.ids import Random, SubjectId
from consentry.storage.database import Database, Erasure
from consentry.storage.tables import BackupKeyRow, SubjectRow
from consentry.vault.backup_keys import BackupKey, new_backup_key


class SqlBackupKeyStore:
    """`consentry.enrolment.ports.BackupKeyStore` in SQLite. Holds no state of its own."""

    def __init__(self, database: Database, *, random: Random = os.urandom) -> None:
        self._database = database
        self._random = random

    def keep_for_all(self) -> Mapping[SubjectId, BackupKey]:
        """Return everybody's backup key; who has none yet is given one."""
        with self._database.writing() as session:
            kept = {row.subject: row.key for row in session.exec(select(BackupKeyRow)).all()}
            enrolled = session.exec(select(SubjectRow.subject)).all()
            fresh = {
                SubjectId(subject): new_backup_key(self._random).secret
                for subject in enrolled
                if subject not in kept
            }
            insert_backup_keys(session, fresh)
        return {SubjectId(subject): BackupKey(key) for subject, key in (kept | fresh).items()}


def insert_backup_keys(session: Session, keys: Mapping[SubjectId, bytes]) -> None:
    """Keep backup keys in the given transaction."""
    session.add_all(BackupKeyRow(subject=subject, key=key) for subject, key in keys.items())
    session.flush()


def forget_backup_key(erasure: Erasure, subject: str) -> int:
    """Destroy a backup key: her section in every backup is noise from then on.

    Returns:
        How many there were: 1, or 0 when no backup was ever made.
    """
    row = erasure.session.get(BackupKeyRow, subject)
    if row is None:
        return 0
    erasure.forget(row.key)
    erasure.session.delete(row)
    erasure.session.flush()
    return 1
