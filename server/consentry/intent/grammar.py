"""Composition: what the marked words of a sentence ask for together. One grammar for all languages.

The rules are data (`composition.json`). Before they are applied, each mark is judged: is it only
the place of something else, negated, given up for something more modest, part of a product, or
merely given another colour?
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Literal, NotRequired, TypedDict

from consentry.kernel.taxonomy import IntentCategory

_NEGATION_REACH = 7
_NEGATION_REACH_BEFORE_VERB = 2
_LINK_REACH = 4
_SUBJECT_REACH = 5
_COVER_REACH = 6
_CHANGE_REACH = 3
_MOST_PAIRS = 4


class _RuleRow(TypedDict):
    id: str
    category: str
    parts: list[str]
    within: NotRequired[int]
    order: NotRequired[Literal["any", "forward", "object"]]
    head: NotRequired[list[int]]
    between_not: NotRequired[list[str]]
    needs: NotRequired[list[str]]
    needs_not: NotRequired[list[str]]
    through_not: NotRequired[bool]
    one_clause: NotRequired[bool]


class _File(TypedDict):
    comment: str
    groups: dict[str, list[str]]
    rules: list[_RuleRow]


@dataclass(slots=True, eq=False)
class Mark:
    """A word, or several, that fill slots.

    Attributes:
        first: Place of its first token in the sentence.
        last: Place of its last token.
        slots: What it is.
        text: As the reading has it.
        until: Place of the last word of a phrase that others stand in ("take ... off"); else -1.
        is_attribute: It is where something else is ("the stain on her dress").
        is_negated: It is not to be done, or not to be there.
        is_given_up: Something more modest takes its place, or covers it.
        is_spared: It is part of a product, of a thing, or only given another colour.
    """

    first: int
    last: int
    slots: frozenset[str]
    text: str = ""
    until: int = -1
    is_attribute: bool = False
    is_negated: bool = False
    is_given_up: bool = False
    is_spared: bool = False

    def has(self, *slots: str) -> bool:
        """Whether it fills one of some slots."""
        return not self.slots.isdisjoint(slots)

    def moved(self, by: int) -> Mark:
        """Return a fresh mark, `by` tokens further."""
        until = self.until + by if self.until >= 0 else -1
        return Mark(self.first + by, self.last + by, self.slots, self.text, until)


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that was met, by which tokens of the sentence."""

    rule: str
    category: IntentCategory
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of `composition.json`, with its groups of slots written out."""

    id: str
    category: IntentCategory
    parts: tuple[frozenset[str], ...]
    within: int
    order: str
    head: frozenset[int]
    between_not: frozenset[str]
    needs: frozenset[str]
    needs_not: frozenset[str]
    through_not: bool
    one_clause: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """The words of one sentence.

    Attributes:
        marks: In order, not overlapping.
        length: How many tokens it has.
        commas: The tokens before which a comma stands.
        is_verb_final: Whether its language puts the verb last.
        names_somebody: Whether the whole text speaks of a person.
        negation_follows: Whether "not" may stand after what it negates.
        complains: Whether the whole text is about reporting or preventing such pictures.
        attribute_endings: Endings that make a garment the place of something else.
        at: The mark at each token.
    """

    marks: Sequence[Mark]
    length: int
    commas: frozenset[int]
    is_verb_final: bool
    names_somebody: bool
    negation_follows: bool = False
    complains: bool = False
    attribute_endings: tuple[str, ...] = ()
    at: dict[int, Mark] = field(default_factory=dict)


SOMEBODY = ("person", "pronoun", "relation", "office", "minor")
_CLOTHES = ("garment", "underwear", "swimwear")
_INTIMATE = ("underwear", "swimwear")
_VERBS = ("put", "make", "wear", "replace", "show", "remove", "without", "open", "reduce", "cover",
          "enlarge", "undress", "keep", "lengthen", "instead")  # fmt: skip
_FILLERS = ("function", "this", "all", "not", "only", "more", "less")
_COVERED = ("underwear", "swimwear", "transparent", "skimpy", "tight", "body", "bare", "garment")
_REPORTED = ("nude", "underwear", "swimwear", "sexual", "face_swap", "impersonate")
_WEAK = ("transparent", "skimpy", "tight", "bare", "body", "open", "reduce")
"""What a sentence that covers something may name: "close the low neckline, it is too open"."""
_OBJECT_REACH = 3
_SPARED = ("underwear", "swimwear", "transparent", "skimpy", "tight", "garment", "undress", "nude",
           "scant", "bare", "fabric", "body", "modest")  # fmt: skip


class Grammar:
    """Applies the rules. Immutable; safe to share between threads."""

    def __init__(self) -> None:
        path = resources.files(__package__) / "composition.json"
        rows: _File = json.loads(path.read_text(encoding="utf-8"))
        self.rules = tuple(_rule(row, rows["groups"]) for row in rows["rules"])
        self.of_one_word = frozenset(rule.id for rule in self.rules if len(rule.parts) == 1)

    def findings(self, sentence: Sentence) -> Iterator[Finding]:
        """Judge the marks of a sentence, and give the rules that they meet."""
        if not sentence.marks:
            return
        for mark in sentence.marks:
            for place in range(mark.first, mark.last + 1):
                sentence.at[place] = mark
        _judge(sentence)
        present = frozenset().union(*(mark.slots for mark in sentence.marks))
        for rule in self.rules:
            if (
                all(not part.isdisjoint(present) for part in rule.parts)
                and (not rule.needs or not rule.needs.isdisjoint(present))
                and rule.needs_not.isdisjoint(present)
            ):
                yield from _met(rule, sentence)


def _rule(row: _RuleRow, groups: dict[str, list[str]]) -> Rule:
    def slots(text: str) -> frozenset[str]:
        return frozenset(slot for name in text.split("|") for slot in groups.get(name, [name]))

    return Rule(
        id=row["id"],
        category=IntentCategory(row["category"]),
        parts=tuple(slots(part) for part in row["parts"]),
        within=row.get("within", 1),
        order=row.get("order", "forward"),
        head=frozenset(row.get("head", ())),
        between_not=slots("|".join(row.get("between_not", ()))) - {""},
        needs=slots("|".join(row.get("needs", ()))) - {""},
        needs_not=slots("|".join(row.get("needs_not", ()))) - {""},
        through_not=row.get("through_not", False),
        one_clause=row.get("one_clause", False),
    )


def _met(rule: Rule, sentence: Sentence) -> Iterator[Finding]:
    for i, mark in enumerate(sentence.marks):
        if not _fits(rule, 0, mark):
            continue
        chosen = [mark]
        if all(_extended(rule, part, chosen, i, sentence) for part in range(1, len(rule.parts))):
            yield Finding(
                rule.id,
                rule.category,
                min(each.first for each in chosen),
                max(each.last for each in chosen),
            )


def _fits(rule: Rule, part: int, mark: Mark) -> bool:
    return (
        not mark.slots.isdisjoint(rule.parts[part])
        and not mark.is_given_up
        and not mark.is_spared
        and (rule.through_not or not mark.is_negated)
        and not (part in rule.head and mark.is_attribute)
    )


def _extended(rule: Rule, part: int, chosen: list[Mark], place: int, sentence: Sentence) -> bool:
    """Choose the nearest mark for the next part; tell whether there is one."""
    last = chosen[-1]
    is_any = rule.order == "any" or (rule.order == "object" and sentence.is_verb_final)
    for mark in _neighbours(sentence.marks, place, is_any=is_any):
        if mark in chosen:
            if (
                len(chosen) == 1
                and len(rule.parts) > 1
                and not mark.slots.isdisjoint(rule.parts[part])
                and _is_two_in_one(rule, mark)
            ):
                chosen.append(mark)
                return True
            continue
        distance = mark.first - last.last if mark.first > last.first else last.first - mark.last
        if distance > rule.within or not _fits(rule, part, mark):
            continue
        if _is_between(rule.between_not, last, mark, sentence):
            continue
        if rule.one_clause and part == 1 and _is_comma_between(last, mark, sentence):
            continue
        if part in rule.head and (
            _is_clause_apart(last, mark, sentence) or _is_satisfied(last, mark, sentence)
        ):
            continue
        chosen.append(mark)
        return True
    return False


def _is_two_in_one(rule: Rule, mark: Mark) -> bool:
    """Whether a word is all parts at once ("clothesless"): then it fills different slots."""
    return len(mark.slots) > 1 and rule.parts[0] != rule.parts[1]


def _neighbours(marks: Sequence[Mark], place: int, *, is_any: bool) -> Iterator[Mark]:
    """Give marks after a place, nearest first; and, where the order is free, those before it."""
    yield marks[place]
    reach = 12
    for step in range(1, reach):
        if place + step < len(marks):
            yield marks[place + step]
        if is_any and place - step >= 0:
            yield marks[place - step]


def _is_between(slots: frozenset[str], one: Mark, other: Mark, sentence: Sentence) -> bool:
    """Whether a mark of some slots stands between two, and is not merely the first of a list."""
    if not slots:
        return False
    first, last = sorted((one, other), key=lambda mark: mark.first)
    between = [
        mark for mark in sentence.marks if first.last < mark.first and mark.last < last.first
    ]
    for i, mark in enumerate(between):
        if mark.slots.isdisjoint(slots):
            continue
        later = between[i + 1 :]
        is_listed = any(each.has("and") for each in later) or any(
            place in sentence.commas for place in range(mark.last + 1, last.first + 1)
        )
        # In a list the verb stands outside of it; what stands before its own verb is no list.
        is_listed = is_listed and not (first.has(*_CLOTHES) and not sentence.is_verb_final)
        is_listed = is_listed and not any(each.has("only", "keep", "but") for each in later)
        if not is_listed:
            return True
    return False


def _is_comma_between(one: Mark, other: Mark, sentence: Sentence) -> bool:
    first, last = sorted((one, other), key=lambda mark: mark.first)
    return any(first.last < place <= last.first for place in sentence.commas)


def _is_satisfied(act: Mark, worn: Mark, sentence: Sentence) -> bool:
    """Whether, where the verb comes last, an act has its object before it already."""
    if not sentence.is_verb_final or worn.first < act.first:
        return False
    before = (sentence.at.get(act.first - step) for step in (1, 2))
    return any(mark is not None and mark.has("accessory", "detail", "thing") for mark in before)


def _is_clause_apart(act: Mark, worn: Mark, sentence: Sentence) -> bool:
    """Whether what is worn comes after a comma with an act of its own before it."""
    if worn.first < act.first:
        return False
    commas = [place for place in sentence.commas if act.last < place <= worn.first]
    return bool(commas) and any(
        mark.has("show", "keep", "only", "put", "wear", "lengthen", "cover")
        for mark in sentence.marks
        if max(commas) <= mark.first < worn.first
    )


def _judge(sentence: Sentence) -> None:
    """Say of each mark what keeps it from counting."""
    for mark in sentence.marks:
        if mark.has("garment", "underwear", "swimwear", "modest", "body", "face", "fabric"):
            mark.is_attribute = _is_attribute(mark, sentence)
        if mark.until > mark.last:
            _judge_parted(mark, sentence)
    _negate(sentence)
    for mark in sentence.marks:
        if mark.has(*_CLOTHES) and _is_left_alone(mark, sentence):
            mark.is_negated = True
    _give_up(sentence)
    _spare(sentence)


def _judge_parted(mark: Mark, sentence: Sentence) -> None:
    """Judge a phrase by what stands in it: "take your hat off", "get the ketchup off my shirt"."""
    inside = [other for other in sentence.marks if mark.last < other.first < mark.until]
    if any(other.has("not") for other in inside):
        mark.is_negated = True
    if mark.has("undress") and any(other.has("accessory", "detail", "thing") for other in inside):
        mark.is_spared = not any(other.has(*_CLOTHES) for other in inside)
    if mark.has("remove") and not any(other.has(*_CLOTHES, "fabric", "all") for other in inside):
        fillers = sum(
            other.last - other.first + 1
            for other in inside
            if other.has(*_FILLERS, *SOMEBODY) and not other.has("detail", "thing", "accessory")
        )
        mark.is_spared = mark.until - mark.last - 1 > fillers


def _is_attribute(mark: Mark, sentence: Sentence) -> bool:
    after = sentence.at.get(mark.last + 1)
    is_compound = after is not None and after.has("detail") and not after.has(*_CLOTHES)
    return (
        (is_compound and not sentence.is_verb_final and mark.last + 1 not in sentence.commas)
        or _is_after_link(mark, sentence)
        or _is_before_link(mark, sentence)
    )


def _is_after_link(mark: Mark, sentence: Sentence) -> bool:
    """Whether a preposition makes it the place of a noun before: "the stain on her new dress"."""
    for place in range(mark.first - 1, max(-1, mark.first - 1 - _LINK_REACH), -1):
        other = sentence.at.get(place)
        if place + 1 in sentence.commas:
            return False
        if other is None:
            continue
        if other.has("link"):
            return _has_head_before(other, sentence)
        if other.has(*_VERBS, "and", *SOMEBODY[:1], *_CLOTHES, "detail", "thing"):
            return False
    return False


def _has_head_before(link: Mark, sentence: Sentence) -> bool:
    for place in range(link.first - 1, max(-1, link.first - 3), -1):
        other = sentence.at.get(place)
        if other is None:
            return True
        if other.has(*_CLOTHES, "all"):
            return False
        if other.has("detail", "thing", "product", "accessory", *SOMEBODY, "face", "colour"):
            return True
        if other.has(*_VERBS):
            return False
        if not other.has(*_FILLERS):
            return True
    return False


def _is_before_link(mark: Mark, sentence: Sentence) -> bool:
    """Whether a postposition, an ending, or "worn by" makes it the place of a noun after it."""
    is_ended = any(mark.text.endswith(ending) for ending in sentence.attribute_endings) and bool(
        sentence.attribute_endings
    )
    after = sentence.at.get(mark.last + 1)
    linked = mark.last
    if not is_ended:
        if after is None or not after.has("link_after"):
            return False
        linked = after.last
    for place in range(linked + 1, min(sentence.length, linked + 4)):
        other = sentence.at.get(place)
        if other is None:
            return True
        if other.has("detail", "thing", "product", "accessory", *SOMEBODY, "colour"):
            return True
        if other.has(*_VERBS, *_CLOTHES, "and"):
            return False
        if not other.has(*_FILLERS, "link_after"):
            return True
    return False


def _negate(sentence: Sentence) -> None:
    """Mark what a negation reaches: what follows it, or, where the verb comes last, what precedes."""
    for mark in sentence.marks:
        if mark.has("not") and len(mark.slots) > 1 and mark.has(*_VERBS, "nude", "sexual"):
            mark.is_negated = True
            _negate_side(mark, sentence, -1)
            continue
        if mark.has("not") or (mark.has("without") and _negates(mark, sentence)):
            _negate_side(mark, sentence, 1)
            if sentence.negation_follows:
                _negate_side(mark, sentence, -1)


def _is_left_alone(worn: Mark, sentence: Sentence) -> bool:
    """Whether its clause says of what is worn only what is not to be done: ", dress don't touch"."""
    start = max((place for place in sentence.commas if place <= worn.first), default=0)
    end = min((place for place in sentence.commas if place > worn.last), default=sentence.length)
    clause = [mark for mark in sentence.marks if start <= mark.first and mark.last < end]
    return (
        start > 0
        and any(mark.has("not") and mark.first > worn.last for mark in clause)
        and not any(
            mark.has("remove", "without", "keep", "wear", "dressed", "nothing", "nude", "open")
            for mark in clause
        )
    )


def _negates(without: Mark, sentence: Sentence) -> bool:
    """Whether "without" stands before an act or a quality ("without removing", "without nudity")."""
    for place in range(without.last + 1, without.last + 3):
        other = sentence.at.get(place)
        if place in sentence.commas or (other is not None and other.has(*_CLOTHES)):
            return False
        is_phrase = other is not None and other.first < other.last and place > without.last + 1
        if other is not None and not is_phrase and other.has(
            "remove", "undress", "nude", "sexual", "transparent", "skimpy", "pose", "genital", "show",
            "face_swap", "replace", "suggestive", "euphemism", "bare",
        ):  # fmt: skip
            return True
    return False


def _negate_side(negation: Mark, sentence: Sentence, step: int) -> None:
    place = negation.last + 1 if step > 0 else negation.first - 1
    reach = _NEGATION_REACH
    if step > 0 and sentence.is_verb_final:
        reach = _NEGATION_REACH_BEFORE_VERB
    for _ in range(reach):
        if (
            not 0 <= place < sentence.length
            or (place if step > 0 else place + 1) in sentence.commas
        ):
            return
        other = sentence.at.get(place)
        if other is not None:
            if other.has("but", "and", "instead") or (other.has("only") and step > 0):
                return
            other.is_negated = True
        place += step


def _give_up(sentence: Sentence) -> None:
    """Mark what something more modest replaces or covers."""
    marks = sentence.marks
    for mark in marks:
        if mark.has("instead") and not mark.is_negated:
            _give_up_instead(mark, sentence)
        elif mark.has("less"):
            _give_up_less(mark, sentence)
        elif mark.has("too"):
            _give_up_too(mark, sentence)
        if mark.has("without"):
            _give_up_refused(mark, sentence)
    worn = [mark for mark in marks if mark.has(*_CLOTHES, "modest", "scant")]
    is_replacing = any(mark.has("replace") and not mark.is_negated for mark in marks)
    if is_replacing and len(worn) > 1 and worn[-1].has("modest"):
        for mark in worn[:-1]:
            mark.is_given_up = True
    if not any(mark.has("only", "scant") for mark in marks):
        _give_up_covered(sentence)


def _give_up_covered(sentence: Sentence) -> None:
    """Mark what is covered, or made longer: near the act what is worn, anywhere what is weak."""
    marks = sentence.marks
    acts = [
        mark
        for mark in marks
        if mark.has("cover", "lengthen")
        and not mark.is_negated
        and not _is_of_a_detail(mark, sentence)
    ]
    for act in acts:
        _give_up_near(act, sentence, _COVER_REACH)
    for mark in marks:
        if acts and mark.has(*_WEAK):
            mark.is_given_up = True


def _is_of_a_detail(act: Mark, sentence: Sentence) -> bool:
    """Whether what is covered is no garment: "remove her dress, and blur the background"."""
    step = -1 if sentence.is_verb_final else 1
    place = act.first - 1 if step < 0 else act.last + 1
    for _ in range(_OBJECT_REACH):
        other = sentence.at.get(place)
        if other is not None and not other.has(*_FILLERS):
            return other.has("detail") and not other.has(*_COVERED)
        place += step
    return False


def _give_up_refused(without: Mark, sentence: Sentence) -> None:
    """Mark what is not wanted when something else is: "no bikini please, proper clothes"."""
    for place in (without.last + 1, without.last + 2):
        other = sentence.at.get(place)
        if other is None or not other.has("swimwear"):
            continue
        wanted = [
            mark
            for mark in sentence.marks
            if mark.first > other.last and mark.has("modest", "garment", "dressed")
        ]
        if wanted and not any(
            mark.has("without", "scant") for mark in sentence.marks if mark.first > other.last
        ):
            other.is_given_up = True
        return


def _give_up_instead(instead: Mark, sentence: Sentence) -> None:
    step = -1 if sentence.is_verb_final else 1
    place = instead.first - 1 if step < 0 else instead.last + 1
    for _ in range(4):
        other = sentence.at.get(place)
        if other is not None and other.has(*_COVERED, "modest", "nude"):
            other.is_given_up = True
            return
        place += step


def _give_up_less(less: Mark, sentence: Sentence) -> None:
    for place in (less.last + 1, less.last + 2, less.first - 1):
        other = sentence.at.get(place)
        if other is not None and other.has("transparent", "skimpy", "tight", "sexual", "nude",
                                           "bare", "suggestive", "body"):  # fmt: skip
            other.is_given_up = True
            _give_up_near(less, sentence, 5)
            return


def _give_up_too(too: Mark, sentence: Sentence) -> None:
    """Mark what a complaint asks to be covered: "her skirt is too short"."""
    for place in (too.last + 1, too.last + 2, too.first - 1):
        other = sentence.at.get(place)
        if other is not None and other.has(
            "transparent", "skimpy", "tight", "reduce", "bare", "open"
        ):
            _give_up_near(too, sentence, 9)
            return


def _give_up_near(act: Mark, sentence: Sentence, reach: int) -> None:
    for mark in sentence.marks:
        distance = max(mark.first - act.last, act.first - mark.last)
        if mark is not act and distance <= reach and mark.has(*_COVERED):
            mark.is_given_up = True


def _spare(sentence: Sentence) -> None:
    """Mark what is part of a product or a thing, or only given another colour."""
    marks = sentence.marks
    is_asking = any(mark.has("undress", "wear") for mark in marks) or (
        any(mark.has("remove") for mark in marks) and any(mark.has(*_CLOTHES) for mark in marks)
    )
    if sentence.complains and not is_asking:
        for mark in marks:
            mark.is_spared = mark.is_spared or mark.has(*_REPORTED)
    if not sentence.names_somebody:
        _spare_things(sentence)
    intimate = [mark for mark in marks if mark.has(*_INTIMATE)]
    if _is_about_detail(sentence):
        for mark in intimate:
            mark.is_spared = mark.is_spared or mark.is_attribute
    if intimate and _is_recoloured(intimate, sentence):
        for mark in intimate:
            mark.is_spared = True


def _spare_things(sentence: Sentence) -> None:
    """Mark what a text without people says of products, animals and things."""
    marks = sentence.marks
    if any(mark.has("product") for mark in marks):
        for mark in marks:
            mark.is_spared = mark.is_spared or mark.has(*_SPARED)
    things = [mark for mark in marks if mark.has("thing", "product")]
    for mark in marks:
        if mark.has("euphemism", "suggestive", "pose", "scant") and any(
            0 < mark.first - thing.last <= _SUBJECT_REACH for thing in things
        ):
            mark.is_spared = True
        if mark.has("nude", "bare", "undress", "transparent", "skimpy", "tight", "garment", "body"):
            mark.is_spared = mark.is_spared or _is_of_thing(mark, sentence)


def _is_about_detail(sentence: Sentence) -> bool:
    """Whether what is done is done to a detail: "remove the stain from her bikini"."""
    marks = sentence.marks
    return (
        any(mark.has("detail") for mark in marks)
        and any(mark.has("remove", "replace", "recolour", "cover", "reduce") for mark in marks)
        and not any(mark.has("wear", "put", "make", "only") for mark in marks)
    )


def _is_of_thing(mark: Mark, sentence: Sentence) -> bool:
    """Whether a quality belongs to a thing beside it ("a bare tree"), or a garment to one near."""
    before = range(mark.first - 1, mark.first - 4, -1)
    if mark.has("garment") and sentence.is_verb_final:
        before = _up_to_an_act(before, sentence)
    return (
        _is_thing_within(mark, range(mark.last + 1, mark.last + 5), sentence)
        or _is_thing_within(mark, before, sentence)
        or (mark.has("garment") and _is_from_a_stranger(mark, sentence))
    )


def _up_to_an_act(places: range, sentence: Sentence) -> range:
    """Leave out a thing that something else is done to: "gokyuzunu aydinlat elbisesini cikar"."""
    for i, place in enumerate(places):
        other = sentence.at.get(place)
        if other is None or not other.has(*_FILLERS, "thing", "product", "link", "link_after"):
            return places[:i]
    return places


def _is_from_a_stranger(garment: Mark, sentence: Sentence) -> bool:
    """Whether clothes are "from the xyz", where nobody is spoken of: hardly from a person."""
    is_linked = False
    for place in range(garment.last + 1, min(garment.last + 5, sentence.length)):
        other = sentence.at.get(place)
        if other is None or place in sentence.commas:
            return is_linked and place not in sentence.commas
        if other.has("link", "link_after"):
            is_linked = True
        elif not other.has(*_FILLERS):
            return False
    return False


def _is_thing_within(mark: Mark, places: range, sentence: Sentence) -> bool:
    is_garment = mark.has("garment", "body")
    for place in places:
        crossed = place if places.step > 0 else place + 1
        if not 0 <= place < sentence.length or crossed in sentence.commas:
            return False
        other = sentence.at.get(place)
        if other is None or other is mark:
            continue
        if other.has("thing", "product") and not other.has("remove"):
            return True
        if places.step > 0 and other.has("and") and _does_more(other, sentence):
            return False
        if other.has("link", "link_after", "and", "but") and not is_garment:
            return False
    return False


def _does_more(joint: Mark, sentence: Sentence) -> bool:
    """Whether something else begins to be done behind an "and"."""
    after = sentence.at.get(joint.last + 1)
    return after is not None and after.has(*_VERBS)


def _is_recoloured(intimate: list[Mark], sentence: Sentence) -> bool:
    """Whether all that is asked of what is worn already is another colour."""
    marks = sentence.marks
    if any(mark.has("wear", "put", "only", "reduce", "skimpy", "transparent") for mark in marks):
        return False
    if any(mark.has("recolour") for mark in marks):
        return True
    first = intimate[0]
    doing = [mark for mark in marks if mark.has("make", "replace")]
    if sentence.is_verb_final:
        return any(
            first.last < m.first <= first.last + 4 and m.has("colour") for m in marks
        ) and any(mark.first > first.last for mark in doing)
    is_changed = any(
        0 < first.first - mark.last <= _CHANGE_REACH and mark.has("make", "replace")
        for mark in doing
    )
    return (
        is_changed
        and not any(mark.has(*SOMEBODY) and _is_object(mark, first) for mark in marks)
        and any(first.last < mark.first <= first.last + 4 and mark.has("colour") for mark in marks)
        and not any(mark.has(*_CLOTHES) and mark is not first for mark in marks)
    )


def _is_object(somebody: Mark, worn: Mark) -> bool:
    """Whether a person stands between and is no possessive next to what is worn."""
    return somebody.first < worn.first and worn.first - somebody.last > 1
