"""The documents about the API are what the API is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from consentry.accounts.principals import Scope
from consentry.api.openapi import BODIES, openapi_document
from consentry.api.reference import error_table, errors_document, openapi_text
from consentry.kernel import errors
from consentry.kernel.errors import ConsentryError

DOCS = Path(__file__).parents[2] / "docs"
MEND = "run: python -m consentry.api.reference docs"


@pytest.fixture(scope="module")
def document():
    return openapi_document("0.0.0")


def operations(document):
    return [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def test_openapi_json_is_current():
    assert (DOCS / "openapi.json").read_text("utf-8") == openapi_text(), MEND


def test_the_error_table_is_current():
    current = (DOCS / "errors.md").read_text("utf-8")
    assert errors_document(current) == current, MEND


def test_every_error_class_has_a_row_with_its_status():
    table = error_table()
    for name in dir(errors):
        kind = getattr(errors, name)
        is_raised = isinstance(kind, type) and issubclass(kind, ConsentryError)
        if is_raised and kind is not ConsentryError and "code" in vars(kind):
            assert f"| {kind.status} | `{kind.code}` |" in table


def test_every_reference_leads_somewhere(document):
    text = json.dumps(document)
    for kind, name in re.findall(r'"\$ref": "#/components/(\w+)/([^"]+)"', text):
        assert name in document["components"][kind]
    assert {body.__name__ for body in BODIES} <= set(document["components"]["schemas"])
    assert "HTTPValidationError" not in text


def test_every_route_documents_its_problems_in_one_form(document):
    shared = document["components"]["responses"]
    for method, path, operation in operations(document):
        statuses = set(operation["responses"])
        assert {"400", "403", "413", "421", "429", "500", "503"} <= statuses, (method, path)
        assert ("401" in statuses) is (operation.get("security") != []), (method, path)
        for status, response in operation["responses"].items():
            if status >= "400":
                whole = (
                    shared[response["$ref"].rpartition("/")[2]] if "$ref" in response else response
                )
                assert list(whole["content"]) == ["application/problem+json"]


def test_operation_names_are_unique_and_in_camel_case(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name) for name in names)


def test_every_answer_but_a_status_names_its_format_and_version(document):
    for name, schema in document["components"]["schemas"].items():
        constant = schema.get("properties", {}).get("format", {}).get("const")
        if constant is not None:
            assert re.fullmatch(r"consentry\.[a-z-]+/1", constant), name
    formats = {
        schema["properties"]["format"]["const"]
        for schema in document["components"]["schemas"].values()
        if "const" in schema.get("properties", {}).get("format", {})
    }
    text = (DOCS / "api.md").read_text("utf-8")
    assert formats == set(re.findall(r"`(consentry\.[a-z-]+/1)`", text))


def test_api_md_lists_every_route_and_no_other(document):
    text = (DOCS / "api.md").read_text("utf-8")
    listed = set(re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", text, re.MULTILINE))
    assert listed == {f"{method} {path}" for method, path, _ in operations(document)}


def test_api_md_names_every_scope():
    text = (DOCS / "api.md").read_text("utf-8")
    for scope in Scope:
        assert scope.value in text


def test_no_person_is_ever_part_of_an_address(document):
    parameters = {name for path in document["paths"] for name in re.findall(r"{(\w+)}", path)}
    assert parameters == {
        "check_id",
        "path",
        "token",
        "key",
        "request_id",
        "grant_id",
        "token_id",
        "alias_id",
        "contest_id",
        "hold_id",
    }
