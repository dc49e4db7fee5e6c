"""Writes what is generated in docs/: ``python -m consentry.api.reference docs``. A test compares."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from consentry import __version__
from consentry.api.openapi import openapi_document
from consentry.api.problems import summary_of
from consentry.api.routes_rights import copy_schema
from consentry.kernel.errors import ConsentryError
from consentry.rights.inventory import document

_BEGIN = "<!-- generated: errors -->\n"
_END = "<!-- end of generated -->\n"


def error_table() -> str:
    """Return the table of every error that can leave the program."""
    rows = {
        (kind.status, kind.code): f"| {kind.status} | `{kind.code}` | {summary_of(kind)} |"
        for kind in _kinds(ConsentryError)
    }
    lines = ["| status | code | meaning |", "|---|---|---|", *(rows[key] for key in sorted(rows))]
    return "\n".join(lines) + "\n"


def errors_document(current: str) -> str:
    """Return docs/errors.md with the table brought up to date."""
    before, _, rest = current.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return before + _BEGIN + error_table() + _END + after


def openapi_text() -> str:
    """Return docs/openapi.json."""
    document = openapi_document(__version__)
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _kinds(root: type[ConsentryError]) -> Iterator[type[ConsentryError]]:
    """Walk the classes of our own error tree that are raised; a class raised nowhere has no code."""
    for kind in root.__subclasses__():
        if "code" in vars(kind) or not kind.__subclasses__():
            yield kind
        yield from _kinds(kind)


def _main(folder: Path) -> None:
    (folder / "openapi.json").write_text(openapi_text(), encoding="utf-8")
    privacy = folder / "privacy.md"
    privacy.write_text(document(privacy.read_text(encoding="utf-8")), encoding="utf-8")
    schema = folder / "specs" / "subject-copy.schema.json"
    schema.write_text(copy_schema(), encoding="utf-8")
    errors = folder / "errors.md"
    errors.write_text(errors_document(errors.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
