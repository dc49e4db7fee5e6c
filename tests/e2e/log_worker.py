"""Forks children that append to a log and publish it, and kills them. Run by `test_log_crash.py`.

Speaks as `crash_worker.py` does; what is acknowledged: "ack verdict <n> <index>", "ack head <size>".
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from consentry.storage.database import Database
from consentry.storage.receipts import SqlReceiptStore
from consentry.storage.subjects import SqlSubjectStore
from contracts.receipt_store import draft
from contracts.subject_store import person
from fakes.logs import log_of, publisher


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def work(path: Path, seed: int, child: int) -> None:
    dice = random.Random(f"{seed} {child}")
    database = Database.open(path, busy_timeout_s=30)
    log = log_of(database)
    receipts, subjects, publish = (
        SqlReceiptStore(database, log),
        SqlSubjectStore(database),
        publisher(log),
    )
    number = (seed * 10 + child) * 10_000
    while True:
        number += 1
        what = dice.random()
        if what < 0.55:
            say(f"try verdict {number}")
            kept = receipts.add(draft(number))
            say(f"ack verdict {number} {kept.log.index}")
        elif what < 0.75:
            subjects.add_subject(person(number), [])
        else:
            signed = publish.batch() if what < 0.9 else publish()
            say(f"ack head {signed.checkpoint.size} {signed.checkpoint.root.hex()}")


def main() -> None:
    path = Path(sys.argv[1])
    while line := sys.stdin.readline():
        seed, children = map(int, line.split())
        pids = []
        for child in range(children):
            pid = os.fork()
            if pid == 0:
                try:
                    work(path, seed, child)
                finally:
                    os._exit(1)
            pids.append(pid)
        sys.stdin.readline()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        ends = [os.waitpid(pid, 0)[1] for pid in pids]
        say("dead" if all(os.WTERMSIG(end) == signal.SIGKILL for end in ends) else "failed")


if __name__ == "__main__":
    main()
