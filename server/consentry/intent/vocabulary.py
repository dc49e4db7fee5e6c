"""The words of every language that shares a script: looked up a word at a time, in dictionaries.

No regular expression holds the vocabulary: a word is found by its exact form, its beginning, its
ending or a part of it, so that thousands of forms cost no more than a few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from consentry.intent.lexicon import Lexicon, Phrase, WordForm

_LONGEST_WORD = 48
_LONGEST_RUN = 240
_LONGEST_ENDING = 3
_SHORTEST_STEM = 4
_FEWEST_WORDS_OF_A_RUN = 3
_SHORTEST_OF_A_RUN = 2
_LANGUAGES_OF_A_RUN = 3
_LETTERS_A_WORD = 3.25
_COST = 2
_SHORTEST_STEM_AFTER_CLITIC = 2
_CLITICS_IN_A_ROW = 3

Slots = frozenset[str]
_NO_SLOTS: Slots = frozenset()


@dataclass(frozen=True, slots=True)
class Sense:
    """What a word is in one language: its slots, and the literal pieces of phrases that it is."""

    slots: Slots
    pieces: Slots
    is_exact: bool
    length: int


Senses = Mapping[str, Sense]
"""By language."""


@dataclass(frozen=True, slots=True)
class _Row:
    language: str
    slot: str
    length: int
    is_exact: bool


@dataclass(slots=True)
class _Tables:
    exact: dict[str, list[_Row]] = field(default_factory=lambda: defaultdict(list))
    beginnings: dict[str, list[_Row]] = field(default_factory=lambda: defaultdict(list))
    endings: dict[str, list[_Row]] = field(default_factory=lambda: defaultdict(list))
    parts: dict[str, list[_Row]] = field(default_factory=lambda: defaultdict(list))

    def add(self, form: WordForm, language: str, slot: str) -> None:
        length = len(form.text)
        if form.is_open_before and form.is_open_after:
            self.parts[form.text].append(_Row(language, slot, length, is_exact=False))
        elif form.is_open_after:
            self.beginnings[form.text].append(_Row(language, slot, length, is_exact=False))
        elif form.is_open_before:
            self.endings[form.text].append(_Row(language, slot, length, is_exact=False))
        else:
            self.exact[form.text].append(_Row(language, slot, length, is_exact=True))


_ADDED = frozenset({"pronoun", "not", "person", "dressed", "function", "common"})
"""Slots that a word fills beside its others: "undress-her" is an act and a person."""


class Vocabulary:
    """The words of several lexicons. Immutable once built; safe to share between threads."""

    def __init__(self, lexicons: Iterable[Lexicon]) -> None:
        self.lexicons = {lexicon.language: lexicon for lexicon in lexicons}
        self._plain = _Tables()
        self._accented = _Tables()
        self.phrases: dict[str, dict[str, list[Phrase]]] = defaultdict(lambda: defaultdict(list))
        """By the key of the first element, then by that of the second."""
        for lexicon in self.lexicons.values():
            self._add(lexicon)
        self.accented = frozenset(
            language for language, lexicon in self.lexicons.items() if lexicon.keeps_accents
        )
        self.longest = max((len(text) for text in self._plain.exact), default=1)
        self._clitics = {
            language: tuple(lexicon.prefixes)
            for language, lexicon in self.lexicons.items()
            if lexicon.prefixes
        }
        self.look_up = lru_cache(maxsize=50_000)(self._look_up)
        self.look_up_accented = lru_cache(maxsize=10_000)(self._look_up_accented)
        self.cuts_of = lru_cache(maxsize=10_000)(self._cuts_of)

    def _add(self, lexicon: Lexicon) -> None:
        language = lexicon.language
        for slot, forms in lexicon.words.items():
            for form in forms:
                if not form.is_accented_only:
                    self._plain.add(form, language, slot)
                if lexicon.keeps_accents:
                    self._accented.add(form.accented(), language, slot)
        for phrase in lexicon.phrases:
            self.phrases[phrase.elements[0].key][phrase.elements[1].key].append(phrase)
            for element in phrase.elements:
                if element.form is None:
                    continue
                if not element.form.is_accented_only:
                    self._plain.add(element.form, language, element.key)
                if lexicon.keeps_accents:
                    self._accented.add(element.form.accented(), language, element.key)

    def has(self, word: str) -> bool:
        """Whether a word is one of any language."""
        return bool(self.look_up(word))

    def _look_up(self, word: str) -> Senses:
        senses = _senses(self._plain, word)
        for language, prefixes in self._clitics.items():
            # A word that is but a piece of some phrase is still one with small words before it.
            piece = senses.get(language)
            if piece is None or not piece.slots:
                sense = self._without_clitics(word, language, prefixes, piece)
                if sense is not None:
                    senses[language] = sense
        return senses

    def _look_up_accented(self, word: str) -> Senses:
        return _senses(self._accented, word)

    def _without_clitics(
        self, word: str, language: str, prefixes: tuple[str, ...], found: Sense | None
    ) -> Sense | None:
        for _ in range(_CLITICS_IN_A_ROW):
            for prefix in prefixes:
                rest = word[len(prefix) :]
                if word.startswith(prefix) and len(rest) >= _SHORTEST_STEM_AFTER_CLITIC:
                    stem = _senses(self._plain, rest).get(language)
                    if stem is not None:
                        pieces = stem.pieces if found is None else stem.pieces | found.pieces
                        found = replace(stem, pieces=pieces)
                        if found.slots:
                            return found
            shorter = next(
                (word[len(p) :] for p in prefixes if word.startswith(p) and len(word) > len(p) + 1),
                None,
            )
            if shorter is None:
                return found
            word = shorter
        return found

    def _cuts_of(self, run: str) -> tuple[tuple[int, ...], ...]:
        """Return where letters without a space fall into three words or more of one language.

        Each word costs the same, and a stem more for each of up to three more letters; the cheapest
        language comes first. Where that has fewer words it is a compound ("brotherhood"), and fewer
        letters a word than three and a quarter are a long name ("pa pa di mi tri ou").

        Returns:
            For each of the likeliest languages the places between the words. Nothing for a word
            that is one, or that falls into no such words.
        """
        if len(run) > _LONGEST_RUN or run in self._plain.exact:
            return ()
        reached = self._reached(run)
        found: dict[tuple[int, ...], None] = {}
        for language in sorted(reached[-1], key=lambda each: (reached[-1][each][0], each)):
            starts: list[int] = []
            at = len(run)
            while at:
                at = reached[at][language][1]
                starts.append(at)
            words = len(starts)
            if words < _FEWEST_WORDS_OF_A_RUN:
                break
            if len(run) >= _LETTERS_A_WORD * words:
                found[tuple(reversed(starts[:-1]))] = None
        return tuple(found)[:_LANGUAGES_OF_A_RUN]

    def _reached(self, run: str) -> list[dict[str, tuple[int, int]]]:
        """Return, for each place and language, what the cheapest words up to it cost, and where the last begins."""
        reached: list[dict[str, tuple[int, int]]] = [{} for _ in range(len(run) + 1)]
        reached[0] = dict.fromkeys(self.lexicons, (0, 0))
        for start in range(len(run)):
            before = reached[start]
            if not before:
                continue
            for end in range(start + _SHORTEST_OF_A_RUN, min(len(run), start + self.longest) + 1):
                here = reached[end]
                for language, cost in self._costs(run[start:end]).items():
                    if language in before:
                        whole = before[language][0] + cost
                        if language not in here or whole < here[language][0]:
                            here[language] = whole, start
        return reached

    def _costs(self, word: str) -> dict[str, int]:
        """Return what a word costs in each language that knows it: less for one known as it is."""
        found: dict[str, int] = {}
        for end in range(max(len(word) - _LONGEST_ENDING, _SHORTEST_STEM), len(word) + 1):
            for row in self._plain.beginnings.get(word[:end], ()):
                found[row.language] = _COST + max(len(word) - end, 1)
        for row in self._plain.exact.get(word, ()):
            found[row.language] = _COST
        return found

    def longest_at(self, text: str, start: int, stop: int) -> int:
        """Return the length of the longest word that begins at a place of unspaced text; 0 if none."""
        exact = self._plain.exact
        for length in range(min(self.longest, stop - start), 0, -1):
            if text[start : start + length] in exact:
                return length
        return 0


def _senses(tables: _Tables, word: str) -> dict[str, Sense]:
    rows: list[_Row] = list(tables.exact.get(word, ()))
    if len(word) <= _LONGEST_WORD:
        if tables.beginnings:
            for end in range(1, len(word) + 1):
                rows += tables.beginnings.get(word[:end], ())
        if tables.endings:
            for start in range(len(word)):
                rows += tables.endings.get(word[start:], ())
        if tables.parts:
            for start in range(len(word)):
                for end in range(start + 2, len(word) + 1):
                    rows += tables.parts.get(word[start:end], ())
    return _by_language(rows) if rows else {}


def _by_language(rows: list[_Row]) -> dict[str, Sense]:
    """Keep, of each language, the slots of its longest form: a whole word hides its stem."""
    best: dict[str, int] = {}
    for row in rows:
        if row.slot[0] != "#" and row.slot not in _ADDED:
            best[row.language] = max(best.get(row.language, 0), row.length)
    exact = {row.language for row in rows if row.is_exact}
    grouped: dict[str, tuple[set[str], set[str]]] = {}
    for row in rows:
        slots, pieces = grouped.setdefault(row.language, (set(), set()))
        if row.slot[0] == "#":
            pieces.add(row.slot)
        elif row.slot in _ADDED or row.length == best[row.language]:
            slots.add(row.slot)
    return {
        language: Sense(
            frozenset(slots),
            frozenset(pieces),
            language in exact or not slots,
            best.get(language, 0),
        )
        for language, (slots, pieces) in grouped.items()
    }
