from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from consentry.inference.registry import ModelName
from consentry.inference.sessions import ModelStore
from consentry.intent.subwords import Vocabulary
from hypothesis import given, settings
from hypothesis import strategies as st


def vocabulary_file(pieces: dict[str, float], replacements: dict[str, str] | None = None) -> bytes:
    encoded = [piece.encode() for piece in pieces]
    data = b"CTV1" + struct.pack("<II", len(pieces), sum(map(len, encoded)))
    data += np.array(list(pieces.values()), "<f4").tobytes()
    data += bytes(map(len, encoded)) + b"".join(encoded)
    data += struct.pack("<I", len(replacements or {}))
    for char, instead in (replacements or {}).items():
        data += struct.pack("<IB", ord(char), len(instead))
        data += struct.pack(f"<{len(instead)}I", *map(ord, instead))
    return data


SMALL = vocabulary_file(
    {
        "<s>": 0.0,
        "<pad>": 0.0,
        "</s>": 0.0,
        "<unk>": 0.0,
        "\u2581": -4.0,
        "\u2581ab": -1.0,
        "a": -3.0,
        "b": -3.0,
        "c": -3.0,
    },
    {"\uff41": "a", "\u200b": ""},
)


@pytest.fixture(scope="module")
def real(models_dir: Path) -> Vocabulary:
    return Vocabulary.parse(ModelStore(models_dir, 1).file(ModelName.E5_VOCABULARY))


def test_the_likeliest_way_to_cut_is_taken():
    assert Vocabulary.parse(SMALL).tokens("ab c") == [5, 4, 8]


def test_characters_are_replaced_and_invisible_ones_vanish():
    assert Vocabulary.parse(SMALL).tokens("\uff41\u200bb") == [5]


def test_a_letter_that_no_piece_has_is_unknown():
    assert Vocabulary.parse(SMALL).tokens("abz") == [5, 3]


def test_another_file_is_refused():
    with pytest.raises(ValueError, match="another format"):
        Vocabulary.parse(b"ONNX" + SMALL)


# Numbers of the original tokeniser (transformers' XLMRobertaTokenizer, as the paper's authors publish it).
def test_it_cuts_as_the_original_does(real: Vocabulary):
    assert real.sentence(real.tokens("Hello world")) == [0, 35378, 8999, 2]


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_cut_into_known_pieces(real: Vocabulary, text: str):
    tokens = real.tokens(text)

    assert all(0 < number < 250_002 for number in tokens)
    assert len(tokens) <= 4 * len(text) + 1
