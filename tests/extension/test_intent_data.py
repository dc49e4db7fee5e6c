"""What the browser's intent engine reads, and its vectors, are made from the words and rules as they are."""

from __future__ import annotations

import importlib.util
import json
from importlib import resources
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors" / "intent_v1.json"


def _script(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_browser_reads_the_words_and_rules_of_the_server():
    script = _script("extension/generate_intent.py")

    there = {file.name: file.read_text(encoding="utf-8") for file in script.FOLDER.glob("*.json")}

    stale = [name for name, content in script.files().items() if there.pop(name, "") != content]
    assert (stale, list(there)) == ([], []), "run: python extension/generate_intent.py"


def test_the_browser_has_the_weights_of_the_server():
    script = _script("extension/generate_intent.py")
    server = resources.files("consentry.intent").joinpath(script.WEIGHTS).read_bytes()

    is_same = (script.FOLDER / script.WEIGHTS).read_bytes() == server

    assert is_same, "run: python extension/generate_intent.py"


def test_the_vectors_are_of_the_words_and_rules_as_they_are():
    script = _script("tests/vectors/make_intent_v1.py")
    recorded = json.loads(VECTORS.read_text(encoding="utf-8"))

    assert recorded["made_from"] == script.made_from(), f"run: python {recorded['source']}"


def test_a_sample_of_the_vectors_is_what_the_engine_says():
    script = _script("tests/vectors/make_intent_v1.py")
    recorded = {
        test["id"]: test for test in json.loads(VECTORS.read_text(encoding="utf-8"))["tests"]
    }

    sample = json.loads(json.dumps(list(script.vectors(0.02))))

    assert len(sample) > 100
    assert [test["id"] for test in sample if recorded.get(test["id"]) != test] == []
