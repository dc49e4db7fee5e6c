"""From words to marks: which language a text is in, and which slots its words fill there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from consentry.intent.grammar import Mark
from consentry.intent.lexicon import Lexicon, Phrase
from consentry.intent.normalise import View
from consentry.intent.tokens import Token
from consentry.intent.vocabulary import Senses, Vocabulary

_AS_GOOD_AS_BEST = 0.8
_PLAUSIBLE = 0.34
_MOST_PRIMARY = 3
_SURE_WORD = 5
_SURE_STEM = 6
_OF_AGE = 18
_LONGEST_AGE = 2
_HEAD_START = {"en": 1.15}
"""Prompts are often English; and words that many languages share are as good as English."""
_STRONG = frozenset(
    [
        "nude",
        "undress",
        "underwear",
        "swimwear",
        "genital",
        "sexual",
        "euphemism",
        "pose",
        "face_swap",
        "minor",
    ]
)
"""Slots whose words count in whatever language the rest of the text is."""
_PEOPLE = frozenset({"pronoun", "person"})
_KANA = range(0x3040, 0x3100)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a reading with their senses, and the languages that they seem to be in.

    Attributes:
        primary: The most plausible languages.
        plausible: Others that some words belong to.
        known: Share of the words that the best language knows, 0 to 1.
        judged: How many words could be judged at all.
    """

    tokens: Sequence[Token]
    senses: Sequence[Senses]
    primary: tuple[str, ...]
    plausible: frozenset[str]
    known: float
    judged: int


def words_of(
    view: View, tokens: Sequence[Token], sent: str, vocabularies: Mapping[str, Vocabulary]
) -> Words:
    """Look every word up, and let the words vote on the language.

    Args:
        view: The reading.
        tokens: Its words.
        sent: The text as it was sent: where accents tell words apart they are read there.
        vocabularies: By script.
    """
    has_accents = any(char >= "\u00c0" for char in sent)
    senses = [_senses(token, view, sent, vocabularies, has_accents=has_accents) for token in tokens]
    votes: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    judged = 0
    for token, found in zip(tokens, senses, strict=True):
        if token.text.isdigit() or (len(token.text) == 1 and token.script == "LATIN"):
            continue
        judged += 1
        weight = len(found) ** -0.5 if found else 0
        for language, sense in found.items():
            if sense.slots or sense.pieces:
                counts[language] += 1
                votes[language] += (
                    weight * (1.0 if sense.is_exact else 0.6) * (0.5 if not sense.slots else 1.0)
                )
    _vote_by_letters(sent, tokens, vocabularies, votes)
    for language, factor in _HEAD_START.items():
        if language in votes:
            votes[language] *= factor
    if not votes:
        return Words(tokens, senses, (), frozenset(), 0.0, judged)
    best = max(votes.values())
    ranked = sorted(votes, key=lambda language: (-votes[language], language))
    primary = tuple(each for each in ranked if votes[each] >= _AS_GOOD_AS_BEST * best)
    plausible = frozenset(each for each in ranked if votes[each] >= _PLAUSIBLE * best)
    known = max((counts[each] for each in primary[:_MOST_PRIMARY]), default=0) / max(judged, 1)
    return Words(tokens, senses, primary[:_MOST_PRIMARY], plausible, known, judged)


def _senses(
    token: Token,
    view: View,
    sent: str,
    vocabularies: Mapping[str, Vocabulary],
    *,
    has_accents: bool,
) -> Senses:
    vocabulary = vocabularies.get(token.script)
    if vocabulary is None:
        return {}
    found = vocabulary.look_up(token.text)
    if not vocabulary.accented or not has_accents:
        return found
    start, end = view.source(token.start, token.end)
    accented = vocabulary.look_up_accented(sent[start:end].casefold())
    if not accented and not any(language in found for language in vocabulary.accented):
        return found
    kept = {key: sense for key, sense in found.items() if key not in vocabulary.accented}
    return {**kept, **accented}


def _vote_by_letters(
    sent: str,
    tokens: Sequence[Token],
    vocabularies: Mapping[str, Vocabulary],
    votes: dict[str, float],
) -> None:
    letters = set(sent.casefold())
    for script in {token.script for token in tokens}:
        vocabulary = vocabularies.get(script)
        if vocabulary is None:
            continue
        for language, lexicon in vocabulary.lexicons.items():
            if votes.get(language):
                votes[language] += 0.4 * len(lexicon.letters & letters)
    has_kana = any(ord(char) in _KANA for char in letters)
    for language in {"ja", "zh"} & set(votes):
        votes[language] *= 2 if has_kana is (language == "ja") else 0.5


def marks_of(words: Words, vocabularies: Mapping[str, Vocabulary]) -> list[Mark]:
    """Return the marks of a reading, longest phrases first served; indices count all tokens."""
    slots = [
        _slots(token, found, words) for token, found in zip(words.tokens, words.senses, strict=True)
    ]
    marks, taken = _phrase_marks(words, slots, vocabularies)
    for place, token in enumerate(words.tokens):
        if place not in taken and slots[place][0]:
            marks.append(Mark(place, place, slots[place][0], token.text))
    for mark in marks:
        mark.text = mark.text or words.tokens[mark.last].text
    return sorted(marks, key=lambda mark: mark.first)


