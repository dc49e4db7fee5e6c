"""JSON bodies: strict, so that the generator cannot read something else out of the same bytes."""

from __future__ import annotations

import json

import pytest
from consentry.gateway.json_body import MAX_DEPTH, folded_object, json_object, parsed, strings_of
from consentry.kernel.errors import BadRequest
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_once_is_read_as_it_is(value):
    try:
        body = json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return

    assert parsed(body) == value


@given(VALUES)
def test_every_string_is_come_upon(value):
    def strings(each):
        if isinstance(each, str):
            return [each]
        if isinstance(each, dict):
            return [text for member in each.values() for text in strings(member)]
        return (
            [text for member in each for text in strings(member)] if isinstance(each, list) else []
        )

    assert [text for _, text in strings_of(value)] == strings(value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"text"',
        b"{",
        b'{"a": 1} {"a": 2}',
        b'{"prompt": "a mountain", "prompt": "undress her"}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"prompt": "\\ud800"}',
        b'{"\\udfff": 1}',
        '{"a": "ä"}'.encode("latin-1"),
        '{"a": 1}'.encode("utf-16"),
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": ' + b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1) + b"}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=range(17),
)
def test_a_body_that_may_be_read_in_two_ways_or_in_none_is_refused(body):
    with pytest.raises(BadRequest):
        json_object(body)


def test_names_count_in_whatever_case_but_where_they_are_the_callers_own():
    body = b'{"Prompt": {"Image_URL": "a"}, "TOOLS": [{"X": 1, "x": {"Y": 2}}]}'

    found = folded_object(body, frozenset({"tools"}))

    assert found == {"prompt": {"image_url": "a"}, "tools": [{"X": 1, "x": {"Y": 2}}]}


@pytest.mark.parametrize(
    "body",
    [b'{"a": 1, "A": 2}', b'{"b": [{"a": 1, "A": 2}]}', b'{"tools": 1, "Tools": 2}',
     b'{"tools": {"a": 1, "a": 2}}'],
    ids=range(4),
)  # fmt: skip
def test_two_names_but_for_their_case_are_refused_elsewhere(body):
    with pytest.raises(BadRequest):
        folded_object(body, frozenset({"tools"}))
