"""What a text asks for, over HTTP: for her own programs, not for platforms."""

from __future__ import annotations

import pytest
from consentry.accounts.principals import EXTENSION_SCOPES, PLATFORM_SCOPES
from fakes.site import is_problem


def test_a_paired_browser_learns_what_a_text_asks_for(lit):
    body = {"prompt": "put her in a bikini", "context": ["look at this photo"]}
    answer = lit.bearer(*EXTENSION_SCOPES).post("/v1/words", json=body)

    assert answer.status_code == 200
    assert answer.json() == {
        "format": "consentry.words/1",
        "category": "swimwear",
        "is_readable": True,
        "has_age_cue": False,
        "refers_to_person": True,
    }


def test_what_an_earlier_turn_asked_for_counts(lit):
    body = {"prompt": "again, but brighter", "context": ["put her in a bikini"]}
    answer = lit.bearer(*EXTENSION_SCOPES).post("/v1/words", json=body)

    assert answer.json()["category"] == "swimwear"


def test_a_platform_learns_verdicts_and_not_what_they_are_made_of(lit):
    _, secret = lit.services.keys.issue("x", "x.example", PLATFORM_SCOPES, expires_in_days=None)
    client = lit.client(authorization=f"Bearer {secret}")

    assert is_problem(client.post("/v1/words", json={"prompt": "hello"}), 403, "forbidden")


@pytest.mark.parametrize("body", [{}, {"prompt": 1}, {"prompt": "a", "context": ["b"] * 51}])
def test_what_is_no_text_is_refused(lit, body):
    answer = lit.bearer(*EXTENSION_SCOPES).post("/v1/words", json=body)

    assert is_problem(answer, 400, "bad-request")


def test_a_conversation_as_long_as_a_check_takes_is_heard(lit):
    body = {"prompt": "again, but brighter", "context": ["put her in a bikini", "so " * 10_000] * 3}
    answer = lit.bearer(*EXTENSION_SCOPES).post("/v1/words", json=body)

    assert answer.json()["category"] == "swimwear"
