"""Canonical JSON: one spelling for each value (RFC 8785), for what is hashed.

Of RFC 8785 only what entries need: texts, whole numbers, lists and objects. There are no fractions
and no null, so nothing depends on how a language prints a number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from consentry.kernel.errors import ProofInvalid

Canonical: TypeAlias = str | int | Sequence["Canonical"] | Mapping[str, "Canonical"]

_MAX_INT = 2**53 - 1


def encode(value: Canonical) -> bytes:
    """Return the canonical spelling of a value.

    Raises:
        ValueError: If a number is beyond 2**53 - 1, or a text is not Unicode (a lone surrogate).
    """
    return _written(value).encode("utf-8")


def decode(data: bytes) -> dict[str, Canonical]:
    """Read an object, if it is in its canonical spelling.

    Raises:
        ProofInvalid: If it is not: two spellings of one entry would be two entries.
    """
    try:
        found: Canonical = json.loads(data.decode("utf-8"))
        is_canonical = encode(found) == data
    except (ValueError, RecursionError) as cause:
        raise ProofInvalid("It is not JSON in canonical form.") from cause
    if not is_canonical or not isinstance(found, dict):
        raise ProofInvalid("It is not JSON in canonical form.")
    return found


def _written(value: Canonical) -> str:
    if isinstance(value, str):
        # Python escapes exactly what ECMAScript does: quote, backslash, and below U+0020.
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MAX_INT:
        return str(value)
    if isinstance(value, Mapping):
        # By UTF-16 code units, not by code points: they differ beyond U+FFFF.
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        members = [
            f"{json.dumps(name, ensure_ascii=False)}:{_written(value[name])}" for name in names
        ]
        return "{" + ",".join(members) + "}"
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return "[" + ",".join(map(_written, value)) + "]"
    raise ValueError("an entry holds texts, whole numbers, lists and objects")
