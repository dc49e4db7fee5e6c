"""Every word that a person sees is in `_locales`, in three languages, and the pages' HTML holds none of its own."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

EXTENSION = Path(__file__).parents[2] / "extension"
LANGUAGES = ("en", "de", "ar")
PAGES = sorted((EXTENSION / "src" / "pages").glob("*/*.html"))
SOURCES = sorted(
    path for path in (EXTENSION / "src").rglob("*") if path.suffix in {".ts", ".html", ".json"}
)
MANIFEST = EXTENSION / "manifest" / "base.json"
VOCABULARIES = ("messages.ts", "domain/intent/taxonomy.ts")
WORD_ATTRIBUTES = ("alt", "title", "placeholder", "aria-label")
# Forms that are shown to be filled in, the same in every language.
EXAMPLES = {"", "example.org", "XXXX-XXXX-XXXX-XXXX"}

Words = dict[str, str]


def words(language: str) -> Words:
    """The messages of a language, by key."""
    file = EXTENSION / "_locales" / language / "messages.json"
    return {key: entry["message"] for key, entry in json.loads(file.read_text()).items()}


def union(name: str) -> set[str]:
    """The members of a closed vocabulary of the extension: a union of strings, or a list of them."""
    sources = ((EXTENSION / "src" / file).read_text() for file in VOCABULARIES)
    text = "\n".join(sources)
    declared = re.search(rf"export type {name} =([^;]+);", text)
    assert declared, f"no type {name}"
    listed = re.search(r"\(typeof ([A-Z]+)\)\[number\]", declared[1])
    source = re.search(rf"const {listed[1]} = \[([^]]+)\]", text) if listed else declared
    members = set(re.findall(r'"([a-z_]+)"', source[1]))
    assert len(members) > 1, f"{name} has no members"
    return members


class Page(HTMLParser):
    """What is of interest in one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text.append(data.strip())

    @property
    def ids(self) -> set[str]:
        return {attributes["id"] for _, attributes in self.elements if "id" in attributes}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_word(language: str) -> None:
    assert words(language).keys() == words("en").keys()
    assert all(text.strip() for text in words(language).values())


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_what_is_put_into_a_sentence_is_put_into_every_translation(language: str) -> None:
    placed = re.compile(r"\$\d")
    translated = words(language)

    differing = [
        key
        for key, text in words("en").items()
        if sorted(placed.findall(text)) != sorted(placed.findall(translated[key]))
    ]

    assert differing == []


def test_a_translation_is_in_its_own_script() -> None:
    letters = re.compile(r"[؀-ۿ]")
    # The product's name, and what is the same everywhere.
    names = {"language_tag", "language_direction", "name", "popup_title"}

    assert [key for key, text in words("ar").items() if not letters.search(text)] == sorted(
        names & words("ar").keys(), key=list(words("ar")).index
    )


def test_every_word_that_is_named_exists() -> None:
    named = re.compile(
        r'(?:\bword\(\s*"|data-i18n(?:-[a-z-]+)?="|__MSG_)([a-z0-9]+(?:_[a-z0-9]+)*)'
    )
    used = {
        (path.name, key) for path in [*SOURCES, MANIFEST] for key in named.findall(path.read_text())
    }

    assert len(used) > 150
    assert {each for each in used if each[1] not in words("en")} == set()


@pytest.mark.parametrize(
    ("prefix", "type_name"),
    [
        ("error", "FailureCode"),
        ("quality", "QualityIssue"),
        ("category", "IntentCategory"),
        ("policy", "SubjectPolicy"),
        ("verdict", "Verdict"),
        ("reason", "PublicReason"),
        ("purpose", "Purpose"),
    ],
)
def test_a_closed_vocabulary_has_a_word_for_each_member(prefix: str, type_name: str) -> None:
    assert {f"{prefix}_{member}" for member in union(type_name)} <= words("en").keys()


def test_no_word_is_there_for_nothing() -> None:
    everything = "\n".join(path.read_text() for path in [*SOURCES, MANIFEST])
    composed = {
        family: {f"{family}_{member}" for member in union(name)}
        for family, name in (
            ("error", "FailureCode"),
            ("quality", "QualityIssue"),
            ("category", "IntentCategory"),
            ("reason", "PublicReason"),
            ("purpose", "Purpose"),
        )
    }
    known = set().union(*composed.values())
    known |= {f"policy_{policy}{end}" for policy in union("SubjectPolicy") for end in ("", "_hint")}
    known |= {
        f"feature_{each}{end}" for each in ("feed", "requests", "guard") for end in ("", "_short")
    }

    known |= {f"seen_by_{how}" for how in ("face", "name", "possible")}

    literal = set(re.findall(r"[\"'`]([a-z_0-9]+)[\"'`]", everything))
    literal |= set(re.findall(r"__MSG_([a-z_0-9]+)__", everything))

    assert sorted(words("en").keys() - literal - known) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_holds_no_words_of_its_own(path: Path) -> None:
    page = Page(path)

    assert page.text == []
    bare = [
        (tag, name, attributes[name])
        for tag, attributes in page.elements
        for name in WORD_ATTRIBUTES
        if name in attributes and attributes[name] not in EXAMPLES
    ]
    assert bare == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_runs_and_loads_only_what_is_in_the_package(path: Path) -> None:
    page = Page(path)

    for tag, attributes in page.elements:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("src", "href"):
            assert not re.match(r"[a-z]+:|//", attributes.get(name, "")), attributes
    scripts = [attributes for tag, attributes in page.elements if tag == "script"]
    assert scripts == [{"type": "module", "src": f"{path.stem}.js"}]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_what_a_page_refers_to_is_on_it(path: Path) -> None:
    page = Page(path)
    references = {
        each
        for _, attributes in page.elements
        for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls")
        for each in attributes.get(name, "").split()
    }

    assert references - page.ids == set()
    assert len(page.ids) == len([1 for _, attributes in page.elements if "id" in attributes])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_field_has_a_label_and_every_drawing_is_silent(path: Path) -> None:
    page = Page(path)
    labelled = {
        attributes["for"]
        for tag, attributes in page.elements
        if tag == "label" and "for" in attributes
    }

    for tag, attributes in page.elements:
        if tag in {"input", "select", "textarea"} and attributes.get("id") != "photos":
            assert attributes["id"] in labelled or "aria-labelledby" in attributes, attributes
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true"
        if tag == "img":
            assert "alt" in attributes or "data-i18n-alt" in attributes


def test_every_drawing_that_is_named_exists() -> None:
    drawn = set(
        re.findall(r'<symbol id="([a-z-]+)"', (EXTENSION / "src/pages/symbols.svg").read_text())
    )
    named = {
        each
        for path in SOURCES
        if "pages" in path.parts
        for each in re.findall(
            r'(?:symbols\.svg#|symbol\(\s*"|drawing: "|note\("[a-z]+", ")([a-z-]+)',
            path.read_text(),
        )
    }

    assert named - drawn == set()
    assert drawn - named - {"eye-off", "tick", "cross", "face", "info", "link"} == set()
