"""The intent engine: reads a text in every way that a person might, and says what it asks for."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from consentry.intent.language import LanguageCheck, Reading
from consentry.intent.lexicon import MASK, Lexicon, Rule, load_lexicon
from consentry.intent.normalise import (
    View,
    coded_chunks,
    joined_view,
    leet_views,
    lookalike_view,
    plain_view,
    reversed_view,
    rot13_view,
    single_letters_view,
    stretched_views,
)
from consentry.kernel.taxonomy import Assessment, IntentCategory, Span

ENGINE_VERSION = "english-rules@1"
"""Changes with every change of the rules. Part of each receipt."""

_STRICTNESS = {category: -place for place, category in enumerate(IntentCategory)}
_MAX_CODES_WITHIN_CODES = 2
_SHORTEST_MISSPELT = 6


@dataclass(slots=True)
class _Signs:
    """What was found in a text so far."""

    hits: list[tuple[IntentCategory, Span]] = field(default_factory=list)
    has_age_cue: bool = False
    refers_to_person: bool = False
    is_undone: bool = True


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a text stands in the conversation; a decoded text stands where its code does."""

    offset: int
    code: tuple[int, int] | None = None
    depth: int = 0

    def of(self, source: tuple[int, int]) -> tuple[int, int]:
        start, end = self.code or source
        return start + self.offset, end + self.offset

    def within(self, start: int, end: int) -> _Place:
        return _Place(self.offset, self.code or (start, end), self.depth + 1)


