"""kill -9 while one or two processes append and publish, two hundred times: one log, and no head broken."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from consentry.kernel.ids import CheckId
from consentry.storage.database import Database
from consentry.storage.receipts import SqlReceiptStore
from consentry.transparency.checkpoints import Checkpoint, SignedCheckpoint
from consentry.transparency.entries import VerdictEntry, decode_entry, receipt_digest
from consentry.transparency.tree import consistency_proof, root, verify_consistency
from consentry.transparency.whole import verify_whole
from contracts.receipt_store import signed
from fakes.logs import log_of, publisher

ROUNDS = 200

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="starts processes by fork"),
]


class Worker:
    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("log_worker.py")), str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def round(self, seed: int, *, children: int, dice: random.Random) -> list[list[str]]:
        """Let children work until a few lines have come, wait a moment, kill; return all lines."""
        self._say(f"{seed} {children}")
        lines = [self._line() for _ in range(dice.randrange(1, 5))]
        time.sleep(dice.uniform(0, 0.006))
        self._say("kill")
        while (line := self._line()) not in {"dead", "failed"}:
            lines.append(line)
        assert line == "dead", "a child ended by itself"
        return [line.split() for line in lines]

    def _say(self, line: str) -> None:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        return self._process.stdout.readline().strip() or "failed"

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)


def test_two_hundred_kills_leave_one_log_that_keeps_every_promise(tmp_path):
    path = tmp_path / "home" / "consentry.db"
    Database.open(path).close()
    dice, worker = random.Random(0), Worker(path)
    places: dict[int, int] = {}
    heads: dict[int, bytes] = {}
    cut_short = 0

    for seed in range(ROUNDS):
        tried: set[str] = set()
        for stage, what, *rest in worker.round(seed, children=1 + seed % 2, dice=dice):
            if stage == "try":
                tried.add(rest[0])
            elif what == "verdict":
                places[int(rest[0])] = int(rest[1])
                tried.discard(rest[0])
            else:
                # Two processes that publish at one size publish one head.
                assert heads.setdefault(int(rest[0]), bytes.fromhex(rest[1])).hex() == rest[1]
        cut_short += bool(tried)

        if seed % 20 == 19:  # the file is whole after every kill; looking at all of it takes time
            look(path, places, heads)
    worker.close()
    look(path, places, heads)

    # Otherwise the kills hit nothing, and nothing was shown.
    assert len(places) > ROUNDS // 4
    assert len(heads) > ROUNDS // 8
    assert cut_short > ROUNDS // 10


def look(path: Path, places: dict[int, int], heads: dict[int, bytes]) -> None:
    """What was acknowledged is there, and every head that anybody saw is of one history."""
    database = Database.open(path)
    log = log_of(database)
    receipts = SqlReceiptStore(database, log)
    assert database.integrity() == ()
    latest = publisher(log)()
    with log.view() as view:
        entries = [data for _, data in view.entries()]
        for number, index in places.items():
            kept = receipts.get(CheckId(f"chk_{number}"))
            assert kept.log.index == index
            entry = decode_entry(entries[index])
            assert isinstance(entry, VerdictEntry)
            assert entry.receipt == receipt_digest(signed(number, kept.log))
        assert len(set(places.values())) == len(places)
        nodes = view.nodes(view.size)
        for size, expected in heads.items():
            assert root(nodes, size) == expected
            proof = consistency_proof(nodes, size, view.size)
            verify_consistency(size, view.size, proof, expected, latest.checkpoint.root)
        seen = [
            SignedCheckpoint(
                checkpoint=Checkpoint(origin=view.origin, size=size, root=expected),
                note=latest.note,
            )
            for size, expected in heads.items()
        ]
        verify_whole(view.entries(), [*seen, latest], nodes)
        # A receipt and its entry come and go together.
        verdicts = sum(isinstance(decode_entry(each), VerdictEntry) for each in entries)
        assert verdicts == receipts.count()
    database.close()
