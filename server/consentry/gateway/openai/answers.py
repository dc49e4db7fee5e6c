"""Pictures in what comes back, wherever they are: under their known names, and by their looks under any other.

A field that is known for a picture holds one, whatever it looks like: what cannot be decoded is withheld.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from consentry.gateway.data_urls import from_base64
from consentry.gateway.exchange import EVENT_STREAM
from consentry.gateway.json_body import Json, parsed
from consentry.gateway.request import DataUrl, Picture, Sent
from consentry.gateway.sources import address, base64_picture, pictures_within
from consentry.kernel.errors import BadRequest, Unreachable, UnsupportedMediaType

_BASE64_NAMES = frozenset({"b64_json", "partial_image_b64"})
_ADDRESS_NAMES = frozenset({"image_url"})
_JSON = frozenset({"application/json", "application/problem+json"})
_LINES = frozenset({"application/jsonl", "application/x-ndjson", "application/octet-stream", ""})
_DONE = b"[DONE]"


def pictures_of_answer(
    media_type: str, body: bytes, *, urls_are_pictures: bool = False
) -> list[Picture]:
    """Find the pictures in an answer, or in the data of one event.

    Args:
        media_type: As declared, without parameters.
        body: Without its content coding.
        urls_are_pictures: Whether a field ``url`` is the address of a picture; elsewhere it is a
            citation.

    Raises:
        Unreachable: If it cannot be read.
        UnsupportedMediaType: If it is a medium that is not examined here.
        ImageError: If a picture in it is not written as one.
    """
    if not body.strip():
        return []
    if media_type == EVENT_STREAM:
        return [] if body.strip() == _DONE else _in_json(body, urls_are_pictures)
    if media_type in _JSON:
        return _in_json(body, urls_are_pictures)
    if media_type.startswith("image/"):
        return [Sent(body)]
    if media_type in _LINES or media_type.startswith("text/"):
        return _in_file(body, urls_are_pictures)
    raise UnsupportedMediaType("The answer of the generator is a medium that is not examined here.")


def _in_json(body: bytes, urls_are_pictures: bool) -> list[Picture]:  # noqa: FBT001 -- private, and named at its one origin
    try:
        found = parsed(body)
    except BadRequest:
        raise Unreachable("The answer of the generator could not be read.") from None
    return list(_pictures(found, urls_are_pictures=urls_are_pictures))


def _in_file(body: bytes, urls_are_pictures: bool) -> list[Picture]:  # noqa: FBT001 -- as above
    """Look into a stored file: a picture, lines of JSON (the results of a batch), or words."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return [Sent(body)]
    pictures: list[Picture] = []
    for line in text.splitlines():
        try:
            pictures.extend(_pictures(parsed(line.encode()), urls_are_pictures=urls_are_pictures))
        except BadRequest:
            pictures.extend(_by_looks(line))
    return pictures


def _pictures(value: Json, *, urls_are_pictures: bool) -> Iterator[Picture]:
    pending: list[tuple[str, Json]] = [("", value)]
    while pending:
        name, each = pending.pop()
        if isinstance(each, str):
            yield from _of_string(name, each, urls_are_pictures=urls_are_pictures)
        elif isinstance(each, Mapping):
            is_made = each.get("type") == "image_generation_call"
            pending.extend(
                ("b64_json" if is_made and key == "result" else _below(name, key), member)
                for key, member in each.items()
            )
        elif isinstance(each, Sequence):
            pending.extend((name, member) for member in each)


def _below(name: str, key: str) -> str:
    return "image_url" if name == "image_url" and key == "url" else key


def _of_string(name: str, text: str, *, urls_are_pictures: bool) -> Iterator[Picture]:
    if not text:
        return
    if name in _BASE64_NAMES:
        yield DataUrl(text) if text[:5].lower() == "data:" else Sent(from_base64(text))
    elif name in _ADDRESS_NAMES or (urls_are_pictures and name == "url"):
        yield address(text)
    else:
        yield from _by_looks(text)


def _by_looks(text: str) -> Iterator[Picture]:
    picture = base64_picture(text)
    if picture is not None:
        yield picture
    else:
        yield from pictures_within(text)
