"""Commitments that were opened for an auditor: a JSON object a line, each a value of an entry and its salt.

{"index": 7, "name": "purpose", "value": "edit", "salt": "<base64url, 32 bytes>"}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from consentry.audit.shapes import Shape
from consentry.kernel.errors import BadRequest, ProofInvalid, ReceiptInvalid
from consentry.kernel.taxonomy import Verdict
from consentry.transparency.entries import SALT_BYTES, VerdictEntry, verify_opened
from consentry.transparency.jwks import decode_base64url, encode_base64url

OPENABLE = ("platform", "purpose", "region")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedValue:
    """One committed value of one entry, and what shows that it is that one."""

    index: int
    name: str
    value: str
    salt: bytes = field(repr=False)

    def verdict_of(self, shape: Shape | None, data: bytes) -> Verdict:
        """Return the verdict of the entry that committed to it.

        Args:
            shape: What was read of the entry; None when it is of another kind, or malformed.
            data: The entry.

        Raises:
            ProofInvalid: If it did not, or is no verdict.
        """
        if shape is None or not isinstance(shape.entry, VerdictEntry):
            raise ProofInvalid("The entry is no verdict.")
        verify_opened(shape.committed_in(data, self.name), self.name, self.value, self.salt)
        return shape.entry.verdict

    def line(self) -> str:
        """Return it as a line of a file."""
        members = {
            "index": self.index,
            "name": self.name,
            "value": self.value,
            "salt": encode_base64url(self.salt),
        }
        return json.dumps(members, ensure_ascii=False) + "\n"


def parse_openings(text: str) -> Mapping[int, tuple[OpenedValue, ...]]:
    """Read a file of openings, by index of the entry.

    Raises:
        BadRequest: If a line is none, or opens again what a line before it opened; says which.
    """
    found: dict[int, dict[str, OpenedValue]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            opened = _opened(line, number)
            values = found.setdefault(opened.index, {})
            if opened.name in values:
                raise BadRequest(f"Line {number} of the openings opens a value a second time.")
            values[opened.name] = opened
    return {index: tuple(values.values()) for index, values in found.items()}


def _opened(line: str, number: int) -> OpenedValue:
    try:
        members = json.loads(line)
        index, name, value, salt = (
            members.pop(each) for each in ("index", "name", "value", "salt")
        )
        opened = OpenedValue(index=index, name=name, value=value, salt=decode_base64url(salt))
    except (ValueError, KeyError, TypeError, AttributeError, ReceiptInvalid) as cause:
        raise _not_one(number) from cause
    is_one = (
        not members
        and type(index) is int
        and index >= 0
        and name in OPENABLE
        and isinstance(value, str)
        and len(opened.salt) == SALT_BYTES
    )
    if not is_one:
        raise _not_one(number)
    return opened


def _not_one(number: int) -> BadRequest:
    return BadRequest(
        f"Line {number} of the openings is none: it has index, name ({', '.join(OPENABLE)}), value "
        "and salt."
    )
