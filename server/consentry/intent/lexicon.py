"""The words of one language, read from its data file: what each slot and phrase is made of.

How to write such a file, and what every slot is for: docs/writing-a-lexicon.md. Nothing here knows
what the slots are put together to: that is `composition.json`, once for all languages.
"""

from __future__ import annotations

import itertools
import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from typing import Literal, NotRequired, TypedDict

from consentry.intent.normalise import WORD, folded
from consentry.kernel.taxonomy import IntentCategory

SLOTS = frozenset(
    (  # noqa: SIM905 -- a list of sixty words is read more easily so
        "undress remove open without nothing only wear put make replace instead show cover keep "
        "enlarge reduce lengthen less more garment underwear swimwear accessory modest fabric scant "
        "nude bare dressed transparent skimpy tight genital body pose sexual euphemism suggestive "
        "under face face_swap impersonate speech minor years child_number person pronoun relation "
        "office this thing product detail colour recolour not but and link link_after all too "
        "forget complaint function common harmless "
    ).split()
)
"""Every slot that a lexicon may fill."""

_MAX_FORMS_OF_A_PHRASE = 400


class _LexiconFile(TypedDict):
    language: str
    name: str
    version: int
    reviewed_by_native_speaker: bool
    script: str
    order: Literal["vo", "ov"]
    spaces: bool
    accents: NotRequired[Literal["ignored", "kept"]]
    prefixes: NotRequired[str]
    attribute_endings: NotRequired[str]
    negation_follows: NotRequired[bool]
    respell: NotRequired[dict[str, str]]
    letters: NotRequired[str]
    slots: dict[str, str]
    revealing: dict[str, list[str]]
    harmless: list[str]


@dataclass(frozen=True, slots=True)
class WordForm:
    """A word as it is looked for: open before (``*x``), after (``x*``), or both."""

    text: str
    is_open_before: bool = False
    is_open_after: bool = False
    is_accented_only: bool = False
    with_accents: str = ""

    def accented(self) -> WordForm:
        """Return the same form as it is written with its accents."""
        return replace(self, text=self.with_accents or self.text)


@dataclass(frozen=True, slots=True)
class Element:
    """One step of a phrase: a word, a slot, or a gap of up to `gap` words.

    Attributes:
        key: What a token must carry: ``#...`` for a literal word, else a slot.
        gap: How many words may stand before it.
    """

    key: str
    form: WordForm | None
    gap: int


@dataclass(frozen=True, slots=True)
class Phrase:
    """Several words that are one entry of a slot."""

    language: str
    slot: str
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """The words of one language. Immutable.

    Attributes:
        script: Name of its letters, as in the names that Unicode gives them ("LATIN").
        is_verb_final: Whether the object stands before the verb.
        has_spaces: Whether words are parted by spaces; if not, words are found wherever they stand.
        keeps_accents: Whether accents tell words apart (Vietnamese).
        prefixes: Small words written together with the next one (Arabic, Hebrew).
        negation_follows: Whether "not" may stand after what it negates (German, Turkish).
        attribute_endings: Case endings that make a garment the place of something else.
        letters: Letters that few other languages write.
        words: Single words by slot.
        phrases: Entries of several words.
        revealing: Examples by category, which the engine must find.
        harmless: Examples in which the engine must find nothing revealing.
    """

    language: str
    name: str
    version: int
    script: str
    is_verb_final: bool
    has_spaces: bool
    keeps_accents: bool
    prefixes: tuple[str, ...]
    attribute_endings: tuple[str, ...]
    negation_follows: bool
    letters: frozenset[str]
    words: Mapping[str, tuple[WordForm, ...]]
    phrases: tuple[Phrase, ...]
    revealing: Mapping[IntentCategory, tuple[str, ...]]
    harmless: tuple[str, ...]


def languages() -> tuple[str, ...]:
    """Return the tags of the lexicons that are there, sorted."""
    folder = resources.files(__package__) / "lexicons"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in names if name.endswith(".json")))


def scripts_of_lexicons() -> dict[str, str]:
    """Return the script of each language, without making anything of its words."""
    folder = resources.files(__package__) / "lexicons"
    found: dict[str, str] = {}
    for language in languages():
        rows: _LexiconFile = json.loads((folder / f"{language}.json").read_text(encoding="utf-8"))
        found[language] = rows["script"]
    return found


