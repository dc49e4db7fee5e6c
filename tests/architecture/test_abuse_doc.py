"""docs/abuse.md names tests that are there, one at least for each line."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES = [
    line
    for line in (ROOT / "docs" / "abuse.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| what w")
]
_NAMED = re.compile(r"`([a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split("|")[1].strip()[:40])
def test_each_abuse_names_tests_that_are_there(line):
    named = _NAMED.findall(line.rsplit("|", 2)[1])

    assert named
    for path, test in named:
        tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
        assert test in {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}


def test_the_page_has_its_lines():
    assert len(LINES) > 20
