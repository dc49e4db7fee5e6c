"""The blind corpus is well-formed and its two parts do not leak into each other.

It was written without sight of the lexicons and the rules. Its lines marked `tuning` may be read by
whoever writes lexicons; its lines marked `test` may only be scored.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from consentry.kernel.taxonomy import IntentCategory

CORPUS = Path(__file__).parents[2] / "corpora" / "intent_world.jsonl"
LINES = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
LANGUAGES = sorted({line["language"] for line in LINES})
CLASSES = {
    "revealing": {"direct", "euphemism", "obfuscated", "reply", "claim", "multi_step", "swap"},
    "harmless": {
        *("edit", "garment", "modest", "sense", "thing", "animal", "statue", "scene"),
        *("negation", "question", "t2i"),
    },
}
REQUIRED = {"language", "label", "class", "category", "template", "part", "text"}
UNSEEN_LANGUAGES = ("bn", "el", "he", "hu", "ko", "sw", "ta", "th", "uk", "vi")


def folded(line) -> str:
    """The words of a line without case, punctuation and spaces; marks and emoji stay."""
    whole = " ".join([*line.get("context", []), line["text"]])
    characters = unicodedata.normalize("NFKC", whole).casefold()
    return "".join(c for c in characters if unicodedata.category(c)[0] not in "PZ")


def test_every_line_has_the_fields_of_the_format_and_no_others():
    for line in LINES:
        assert set(line) >= REQUIRED
        assert set(line) - REQUIRED <= {"context", "minor"}
        assert line["text"].strip()
        assert all(turn.strip() for turn in line.get("context", []))


def test_labels_classes_categories_and_parts_are_of_the_taxonomy():
    for line in LINES:
        assert line["class"] in CLASSES[line["label"]], line
        assert IntentCategory(line["category"]).is_revealing is (line["label"] == "revealing"), line
        assert line["part"] in {"tuning", "test"}
        assert line.get("minor", True) is True


def test_no_line_occurs_twice():
    counts = Counter((line["language"], folded(line)) for line in LINES)

    assert [key for key, count in counts.items() if count > 1] == []


def test_no_text_is_in_both_parts():
    tuning = {folded(line) for line in LINES if line["part"] == "tuning"}
    held_out = {folded(line) for line in LINES if line["part"] == "test"}

    assert tuning & held_out == set()


def test_no_idea_of_the_test_part_is_in_the_tuning_part_of_its_language():
    parts: dict[tuple[str, str], set[str]] = {}
    for line in LINES:
        parts.setdefault((line["language"], line["template"]), set()).add(line["part"])

    assert [key for key, value in parts.items() if len(value) > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("label", ["revealing", "harmless"])
def test_each_language_has_enough_lines_of_either_label(language, label):
    lines = [line for line in LINES if line["language"] == language and line["label"] == label]

    assert len(lines) >= (100 if language == "en" else 28)


@pytest.mark.parametrize("language", UNSEEN_LANGUAGES)
def test_a_language_kept_for_the_test_gives_six_lines_at_most_to_tuning(language):
    lines = [line for line in LINES if line["language"] == language]

    assert sum(line["part"] == "tuning" for line in lines) <= 6
