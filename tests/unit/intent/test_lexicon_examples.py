"""Every lexicon is found right by its own examples."""

from __future__ import annotations

import pytest
from consentry.intent.engine import IntentEngine
from consentry.intent.lexicon import languages, load_lexicon
from consentry.kernel.taxonomy import IntentCategory

ENGINE = IntentEngine()
ORDER = list(IntentCategory)
LEXICONS = {language: load_lexicon(language) for language in languages()}
REVEALING = [
    pytest.param(category, text, id=f"{language}:{text}")
    for language, lexicon in LEXICONS.items()
    for category, texts in lexicon.revealing.items()
    for text in texts
]
HARMLESS = [
    pytest.param(text, id=f"{language}:{text}")
    for language, lexicon in LEXICONS.items()
    for text in lexicon.harmless
]


@pytest.mark.parametrize(("category", "text"), REVEALING)
def test_a_revealing_example_is_found_at_least_as_strictly(category, text):
    assert ORDER.index(ENGINE.assess(text).category) <= ORDER.index(category)


@pytest.mark.parametrize("text", HARMLESS)
def test_a_harmless_example_is_left_alone(text):
    assert not ENGINE.assess(text).category.is_revealing


@pytest.mark.parametrize("language", LEXICONS)
def test_every_example_is_readable(language):
    lexicon = LEXICONS[language]
    texts = [*lexicon.harmless, *(text for each in lexicon.revealing.values() for text in each)]

    assert not [text for text in texts if not ENGINE.assess(text).is_readable]


@pytest.mark.parametrize("language", LEXICONS)
def test_a_lexicon_has_enough_examples_and_says_who_reviewed_it(language):
    lexicon = LEXICONS[language]

    assert sum(len(texts) for texts in lexicon.revealing.values()) >= 25
    assert len(lexicon.harmless) >= 25
    assert {"garment", "remove", "without", "wear", "nude", "swimwear"} <= set(lexicon.words)
