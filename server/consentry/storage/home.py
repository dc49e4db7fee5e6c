"""A whole home: erased at once, or put back from a backup."""

from __future__ import annotations

from collections import Counter

from sqlmodel import select

from consentry.enrolment.ports import HomeContents, Removed
from consentry.kernel.clock import Clock, SystemClock
from consentry.kernel.errors import VaultExists
from consentry.storage.backup_keys import insert_backup_keys
from consentry.storage.consent_tables import AnswerRow
from consentry.storage.database import Database
from consentry.storage.log import await_change, origin_of
from consentry.storage.names import insert_names
from consentry.storage.subjects import (
    advance,
    erase_subject,
    insert_subjects,
    insert_templates,
    note_sharing,
)
from consentry.storage.tables import SubjectRow, VaultHeaderRow
from consentry.transparency.entries import SubjectChange
from consentry.transparency.erasure import Destroyed, ErasedEntry


class SqlHomeStore:
    """`consentry.enrolment.ports.HomeStore` in SQLite."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()

    def erase(self) -> Removed:
        """Destroy the vault header, every subject with all that is hers, and kept answers."""
        with self._database.erasing() as erasure:
            session = erasure.session
            counts, entries = Counter[str](), list[ErasedEntry]()
            header = session.get(VaultHeaderRow, 1)
            if header is not None:
                erasure.forget(header.header)
                session.delete(header)
                counts["vault_header"] = 1
            subjects = session.exec(select(SubjectRow)).all()
            revision = advance(session)
            for answer in session.exec(select(AnswerRow)).all():
                erasure.forget(answer.sealed)
                session.delete(answer)
                counts["answers"] += 1
            for stored in subjects:
                of_hers, entry = erase_subject(erasure, stored, revision, self._clock.now())
                counts.update(of_hers)
                entries.append(entry)
            log = origin_of(session)
        destroyed = Destroyed(counts=+counts, entries=tuple(entries), log=log)
        return Removed(revision=revision, destroyed=destroyed)

    def restore(self, contents: HomeContents) -> None:
        """Put everything into a home that has no vault."""
        with self._database.writing() as session:
            has_vault = session.get(VaultHeaderRow, 1) is not None
            if has_vault or session.exec(select(SubjectRow.subject).limit(1)).first() is not None:
                raise VaultExists(
                    "There is a vault here already, and a backup is never merged into one. Restore "
                    "it into an empty data folder."
                )
            session.add(VaultHeaderRow(id=1, header=contents.header))
            insert_subjects(session, contents.subjects)
            note_sharing(session)
            for stored in contents.subjects:
                await_change(session, SubjectChange.ENROLLED, stored.subject, self._clock.now())
            insert_templates(session, contents.templates, advance(session))
            insert_backup_keys(session, contents.backup_keys)
            insert_names(session, contents.aliases, contents.contests)
