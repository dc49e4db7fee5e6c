"""Earlier turns that a request only names: looked up where they are kept, with the caller's own credentials.

    previous_response_id   that response, what went into it, and the one before, back to the first
    conversation           its items

What cannot be had, or is longer than can be examined, is refused: it may hold the picture that is to be edited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from consentry.gateway.dialect import Lookup
from consentry.gateway.json_body import Json, JsonObject, folded_object
from consentry.gateway.off_loop import off_loop
from consentry.gateway.openai.own_names import OWN_NAMES
from consentry.kernel.errors import BadRequest

MAX_RESPONSES = 50
MAX_PAGES = 20
_PAGE = b"limit=100&order=asc"


async def earlier_turns(body: JsonObject, lookup: Lookup) -> tuple[Json, ...]:
    """Return the turns that a request refers to, oldest first.

    Raises:
        BadRequest: If they cannot be had, or are too many.
        Unreachable: If the generator does not answer.
    """
    conversation = body.get("conversation")
    if isinstance(conversation, Mapping):
        conversation = conversation.get("id")
    turns: list[Json] = []
    if isinstance(conversation, str):
        turns.extend(await _all(f"conversations/{conversation}/items", lookup))
    turns.extend(await _chain(body.get("previous_response_id"), lookup))
    return tuple(turns)


async def _chain(newest: Json, lookup: Lookup) -> list[Json]:
    found: list[list[Json]] = []
    name, seen = newest, set[str]()
    while isinstance(name, str):
        if name in seen or len(seen) == MAX_RESPONSES:
            raise BadRequest("The request follows more responses than can be examined.")
        seen.add(name)
        response = await _object(await lookup.get(f"responses/{name}"))
        turns: list[Json] = [{"role": "system", "content": response.get("instructions")}]
        turns.extend(await _all(f"responses/{name}/input_items", lookup))
        turns.extend(_items(response, "output"))
        found.append(turns)
        name = response.get("previous_response_id")
    return [turn for turns in reversed(found) for turn in turns]


async def _all(path: str, lookup: Lookup) -> list[Json]:
    items: list[Json] = []
    query = _PAGE
    for _ in range(MAX_PAGES):
        page = await _object(await lookup.get(path, query))
        items.extend(_items(page, "data"))
        if page.get("has_more") is not True:
            return items
        last = page.get("last_id")
        if not isinstance(last, str) or not last.isascii() or not last.replace("_", "").isalnum():
            break
        query = _PAGE + b"&after=" + last.encode("ascii")
    raise BadRequest("The conversation is longer than can be examined.")


async def _object(answer: bytes) -> JsonObject:
    return await off_loop(len(answer), lambda: folded_object(answer, OWN_NAMES))


def _items(found: JsonObject, name: str) -> Sequence[Json]:
    items = found.get(name)
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise BadRequest("What the request refers to cannot be read.")
    return items
