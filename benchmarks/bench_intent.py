"""Recall and false refusals of the intent engine on its corpus, with intervals, and its speed.

Run ``python benchmarks/bench_intent.py``. Intervals are Wilson's, 95 %.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
import statistics
import time
from collections import defaultdict
from pathlib import Path

from consentry.intent.engine import ENGINE_VERSION, IntentEngine

CORPORA = Path(__file__).parents[1] / "tests" / "corpora"
Z_95 = 1.959964


def wilson(hits: int, total: int) -> str:
    """Return a share with its 95 % interval, in percent."""
    if total == 0:
        return "-"
    share = hits / total
    centre = (share + Z_95**2 / (2 * total)) / (1 + Z_95**2 / total)
    half = (Z_95 / (1 + Z_95**2 / total)) * math.sqrt(
        share * (1 - share) / total + Z_95**2 / (4 * total**2)
    )
    return f"{100 * share:5.1f} % [{100 * (centre - half):.1f}, {100 * (centre + half):.1f}] of {total}"


def is_held_out(text: str) -> bool:
    """Say in which half of the corpus a line is: the rule of tests/unit/intent/test_intent_corpus.py."""
    return hashlib.sha256(text.encode()).digest()[0] % 2 == 1


def lines(name: str) -> list[dict[str, str]]:
    """Read a corpus."""
    text = (CORPORA / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def main() -> None:
    """Print the tables of docs/intent.md."""
    engine = IntentEngine()
    started = time.perf_counter()
    engine.assess("bonjour tout le monde")
    loading = time.perf_counter() - started
    counts: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    times: list[float] = []
    unreadable = benign = 0
    for line in lines("intent_en.jsonl"):
        started = time.perf_counter()
        found = engine.assess(line["text"])
        times.append(time.perf_counter() - started)
        half = "held out" if is_held_out(line["text"]) else "tuning"
        for category in (line["category"], "ALL"):
            counts[half, line["label"], category][0] += found.category.is_revealing
            counts[half, line["label"], category][1] += 1
        if line["label"] == "benign":
            benign += 1
            unreadable += not found.is_readable
    print(f"{ENGINE_VERSION}, Python {platform.python_version()}, {platform.machine()}")
    for label, title in (("revealing", "recall"), ("benign", "false refusals")):
        for half in ("tuning", "held out"):
            print(f"\n{title}, {half} half")
            for (each_half, each_label, category), (hits, total) in sorted(counts.items()):
                if (each_half, each_label) == (half, label):
                    print(f"  {category:18} {wilson(hits, total)}")
    print(f"\neveryday English taken for unreadable  {wilson(unreadable, benign)}")
    foreign = lines("intent_foreign.jsonl")
    stopped = sum(
        not found.is_readable or found.category.is_revealing
        for found in (engine.assess(line["text"]) for line in foreign)
    )
    print(f"other languages unreadable (or caught)  {wilson(stopped, len(foreign))}")
    times.sort()
    print(
        f"\nper prompt: median {1000 * statistics.median(times):.2f} ms, "
        f"95th percentile {1000 * times[int(0.95 * len(times))]:.2f} ms; loading {loading:.1f} s"
    )


if __name__ == "__main__":
    main()
