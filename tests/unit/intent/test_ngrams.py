"""The small classifier: its file, its arithmetic, and what it says."""

from __future__ import annotations

import math
import struct
import zlib

import numpy as np
import pytest
from consentry.intent.ngrams import Ngrams, load_ngrams
from hypothesis import given
from hypothesis import strategies as st

BITS = 6
SMALL = Ngrams(
    bits=BITS,
    shortest=1,
    longest=2,
    scale=0.5,
    bias=-1.0,
    weights=np.arange(2**BITS).astype(np.int8) % 15 - 7,
)


def test_a_file_gives_back_what_was_written():
    again = Ngrams.parse(SMALL.packed())

    assert (again.bits, again.shortest, again.longest) == (BITS, 1, 2)
    assert (again.scale, again.bias) == (0.5, -1.0)
    assert (again.weights == SMALL.weights).all()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no weights"),
        (b"PK\x03\x04" + bytes(40), "no weights"),
        (b"CNGR\x02" + SMALL.packed()[5:], "version 2"),
        (SMALL.packed()[:-3], "damaged"),
        (SMALL.packed()[:16] + zlib.compress(bytes(5)), "cut off"),
    ],
)
def test_another_file_is_refused(data: bytes, says: str):
    with pytest.raises(ValueError, match=says):
        Ngrams.parse(data)


def test_the_head_is_laid_out_as_the_browser_reads_it():
    assert struct.unpack("<4s4B2f", SMALL.packed()[:16]) == (b"CNGR", 1, BITS, 1, 2, 0.5, -1.0)


def test_a_score_is_the_mean_weight_times_the_root_of_how_many():
    """By hand, a character at a time: what is done for all at once comes to the same."""
    text = " a b "
    found = set()
    for length in (1, 2):
        for start in range(len(text) - length + 1):
            rolling = 0
            for char in text[start : start + length]:
                rolling = (rolling * 0x01000193 & 0xFFFFFFFF) ^ ord(char)
            mixed = rolling * 0x9E3779B1 & 0xFFFFFFFF
            mixed ^= mixed >> 15
            mixed = mixed * 0x85EBCA77 & 0xFFFFFFFF
            mixed ^= mixed >> 13
            found.add(mixed >> (32 - BITS))
    total = sum(int(SMALL.weights[bucket]) for bucket in found)

    assert set(SMALL.buckets(("a b",)).tolist()) == found
    assert SMALL.log_odds(("a b",)) == pytest.approx(-1.0 + 0.5 * total / math.sqrt(len(found)))
    assert SMALL.score(("a b",)) == pytest.approx(1 / (1 + math.exp(-SMALL.log_odds(("a b",)))))


@given(st.lists(st.text(), max_size=3))
def test_any_text_has_a_likelihood(turns: list[str]):
    assert 0 <= load_ngrams().score(turns) <= 1


@pytest.mark.parametrize("text", ["", " ", "\ud800", "😀", "a"])
def test_hardly_any_text_has_one_too(text: str):
    assert 0 <= SMALL.score((text,)) <= 1
    assert 0 <= load_ngrams().score((text,)) <= 1


def test_it_knows_a_request_from_an_everyday_edit_in_many_languages():
    asks = ["take her clothes off", "quítale la ropa", "сними с неё одежду", "她的衣服脱掉"]  # noqa: RUF001
    does_not = ["make the sky blue", "pon el cielo más azul", "сделай небо голубым", "把天空变蓝"]
    ngrams = load_ngrams()

    assert min(ngrams.score((text,)) for text in asks) > 0.5
    assert max(ngrams.score((text,)) for text in does_not) < 0.5
