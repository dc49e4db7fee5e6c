"""Every rule meets its own examples, and leaves its counter-examples alone."""

from __future__ import annotations

import pytest
from consentry.intent.engine import IntentEngine
from consentry.intent.lexicon import load_lexicon
from consentry.intent.normalise import plain_view
from consentry.kernel.taxonomy import IntentCategory

LEXICON = load_lexicon("en")
ENGINE = IntentEngine()


def examples(rules, kind):
    return [
        pytest.param(rule, example, id=f"{rule.id}:{example}")
        for rule in rules
        for example in getattr(rule, kind)
    ]


@pytest.mark.parametrize(("rule", "example"), examples(LEXICON.rules, "positive"))
def test_a_rule_meets_its_examples_and_the_engine_is_as_strict(rule, example):
    assert rule.pattern.search(plain_view(example).text)

    order = list(IntentCategory)
    assert order.index(ENGINE.assess(example).category) <= order.index(rule.category)


@pytest.mark.parametrize(("rule", "example"), examples(LEXICON.rules, "negative"))
def test_a_rule_leaves_its_counter_examples_alone(rule, example):
    assert rule.id not in {span.rule for span in ENGINE.assess(example).spans}


@pytest.mark.parametrize(("rule", "example"), examples(LEXICON.exceptions, "positive"))
def test_an_exception_spares_what_it_is_for(rule, example):
    assert rule.pattern.search(plain_view(example).text)
    assert not ENGINE.assess(example).category.is_revealing


@pytest.mark.parametrize(("rule", "example"), examples(LEXICON.exceptions, "negative"))
def test_an_exception_keeps_what_it_is_not_for(rule, example):
    assert ENGINE.assess(example).category.is_revealing


@pytest.mark.parametrize(
    ("rule", "example"), examples((*LEXICON.age, *LEXICON.persons), "positive")
)
def test_a_cue_meets_its_examples(rule, example):
    assert rule.pattern.search(plain_view(example).text)


@pytest.mark.parametrize(
    ("rule", "example"), examples((*LEXICON.age, *LEXICON.persons), "negative")
)
def test_a_cue_leaves_its_counter_examples_alone(rule, example):
    assert not rule.pattern.search(plain_view(example).text)


def test_identifiers_are_unique_and_every_rule_has_examples():
    rules = (*LEXICON.rules, *LEXICON.exceptions, *LEXICON.age, *LEXICON.persons)

    assert len({rule.id for rule in rules}) == len(rules)
    assert all(rule.positive for rule in rules)


def test_every_category_of_the_taxonomy_has_a_rule():
    assert {rule.category for rule in LEXICON.rules} == set(IntentCategory) - {IntentCategory.NONE}
