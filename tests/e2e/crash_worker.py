"""Forks children that change a database, and kills them in the middle of it. Run by `test_crash.py`.

    stdin   a round is two lines: "<seed> <children>", and "kill" when they shall die
    stdout  from the children: "try <verb> <n>" before a change, "ack <verb> <n>" when it returned
            from here:         "dead" when every child of the round was killed

One import for all rounds: a child is there in milliseconds, with nothing open that it inherited. A
line to a pipe leaves the process in one write, so what was acknowledged is known even when the
next instruction is never reached.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from consentry.storage.database import Database
from consentry.storage.subjects import SqlSubjectStore
from contracts.subject_store import number_of, person, template, who

CHILD_STRIDE = 1_000_000
TEMPLATES = 3


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def templates_of(n: int):
    return [template(TEMPLATES * n + k, size_bytes=2_900) for k in range(TEMPLATES)]


def work(path: Path, seed: int, child: int) -> None:
    dice = random.Random(f"{seed} {child}")
    store = SqlSubjectStore(Database.open(path, busy_timeout_s=30))
    first = child * CHILD_STRIDE
    mine = sorted(
        n
        for n in map(number_of, (s.subject for s in store.subjects()))
        if first <= n < first + CHILD_STRIDE
    )
    fresh = first + seed * 1_000
    while True:
        if len(mine) > 8 or (mine and dice.random() < 0.45):
            n = mine.pop(dice.randrange(len(mine)))
            say(f"try remove {n}")
            store.remove_subject(who(n))
            say(f"ack remove {n}")
        else:
            n, fresh = fresh, fresh + 1
            say(f"try add {n}")
            store.add_subject(person(n), templates_of(n))
            say(f"ack add {n}")
            mine.append(n)


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
