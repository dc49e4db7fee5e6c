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
    _require_plain(value)
    return _spelled(value)


def decode(data: bytes) -> dict[str, Canonical]:
    """Read an object, if it is in its canonical spelling.

    Raises:
        ProofInvalid: If it is not: two spellings of one entry would be two entries.
    """
    try:
        found: Canonical = json.loads(data.decode("utf-8"))
        _require_plain(found)
        is_canonical = _spelled(found) == data
    except (ValueError, RecursionError) as cause:
        raise ProofInvalid("It is not JSON in canonical form.") from cause
    if not is_canonical or not isinstance(found, dict):
        raise ProofInvalid("It is not JSON in canonical form.")
    return found


def _require_plain(value: Canonical) -> None:
    kind = type(value)
    if kind is str:
        return
    if isinstance(value, int) and kind is not bool and abs(value) <= _MAX_INT:
        return
    if isinstance(value, Mapping):
        for each in value.values():
            _require_plain(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            _require_plain(each)
    else:
        raise ValueError(  # noqa: TRY004 -- the value is wrong, whatever makes it so
            "an entry holds texts, whole numbers, lists and objects"
        )


def _spelled(value: Canonical) -> bytes:
    # Python escapes exactly what ECMAScript does (quote, backslash, and below U+0020), and sorts by
    # code points, which is the order of UTF-16 code units as long as nothing is beyond U+D7FF.
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return (text if text.isascii() else _written(value)).encode("utf-8")


def _written(value: Canonical) -> str:
    """Spell a value whose names may be of any script: sorted by UTF-16 code units."""
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        members = (f"{_written(name)}:{_written(value[name])}" for name in names)
        return "{" + ",".join(members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
