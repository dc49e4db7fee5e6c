"""Recall and false refusals of the intent engine on its corpora, with intervals, and its speed.

``python benchmarks/bench_intent.py`` prints the tables of docs/intent.md. ``--language es`` lists
what goes wrong in one language, ``--say TEXT`` how one prompt is read, and ``--write`` puts the
tables into docs/intent.md. Intervals: Wilson, 95 %.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from consentry.evaluation.rates import wilson
from consentry.inference.sessions import ModelStore
from consentry.intent.engine import ENGINE_VERSION, IntentEngine
from consentry.intent.lexicon import languages, load_lexicon
from consentry.intent.ngrams import THRESHOLDS, load_ngrams
from consentry.kernel.taxonomy import IntentCategory
from consentry.wiring import intent_engine

CORPORA = Path(__file__).parents[1] / "tests" / "corpora"
DOCS = Path(__file__).parents[1] / "docs" / "intent.md"
BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"


@dataclass(frozen=True, slots=True)
class Line:
    """One labelled prompt.

    `part` is ``tuning``, ``threshold``, ``twins``, ``fresh``, ``second``, ``judged``, ``ordinary``,
    ``test`` or ``examples`` (of a lexicon).
    """

    text: str
    language: str
    category: str
    part: str
    is_revealing: bool
    context: tuple[str, ...] = ()


def share(hits: int, total: int) -> str:
    """Return a share with its 95 % interval, in percent."""
    if total == 0:
        return "-"
    rate = wilson(hits, total)
    return f"{100 * rate.value:.1f} % [{100 * rate.low:.1f}, {100 * rate.high:.1f}] of {total}"


def corpus() -> Iterator[Line]:
    """Read every labelled line of the corpora."""
    for name in (
        "intent_en",
        "intent_en_afterwards",
        "intent_world",
        "intent_threshold",
        "intent_twins",
        "intent_fresh",
        "intent_second",
        "intent_judged",
        "intent_ordinary",
    ):
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
        *(line for line in corpus() if line.language == language and line.part == "tuning"),
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


def tables(engine: IntentEngine, others: Mapping[str, IntentEngine]) -> str:
    """Return the tables of docs/intent.md: recall and false refusals by part, class and language."""
    started = time.perf_counter()
    engine.assess("bonjour tout le monde")
    loading = time.perf_counter() - started
    counts: dict[tuple[str, str, bool], list[int]] = defaultdict(lambda: [0, 0])
    times: list[float] = []
    unreadable: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for line in corpus():
        started = time.perf_counter()
        found = engine.assess(line.text, line.context)
        times.append(time.perf_counter() - started)
        kinds = ["all", f"class {line.category}"]
        if line.part in {"fresh", "second", "judged", "ordinary", "test"}:
            kinds.append(f"language {line.language}")
        for kind in kinds:
            cell = counts[line.part, kind, line.is_revealing]
            cell[0] += found.category.is_revealing
            cell[1] += 1
        for name, other in others.items():
            cell = counts[line.part, f"all, {name}", line.is_revealing]
            cell[0] += other.assess(line.text, line.context).category.is_revealing
            cell[1] += 1
        unreadable[line.part][0] += not found.is_readable
        unreadable[line.part][1] += 1
    rows = [f"{ENGINE_VERSION}, {len(languages())} lexicons, Python {platform.python_version()}."]
    for part in ("fresh", "second", "judged", "test", "ordinary", "threshold", "twins", "tuning"):
        rows += ["", f"| {part} part | recall | false refusals |", "|---|---|---|"]
        for kind in sorted({kind for each, kind, _ in counts if each == part}):
            recall, refusals = (share(*counts[part, kind, label]) for label in (True, False))
            rows.append(f"| {kind} | {recall} | {refusals} |")
        rows += ["", f"Taken for unreadable: {share(*unreadable[part])}."]
    times.sort()
    rows.append(
        f"\nPer prompt {1000 * statistics.median(times):.1f} ms at the median, "
        f"{1000 * times[int(0.95 * len(times))]:.0f} ms at the 95th percentile, on a shared "
        f"two-core machine; the first question of a script loads for {loading:.0f} s at most."
    )
    return "\n".join(rows)


def write(text: str) -> None:
    """Put the tables between the marks in docs/intent.md."""
    before, rest = DOCS.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    DOCS.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Do what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", choices=(*languages(), "all"))
    parser.add_argument("--say")
    parser.add_argument("--write", action="store_true")
    parser.add_argument(
        "--models-dir", type=Path, default=Path.home() / ".cache" / "consentry" / "models"
    )
    arguments = parser.parse_args()
    engine = IntentEngine()
    if arguments.say is not None:
        print(engine.explain(arguments.say))
    elif arguments.language is not None:
        for each in languages() if arguments.language == "all" else [arguments.language]:
            list_wrong(engine, each)
    else:
        others = {
            "in the browser": IntentEngine(load_ngrams(), THRESHOLDS),
            "rules alone": engine,
        }
        measured = tables(intent_engine(ModelStore(arguments.models_dir, threads=1)), others)
        print(measured)
        if arguments.write:
            write(measured)


if __name__ == "__main__":
    main()
