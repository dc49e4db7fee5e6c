"""Words worth looking for in disguise: misspelt, taken apart, run together, written backwards."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from consentry.intent.lexicon import Lexicon
from consentry.intent.normalise import View
from consentry.intent.tokens import UNSPACED, Token

_SLOTS = ("nude", "undress", "underwear", "swimwear", "sexual", "garment", "remove", "without",
          "transparent", "minor")  # fmt: skip
_SHORTEST = 4
_SHORTEST_MISSPELT = 6
_LONGEST_SLIP = 1
_LONGEST_MISSPELT = 16
_SHORTEST_BACKWARDS = 3
_MOST_MENDED = 100
"""Words of one text that are mended: a bound on hostile ones. Each is a strong word already."""
_MASKED = re.compile(r"(?<![^\W_])[^\W\d_]+(?:[*#][^\W\d_]*){1,4}(?![^\W_])")


class StrongWords:
    """The strong words of some languages. Immutable.

    Attributes:
        words: As they are written.
        starts: Everything that one of them begins with.
        backwards_unspaced: Backwards, those of scripts without spaces, where they stand anywhere.
    """

    def __init__(self, lexicons: Iterable[Lexicon]) -> None:
        self._by_language: dict[str, frozenset[str]] = {}
        backwards: set[str] = set()
        stems: set[str] = set()
        for lexicon in lexicons:
            texts = frozenset(
                form.text
                for slot in _SLOTS
                for form in lexicon.words.get(slot, ())
                if not form.is_open_before
                and (len(form.text) >= _SHORTEST or lexicon.script in UNSPACED)
            )
            self._by_language[lexicon.language] = texts
            stems |= {
                form.text
                for slot in _SLOTS
                for form in lexicon.words.get(slot, ())
                if form.is_open_after and not form.is_open_before and len(form.text) > _SHORTEST
            }
            if not lexicon.has_spaces:
                # The word for "very" is another one backwards.
                known = {form.text for forms in lexicon.words.values() for form in forms}
                turned = {text[::-1] for text in texts if len(text) >= _SHORTEST_BACKWARDS}
                backwards |= turned - known
        self.words: frozenset[str] = frozenset().union(*self._by_language.values())
        self.starts = frozenset(
            word[:end] for word in self.words for end in range(1, len(word) + 1)
        )
        self._stems = frozenset(stems)
        self._by_shape: dict[tuple[str, int], list[str]] = {}
        for word in sorted(self.words):
            self._by_shape.setdefault((word[0], len(word)), []).append(word)
        self.backwards_unspaced = frozenset(backwards)
        self._slips = {
            language: _slips(word for word in words if len(word) >= _SHORTEST_MISSPELT)
            for language, words in self._by_language.items()
        }
        longest_first = sorted(
            (word for word in self.words if len(word) > _SHORTEST), key=len, reverse=True
        )
        self._any = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def is_word(self, spelt: str) -> bool:
        """Whether letters spell a word, or begin with the stem of one and little more."""
        return spelt in self.words or any(
            spelt[:end] in self._stems for end in range(max(len(spelt) - 3, 5), len(spelt) + 1)
        )

    def may_begin(self, spelt: str) -> bool:
        """Whether a word may begin with some letters."""
        return spelt in self.starts or self.is_word(spelt)

    def unmasked(self, view: View) -> View | None:
        """Fill in letters that signs stand for (``b*k*n*``), where one strong word fits."""
        text = view.text
        changed = False
        for match in itertools.islice(_MASKED.finditer(view.text), _MOST_MENDED):
            meant = self._hidden_in(match[0])
            if meant is not None:
                changed = True
                text = text[: match.start()] + meant + text[match.end() :]
        return View(text, view.starts, view.ends) if changed else None

    def _hidden_in(self, masked: str) -> str | None:
        """Return the strong word that fits, if letters are most of it."""
        if sum(char.isalpha() for char in masked) * 2 < len(masked):
            return None
        fitting = re.compile(re.sub(r"[*#]", ".", masked))
        alike = self._by_shape.get((masked[0], len(masked)), ())
        return next((word for word in alike if fitting.fullmatch(word)), None)

    def parted(self, view: View) -> View:
        """Set spaces around strong words that single letters were run together with."""
        text = view.text
        starts, ends = list(view.starts), list(view.ends)
        found = list(itertools.islice(self._any.finditer(text), _MOST_MENDED))
        for match in reversed(found):
            for place in (match.end(), match.start()):
                text = text[:place] + " " + text[place:]
                here = starts[min(place, len(starts) - 1)]
                starts.insert(place, here)
                ends.insert(place, here)
        return View(text, tuple(starts), tuple(ends))

    def mended(
        self, view: View, strangers: Sequence[Token], languages: Sequence[str]
    ) -> View | None:
        """Correct one slip in each word that no language knows, if a strong word may be meant."""
        text, starts, ends = view.text, view.starts, view.ends
        changed = False
        slips = [
            (token, meant)
            for token in strangers
            if (meant := self._meant(token.text, (*languages, "en"))) is not None
        ]
        for token, meant in reversed(slips[:_MOST_MENDED]):
            changed = True
            first, last = starts[token.start], ends[token.end - 1]
            text = text[: token.start] + meant + text[token.end :]
            starts = (*starts[: token.start], *[first] * len(meant), *starts[token.end :])
            ends = (*ends[: token.start], *[last] * len(meant), *ends[token.end :])
        return View(text, starts, ends) if changed else None

    def _meant(self, word: str, languages: Iterable[str]) -> str | None:
        if not _SHORTEST_MISSPELT - 1 <= len(word) <= _LONGEST_MISSPELT:
            return None
        for language in languages:
            slips = self._slips.get(language, {})
            for key in (word, *_deletions(word)):
                for candidate in slips.get(key, ()):
                    if candidate[0] == word[0] and _is_one_slip(word, candidate):
                        return candidate
        return None


def _slips(words: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in sorted(words):
        for key in (word, *_deletions(word)):
            found.setdefault(key, []).append(word)
    return found


def _deletions(word: str) -> Iterator[str]:
    for i in range(len(word)):
        yield word[:i] + word[i + 1 :]


def _is_one_slip(word: str, meant: str) -> bool:
    """Whether two words differ by one letter added, lost, changed, or two swapped."""
    if abs(len(word) - len(meant)) > _LONGEST_SLIP or word == meant:
        return False
    short, long = sorted((word, meant), key=len)
    i = 0
    while i < len(short) and short[i] == long[i]:
        i += 1
    if len(short) < len(long):
        return short[i:] == long[i + 1 :]
    is_swap = word[i : i + 2] == meant[i : i + 2][::-1] and word[i + 2 :] == meant[i + 2 :]
    return short[i + 1 :] == long[i + 1 :] or is_swap
