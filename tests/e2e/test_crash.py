"""kill -9 in the middle of changes, a hundred times: what was acknowledged holds, the rest is whole or absent."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from consentry.storage.database import Database
from consentry.storage.subjects import SqlSubjectStore
from contracts.subject_store import MODEL, number_of, person, read, who
from e2e.crash_worker import CHILD_STRIDE, templates_of

ROUNDS = 100

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="starts processes by fork"),
]


@dataclass
class Ledger:
    """What the children said: who must be there, who must not, and about whom nobody knows."""

    there: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)
    acknowledged: int = 0

    def note(self, line: str) -> None:
        stage, verb, number = line.split()
        n = int(number)
        for known in (self.there, self.gone, self.unknown):
            known.discard(n)
        if stage == "try":
            self.unknown.add(n)
        else:
            (self.there if verb == "add" else self.gone).add(n)
            self.acknowledged += 1

    def settle(self, found: set[int]) -> None:
        """Whoever is found after the crash must stay, whoever is not must not come back."""
        self.there |= self.unknown & found
        self.gone |= self.unknown - found
        self.unknown.clear()


class Worker:
    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("crash_worker.py")), str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def round(self, seed: int, *, children: int, dice: random.Random) -> list[str]:
        """Let children work until a few lines have come, wait a moment, kill; return all lines."""
        self._say(f"{seed} {children}")
        lines = [self._line() for _ in range(dice.randrange(2, 11))]
        # A change takes milliseconds, and its transaction is only a part of that: every moment is hit.
        time.sleep(dice.uniform(0, 0.012))
        self._say("kill")
        while (line := self._line()) not in {"dead", "failed"}:
            lines.append(line)
        assert line == "dead", "a child ended by itself"
        return lines

    def _say(self, line: str) -> None:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        return self._process.stdout.readline().strip() or "failed"

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "home" / "consentry.db"
    Database.open(made).close()
    return made


@pytest.fixture
def worker(path):
    started = Worker(path)
    yield started
    started.close()


def assert_whole(store: SqlSubjectStore, ledger: Ledger) -> None:
    """Everybody who is there is there with key, name and every byte of every template."""
    subjects = {number_of(s.subject): s for s in store.subjects()}
    assert not ledger.there - subjects.keys(), "an acknowledged enrolment was lost"
    assert not ledger.gone & subjects.keys(), "an acknowledged revocation was undone"
    assert not subjects.keys() - ledger.there - ledger.unknown, "somebody came from nowhere"
    assert all(replace(subjects[n], has_shared=False) == person(n) for n in subjects)
    kept: dict[str, list[tuple[str, bytes]]] = {s.subject: [] for s in subjects.values()}
    for t in read(store):
        kept[t.subject].append((t.template, t.sealed))
    assert kept == {who(n): [(t.template, t.sealed) for t in templates_of(n)] for n in subjects}


def test_whatever_was_acknowledged_survives_a_hundred_kills_and_the_rest_is_whole_or_absent(
    path, worker
):
    dice = random.Random(0)
    ledger = Ledger()
    revision, known, cut_short = 0, {}, 0

    for seed in range(ROUNDS):
        lines = worker.round(seed, children=1 + seed % 2, dice=dice)
        for line in lines:
            ledger.note(line)
        cut_short += bool(ledger.unknown)

        database = Database.open(path)
        store = SqlSubjectStore(database)
        assert database.integrity() == ()
        assert_whole(store, ledger)
        assert store.revision() >= revision
        changes = store.changes_since(revision, MODEL)
        assert changes is not None
        for row in changes.removed:
            known.pop(row, None)
        known |= {t.row: t.sealed for t in changes.added}
        revision = changes.revision
        assert known == {t.row: t.sealed for t in read(store)}, "a reader in memory would be wrong"
        ledger.settle({number_of(s.subject) for s in store.subjects()})
        database.close()

        disk = path.read_bytes()
        assert [f.name for f in path.parent.iterdir()] == [path.name]
        assert not [n for n in ledger.gone if person(n).wrapped_key in disk], (
            "a key was left behind"
        )

    # Otherwise the kills hit nothing, and nothing was shown.
    assert ledger.acknowledged > 2 * ROUNDS
    assert cut_short > ROUNDS // 4
    assert any(n < CHILD_STRIDE for n in ledger.gone)
    assert any(n >= CHILD_STRIDE for n in ledger.gone)
