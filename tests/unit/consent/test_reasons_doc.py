"""docs/reasons.md and the vocabularies say the same words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from consentry.faces.quality import PLAIN_WORDS, QualityIssue
from consentry.kernel.taxonomy import Obligation, PrivateReason, PublicReason, Verdict

TEXT = (Path(__file__).parents[3] / "docs" / "reasons.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("heading", "vocabulary"),
    [
        ("Verdicts", Verdict),
        ("Public reasons", PublicReason),
        ("Private reasons", PrivateReason),
        ("Obligations", Obligation),
        ("Quality issues", QualityIssue),
    ],
)
def test_the_page_lists_each_word_once_in_order(heading, vocabulary):
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]

    assert re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE) == list(vocabulary)


def test_each_quality_issue_is_told_in_the_words_that_people_see():
    section = TEXT.split("\n## Quality issues\n")[1].split("\n## ")[0]
    told = dict(re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", section, re.MULTILINE))

    assert told == {issue.value: words for issue, words in PLAIN_WORDS.items()}
