"""``images/generations`` and ``images/edits``: JSON, with ``image`` or several ``images``.

    {"prompt": …, "image": {"url": "https: or data: URL", "type": "image_url"}}
    {"prompt": …, "images": [{"url": …}, {"file_id": …}], "mask": {"url": …}}

Whatever else is in such a request is taken for a picture or for words, also under names that are not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from consentry.gateway.dialect import Lookup, Reply
from consentry.gateway.exchange import Call
from consentry.gateway.json_body import JsonObject, folded_object, strings_of
from consentry.gateway.off_loop import off_loop
from consentry.gateway.openai.answers import pictures_of_answer
from consentry.gateway.refusals import Refusal
from consentry.gateway.request import GatewayRequest, Picture, StoredFile
from consentry.gateway.sources import address, picture_in, pictures_within
from consentry.gateway.words import fitted, split_prompt
from consentry.gateway.xai import refusals
from consentry.kernel.errors import BadRequest, CorruptImage, UnsupportedMediaType

_SETTINGS = frozenset(
    {
        "aspect_ratio",
        "detail",
        "format",
        "model",
        "output_format",
        "quality",
        "resolution",
        "response_format",
        "service_tier",
        "size",
        "style",
        "type",
        "user",
    }
)
"""Fields that hold neither a picture nor words, as long as they are as short as these are."""

_MAX_SETTING_CHARS = 128
_PICTURES = frozenset({"image", "images", "mask"})
_ADDRESSES = frozenset({"url", "image_url"})
_STORES = "storage_options"


@dataclass(frozen=True, slots=True)
class ImagesEndpoint:
    """One of the two."""

    route: str
    reads: bool = True
    inspects: bool = True

    async def ask(self, call: Call, lookup: Lookup) -> Sequence[GatewayRequest]:
        """Read a request (`consentry.gateway.dialect.Endpoint`)."""
        del lookup
        if call.head.query:
            raise BadRequest("This route takes no query in its address.")
        if call.head.media_type != "application/json":
            raise UnsupportedMediaType("The body is JSON: application/json.")
        request = await off_loop(len(call.body), lambda: read_images(folded_object(call.body)))
        return (request,)

    def found(self, media_type: str, body: bytes) -> Sequence[Picture]:
        """Find the pictures in an answer."""
        return pictures_of_answer(media_type, body, urls_are_pictures=True)

    def refusal(self, refusal: Refusal, request_id: str) -> Reply:
        """Word a refusal."""
        return refusals.worded(refusal, request_id)

    def last_event(self, refusal: Refusal, request_id: str) -> bytes:
        """Word a refusal as the end of a stream."""
        return refusals.last_event(refusal, request_id)


@dataclass(slots=True)
class _Gathered:
    """What is in a request, as it is come upon."""

    pictures: list[Picture] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def take(self, path: tuple[str, ...], text: str) -> None:
        """Take a string, by the names that lead to it."""
        name = path[-1]
        if name == "file_id":
            self.pictures.append(StoredFile(text))
        elif name in _ADDRESSES:
            self.pictures.append(address(text))
        elif name in _SETTINGS and len(text) <= _MAX_SETTING_CHARS:
            return
        elif (picture := picture_in(text)) is not None:
            self.pictures.append(picture)
        elif name in _PICTURES:
            raise CorruptImage("A picture of the request is given in a way that is not read here.")
        else:
            self.words.append(text)
            self.pictures.extend(pictures_within(text))


def read_images(body: JsonObject) -> GatewayRequest:
    """Read a request, in the names of this API.

    Raises:
        BadRequest: If it cannot be read with certainty.
        ImageError: If a picture is given in a way that is not read here.
    """
    if body.get(_STORES) is not None:
        # The generator would publish the result by itself, before anybody has looked at it.
        raise BadRequest(f"Results are not stored by the generator here: leave `{_STORES}` out.")
    prompt, user = body.get("prompt"), body.get("user")
    gathered = _Gathered()
    for path, text in strings_of({k: v for k, v in body.items() if k != "prompt"}):
        gathered.take(path, text)
    if prompt is not None and not isinstance(prompt, str):
        raise BadRequest("The prompt is a text.")
    before, last = split_prompt(prompt or "")
    return GatewayRequest(
        pictures=(*gathered.pictures, *pictures_within(prompt or "")),
        prompt=last or None,
        context=fitted([*gathered.words, *before]),
        asker=user if isinstance(user, str) and user else None,
    )
