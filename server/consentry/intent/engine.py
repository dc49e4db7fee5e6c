"""The intent engine: reads a text in every way that a person might, and says what it asks for."""

from __future__ import annotations

import gc
import re
import threading
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Protocol

from consentry.intent.cues import Cues
from consentry.intent.grammar import SOMEBODY, Grammar, Mark, Sentence
from consentry.intent.language import LanguageCheck, Reading
from consentry.intent.lexicon import load_lexicon, scripts_of_lexicons
from consentry.intent.marking import Words, lexicon_of, marks_of, words_of
from consentry.intent.normalise import (
    View,
    as_written,
    coded_chunks,
    joined_view,
    leet_views,
    lookalike_view,
    may_be_parted,
    native_view,
    parted_view,
    plain_view,
    reversed_view,
    rot13_view,
    single_letters_view,
    stretched_views,
    unwanted_view,
)
from consentry.intent.strong import StrongWords
from consentry.intent.tokens import (
    CLAUSE_END,
    UNSPACED,
    Token,
    breaks_of,
    script_of,
    tokens_of,
)
from consentry.intent.vocabulary import Vocabulary
from consentry.kernel.taxonomy import Assessment, IntentCategory, Span

ENGINE_VERSION = "composition@13"
"""Changes with every change of the rules or lexicons, of the classifier and its thresholds. Part of each receipt."""

_STRICTNESS = {category: -place for place, category in enumerate(IntentCategory)}
_MAX_CODES_WITHIN_CODES = 2
_SHORTEST_STRANGER = 4
_SHORTEST_RUN = 10  # letters that can be three words
_MOST_RUN_LETTERS = 2_000  # of one text: a bound on hostile ones
_SHORTEST_PARTED = 5  # letters of a single word that counts where a run was parted
_FEWEST_TURNED = 3  # words that are turned because they are all words backwards
_FEWEST_TURNED_LETTERS = 9
_SHORTEST_UNSPACED = 3  # letters that can be a sentence
_MOSTLY_KNOWN = 0.5
_LONGEST_SENTENCE = 160
_OVERLAP = 20
_UNDRESSING = "undress.verb"
_NEVER_OF_SOMEBODY = frozenset({"nude.word", _UNDRESSING})
"""Rules whose findings are never taken back where little else is said."""
_SHORTEST_HEARD_RUN = 12  # letters of a single word that may be a sentence without blanks
_FEW_WORDS = 4  # too few to tell a colour or an insult from a request
_MOST_PIECES = 16  # around findings: more are no prompt that means something else
_MOST_HEARD = 48  # of one prompt: a bound on hostile ones
_FEW_LETTERS = 12  # on either side of a finding, up to the end of the word
_MANY_LETTERS = 24
_WORDS_OF_AN_ORDER = 5  # "get rid of the pyjamas"
_FEW_LETTERS_MORE = 3  # in a clause than in the finding: an article, "now", a word for politeness


class Classifier(Protocol):
    """Port: hears wordings that no rule foresees, and other senses of telling words."""

    def score(self, turns: Sequence[str]) -> float:
        """Return how sure it is, 0 to 1, that a conversation asks for something revealing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Which scores of a classifier, 0 to 1, count beside the rules.

    Attributes:
        asks_from: From which a prompt asks for something revealing although no rule says so.
        asks_known_from: The same where rules know every word and found nothing in them; at least
            ``asks_from``, and that where it is not given.
        asks_as_one_from: The same of a single word, without a blank in it.
        asks_beside_from: From which what stands around a rule's finding asks by itself, so that the
            finding is not taken back; ``asks_known_from`` where it is not given, and at least what
            the whole is held to below.
        doubts_below: Below which it does not although a rule says so.
        doubts_words_below: The same where nothing but single words were found, whose senses are
            many; at least ``doubts_below``, and that where it is not given.
        asks_alone_from: From which a finding's own words, two and more, ask by themselves; where it is
            not given they are not heard alone.
        asks_of_somebody_from: The same of findings of ``kept_alone`` that name somebody ("take off her dress").
        kept: Rules whose findings are never taken back.
        kept_alone: Rules whose findings are not where their clause says nothing else.
    """

    asks_from: float = 1.0
    asks_known_from: float = 0.0
    asks_as_one_from: float = 1.0
    asks_beside_from: float = 0.0
    doubts_below: float = 0.0
    doubts_words_below: float = 0.0
    asks_alone_from: float = 0.0
    asks_of_somebody_from: float = 0.0
    kept: tuple[str, ...] = ()
    kept_alone: tuple[str, ...] = ()

    def complete(self) -> Thresholds:
        """Return them with nothing left open."""
        known = max(self.asks_from, self.asks_known_from)
        words = max(self.doubts_below, self.doubts_words_below)
        return replace(
            self,
            asks_known_from=known,
            asks_beside_from=max(self.asks_beside_from or known, words),
            doubts_words_below=words,
        )


