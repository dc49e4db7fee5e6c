"""What classifiers of requests learn from, and what they are asked about later. No program of its own."""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

_ROOT = Path(__file__).parents[1]
_CORPORA = _ROOT / "tests" / "corpora"
_LEXICONS = _ROOT / "server" / "consentry" / "intent" / "lexicons"
# Parts of the corpora of which nothing is learned; they are scored after each round.
ASKED_LATER = {"fresh", "judged", "ordinary", "second", "test", "threshold", "twins"}
_SURE = 0.8
_GARMENTS_EACH = 10
"""How many garments each saying about a garment is learned with."""
_LONGEST_JOINED = 150
"""In characters: two or three of them are heard in one look."""
_JOINTS = (". ", ". ", ", ", ", ", " ", "; ", " + ", "! ", "\n", "\n", "\n")
"""What stands between them; the end of a line is the end of a turn."""


@dataclass(frozen=True, slots=True)
class Line:
    """A prompt with the turns before it; ``source`` is the corpus that it is of."""

    text: str
    is_revealing: bool
    language: str
    part: str = ""
    source: str = ""


def lines() -> list[Line]:
    """Read every prompt that there is; those of `ASKED_LATER` only to be scored."""
    found: list[Line] = []
    asked_later: set[str] = set()
    for path in sorted([*_CORPORA.glob("intent_*.jsonl"), *_CORPORA.glob("training/*.jsonl")]):
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            part = row.get("part", "")
            if part in ASKED_LATER:
                asked_later.add(_letters(row["text"]))
            if "label" not in row:
                continue
            found.append(
                Line(
                    "\n".join([*row.get("context", []), row["text"]]),
                    row["label"] == "revealing",
                    row.get("language", "en"),
                    part if part in ASKED_LATER else "",
                    path.stem.partition("_")[0],
                )
            )
    for path in sorted(_LEXICONS.glob("*.json")):
        lexicon = json.loads(path.read_text(encoding="utf-8"))
        found += [Line(text, False, path.stem) for text in lexicon.get("harmless", [])]  # noqa: FBT003
        for category, texts in lexicon.get("revealing", {}).items():
            if category not in {"face_swap", "impersonation"}:
                found += [Line(text, True, path.stem) for text in texts]  # noqa: FBT003
    for path in sorted(_CORPORA.glob("training/garments_*.json")):
        found += _worn(json.loads(path.read_text(encoding="utf-8")), path.stem.partition("_")[2])
    # Short requests are written twice by chance: nothing is learned from a prompt that is asked later.
    return [
        line
        for line in found
        if line.part or asked_later.isdisjoint(map(_letters, (line.text, _last(line.text))))
    ]


def _worn(said: Mapping[str, Sequence[str]], language: str) -> list[Line]:
    """Put garments into what is said of them, each time others of them."""
    garments = said["garments"]
    random = np.random.default_rng(len(garments))
    return [
        Line(text.replace("{}", garments[i]), label == "revealing", language, source="garments")
        for label in ("revealing", "harmless")
        for text in said[label]
        for i in random.permutation(len(garments))[:_GARMENTS_EACH]
    ]


def joined(training: Sequence[Line], count: int, random: np.random.Generator) -> list[Line]:
    """Make prompts of two or three: what asks within others, and as many that nowhere do.

    A mean over all words, learned from prompts that ask for one thing, listens to their end.
    """
    short = [
        line for line in training if len(line.text) <= _LONGEST_JOINED and "\n" not in line.text
    ]
    harmless: dict[str, list[Line]] = defaultdict(list)
    for line in short:
        if not line.is_revealing:
            harmless[line.language].append(line)
    begun = {
        asks: [line for line in short if line.is_revealing is asks and harmless[line.language]]
        for asks in (True, False)
    }
    found = []
    for i in range(count):
        lines = begun[i % 2 == 0]
        first = lines[random.integers(len(lines))]
        others = harmless[first.language]
        parts = [first, *(others[j] for j in random.integers(len(others), size=1 + (i % 5 == 0)))]
        random.shuffle(parts)
        text = parts[0].text
        for part in parts[1:]:
            text = text.rstrip(" .") + _JOINTS[random.integers(len(_JOINTS))] + part.text
        found.append(Line(text, first.is_revealing, first.language))
    return found


def disguised(line: Line, random: np.random.Generator) -> Line:
    """Write a prompt as people do who are in a hurry, or hide something: one slip or trick of `_TRICKS`."""
    trick = _TRICKS[random.integers(len(_TRICKS))]
    return replace(line, text=trick(line.text, random))


def summary(scores: npt.NDArray[np.float32], watched: Sequence[Line]) -> str:
    """Say how well scores part the two kinds, in each part."""
    said = []
    for part in sorted({line.part for line in watched}):
        yes, no = (
            np.sort(
                [
                    score
                    for score, line in zip(scores, watched, strict=True)
                    if line.part == part and line.is_revealing is revealing
                ]
            )
            for revealing in (True, False)
        )
        if not len(yes):
            said.append(f"{part}: {np.mean(no >= _SURE):.3f} false")
            continue
        area = np.searchsorted(no, yes).sum() / (len(yes) * len(no))
        at = float(np.quantile(no, 0.95))
        said.append(
            f"{part}: AUC {area:.4f}, recall at 5 % false {np.mean(yes > at):.3f} "
            f"(threshold {at:.2f})"
        )
    return "; ".join(said)


def _with_a_word(text: str, random: np.random.Generator, change: Callable[[str], str]) -> str:
    """Change one word of four letters and more, by chance; a text without any stays as it is."""
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) >= 4 and word.isalpha()]
    if long:
        i = long[random.integers(len(long))]
        words[i] = change(words[i])
    return " ".join(words)


def _slip(word: str, random: np.random.Generator) -> str:
    """Leave a letter out, double it, or change it with the next one."""
    i = int(random.integers(len(word) - 1))
    return [
        word[:i] + word[i + 1 :],
        word[:i] + word[i] + word[i:],
        word[:i] + word[i + 1] + word[i] + word[i + 2 :],
    ][random.integers(3)]


def _without_accents(text: str) -> str:
    letters = unicodedata.normalize("NFD", text)
    return unicodedata.normalize(
        "NFC", "".join(each for each in letters if not "\u0300" <= each <= "\u036f")
    )


_LEET = str.maketrans("aeiostAEIOST", "4310574310$7")
_TRICKS: tuple[Callable[[str, np.random.Generator], str], ...] = (
    *(lambda text, random: _with_a_word(text, random, lambda word: _slip(word, random)),) * 4,
    *(lambda text, _: _without_accents(text),) * 3,
    lambda text, _: text.replace(" ", ""),
    lambda text, _: text.upper(),
    lambda text, random: _with_a_word(text, random, lambda word: word.translate(_LEET)),
    lambda text, _: text.translate(_LEET),
    lambda text, random: _with_a_word(text, random, ".".join),
    lambda text, random: _with_a_word(text, random, " ".join),
    lambda text, random: _with_a_word(text, random, lambda word: word[:-1] + word[-1] * 4),
)


def _last(text: str) -> str:
    return text.rpartition("\n")[2]


def _letters(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(filter(str.isalnum, folded)) or text
