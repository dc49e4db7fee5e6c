"""JSON bodies, read strictly: the generator has another parser, and what two may read differently is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NoReturn, TypeAlias

from consentry.kernel.errors import BadRequest

Json: TypeAlias = Mapping[str, "Json"] | Sequence["Json"] | str | float | bool | None
JsonObject: TypeAlias = Mapping[str, Json]
_Pairs: TypeAlias = "list[tuple[str, Json]]"

MAX_DEPTH = 64


def json_object(
    body: bytes, members: Callable[[_Pairs], dict[str, Json]] | None = None
) -> JsonObject:
    """Read a body that is one JSON object.

    Args:
        body: In UTF-8.
        members: As `parsed`.

    Raises:
        BadRequest: If it is no JSON in UTF-8, has a name twice in one object, a number that JSON
            does not know, half a character, or is nested deeper than `MAX_DEPTH`.
    """
    found = parsed(body, members)
    if not isinstance(found, dict):
        raise BadRequest("The body is a JSON object.")
    return found


def folded_object(body: bytes, as_written: AbstractSet[str] = frozenset()) -> JsonObject:
    """Read a body that is one JSON object, as a generator would that does not mind the case of names.

    Args:
        body: In UTF-8.
        as_written: As `folded`.

    Raises:
        BadRequest: As `json_object` and `folded`.
    """
    return folded(json_object(body), as_written)


def folded(found: JsonObject, as_written: AbstractSet[str] = frozenset()) -> JsonObject:
    """Return an object with its names in lower case: widespread parsers take ``Image_URL`` for ``image_url``.

    Args:
        found: No deeper than `MAX_DEPTH`.
        as_written: Members in which names stay as they are, because there they are the caller's
            own (the parameters ``X`` and ``x`` of a function). Whoever reads them minds no case.

    Raises:
        BadRequest: If two names in one object differ by their case alone.
    """
    members = _once([(name.casefold(), value) for name, value in found.items()])
    return {
        name: value if name in as_written else _folded(value) for name, value in members.items()
    }


def parsed(body: bytes, members: Callable[[_Pairs], dict[str, Json]] | None = None) -> Json:
    """Read JSON, as `json_object` but of any kind."""
    try:
        text = body.decode("utf-8")
        found: Json = json.loads(
            text, object_pairs_hook=members or _once, parse_constant=_no_constant
        )
    except RecursionError:
        raise BadRequest("The JSON of the body is nested too deeply.") from None
    except ValueError:
        # Not the cause's words: they may quote the body.
        raise BadRequest("The body is not JSON in UTF-8.") from None
    _require_plain(found)
    return found


def strings_of(value: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every string with the names that lead to it; members of a list have the list's."""
    pending: list[tuple[tuple[str, ...], Json]] = [(path, value)]
    while pending:
        place, each = pending.pop()
        if isinstance(each, str):
            yield place, each
        elif isinstance(each, Mapping):
            pending.extend(
                ((*place, name), member) for name, member in reversed(list(each.items()))
            )
        elif isinstance(each, Sequence):
            pending.extend((place, member) for member in reversed(each))


def _folded(value: Json) -> Json:
    if isinstance(value, Mapping):
        return _once([(name.casefold(), _folded(member)) for name, member in value.items()])
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_folded(member) for member in value]
    return value


def _once(pairs: _Pairs) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRequest("A name appears twice in one object of the body.")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise BadRequest("The body has a number that JSON does not know.")


def _require_plain(value: Json) -> None:
    pending: list[tuple[int, Json]] = [(0, value)]
    while pending:
        depth, each = pending.pop()
        if depth > MAX_DEPTH:
            raise BadRequest("The JSON of the body is nested too deeply.")
        if isinstance(each, str):
            _require_whole(each)
        elif isinstance(each, Mapping):
            for name in each:
                _require_whole(name)
            pending.extend((depth + 1, member) for member in each.values())
        elif isinstance(each, Sequence):
            pending.extend((depth + 1, member) for member in each)


def _require_whole(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise BadRequest("The body has half a character (a lone surrogate).") from None
