"""Recall and false refusals of the intent engine on its corpora, with intervals, and its speed.

``python benchmarks/bench_intent.py`` prints the tables of docs/intent.md. ``--language es`` lists
what goes wrong in one language, ``--say TEXT`` how one prompt is read. Intervals: Wilson, 95 %.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from consentry.intent.engine import ENGINE_VERSION, IntentEngine
from consentry.intent.lexicon import languages, load_lexicon
from consentry.kernel.taxonomy import IntentCategory

CORPORA = Path(__file__).parents[1] / "tests" / "corpora"
Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Line:
    """One labelled prompt. `part` is ``tuning``, ``test`` or ``examples`` (of a lexicon)."""

    text: str
    language: str
    category: str
    part: str
    is_revealing: bool
    context: tuple[str, ...] = ()


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


def corpus() -> Iterator[Line]:
    """Read every labelled line of the corpora."""
    for name in ("intent_en", "intent_en_afterwards", "intent_world"):
        path = CORPORA / f"{name}.jsonl"
        if not path.exists():
            continue
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            yield Line(
                row["text"],
                row.get("language", "en"),
                row.get("class", row.get("category", "")),
                row.get("part", row.get("split", "tuning")),
                row["label"] == "revealing",
                tuple(row.get("context", ())),
            )


def examples(language: str) -> Iterator[Line]:
    """Give the examples of a lexicon."""
    lexicon = load_lexicon(language)
    for category, texts in lexicon.revealing.items():
        for text in texts:
            yield Line(text, language, category.value, "examples", category.is_revealing)
    for text in lexicon.harmless:
        yield Line(text, language, "harmless", "examples", is_revealing=False)


def list_wrong(engine: IntentEngine, language: str) -> None:
    """Print each example, and each corpus line of the tuning part, that goes wrong."""
    lines = [
        *examples(language),
        *(line for line in corpus() if line.language == language and line.part != "test"),
    ]
    counts = {"missed": 0, "refused falsely": 0, "unreadable": 0, "taken for another language": 0}
    order = list(IntentCategory)
    for line in lines:
        found = engine.assess(line.text, line.context)
        wrong = []
        if line.part == "examples" and line.category != "harmless":
            is_missed = order.index(found.category) > order.index(IntentCategory(line.category))
        else:
            is_missed = line.is_revealing and not found.category.is_revealing
        if is_missed:
            wrong.append("missed")
        if not line.is_revealing and found.category.is_revealing:
            wrong.append("refused falsely")
        if not found.is_readable:
            wrong.append("unreadable")
        elif found.language != language and line.part == "examples":
            wrong.append("taken for another language")
        for each in wrong:
            counts[each] += 1
        if wrong:
            rules = ", ".join(f"{s.rule}={line.text[s.start : s.end]!r}" for s in found.spans)
            print(f"{' + '.join(wrong):16} [{line.part}/{line.category}] {line.text}")
            print(f"{'':16} -> {found.category.value}, {found.language} {rules}")
    print(f"{language}: {len(lines)} lines; " + ", ".join(f"{n} {k}" for k, n in counts.items()))


def print_tables(engine: IntentEngine) -> None:
    """Print the tables of docs/intent.md."""
    started = time.perf_counter()
    engine.assess("bonjour tout le monde")
    loading = time.perf_counter() - started
    counts: dict[tuple[str, bool, str], list[int]] = defaultdict(lambda: [0, 0])
    times: list[float] = []
    unreadable = total = 0
    for line in corpus():
        engine.assess(line.text[:1])
        started = time.perf_counter()
        found = engine.assess(line.text, line.context)
        times.append(time.perf_counter() - started)
        for group in ("ALL", f"language {line.language}", f"class {line.category}"):
            counts[line.part, line.is_revealing, group][0] += found.category.is_revealing
            counts[line.part, line.is_revealing, group][1] += 1
        total += 1
        unreadable += not found.is_readable
    print(f"{ENGINE_VERSION}, Python {platform.python_version()}, {platform.machine()}")
    for part in sorted({part for part, _, _ in counts}):
        for is_revealing, title in ((True, "recall"), (False, "false refusals")):
            print(f"\n{title}, {part} part")
            for (each, label, group), (hits, of) in sorted(counts.items()):
                if (each, label) == (part, is_revealing):
                    print(f"  {group:28} {wilson(hits, of)}")
    print(f"\ntaken for unreadable  {wilson(unreadable, total)}")
    times.sort()
    print(
        f"per prompt: median {1000 * statistics.median(times):.2f} ms, "
        f"95th percentile {1000 * times[int(0.95 * len(times))]:.2f} ms; loading {loading:.1f} s"
    )


def main() -> None:
    """Do what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", choices=(*languages(), "all"))
    parser.add_argument("--say")
    arguments = parser.parse_args()
    engine = IntentEngine()
    if arguments.say is not None:
        print(engine.explain(arguments.say))
    elif arguments.language is not None:
        for each in languages() if arguments.language == "all" else [arguments.language]:
            list_wrong(engine, each)
    else:
        print_tables(engine)


if __name__ == "__main__":
    main()
