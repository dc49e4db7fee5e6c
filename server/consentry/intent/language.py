"""Is a text in a language that is covered? When that cannot be told, the answer is no.

The words of the lexicons decide first: short prompts are too short for statistics. Only where words
that no lexicon knows prevail is `py3langid` asked.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from consentry.intent.marking import Words
from consentry.intent.normalise import View

_MOSTLY = 0.45
_LONG_RUN = 4
_SHORT_TEXT = 2
_SAME = {"no": "nb", "nn": "nb", "fil": "tl"}


class LanguageGuesser(Protocol):
    """Says which language a text is in."""

    def guess(self, text: str) -> str:
        """Return a BCP 47 tag."""


class StatisticalGuesser:
    """`py3langid`. Its model loads at the first question; one at a time, guarded by `_lock`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._identifier: _Identifier | None = None

    def guess(self, text: str) -> str:
        """Return a BCP 47 tag."""
        with self._lock:
            if self._identifier is None:
                from py3langid.langid import MODEL_FILE, LanguageIdentifier

                self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
            language, _ = self._identifier.classify(text)
        return _SAME.get(language, language)


class _Identifier(Protocol):
    def classify(self, text: str) -> tuple[str, float]: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """Whether a text is covered, and what language it seems to be in."""

    is_readable: bool
    language: str


@dataclass(frozen=True, slots=True)
class LanguageCheck:
    """Tells covered texts from others. Safe to share between threads."""

    covered: frozenset[str]
    guesser: LanguageGuesser = field(default_factory=StatisticalGuesser)

    def read(self, text: str, words: Words, view: View) -> Reading:
        """Judge a text.

        Args:
            text: As it was sent.
            words: Its words, as one reading has them.
            view: That reading.
        """
        if any(token.script == "OTHER" and _is_word(token.text) for token in words.tokens):
            return Reading(is_readable=False, language=self._guess(text))
        judged = _judged(text, words, view)
        language = words.primary[0] if words.primary else "und"
        if not judged:
            return Reading(is_readable=True, language=language)
        share = sum(judged) / len(judged)
        if len(judged) <= _SHORT_TEXT and any(judged):
            return Reading(is_readable=True, language=language)
        if share >= _MOSTLY and _longest_run(judged) < _LONG_RUN:
            return Reading(is_readable=True, language=language)
        guess = self._guess(text)
        if guess in self.covered:
            return Reading(is_readable=True, language=language if share >= _MOSTLY else guess)
        return Reading(is_readable=False, language=guess)

    def _guess(self, text: str) -> str:
        return self.guesser.guess(text)


def _judged(text: str, words: Words, view: View) -> list[bool]:
    """Say of each word whether its text's languages know it; names and numbers are left out."""
    plausible = set(words.primary) | {"mul"}
    judged: list[bool] = []
    for i, (token, senses) in enumerate(zip(words.tokens, words.senses, strict=True)):
        if token.text.isdigit() or (len(token.text) == 1 and token.script == "LATIN"):
            continue
        is_known = not plausible.isdisjoint(senses)
        if not is_known:
            start, _ = view.source(token.start, token.end)
            is_name = text[start : start + 1].isupper() and i > 0
            has_digit = any(char.isdigit() for char in token.text)
            is_address = start > 0 and text[start - 1] in "@#/"
            if (is_name and "de" not in words.primary) or has_digit or is_address:
                continue
        judged.append(is_known)
    return judged


def _is_word(text: str) -> bool:
    return len(text) > 1 and any(char.isalpha() for char in text)


def _longest_run(judged: Sequence[bool]) -> int:
    longest = run = 0
    for known in judged:
        run = 0 if known else run + 1
        longest = max(longest, run)
    return longest