@dataclass(slots=True)
class _Signs:
    """What was found in a text so far.

    Attributes:
        hits: What, and where.
        open: The places of what stands there undisguised.
        of_somebody: The places of findings that name somebody.
        undone: Of what was found where a disguise was undone (but for codes), by its place: the
            readings that it was found in, and where in each.
    """

    hits: list[tuple[IntentCategory, Span]] = field(default_factory=list)
    open: set[Span] = field(default_factory=set)
    of_somebody: set[Span] = field(default_factory=set)
    undone: dict[Span, dict[tuple[str, Span], None]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    has_age_cue: bool = False
    refers_to_person: bool = False
    is_undone: bool = True

    def is_open(self, span: Span, single_words: frozenset[str]) -> bool:
        """Whether what was found stands there undisguised: a single word maybe read a letter further.

        Of several words only some may stand there openly: "remove the label, rem0ve her skirt".
        """
        return span in self.open or (
            span.rule in single_words
            and any(
                span.rule == each.rule and span.start < each.end and each.start < span.end
                for each in self.open
            )
        )


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


@dataclass(frozen=True, slots=True)
class _Marked:
    """One reading of a text, with its words and marks, and the words before which a clause may begin."""

    view: View
    words: Words
    marks: Sequence[Mark]
    breaks: frozenset[int]


class IntentEngine:
    """Says what a prompt or a conversation asks for, in the languages of the lexicons (docs/intent.md).

    Nothing is read before the first question, and the words of a script only when it turns up.
    Safe to share between threads: what is loaded is immutable, and loading is guarded by locks.

    Args:
        classifier: Its word counts beside the rules' where it is sure; None for rules alone.
        thresholds: How sure.
    """

    def __init__(
        self, classifier: Classifier | None = None, thresholds: Thresholds | None = None
    ) -> None:
        self._lock = threading.Lock()
        self._library: _Library | None = None
        self._classifier = classifier
        self._thresholds = (thresholds or Thresholds()).complete()

    def assess(self, prompt: str | None, context: tuple[str, ...] = ()) -> Assessment:
        """Assess a prompt with the turns before it.

        What an earlier turn asked for stays asked for: the strictest of all turns counts, also
        when a request is spread over several. No claim loosens anything ("fictional", "she is 18",
        "she consents"): there is no rule that would take one into account.

        Args:
            prompt: The newest turn; None when nothing was written.
            context: Earlier turns, oldest first; the post that is being answered is one of them.

        Returns:
            The assessment; its spans lie in ``prompt``.
        """
        turns = (*context, prompt or "")
        if not any(turn.strip() for turn in turns):
            return _NOTHING
        reader = self._reader()
        signs = reader.signs(turns)
        self._hear(turns, signs, reader)
        readings = [reader.reading(turn) for turn in turns if turn.strip()]
        category = max(
            (category for category, _ in signs.hits),
            key=_STRICTNESS.__getitem__,
            default=IntentCategory.NONE,
        )
        is_readable = signs.is_undone and all(reading.is_readable for reading in readings)
        return Assessment(
            category=category,
            spans=_spans_of_last(turns, (span for _, span in signs.hits)),
            language=_language_of(readings),
            is_readable=is_readable,
            has_text=True,
            has_age_cue=signs.has_age_cue,
            refers_to_person=signs.refers_to_person
            or (category.is_revealing and reader.has_stranger(turns)),
        )

    def explain(self, text: str) -> str:
        """Return how a text is read, for people who write lexicons: languages, marks, rules."""
        found = self.assess(text)
        marked = self._reader().plainly(text)
        head = (
            f"category {found.category.value}; language {found.language}; "
            f"readable {found.is_readable}; person {found.refers_to_person}; "
            f"minor {found.has_age_cue}\nlanguages {', '.join(marked.words.primary)}; "
            f"plausible {', '.join(sorted(marked.words.plausible))}; known {marked.words.known:.0%}"
        )
        rows = [head]
        for mark in marked.marks:
            words = " ".join(each.text for each in marked.words.tokens[mark.first : mark.last + 1])
            rows.append(f"  {words:24} {' '.join(sorted(mark.slots))}")
        rows += [f"  {span.rule}: {text[span.start : span.end]!r}" for span in found.spans]
        return "\n".join(rows)

    def _hear(self, turns: tuple[str, ...], signs: _Signs, reader: _Reader) -> None:
        """Add what the classifier is sure of, and take back what it is sure is something else.

        What was found in a code, or about somebody who may be a minor, is never taken back: the
        second is not left to it. What was found in a disguise it hears undone as well: many a disguise
        is none ("@grok"). Nor is what stands in a piece that asks by itself: a harmless sentence behind
        a request would outweigh it. Nor is "nude" or "undress" where somebody is named and little else: it takes
        that for a colour; nor what undresses somebody in a clause of few words that asks by itself.
        """
        if self._classifier is None:
            return
        revealing = [span for category, span in signs.hits if category.is_revealing]
        if not revealing:
            counts = self._thresholds
            least = counts.asks_known_from if reader.knows_all(turns) else counts.asks_from
            if not _is_sentence(turns):
                # "takeherblouseoff" in a language whose rules do not part it; "unbutton.her.blouse".
                least = counts.asks_as_one_from
                if not any(map(_may_be_sentence, turns)):
                    return
            if self._classifier.score(turns) >= least:
                signs.hits.append((IntentCategory.MINIMAL, _whole(turns)))
            return
        rules = {span.rule for span in revealing}
        doubts = _Doubts(
            self._classifier,
            reader,
            self._thresholds,
            are_words=rules <= reader.single_words,
        )
        if (
            not signs.has_age_cue
            and rules.isdisjoint(self._thresholds.kept)
            and not (
                not rules.isdisjoint(_NEVER_OF_SOMEBODY)
                and reader.words_in(turns) <= _FEW_WORDS
                and (signs.refers_to_person or any(map(reader.may_name_somebody, turns)))
            )
            and all(
                signs.is_open(span, reader.single_words) or span in signs.undone
                for span in revealing
            )
            and not doubts.keeps_any(turns, revealing)
            and doubts.takes_back(turns, revealing)
            and not doubts.hears_somebody_undressed(turns, revealing)
            and doubts.takes_back_of_somebody(turns, signs.of_somebody.intersection(revealing))
            and all(
                doubts.takes_back_undone(signs.undone.get(span, {}))
                for span in dict.fromkeys(revealing)
            )
        ):
            signs.hits = [hit for hit in signs.hits if not hit[0].is_revealing]

    def _reader(self) -> _Reader:
        with self._lock:
            if self._library is None:
                self._library = _Library()
            return _Reader(self._library)


class _Doubts:
    """Whether a classifier hears no request in what rules found. Remembers what it heard, for one prompt.

    So it does how a text is parted and read: a hostile one has hundreds of findings.
    """

    def __init__(
        self,
        classifier: Classifier,
        reader: _Reader,
        thresholds: Thresholds,
        *,
        are_words: bool,
    ) -> None:
        self._classifier = classifier
        self._reader = reader
        self._parted = cache(lambda turn: _Parted.of(turn, reader.joints(turn)))
        self._readings = cache(_with_and_without_accents)
        self._below = thresholds.doubts_words_below if are_words else thresholds.doubts_below
        self._beside_below = thresholds.asks_beside_from
        self._alone_below = thresholds.asks_alone_from
        self._of_somebody_below = thresholds.asks_of_somebody_from
        self._known_below = thresholds.asks_known_from
        self._kept_alone = thresholds.kept_alone
        self._heard: dict[tuple[str, ...], float] = {}

    def keeps_any(self, turns: tuple[str, ...], found: Sequence[Span]) -> bool:
        """Whether a clause says nothing but what a rule found that is then left to the rule.

        A finding reaches from its first word to its last: of a long one nobody knows what stands between
        ("remove the price tag hanging off her skirt").
        """
        places = {(span.start, span.end) for span in found if span.rule in self._kept_alone}
        return any(
            end - start == last - first  # none that begins in one turn and ends in another
            and len(turn[start:end].split()) <= _WORDS_OF_AN_ORDER
            and _letters_in(_part_of(turn, self._parted(turn).clauses, start, end))
            <= _letters_in(turn[start:end]) + _FEW_LETTERS_MORE
            for first, last in places
            for turn, start, end in _within(turns, ((first, last),))
        )

    def hears_somebody_undressed(self, turns: tuple[str, ...], found: Sequence[Span]) -> bool:
        """Whether a clause of few words undresses somebody, and is heard as a request by itself.

        Less is asked of it than of other clauses: nothing else can be meant ("brighten it / undress Marie").
        """
        places = {(span.start, span.end) for span in found if span.rule == _UNDRESSING}
        return any(
            self._reader.words_in((clause,)) <= _FEW_WORDS
            and self._reader.may_name_somebody(clause)
            and not self._is_below((clause,), self._known_below)
            for turn, start, end in _within(turns, places)
            if (clause := _part_of(turn, self._parted(turn).clauses, start, end))
        )

    def takes_back(self, turns: tuple[str, ...], found: Sequence[Span]) -> bool:
        """Whether it hears none in a conversation, nor in a piece around any finding."""
        return self._is_below(turns, self._below) and self._takes_back_each(turns, found)

    def takes_back_undone(self, readings: Collection[tuple[str, Span]]) -> bool:
        """Whether it hears none in any reading that a disguise was undone in, nor around its finding."""
        return len(readings) <= _MOST_PIECES and all(
            _is_sentence((text,)) and self.takes_back((text,), (place,)) for text, place in readings
        )

    def _takes_back_each(self, turns: tuple[str, ...], found: Sequence[Span]) -> bool:
        pieces: dict[str, None] = {}
        for piece in _around(turns, found, self._parted):
            pieces[piece] = None
            if len(pieces) > _MOST_PIECES:
                return False
        if len(turns) == 1:
            pieces.pop(turns[0], None)  # heard before, and held to less
        return all(
            self._is_below((piece,), self._beside_below) for piece in pieces
        ) and self._takes_back_words(turns, found, self._alone_below)

    def takes_back_of_somebody(self, turns: tuple[str, ...], found: Collection[Span]) -> bool:
        """Whether it hears none in what is done to somebody's garment.

        Without a sign between orders a person is what tells a request from an edit of things beside it. Of
        other findings the words may begin in the middle ("the stain out of her dress").
        """
        garments = [span for span in found if span.rule in self._kept_alone]
        return self._takes_back_words(turns, garments, self._of_somebody_below)

    def _takes_back_words(
        self, turns: tuple[str, ...], found: Sequence[Span], score: float
    ) -> bool:
        return not score or all(
            self._is_below((words,), score)
            for words in dict.fromkeys(_words_of_findings(turns, found))
        )

    def _is_below(self, turns: tuple[str, ...], score: float) -> bool:
        """Whether it hears less in a text; without its accents, as rules read it, no request of its own.

        Of a text in Vietnamese little is left without them.
        """
        if len(self._heard) >= _MOST_HEARD:
            return False
        written, *plain = self._readings(turns)
        return self._score(written) < score and all(
            self._score(each) < max(score, self._known_below) for each in plain
        )

    def _score(self, turns: tuple[str, ...]) -> float:
        if turns not in self._heard:
            self._heard[turns] = self._classifier.score(turns)
        return self._heard[turns]


_NOTHING = Assessment(
    category=IntentCategory.NONE,
    spans=(),
    language="und",
    is_readable=True,
    has_text=False,
    has_age_cue=False,
    refers_to_person=False,
)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Hold the garbage collector back while a million small things are made that all stay.

    It would go through them again and again: a third of the time of loading.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Library:
    """All lexicons. Vocabularies are added by script, guarded by `_lock`; the rest is fixed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scripts = scripts_of_lexicons()
        self._vocabularies: dict[str, Vocabulary] = {}
        self._strong: dict[str, StrongWords] = {}
        self.grammar = Grammar()
        self.cues = Cues()
        self.language = LanguageCheck(frozenset(self._scripts) | {"hi", "ur"})

    def vocabularies_for(self, text: str) -> Mapping[str, Vocabulary]:
        """Return the vocabularies, with those of all scripts of a text loaded."""
        scripts = {"LATIN"}
        if not text.isascii():
            scripts.update(script_of(char) for char in set(text))
        for script in scripts:
            if script not in self._vocabularies and script != "OTHER":
                with self._lock:
                    if script not in self._vocabularies:
                        with _no_collection():
                            self._load(script)
        return self._vocabularies

    def _load(self, script: str) -> None:
        mine = [
            load_lexicon(language)
            for language, written in self._scripts.items()
            if written == script
        ]
        vocabulary = Vocabulary(mine)
        self._strong[script] = StrongWords(mine)
        self._vocabularies[script] = vocabulary

    def strong_for(self, text: str) -> Sequence[StrongWords]:
        """Return the words worth looking for in disguise, of each script of a text."""
        self.vocabularies_for(text)
        scripts = {"LATIN"}
        if not text.isascii():
            scripts.update(script_of(char) for char in set(text) if char.isalpha())
        return [self._strong[script] for script in sorted(scripts - {"OTHER"})]


class _Reader:
    """Reads one conversation. What it worked out is forgotten with it."""

    def __init__(self, library: _Library) -> None:
        self._library = library
        self._memory: dict[tuple[str, str], _Marked] = {}

    def knows_all(self, turns: Iterable[str]) -> bool:
        """Whether every word of a conversation is one of its language's lexicon."""
        return all(self.plainly(turn).words.known >= 1.0 for turn in turns if turn.strip())

    def words_in(self, turns: Sequence[str]) -> int:
        """Return how many words a conversation has, between blanks or of scripts without them."""
        unspaced = (
            sum(each.script in UNSPACED for each in self.plainly(turn).words.tokens)
            for turn in turns
        )
        return sum(max(len(turn.split()), more) for turn, more in zip(turns, unspaced, strict=True))

    @property
    def single_words(self) -> frozenset[str]:
        """The rules that a single word is enough for."""
        return self._library.grammar.of_one_word

    def reading(self, text: str) -> Reading:
        """Judge the language of a text."""
        marked = self.plainly(text)
        reading = self._library.language.read(text, marked.words, marked.view)
        if reading.is_readable:
            return reading
        for view in self._views(text):
            other = self._library.language.read(view.text, *self._words(text, view))
            if other.is_readable and other.language != "und":
                return other
        return reading

    def _words(self, text: str, view: View) -> tuple[Words, View]:
        marked = self.marked(text, view)
        flat = View(view.text, tuple(range(len(view.text))), tuple(range(1, len(view.text) + 1)))
        return marked.words, flat

    def has_stranger(self, turns: Sequence[str]) -> bool:
        """Whether a word that may be a name stands in a conversation."""
        return any(
            self._library.cues.has_stranger(self.plainly(turn).words, turn)
            for turn in turns
            if turn.strip()
        )

    def signs(self, turns: Sequence[str]) -> _Signs:
        """Collect the signs in a conversation, in all readings of each turn and across turns.

        The places of what is found count from the beginning of the first turn.
        """
        found = _Signs()
        offset = 0
        whole: list[tuple[_Marked, int]] = []
        for turn in turns:
            self._collect(turn, found, _Place(offset))
            whole.append((self.plainly(turn), offset))
            offset += len(turn)
        if sum(bool(turn.strip()) for turn in turns) > 1:
            self._apply_across(whole, turns, found)
        return found

    def _apply_across(
        self, turns: list[tuple[_Marked, int]], sent: Sequence[str], found: _Signs
    ) -> None:
        """Apply the rules to a conversation as one text: a request may be spread over turns."""
        starts: list[int] = []
        ends: list[int] = []
        for marked, offset in turns:
            view = marked.view
            starts += [*(start + offset for start in view.starts), offset + _end_of(view)]
            ends += [*(end + offset for end in view.ends), offset + _end_of(view)]
        joined = "".join(marked.view.text + " " for marked, _ in turns)
        view = View(joined, tuple(starts), tuple(ends))
        self._apply(self.marked("".join(sent), view), "", found, _Place(0), is_open=True)

    def _collect(self, text: str, found: _Signs, place: _Place) -> None:
        for i, view in enumerate(self._views(text)):
            # The first is the text as it stands.
            is_open = i == 0 and place.depth == 0
            self._apply(self.marked(text, view), text, found, place, is_open=is_open)
        for chunk in coded_chunks(text):
            if chunk.decoded is None or place.depth == _MAX_CODES_WITHIN_CODES:
                found.is_undone = False
            else:
                self._collect(chunk.decoded, found, place.within(chunk.start, chunk.end))

    def _views(self, text: str) -> Iterator[View]:
        """Give the readings of a text: as it stands, and with each disguise undone."""
        plain = plain_view(text)
        yield plain
        bases = [plain]
        if not text.isascii() and not self._is_plainly_foreign(text, plain):
            for other in (lookalike_view(text), native_view(text)):
                if other is not None and other.text != plain.text:
                    bases.append(other)
                    yield other
        unwanted = unwanted_view(plain)
        if unwanted is not None:
            bases.append(unwanted)
            yield unwanted
        strong = self._library.strong_for(plain.text)
        for base in bases:
            for view in (base, *leet_views(base)):
                if view is not base:
                    yield view
                yield from stretched_views(view)
                yield from self._joined(view, strong)
            if _ONE_WORD_SENTENCES.search(base.text):
                yield _without_stops(base)
        yield from self._mended(plain, text, strong)
        yield from self._parted(plain)

    def _parted(self, view: View) -> Iterator[View]:
        """Give readings with words parted that were run together (``takeoffhertop``)."""
        vocabularies = self._library.vocabularies_for(view.text)
        runs = [
            [(start, *(start + place for place in places), start + len(run)) for places in cuts]
            for start, run, script in _runs(tokens_of(view, vocabularies))
            if (cuts := _cuts_of(run, script, vocabularies))
        ]
        for i in range(max(map(len, runs), default=0)):
            yield parted_view(view, [place for run in runs for place in run[min(i, len(run) - 1)]])

    def _is_plainly_foreign(self, text: str, plain: View) -> bool:
        """Whether a text is known words of one script that is not Latin: then nothing is disguised."""
        words = self.marked(text, plain).words
        return words.known > _MOSTLY_KNOWN and not any(
            token.script == "LATIN" and token.text.isalpha() for token in words.tokens
        )

    def _joined(self, view: View, strong: Sequence[StrongWords]) -> Iterator[View]:
        """Give readings with letters put together that were taken apart."""
        if not may_be_parted(view.text):
            return
        vocabularies = self._library.vocabularies_for(view.text)
        primary = frozenset(self.marked("", view).words.primary)
        for each in strong:
            joined = joined_view(view, each, lambda word: _is_piece(word, vocabularies, primary))
            if joined is not None:
                yield joined
        letters = single_letters_view(view)
        if letters is not None:
            yield letters
            for each in strong:
                yield each.parted(letters)

    def _mended(self, plain: View, text: str, strong: Sequence[StrongWords]) -> Iterator[View]:
        """Give readings with slips of the pen corrected, backwards, and rotated by thirteen."""
        words = self.marked(text, plain).words
        own = frozenset(words.primary)
        strangers = [
            token
            for token, senses in zip(words.tokens, words.senses, strict=True)
            if len(token.text) >= _SHORTEST_STRANGER and not own.intersection(senses)
        ]
        is_backwards = (words.known < 1.0 and self._all_backwards(words.tokens)) or any(
            _cuts_of(run[::-1], script, self._library.vocabularies_for(""))
            for _, run, script in _runs(words.tokens)
        )
        for each in strong:
            unmasked = each.unmasked(plain)
            if unmasked is not None:
                yield unmasked
            mended = each.mended(plain, strangers, words.primary)
            if mended is not None:
                yield mended
            if any(token.text[::-1] in each.words for token in strangers) or any(
                word in plain.text for word in each.backwards_unspaced
            ):
                is_backwards = True
            if any(token.text.translate(_ROT13) in each.words for token in strangers):
                yield rot13_view(plain)
        if is_backwards:
            for turned in (reversed_view(plain), _words_reversed(plain)):
                yield turned
                yield from self._parted(turned)

    def _all_backwards(self, tokens: Sequence[Token]) -> bool:
        """Whether all words of a text, of three and more, are words of one language backwards."""
        letters = sum(len(token.text) for token in tokens)
        if len(tokens) < _FEWEST_TURNED or letters < _FEWEST_TURNED_LETTERS:
            return False
        languages: set[str] | None = None
        for token in tokens:
            vocabulary = self._library.vocabularies_for("").get(token.script)
            senses = {} if vocabulary is None else vocabulary.look_up(token.text[::-1])
            exact = {language for language, sense in senses.items() if sense.is_exact}
            languages = exact if languages is None else languages & exact
            if not languages:
                return False
        return True

    def joints(self, text: str) -> Sequence[int]:
        """Return where words for "and" begin in a text."""
        marked = self.plainly(text)
        starts = (marked.words.tokens[mark.first].start for mark in marked.marks if mark.has("and"))
        return [marked.view.source(start, start + 1)[0] for start in starts]

    def may_name_somebody(self, text: str) -> bool:
        """Whether a person stands in a text, or a word that may be a name."""
        marks = self.plainly(text).marks
        return any(mark.has(*SOMEBODY) for mark in marks) or self.has_stranger((text,))

    def plainly(self, text: str) -> _Marked:
        """Return a text as it stands, with its words and marks."""
        return self.marked(text, plain_view(text))

    def marked(self, sent: str, view: View) -> _Marked:
        """Return one reading of a text with its words and marks."""
        key = (sent, view.text)
        found = self._memory.get(key)
        if found is None:
            vocabularies = self._library.vocabularies_for(view.text)
            tokens = tokens_of(view, vocabularies)
            words = words_of(view, tokens, sent, vocabularies)
            found = _Marked(
                view, words, marks_of(words, vocabularies), breaks_of(view, tokens, sent)
            )
            self._memory[key] = found
        return found

    def _apply(
        self, marked: _Marked, sent: str, found: _Signs, place: _Place, *, is_open: bool
    ) -> None:
        words, marks, view = marked.words, marked.marks, marked.view
        lexicon = lexicon_of(words, self._library.vocabularies_for(""))
        is_verb_final = lexicon is not None and lexicon.is_verb_final
        endings = lexicon.attribute_endings if lexicon is not None else ()
        refers = self._library.cues.refers_to_person(words, marks, sent)
        names_somebody = refers or any(mark.has(*SOMEBODY) for mark in marks)
        complains = any(mark.has("complaint") for mark in marks)
        begin = [mark.first for mark in marks]
        for first, last in _sentences(words.tokens):
            within = marks[bisect_left(begin, first) : bisect_left(begin, last)]
            here = [mark for mark in within if mark.last < last]
            commas = frozenset(i - first for i in range(first, last) if words.tokens[i].after_comma)
            breaks = frozenset(i - first for i in marked.breaks if first < i < last)
            # What is asked for may go on behind a sign; what is asked for between two belongs to nothing beyond.
            findings = (
                finding
                for parted in dict.fromkeys((commas, commas | breaks))
                for finding in self._library.grammar.findings(
                    Sentence(
                        marks=[mark.moved(-first) for mark in here],
                        length=last - first,
                        commas=parted,
                        is_verb_final=is_verb_final,
                        names_somebody=names_somebody,
                        negation_follows=lexicon is not None and lexicon.negation_follows,
                        complains=complains,
                        attribute_endings=endings,
                    )
                )
                if parted == commas or not any(finding.first < i <= finding.last for i in breaks)
            )
            for finding in dict.fromkeys(findings):
                start = words.tokens[first + finding.first].start
                end = words.tokens[first + finding.last].end
                is_scrap = finding.first == finding.last and end - start < _SHORTEST_PARTED
                if view.is_parted and is_scrap:
                    continue  # "organiza ti on"
                span = Span(*place.of(view.source(start, end)), finding.rule)
                found.hits.append((finding.category, span))
                if is_open:
                    found.open.add(span)
                    if _names_somebody(here, first + finding.first, first + finding.last):
                        found.of_somebody.add(span)
                elif place.depth == 0:
                    found.undone[span][view.text, Span(start, end, finding.rule)] = None
        found.has_age_cue = found.has_age_cue or self._library.cues.speaks_of_minor(marks)
        found.refers_to_person = found.refers_to_person or refers


def _names_somebody(marks: Iterable[Mark], first: int, last: int) -> bool:
    """Whether a person stands among some words."""
    return any(first <= mark.first and mark.last <= last and mark.has(*SOMEBODY) for mark in marks)


def _runs(tokens: Iterable[Token]) -> Iterator[tuple[int, str, str]]:
    """Give the letters that may be several words run together: where, what, and their script."""
    room = _MOST_RUN_LETTERS
    for token in tokens:
        if token.script in UNSPACED or len(token.text) < _SHORTEST_RUN:
            continue
        for run in _WITHOUT_DIGITS.finditer(token.text):
            if len(run[0]) >= _SHORTEST_RUN:
                room -= len(run[0])
                if room < 0:
                    return
                yield token.start + run.start(), run[0], token.script


def _cuts_of(
    run: str, script: str, vocabularies: Mapping[str, Vocabulary]
) -> tuple[tuple[int, ...], ...]:
    vocabulary = vocabularies.get(script)
    return () if vocabulary is None else vocabulary.cuts_of(run)


def _is_piece(word: str, vocabularies: Mapping[str, Vocabulary], languages: frozenset[str]) -> bool:
    """Whether a scrap of text is a word of its own. Single letters are not, but for two."""
    if word in {"a", "i"}:
        return True
    vocabulary = vocabularies.get(script_of(word[0]))
    return (
        len(word) > 1
        and vocabulary is not None
        and not languages.isdisjoint(vocabulary.look_up(word))
    )


_WITHOUT_DIGITS = re.compile(r"[^\d_]+")
_ROT13 = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")
_ONE_WORD_SENTENCES = re.compile(r"(?:\b[a-z']+[.;!?|/]+ ?){3}")


def _sentences(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Give the sentences. One without end is cut into overlapping pieces: a bound on hostile ones."""
    first = 0
    for i in range(1, len(tokens) + 1):
        if i < len(tokens) and not tokens[i].ends_sentence:
            continue
        for start in range(first, max(i - _OVERLAP, first + 1), _LONGEST_SENTENCE - _OVERLAP):
            yield start, min(start + _LONGEST_SENTENCE, i)
        first = i


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


def _end_of(view: View) -> int:
    return view.ends[-1] if view.ends else 0


def _with_and_without_accents(turns: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return a conversation as written, and plain where that differs: rules read it plain."""
    if all(turn.isascii() for turn in turns):
        return (turns,)
    plain = tuple(plain_view(turn).text for turn in turns)
    return (turns,) if plain == tuple(map(as_written, turns)) else (turns, plain)


@dataclass(frozen=True, slots=True)
class _Parted:
    """Where the sentences and the clauses of a text begin and end, in order.

    A clause ends at every sign that is no part of a word, which is no part of the clause either, and
    before "and".
    """

    sentences: Sequence[int]
    clauses: Sequence[int]

    @classmethod
    def of(cls, turn: str, joints: Iterable[int]) -> _Parted:
        sentences = (end.end() for end in _SENTENCE_ENDS.finditer(turn))
        signs = (place for end in CLAUSE_END.finditer(turn) for place in end.span())
        return cls([0, *sentences, len(turn)], sorted({0, *signs, *joints, len(turn)}))


def _around(
    turns: Sequence[str], found: Iterable[Span], parted: Callable[[str], _Parted]
) -> Iterator[str]:
    """Give what stands around each finding in its turn: its clause, its sentence, of long clauses a few words.

    A clause may be a single word ("brighten the sky, undress, crop it"); the others are more. A few words
    of a short clause are what is left of a sense that the rest of it makes plain.
    """
    for turn, start, end in _within(turns, sorted({(span.start, span.end) for span in found})):
        parts = parted(turn)
        clause = _part_of(turn, parts.clauses, start, end)
        yield clause
        low = max(start - _MANY_LETTERS, 0)
        left = turn.rfind(" ", low, max(start - _FEW_LETTERS, 0))
        right = turn.find(" ", end + _FEW_LETTERS, end + _MANY_LETTERS)
        last = min(end + _MANY_LETTERS, len(turn)) if right < 0 else right
        few = turn[max(left, low) : last]
        sentence = _part_of(turn, parts.sentences, start, end)
        for piece in dict.fromkeys((few, sentence) if 2 * len(few) < len(clause) else (sentence,)):
            if _is_sentence((piece,)):
                yield piece


def _words_of_findings(turns: Sequence[str], found: Sequence[Span]) -> Iterator[str]:
    """Give what each finding itself says: no sign may part it from what stands around it."""
    for turn, start, end in _within(turns, dict.fromkeys((span.start, span.end) for span in found)):
        words = turn[start:end].strip()
        if _is_sentence((words,)):
            yield words


def _within(
    turns: Sequence[str], places: Collection[tuple[int, int]]
) -> Iterator[tuple[str, int, int]]:
    """Give the places of a conversation in each turn, with the turn."""
    before = 0
    for turn in turns:
        for first, last in places:
            start, end = max(first - before, 0), min(last - before, len(turn))
            if start < end:
                yield turn, start, end
        before += len(turn)


def _letters_in(text: str) -> int:
    return sum(map(str.isalpha, text))


def _part_of(turn: str, ends: Sequence[int], start: int, end: int) -> str:
    """Return the sentences or clauses that a finding lies in, without blanks around them."""
    return turn[ends[bisect_right(ends, start) - 1] : ends[bisect_left(ends, end)]].strip()


_SENTENCE_ENDS = re.compile(r"[.!?;\n\u3002\uff01\uff1f\u061f\u0964]+")


def _is_sentence(turns: Sequence[str]) -> bool:
    """Whether a conversation is more than one word: of less the classifier has no idea."""
    words = [word for turn in turns for word in turn.split() if any(map(str.isalpha, word))]
    return len(words) > 1 or any(
        script_of(word[-1]) in UNSPACED and len(word) >= _SHORTEST_UNSPACED for word in words
    )


def _may_be_sentence(turn: str) -> bool:
    """Whether a single word is long enough to be several, and not somebody who is spoken to."""
    return _letters_in(turn) >= _SHORTEST_HEARD_RUN and not turn.lstrip().startswith("@")


def _whole(turns: Sequence[str]) -> Span:
    before = sum(len(turn) for turn in turns[:-1])
    return Span(before, before + max(len(turns[-1]), 1), "paraphrase")


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
