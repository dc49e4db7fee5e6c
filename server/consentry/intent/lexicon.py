"""The rules of a language: read from data, compiled once, immutable afterwards.

`lexicons/en.json` says what each part is. In its patterns ``<name>`` stands for a word list of the
same file, and a space for one to three signs that are neither letters nor digits nor the end of a
sentence, so that ``take off, her dress`` and ``see-through`` are met by one spelling.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import TypedDict

from consentry.intent.normalise import plain_view
from consentry.kernel.taxonomy import IntentCategory

MASK = "\x1f"
"""Stands where an exception was: no letter, no space, so that no rule reaches across it."""

_GAP = rf"(?:[^\w{MASK}.;!?]{{1,3}})"
_NAME = re.compile(r"(?<!\(\?P)(?<!\(\?)<([a-z]+)>")


class _RuleRow(TypedDict):
    id: str
    category: str
    pattern: str
    positive: list[str]
    negative: list[str]


class _ExceptionRow(TypedDict):
    id: str
    pattern: str
    spares: list[str]
    keeps: list[str]


class _CueRow(TypedDict):
    id: str
    pattern: str
    positive: list[str]
    negative: list[str]


class _Scripts(TypedDict):
    category: str
    fragments: list[str]


class _Misspelt(TypedDict):
    words: str
    never: str


class _File(TypedDict):
    language: str
    version: int
    words: dict[str, str]
    rules: list[_RuleRow]
    exceptions: list[_ExceptionRow]
    age: list[_CueRow]
    persons: list[_CueRow]
    scripts: _Scripts
    foreign: str
    given_names: str
    strong: str
    misspelt: _Misspelt


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, what it is a sign of (None for cues), and examples that it must and must not meet."""

    id: str
    category: IntentCategory | None
    pattern: re.Pattern[str]
    positive: tuple[str, ...]
    negative: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """The rules of one language.

    Attributes:
        rules: Signs of a category.
        exceptions: Harmless phrases that share words with the rules; hidden before the rules are
            applied. Their `positive` examples are spared, their `negative` ones are not.
        age: Signs of a minor.
        persons: References to a specific person.
        foreign: Small words of other languages that are not words of this one.
        given_names: Common first names, lower case.
        strong: Words worth looking for in disguise.
        misspelt: Words of which a misspelling counts, and real words that look like one.
        words: Everyday words of the language.
    """

    language: str
    rules: tuple[Rule, ...]
    exceptions: tuple[Rule, ...]
    age: tuple[Rule, ...]
    persons: tuple[Rule, ...]
    foreign: frozenset[str]
    given_names: frozenset[str]
    strong: frozenset[str]
    misspelt: frozenset[str]
    not_misspelt: frozenset[str]
    words: frozenset[str]

    def is_word(self, word: str) -> bool:
        """Whether a word, in lower case, is an everyday one or a regular form of one."""
        return any(form in self.words for form in _stems(word))


def load_lexicon(language: str) -> Lexicon:
    """Read and compile the lexicon of a language from the package's data.

    Args:
        language: BCP 47 tag; ``en`` is the only one so far.
    """
    folder = resources.files(__package__) / "lexicons"
    rows: _File = json.loads((folder / f"{language}.json").read_text(encoding="utf-8"))
    everyday: Mapping[str, Mapping[str, str]] = json.loads(
        (folder / f"{language}_words.json").read_text(encoding="utf-8")
    )
    words = frozenset(word for group in everyday["words"].values() for word in group.split())
    return Lexicon(
        language=rows["language"],
        rules=(
            *(
                Rule(
                    row["id"],
                    IntentCategory(row["category"]),
                    _compiled(row["pattern"], rows["words"]),
                    tuple(row["positive"]),
                    tuple(row["negative"]),
                )
                for row in rows["rules"]
            ),
            _script_rule(rows["scripts"]),
        ),
        exceptions=tuple(
            Rule(
                row["id"],
                None,
                _compiled(row["pattern"], rows["words"]),
                tuple(row["spares"]),
                tuple(row["keeps"]),
            )
            for row in rows["exceptions"]
        ),
        age=tuple(_cue(row, rows["words"]) for row in rows["age"]),
        persons=tuple(_cue(row, rows["words"]) for row in rows["persons"]),
        foreign=frozenset(rows["foreign"].split()),
        given_names=frozenset(rows["given_names"].split()),
        strong=frozenset(rows["strong"].split()),
        misspelt=frozenset(rows["misspelt"]["words"].split()),
        not_misspelt=frozenset(rows["misspelt"]["never"].split()),
        words=words,
    )


def _cue(row: _CueRow, words: Mapping[str, str]) -> Rule:
    return Rule(
        row["id"],
        None,
        _compiled(row["pattern"], words),
        tuple(row["positive"]),
        tuple(row["negative"]),
    )


def _script_rule(scripts: _Scripts) -> Rule:
    """One pattern of fragments, met anywhere: these scripts are written without spaces."""
    fragments = {plain_view(fragment).text for fragment in scripts["fragments"]}
    longest_first = sorted(fragments, key=len, reverse=True)
    return Rule(
        "loanword.fragment",
        IntentCategory(scripts["category"]),
        re.compile("|".join(re.escape(fragment) for fragment in longest_first)),
        tuple(scripts["fragments"]),
        (),
    )


def _compiled(pattern: str, words: Mapping[str, str]) -> re.Pattern[str]:
    while found := _NAME.search(pattern):
        pattern = pattern[: found.start()] + words[found[1]] + pattern[found.end() :]
    return re.compile(rf"(?<!\w)(?:{_with_gaps(pattern)})(?!\w)")


def _with_gaps(pattern: str) -> str:
    """Replace each space outside of brackets."""
    out: list[str] = []
    in_brackets = False
    for i, char in enumerate(pattern):
        if char in "[]" and pattern[i - 1] != "\\":
            in_brackets = char == "["
        out.append(_GAP if char == " " and not in_brackets else char)
    return "".join(out)


_ENDINGS = (
    ("'s", ""),
    ("s'", "s"),
    ("ies", "y"),
    ("ied", "y"),
    ("ier", "y"),
    ("iest", "y"),
    ("ily", "y"),
    ("es", ""),
    ("s", ""),
    ("ed", ""),
    ("ed", "e"),
    ("ing", ""),
    ("ing", "e"),
    ("er", ""),
    ("er", "e"),
    ("est", ""),
    ("est", "e"),
    ("ly", ""),
    ("ly", "le"),
    ("y", ""),
    ("y", "e"),
    ("ness", ""),
    ("ish", ""),
    ("ify", ""),
    ("less", ""),
    ("ful", ""),
    ("like", ""),
)
_SHORTEST_STEM = 3


def _stems(word: str) -> Iterator[str]:
    yield word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            stem = word[: len(word) - len(ending)] + instead
            yield stem
            if len(stem) > _SHORTEST_STEM and stem[-1] == stem[-2]:
                yield stem[:-1]
    for start in ("un", "re", "non", "over", "under", "semi", "super", "hyper", "photo"):
        if word.startswith(start) and len(word) - len(start) > _SHORTEST_STEM:
            yield word[len(start) :]
