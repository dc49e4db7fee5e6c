"""One commit for all who wait at the same time: a disk that takes milliseconds to sync takes many at once.

    run(work)   alone: a transaction of its own, at once
                while another commits: wait, then one of those who wait leads all of them

Work that fails is undone, and done again by its own caller alone, so nobody is told another's
failure. Work is therefore done once or twice, and kept at most once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlmodel import Session

from consentry.kernel.errors import ConsentryError
from consentry.storage.database import Database

_T = TypeVar("_T")
_MOST = 64


class GivenUp(Exception):
    """Undoes a transaction on purpose. Work raises a class of its own that derives from it."""


@dataclass(slots=True)
class _Job(Generic[_T]):
    """What one caller wants done; ``kept`` holds what it returned, once that is on the disk."""

    work: Callable[[Session], _T]
    kept: list[_T]
    is_alone: bool = False


class SharedCommits(Generic[_T]):
    """Safe to share between threads, which is its use; processes still take turns.

    ``_waiting`` is guarded by ``_guard``; a job is touched only by who holds ``_turn``.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()
        self._turn = threading.Lock()
        self._waiting: list[_Job[_T]] = []

    def run(self, work: Callable[[Session], _T]) -> _T:
        """Do work in a transaction, perhaps with others', and return when it is on the disk.

        Raises:
            StorageFull, StorageFailed: If it could not be kept.
            Exception: Whatever ``work`` raises; then nothing of it was kept.
        """
        job = _Job(work, [])
        with self._guard:
            self._waiting.append(job)
        with self._turn:
            if not job.kept and not job.is_alone:
                self._lead()
        if job.kept:
            return job.kept[0]
        with self._database.writing() as session:
            return work(session)

    def _lead(self) -> None:
        """Do what waits, in one transaction; or, if that fails, leave each to its own caller."""
        with self._guard:
            jobs, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        try:
            # Whoever fails is undone here, and is told why when he tries alone.
            with suppress(ConsentryError):
                with self._database.writing() as session:
                    done = [(job, value) for job in jobs for value in _attempted(session, job)]
                for job, value in done:
                    job.kept.append(value)
        finally:
            for job in jobs:
                job.is_alone = not job.kept


def _attempted(session: Session, job: _Job[_T]) -> Iterator[_T]:
    """Do work so that its failure undoes nothing else; yields what it returned, if it did not fail."""
    with suppress(ConsentryError, GivenUp):
        with session.begin_nested():
            value = job.work(session)
        yield value
