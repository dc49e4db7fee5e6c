"""The documents say what the commands do."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from consentry.cli.answers import Answer
from consentry.cli.reference import reference
from fakes.terminal import schemas

DOCS = Path(__file__).parents[3] / "docs"


def test_the_reference_lists_every_command_and_option():
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == reference()


@pytest.mark.parametrize("name", sorted(schemas()))
def test_a_documented_schema_is_a_schema(name):
    schema = schemas()[name]

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["properties"]["format"] == {"const": name}


def test_every_answer_that_is_printed_names_a_documented_format():
    silent = {
        "consentry.vault/1",
        "consentry.rotated/1",
        "consentry.revoked/1",
        "consentry.erased/1",
    }
    silent |= {"consentry.restored/1", "consentry.entry/1"}
    silent |= {"consentry.inventory/1", "consentry.retention/1", "consentry.holds/1"}
    formats = {
        kind.model_fields["format"].annotation.__args__[0]
        for kind in Answer.__subclasses__()
        if "format" in kind.model_fields
    }

    assert formats - silent <= set(schemas())