def load_lexicon(language: str) -> Lexicon:
    """Read the lexicon of a language.

    Args:
        language: BCP 47 tag, one of `languages`.

    Raises:
        ValueError: If the file names a slot that there is not.
    """
    path = resources.files(__package__) / "lexicons" / f"{language}.json"
    rows: _LexiconFile = json.loads(path.read_text(encoding="utf-8"))
    unknown = set(rows["slots"]) - SLOTS
    if unknown:
        message = f"{language}.json: no such slot: {', '.join(sorted(unknown))}"
        raise ValueError(message)
    words: dict[str, list[WordForm]] = {}
    phrases: list[Phrase] = []
    respell = rows.get("respell", {})
    for slot, entries in rows["slots"].items():
        for text in _entries(entries, respell):
            elements = tuple(_elements(text, rows["language"], has_spaces=rows["spaces"]))
            if len(elements) == 1 and elements[0].form is not None:
                words.setdefault(slot, []).append(elements[0].form)
            elif elements:
                phrases.append(Phrase(rows["language"], slot, elements))
    return Lexicon(
        language=rows["language"],
        name=rows["name"],
        version=rows["version"],
        script=rows["script"],
        is_verb_final=rows["order"] == "ov",
        has_spaces=rows["spaces"],
        keeps_accents=rows.get("accents") == "kept",
        prefixes=tuple(folded(each) for each in rows.get("prefixes", "").split()),
        attribute_endings=tuple(folded(each) for each in rows.get("attribute_endings", "").split()),
        negation_follows=rows.get("negation_follows", rows["order"] == "ov"),
        letters=frozenset(rows.get("letters", "").replace(" ", "")),
        words={slot: tuple(forms) for slot, forms in words.items()},
        phrases=tuple(phrases),
        revealing={IntentCategory(k): tuple(v) for k, v in rows["revealing"].items()},
        harmless=tuple(rows["harmless"]),
    )


def _entries(text: str, respell: Mapping[str, str]) -> Iterator[str]:
    """Give the entries of a slot: parted by commas; ``a|b c|d`` stands for four phrases."""
    for entry in text.split(","):
        choices = [word.split("|") for word in entry.split()]
        for form in itertools.islice(itertools.product(*choices), _MAX_FORMS_OF_A_PHRASE):
            spelt = " ".join(
                word if word[0] == "<" else word.replace("_", " ") for word in form if word
            )
            if not spelt:
                continue
            yield spelt
            other = spelt
            for letter, instead in respell.items():
                other = other.replace(letter, instead)
            if other != spelt:
                yield other


def _elements(text: str, language: str, *, has_spaces: bool) -> Iterator[Element]:
    gap = 0
    for word in text.split():
        if word.startswith(".."):
            gap = int(word[2:] or 4)
            continue
        for element in _steps(word, language, gap, has_spaces):
            yield element
            gap = 0


@lru_cache(maxsize=100_000)
def _steps(word: str, language: str, gap: int, has_spaces: bool) -> tuple[Element, ...]:  # noqa: FBT001 -- a key of the cache
    """Return the steps that a word of a phrase is; the same words stand in many phrases."""
    if word.startswith("<"):
        return (Element(word.strip("<>"), None, gap),)
    return tuple(
        Element(f"#{language}:{form}", form, 0 if i else gap)
        for i, form in enumerate(_forms(word, has_spaces=has_spaces))
    )


def _forms(word: str, *, has_spaces: bool) -> Iterator[WordForm]:
    """Give the word as it is looked for; an apostrophe or a hyphen in it makes it several."""
    is_accented_only = word.startswith("!")
    core = word.lstrip("!")
    before, after = core.startswith("*"), core.endswith("*")
    kept = unicodedata.normalize("NFC", core.strip("*").casefold())
    pieces = [core.strip("*")] if not has_spaces else WORD.findall(core.strip("*"))
    accented = [kept] if not has_spaces else WORD.findall(kept)
    for i, piece in enumerate(pieces):
        yield WordForm(
            folded(piece),
            is_open_before=before and i == 0 and has_spaces,
            is_open_after=after and i == len(pieces) - 1 and has_spaces,
            is_accented_only=is_accented_only,
            with_accents=accented[i] if len(accented) == len(pieces) else "",
        )
