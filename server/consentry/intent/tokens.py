"""A reading of a text as words, and what each word is: the step between letters and grammar."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from consentry.intent.normalise import WORD, View
from consentry.intent.vocabulary import Vocabulary

_SENTENCE_END = re.compile(
    r"(?<!\.)\.(?!\.)|[!?;\u0964\u0965\u3002\uff01\uff1f\uff1b\u061f\u061b\u06d4]"
)
_COMMA = re.compile(r"[,:\u060c\u3001\uff0c()\"\u201c\u201d\u00ab\u00bb/|\u2014\u2013]| -+ ")
_OF_A_WORD = r"\w'\u2019\u00ad\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0dff\u0e31-\u0e4e\u200b-\u200f"
"""Letters, marks on them, what joins and parts them unseen, apostrophes: goes inside a character class."""
CLAUSE_END = re.compile(rf"(?:[^{_OF_A_WORD}\- \u00a0]|_| -+ |[ \u00a0]{{2}})+")
"""People list what they want in lines, with dashes, bars, arrows and pictures."""
_SCRIPTS = (
    (0x0250, "LATIN"),
    (0x0370, "OTHER"),
    (0x0400, "GREEK"),
    (0x0530, "CYRILLIC"),
    (0x0590, "OTHER"),
    (0x0600, "HEBREW"),
    (0x0700, "ARABIC"),
    (0x0750, "OTHER"),
    (0x0780, "ARABIC"),
    (0x0900, "OTHER"),
    (0x0980, "DEVANAGARI"),
    (0x0A00, "BENGALI"),
    (0x0B80, "OTHER"),
    (0x0C00, "TAMIL"),
    (0x0E00, "OTHER"),
    (0x0E80, "THAI"),
    (0x1100, "OTHER"),
    (0x1200, "HANGUL"),
    (0x1E00, "OTHER"),
    (0x1F00, "LATIN"),
    (0x2000, "GREEK"),
    (0x2E80, "OTHER"),
    (0xA000, "CJK"),
    (0xAC00, "OTHER"),
    (0xD7B0, "HANGUL"),
    (0xF900, "OTHER"),
    (0xFB00, "CJK"),
    (0xFB50, "OTHER"),
    (0xFE00, "ARABIC"),
    (0xFE70, "OTHER"),
    (0xFF00, "ARABIC"),
    (0xFF66, "OTHER"),
    (0xFFA0, "CJK"),
    (0x20000, "OTHER"),
    (0x33480, "CJK"),
)
UNSPACED = frozenset({"CJK", "THAI", "HANGUL"})
"""Scripts in which words are found wherever they stand."""


def script_of(char: str) -> str:
    """Return the script of a letter, as `Lexicon.script` names it; OTHER for those of no lexicon."""
    if char.isascii():
        return "LATIN"
    code = ord(char)
    for end, script in _SCRIPTS:
        if code < end:
            return script
    return "OTHER"


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a reading.

    Attributes:
        text: As the reading has it.
        start: Where in the reading it begins.
        end: Where in the reading it ends.
        script: Of its first letter.
        ends_sentence: Whether a sentence ends before it.
        after_comma: Whether a comma or a bracket stands before it.
    """

    text: str
    start: int
    end: int
    script: str
    ends_sentence: bool
    after_comma: bool


class Vocabularies(dict[str, Vocabulary]):
    """By script."""


def tokens_of(view: View, vocabularies: Mapping[str, Vocabulary]) -> list[Token]:
    """Cut a reading into words; text without spaces is cut where its vocabulary knows a word."""
    text = view.text
    found: list[Token] = []
    last = 0
    for start, end, script in _runs(text):
        between = text[last:start]
        ends_sentence = bool(between) and bool(_SENTENCE_END.search(between))
        after_comma = bool(between) and bool(_COMMA.search(between))
        last = end
        vocabulary = vocabularies.get(script) if script in UNSPACED else None
        pieces: Iterable[tuple[int, int]] = (
            ((start, end),) if vocabulary is None else _cut(text, start, end, vocabulary)
        )
        for first, stop in pieces:
            found.append(Token(text[first:stop], first, stop, script, ends_sentence, after_comma))
            ends_sentence = after_comma = False
    return found


def breaks_of(view: View, tokens: Sequence[Token], sent: str) -> frozenset[int]:
    """Return before which words a clause may begin, by the signs and gaps in the text as it was sent."""
    if not CLAUSE_END.search(sent):
        return frozenset()
    sources = [view.source(token.start, token.end) for token in tokens]
    return frozenset(
        i
        for i, (before, here) in enumerate(pairwise(sources), 1)
        if CLAUSE_END.search(sent, min(before[1], here[1]), max(before[0], here[0]))
    )


def _runs(text: str) -> Iterator[tuple[int, int, str]]:
    """Give the words, and the runs of one unspaced script within them."""
    is_ascii = text.isascii()
    for match in WORD.finditer(text):
        start, end = match.span()
        if is_ascii:
            yield start, end, "LATIN"
            continue
        scripts = [script_of(char) for char in match[0]]
        if not UNSPACED.intersection(scripts):
            yield start, end, scripts[0]
            continue
        at = 0
        for i in range(1, len(scripts) + 1):
            is_digit = i < len(scripts) and match[0][i].isdigit()
            if i == len(scripts) or (
                (scripts[i] != scripts[at] or is_digit != match[0][at].isdigit())
                and (scripts[i] in UNSPACED or scripts[at] in UNSPACED)
            ):
                yield start + at, start + i, scripts[at]
                at = i


def _cut(text: str, start: int, end: int, vocabulary: Vocabulary) -> Iterator[tuple[int, int]]:
    at = unknown = start
    while at < end:
        length = vocabulary.longest_at(text, at, end)
        if not length:
            at += 1
            continue
        if unknown < at:
            yield unknown, at
        yield at, at + length
        at = unknown = at + length
    if unknown < end:
        yield unknown, end