class IntentEngine:
    """Says what a prompt or a conversation asks for: English, by rules (docs/intent.md).

    Nothing is read before the first question. Safe to share between threads: the lexicon is
    immutable once loaded, and loading is guarded by `_lock`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reader: _Reader | None = None

    def assess(self, prompt: str | None, context: tuple[str, ...] = ()) -> Assessment:
        """Assess a prompt with the turns before it.

        What an earlier turn asked for stays asked for: the strictest of all turns counts, also
        when a request is spread over several. No claim loosens anything ("fictional", "she is 18",
        "she consents"): there is no rule that would take one into account.

        Args:
            prompt: The newest turn; None when nothing was written.
            context: Earlier turns, oldest first.

        Returns:
            The assessment; its spans lie in ``prompt``.
        """
        turns = (*context, prompt or "")
        if not any(turn.strip() for turn in turns):
            return _NOTHING
        reader = self._loaded()
        signs = reader.signs(turns)
        readings = [reader.reading(turn) for turn in turns if turn.strip()]
        category = max(
            (category for category, _ in signs.hits),
            key=_STRICTNESS.__getitem__,
            default=IntentCategory.NONE,
        )
        return Assessment(
            category=category,
            spans=_spans_of_last(turns, (span for _, span in signs.hits)),
            language=_language_of(readings),
            is_readable=signs.is_undone and all(reading.is_readable for reading in readings),
            has_text=True,
            has_age_cue=signs.has_age_cue,
            refers_to_person=signs.refers_to_person,
        )

    def _loaded(self) -> _Reader:
        with self._lock:
            if self._reader is None:
                self._reader = _Reader(load_lexicon("en"))
            return self._reader


_NOTHING = Assessment(
    category=IntentCategory.NONE,
    spans=(),
    language="und",
    is_readable=True,
    has_text=False,
    has_age_cue=False,
    refers_to_person=False,
)


class _Reader:
    """Applies one lexicon. Immutable."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._language = LanguageCheck(lexicon)
        self._backwards = _any_of(word[::-1] for word in lexicon.strong)
        self._rotated = _any_of(word.translate(_ROT13) for word in lexicon.strong)

    def reading(self, text: str) -> Reading:
        """Judge the language of a text."""
        plain = plain_view(text)
        for view in (plain, *leet_views(plain)):
            reading = self._language.read(text, view.text)
            if reading.is_readable:
                return reading
        return self._language.read(self._undisguised(plain), plain.text)

    def _undisguised(self, plain: View) -> str:
        """Return the text as a person would read it, for judging its language."""
        view = plain
        for other in (single_letters_view(view), *stretched_views(view)):
            view = other or view
        for other in leet_views(view):
            view = other
            break
        if self._backwards.search(plain.text):
            view = reversed_view(plain)
        if self._rotated.search(plain.text):
            view = rot13_view(plain)
        return view.text

    def signs(self, turns: Sequence[str]) -> _Signs:
        """Collect the signs in a conversation, in all readings of each turn and across turns.

        The places of what is found count from the beginning of the first turn.
        """
        found = _Signs()
        offset = 0
        whole: list[tuple[View, str, int]] = []
        for turn in turns:
            self._collect(turn, found, _Place(offset))
            plain = plain_view(turn)
            whole.append((plain, self._masked(plain), offset))
            offset += len(turn)
        if len(whole) > 1:
            self._apply_across(whole, found)
        return found

    def _apply_across(self, turns: list[tuple[View, str, int]], found: _Signs) -> None:
        """Apply the rules to a conversation as one text: a request may be spread over turns.

        Exceptions were applied within each turn only, so that a later turn cannot excuse an
        earlier one.
        """
        starts: list[int] = []
        ends: list[int] = []
        for view, _, offset in turns:
            starts += [*(start + offset for start in view.starts), offset + _end_of(view)]
            ends += [*(end + offset for end in view.ends), offset + _end_of(view)]
        masked = "".join(text + " " for _, text, _ in turns)
        self._apply(View(masked, tuple(starts), tuple(ends)), masked, found, _Place(0))

    def _collect(self, text: str, found: _Signs, place: _Place) -> None:
        for view in self._views(text):
            self._apply(view, self._masked(view), found, place)
        found.refers_to_person = found.refers_to_person or self._has_name(text)
        for chunk in coded_chunks(text):
            if chunk.decoded is None or place.depth == _MAX_CODES_WITHIN_CODES:
                found.is_undone = False
            else:
                self._collect(chunk.decoded, found, place.within(chunk.start, chunk.end))

    def _views(self, text: str) -> Iterator[View]:
        plain = plain_view(text)
        yield plain
        skeleton = lookalike_view(text)
        if skeleton is not None and skeleton.text != plain.text:
            yield skeleton
        base = skeleton or plain
        for view in (base, *leet_views(base)):
            if view is not base:
                yield view
            yield from stretched_views(view)
            joined = joined_view(view, self._lexicon.strong, self._is_piece)
            if joined is not None:
                yield joined
            letters = single_letters_view(view)
            if letters is not None:
                yield letters
                yield self._parted(letters)
            mended = self._mended(view)
            if mended is not None:
                yield mended
        if self._backwards.search(base.text):
            yield reversed_view(base)
            yield _words_reversed(base)
        if self._rotated.search(base.text):
            yield rot13_view(base)
        if _ONE_WORD_SENTENCES.search(base.text):
            yield _without_stops(base)

    def _masked(self, view: View) -> str:
        """Return the text of a view with harmless phrases hidden, letter for letter."""
        masked = view.text
        for exception in self._lexicon.exceptions:
            masked = exception.pattern.sub(_mask, masked)
        return masked

    def _apply(self, view: View, masked: str, found: _Signs, place: _Place) -> None:
        for rule in self._lexicon.rules:
            for match in rule.pattern.finditer(masked):
                start, end = place.of(view.source(match.start(), match.end()))
                found.hits.append((_category(rule), Span(start, end, rule.id)))
        found.has_age_cue = found.has_age_cue or _meets(self._lexicon.age, view.text)
        found.refers_to_person = found.refers_to_person or _meets(self._lexicon.persons, view.text)

    def _is_piece(self, text: str) -> bool:
        """Whether a scrap of text is a word of its own. Single letters are not, but for two."""
        return text in {"a", "i"} or (len(text) > 1 and self._lexicon.is_word(text))

    def _parted(self, view: View) -> View:
        """Set spaces around strong words that single letters were run together with."""
        text = view.text
        starts, ends = list(view.starts), list(view.ends)
        for match in reversed(list(_any_of(self._lexicon.strong, whole=False).finditer(text))):
            for place in (match.end(), match.start()):
                text = text[:place] + " " + text[place:]
                here = starts[min(place, len(starts) - 1)]
                starts.insert(place, here)
                ends.insert(place, here)
        return View(text, tuple(starts), tuple(ends))

    def _mended(self, view: View) -> View | None:
        """Correct one slip in a word that matters; same length is not kept, so each is replaced."""
        text, starts, ends = view.text, view.starts, view.ends
        changed = False
        for match in reversed(list(_LONG_WORD.finditer(text))):
            word = match[0]
            if word in self._lexicon.misspelt or self._lexicon.is_word(word):
                continue
            meant = self._meant(word)
            if meant is None:
                continue
            changed = True
            first, last = starts[match.start()], ends[match.end() - 1]
            text = text[: match.start()] + meant + text[match.end() :]
            starts = (*starts[: match.start()], *[first] * len(meant), *starts[match.end() :])
            ends = (*ends[: match.start()], *[last] * len(meant), *ends[match.end() :])
        return View(text, starts, ends) if changed else None

    def _meant(self, word: str) -> str | None:
        if word in self._lexicon.not_misspelt:
            return None
        for candidate in self._lexicon.misspelt:
            if candidate[0] == word[0] and _is_one_slip(word, candidate):
                return candidate
        return None

    def _has_name(self, text: str) -> bool:
        """Whether a personal name seems to stand in a text."""
        words = list(_NAME_WORD.finditer(text))
        letters = [char for char in text if char.isalpha()]
        is_shouted = sum(char.isupper() for char in letters) > len(letters) / 2
        for match in words:
            word = match[0]
            lower = word.lower().removesuffix("'s").removesuffix("\u2019s")
            is_everyday = self._lexicon.is_word(lower)
            before = text[max(0, match.start() - _LONGEST_BEFORE_PLACE) : match.start()]
            is_place = bool(_BEFORE_PLACE.search(before))
            if lower in self._lexicon.given_names and not is_everyday:
                return True
            if not word[0].isupper() or is_place:
                continue
            if lower in self._lexicon.given_names:
                return True
            if is_shouted or is_everyday or word.isupper() or self._has_rule(lower):
                continue
            return True
        return False

    def _has_rule(self, word: str) -> bool:
        """Whether a word has its capital because a rule knows it ("Speedo", "Bikini")."""
        return any(word.startswith(each) for each in self._lexicon.strong) or _meets(
            self._lexicon.rules, word
        )


