"""Is a text in the language that the rules cover? When that cannot be told, the answer is no.

Everyday words decide first: short prompts are too short for statistics. Only where words that are
not known prevail is `py3langid` asked.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from consentry.intent.lexicon import Lexicon

_MOSTLY = 0.6
_HARDLY = 0.3
_LONG_RUN = 4
_SHORT_TEXT = 2
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
# Addresses, handles, options, file names and whatever has a digit in it. Anchored, and applied to one word at a time:
# a search over the whole text would take time in the square of its length.
_NOT_PROSE = re.compile(
    r"https?://|www\.|[@#]\w|--?\w|<|[^@]*@[^@.]*\.|[^\d]*\d"
    r"|[^.]*\.(?:jpe?g|png|gif|webp|svg|pdf|psd|html|com|org|net)\b",
    re.IGNORECASE,
)


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
        return language


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

    lexicon: Lexicon
    guesser: LanguageGuesser = field(default_factory=StatisticalGuesser)

    def read(self, text: str, plain: str) -> Reading:
        """Judge a text.

        Args:
            text: As it was sent.
            plain: The same with disguises of letters undone.
        """
        if _has_other_script(plain):
            return Reading(is_readable=False, language=self.guesser.guess(text))
        words = self._judge(_prose(text), plain)
        judged = [known for known in words if known is not None]
        if not judged:
            return Reading(is_readable=True, language="und")
        if self._is_covered(text, plain, judged):
            return Reading(is_readable=True, language=self.lexicon.language)
        language = self.guesser.guess(text)
        is_certain = language != self.lexicon.language
        return Reading(is_readable=False, language=language if is_certain else "und")

    def _judge(self, text: str, plain: str) -> list[bool | None]:
        """Say for each word whether it is known; None for names and the like, which say nothing."""
        known_plain = set(_WORD.findall(plain))
        judged: list[bool | None] = []
        for i, match in enumerate(_WORD.finditer(text)):
            word = match[0]
            lower = word.lower().replace("\u2019", "'")
            parts = lower.split("-")
            if all(self.lexicon.is_word(part) for part in parts) or lower in self.lexicon.strong:
                judged.append(True)
            elif lower in self.lexicon.given_names or (
                i and word[:1].isupper() and not word.isupper()
            ):
                judged.append(None)
            elif len(word) == 1 or (not word.isascii() and lower not in known_plain):
                # A disguised word is judged by what it reads as.
                judged.append(self._reads_as_known(lower))
            else:
                judged.append(False)
        return judged

    def _reads_as_known(self, word: str) -> bool | None:
        if len(word) == 1:
            return None
        bare = "".join(
            char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char)
        )
        return self.lexicon.is_word(bare) and bare.isascii() and bare in {"cafe", "fiance", "decor"}

    def _is_covered(self, text: str, plain: str, judged: list[bool]) -> bool:
        share = sum(judged) / len(judged)
        markers = sum(
            word in self.lexicon.foreign and not self.lexicon.is_word(word)
            for word in (found.lower() for found in _WORD.findall(_prose(text)))
        )
        if share >= _MOSTLY:
            has_foreign_run = _longest_run(judged) >= _LONG_RUN or markers > 1
            return not has_foreign_run or self._seems_covered(text)
        if len(judged) <= _SHORT_TEXT and any(judged) and not markers:
            return plain.isascii() or self._seems_covered(text)
        if share > _HARDLY and not markers:
            return plain.isascii() or self._seems_covered(text)
        if markers:
            return False
        return self._seems_covered(text)

    def _seems_covered(self, text: str) -> bool:
        return self.guesser.guess(text) == self.lexicon.language


def _prose(text: str) -> str:
    return " ".join(word for word in text.split() if not _NOT_PROSE.match(word))


def _longest_run(judged: list[bool]) -> int:
    longest = run = 0
    for known in judged:
        run = 0 if known else run + 1
        longest = max(longest, run)
    return longest


def _has_other_script(plain: str) -> bool:
    """Whether two letters of another script stand side by side: a word that is not Latin."""
    return any(
        _is_foreign_letter(one) and _is_foreign_letter(other) for one, other in pairwise(plain)
    ) or any(_is_ideograph(char) for char in plain)


def _is_foreign_letter(char: str) -> bool:
    return (
        not char.isascii()
        and char.isalpha()
        and not unicodedata.name(char, "LATIN").startswith(("LATIN", "MASCULINE", "FEMININE"))
    )


def _is_ideograph(char: str) -> bool:
    return not char.isascii() and unicodedata.name(char, "").startswith("CJK UNIFIED")
