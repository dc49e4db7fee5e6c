"""Signs beside the request itself: does the text speak of a minor, or of a specific person?"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib import resources

from consentry.intent.grammar import Mark
from consentry.intent.marking import Words

_HANDLE = re.compile(r"(?<![\w.])@\w{2,30}")
_NAME_WORD = re.compile(r"[^\W\d_]+(?:[-'\u2019][^\W\d_]+)*")
_SHORTEST_NAME = 3
_NEAR_NUMBER = 2
_NEAR_THIS = 3


class Cues:
    """Tells signs of minors and of specific people. Immutable."""

    def __init__(self) -> None:
        path = resources.files(__package__) / "names.json"
        rows: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        self._given_names = frozenset(rows["given_names"].split())
        self._assistants = frozenset(rows["assistants"].split())

    def speaks_of_minor(self, marks: Sequence[Mark]) -> bool:
        """Whether a word for a minor, or a child's age, stands in a text."""
        return any(mark.has("minor") for mark in marks) or any(
            mark.has("child_number") and _is_near(marks, i, "years", _NEAR_NUMBER)
            for i, mark in enumerate(marks)
        )

    def refers_to_person(self, words: Words, marks: Sequence[Mark], sent: str) -> bool:
        """Whether a text speaks of somebody in particular: a handle, a name, "this girl", "her"."""
        if any(mark.has("pronoun", "relation", "office") for mark in marks):
            return True
        if any(
            mark.has("person") and _is_near(marks, i, "this", _NEAR_THIS)
            for i, mark in enumerate(marks)
        ):
            return True
        return self.has_handle(sent) or self.has_name(words, sent)

    def has_handle(self, sent: str) -> bool:
        """Whether an @handle stands in a text that is not an assistant's."""
        return any(
            match[0][1:].casefold() not in self._assistants for match in _HANDLE.finditer(sent)
        )

    def has_stranger(self, words: Words, sent: str) -> bool:
        """Whether a word stands in a text that may be a name, since nobody knows it.

        Asked of revealing requests only. There a name that is not recognised would be let through,
        unless it is the protected name of somebody enrolled: the answer would tell who is.
        """
        senses = {
            token.text: found for token, found in zip(words.tokens, words.senses, strict=True)
        }
        nouns_are_capital = "de" in words.primary
        for match in _NAME_WORD.finditer(sent):
            word = match[0]
            if len(word) < _SHORTEST_NAME:
                continue
            found = senses.get(word.casefold(), {})
            if found.keys().isdisjoint(words.primary):
                return True
            if word[0].isupper() and not nouns_are_capital and "en" not in found:
                return True
        return False

    def has_name(self, words: Words, sent: str) -> bool:
        """Whether a personal name seems to stand in a text: a known one, or two capitalised strangers."""
        senses = {
            token.text: found for token, found in zip(words.tokens, words.senses, strict=True)
        }
        letters = [char for char in sent if char.isalpha()]
        is_shouted = sum(char.isupper() for char in letters) > len(letters) / 2
        is_german = "de" in words.primary
        end_of_last, before = -2, ""
        for match in _NAME_WORD.finditer(sent):
            word = match[0]
            lower = word.casefold()
            found = senses.get(lower, {})
            is_capital = word[0].isupper() and not is_shouted
            is_place = any("link" in sense.slots for sense in senses.get(before, {}).values())
            before = lower
            if (
                lower in self._given_names
                and not is_place
                and (is_capital or found.keys().isdisjoint(words.primary))
            ):
                return True
            is_stranger = (
                is_capital and not word.isupper() and found.keys().isdisjoint(words.primary)
            )
            if is_stranger and match.start() - end_of_last == 1:
                return True
            end_of_last = match.end() if is_stranger and not is_german and not is_place else -2
        return False


def _is_near(marks: Sequence[Mark], place: int, slot: str, reach: int) -> bool:
    mark = marks[place]
    return any(
        other.has(slot)
        and other is not mark
        and max(other.first - mark.last, mark.first - other.last) <= reach
        for other in marks[max(0, place - reach) : place + reach + 1]
    )