_ROT13 = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")
_LONG_WORD = re.compile(rf"[a-z]{{{_SHORTEST_MISSPELT - 1},12}}")
_NAME_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['\u2019-](?=[^\W\d_]))+")
_LONGEST_BEFORE_PLACE = 16
_BEFORE_PLACE = re.compile(
    r"\b(?:in|at|near|from|to|through|over|across|visiting|style|the)\s+$", re.IGNORECASE
)
_ONE_WORD_SENTENCES = re.compile(r"(?:\b[a-z']+[.;!?|/]+ ?){3}")


def _without_stops(view: View) -> View:
    return View(re.sub(r"[.;!?|/]", " ", view.text), view.starts, view.ends)


def _words_reversed(view: View) -> View:
    """Return the text with the letters of each word in reverse."""
    order: list[int] = []
    for match in re.finditer(r"\w+|\W+", view.text):
        places = range(match.start(), match.end())
        order += reversed(places) if match[0][0].isalnum() else places
    return View(
        "".join(view.text[i] for i in order),
        tuple(view.starts[i] for i in order),
        tuple(view.ends[i] for i in order),
    )


def _any_of(words: Iterable[str], *, whole: bool = True) -> re.Pattern[str]:
    choice = "|".join(sorted((re.escape(word) for word in words), key=len, reverse=True))
    return re.compile(rf"(?<![a-z])(?:{choice})(?![a-z])" if whole else choice)


def _mask(match: re.Match[str]) -> str:
    return MASK * len(match[0])


def _meets(rules: Iterable[Rule], text: str) -> bool:
    return any(rule.pattern.search(text) for rule in rules)


def _category(rule: Rule) -> IntentCategory:
    return rule.category or IntentCategory.NONE


def _is_one_slip(word: str, meant: str) -> bool:
    """Whether two words differ by one letter added, lost, changed, or two swapped."""
    if abs(len(word) - len(meant)) > 1 or word == meant:
        return False
    short, long = sorted((word, meant), key=len)
    i = 0
    while i < len(short) and short[i] == long[i]:
        i += 1
    if len(short) < len(long):
        return short[i:] == long[i + 1 :]
    is_swap = word[i : i + 2] == meant[i : i + 2][::-1] and word[i + 2 :] == meant[i + 2 :]
    return short[i + 1 :] == long[i + 1 :] or is_swap


def _end_of(view: View) -> int:
    return view.ends[-1] if view.ends else 0


def _spans_of_last(turns: Sequence[str], spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the spans that lie in the newest turn, counted from its beginning."""
    before = sum(len(turn) for turn in turns[:-1])
    moved = {
        Span(max(span.start - before, 0), span.end - before, span.rule)
        for span in spans
        if span.end > before
    }
    return tuple(sorted(moved, key=lambda span: (span.start, span.end, span.rule)))


def _language_of(readings: list[Reading]) -> str:
    """Return the language of the newest turn that has one."""
    named = [reading.language for reading in readings if reading.language != "und"]
    return named[-1] if named else "und"