def _phrase_marks(
    words: Words,
    slots: Sequence[tuple[frozenset[str], frozenset[str]]],
    vocabularies: Mapping[str, Vocabulary],
) -> tuple[list[Mark], dict[int, Mark]]:
    """Return the marks of phrases, and which of them holds each token."""
    taken: dict[int, Mark] = {}
    marks: list[Mark] = []
    found_phrases = sorted(_phrases(words, slots, vocabularies), key=_precedence)
    for phrase, places, literal in found_phrases:
        holders = [taken[place] for place in literal if place in taken]
        if holders:
            same = holders[0]
            if same.first == places[0] and same.last == places[-1]:
                same.slots |= {phrase.slot}
                continue
            # Two phrases may share a word at their edges ("put her in" + "in the bath").
            if len(holders) == len(literal) or any(each.has("harmless") for each in holders):
                continue
        hidden = places if phrase.slot == "harmless" else literal
        if places[-1] - places[0] + 1 == len(places):
            mark = Mark(places[0], places[-1], frozenset({phrase.slot}) | _people(slots, hidden))
            marks.append(mark)
            for place in hidden:
                taken.setdefault(place, mark)
            continue
        # Parts with a gap between them: the first one stands for the phrase.
        own = frozenset({phrase.slot}) | _people(slots, hidden)
        mark = Mark(literal[0], literal[0], own, until=places[-1])
        marks.append(mark)
        filler = Mark(literal[-1], literal[-1], frozenset({"function"}))
        for place in hidden:
            taken.setdefault(place, mark if place == literal[0] else filler)
    return marks, taken


def _precedence(found: tuple[Phrase, list[int], list[int]]) -> tuple[object, ...]:
    """Return the order in which phrases are served: a total one, as sets give them in any order."""
    phrase, places, literal = found
    return -len(places), phrase.slot != "harmless", places, literal, phrase.slot, phrase.language


def _people(
    slots: Sequence[tuple[frozenset[str], frozenset[str]]], places: Sequence[int]
) -> frozenset[str]:
    """Return what words of a phrase say about people: that is never hidden by the phrase."""
    return frozenset().union(*(slots[place][0] & _PEOPLE for place in places))


def _slots(token: Token, senses: Senses, words: Words) -> tuple[frozenset[str], frozenset[str]]:
    """Return the slots and the phrase pieces of a word: its own language's, else others'."""
    if token.text.isdecimal():
        is_child = len(token.text) <= _LONGEST_AGE and 0 < int(token.text) < _OF_AGE
        pieces = frozenset().union(*(sense.pieces for sense in senses.values()))
        # A digit at a time: Python refuses to read a number of five thousand.
        if not any(int(digit) for digit in token.text):
            return frozenset({"nothing"}), pieces
        return (frozenset({"child_number"}) if is_child else frozenset()), pieces
    own = [senses[each] for each in words.primary if each in senses]
    pieces = frozenset().union(
        *(
            sense.pieces
            for each, sense in senses.items()
            if each in words.primary or each in words.plausible
        )
    )
    slots = frozenset().union(*(sense.slots for sense in own))
    if slots:
        return slots, pieces
    others = [(each, sense) for each, sense in senses.items() if each not in words.primary]
    plausible = [
        sense
        for each, sense in others
        if (each in words.plausible or each == "en")
        and (sense.is_exact or sense.length >= _SURE_STEM)
    ]
    pieces = pieces.union(*(sense.pieces for sense in plausible))
    slots = frozenset().union(*(sense.slots for sense in plausible))
    if not slots and len(token.text) >= _SURE_WORD:
        slots = frozenset().union(*(sense.slots & _STRONG for _, sense in others if sense.is_exact))
    return slots, pieces


def _phrases(
    words: Words,
    slots: Sequence[tuple[frozenset[str], frozenset[str]]],
    vocabularies: Mapping[str, Vocabulary],
) -> Iterator[tuple[Phrase, list[int], list[int]]]:
    """Give the phrases that are there, with the places of their elements and of the literal ones."""
    present = frozenset().union(*(each for pair in slots for each in pair))
    for place, token in enumerate(words.tokens):
        vocabulary = vocabularies.get(token.script)
        if vocabulary is None:
            continue
        for key in (*slots[place][1], *slots[place][0]):
            by_second = vocabulary.phrases.get(key)
            if by_second is None:
                continue
            for second in present & by_second.keys():
                for phrase in by_second[second]:
                    places = _matched(phrase, place, words.tokens, slots)
                    if places is not None:
                        literal = [
                            each
                            for each, element in zip(places, phrase.elements, strict=True)
                            if element.form is not None
                        ]
                        if _counts(phrase, literal, words):
                            yield phrase, places, literal or places


def _counts(phrase: Phrase, literal: Sequence[int], words: Words) -> bool:
    """Whether a phrase is one of the text's languages, or holds a word that they do not know."""
    if phrase.language in words.primary or phrase.slot == "harmless":
        return True
    return any(words.senses[place].keys().isdisjoint(words.primary) for place in literal)


def _matched(
    phrase: Phrase,
    place: int,
    tokens: Sequence[Token],
    slots: Sequence[tuple[frozenset[str], frozenset[str]]],
) -> list[int] | None:
    places = [place]
    for element in phrase.elements[1:]:
        start = places[-1] + 1
        for candidate in range(start, min(start + element.gap + 1, len(tokens))):
            if tokens[candidate].ends_sentence or (
                not element.gap and tokens[candidate].after_comma
            ):
                return None
            if element.key in slots[candidate][0] or element.key in slots[candidate][1]:
                places.append(candidate)
                break
        else:
            return None
    return places


def lexicon_of(words: Words, vocabularies: Mapping[str, Vocabulary]) -> Lexicon | None:
    """Return the lexicon of the most plausible language."""
    if not words.primary:
        return None
    for vocabulary in vocabularies.values():
        if words.primary[0] in vocabulary.lexicons:
            return vocabulary.lexicons[words.primary[0]]
    return None
