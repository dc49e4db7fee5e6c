"""Image endpoints: ``images/edits`` (a form or JSON), ``images/generations``, ``images/variations``.

Whatever is in such a request is taken for a picture or for words, also under names that are not known here: a field
that the generator learns tomorrow is judged today.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from consentry.gateway.dialect import Lookup, Reply
from consentry.gateway.exchange import Call
from consentry.gateway.json_body import JsonObject, folded, folded_object, strings_of
from consentry.gateway.multipart import Part, parts_of
from consentry.gateway.off_loop import LARGE_BYTES, LARGE_JSON_BYTES, off_loop
from consentry.gateway.openai import refusals
from consentry.gateway.openai.answers import pictures_of_answer
from consentry.gateway.refusals import Refusal
from consentry.gateway.request import GatewayRequest, Picture, Sent, StoredFile
from consentry.gateway.sources import address, parted, picture_in
from consentry.gateway.words import fitted, split_prompt
from consentry.kernel.errors import BadRequest, CorruptImage, UnsupportedMediaType

SETTINGS = frozenset(
    {
        "background",
        "complexity",
        "frame_count",
        "frame_duration_ms",
        "input_fidelity",
        "model",
        "moderation",
        "n",
        "output_compression",
        "output_format",
        "partial_images",
        "quality",
        "response_format",
        "size",
        "stream",
        "style",
        "user",
        "safety_identifier",
    }
)
"""Fields that hold neither a picture nor words, as long as they are as short as these are."""

_MAX_SETTING_CHARS = 128
_PICTURES = frozenset({"image", "images", "mask", "markup"})
_ASKERS = ("safety_identifier", "user")


@dataclass(frozen=True, slots=True)
class ImagesEndpoint:
    """One of the three."""

    route: str
    reads: bool = True
    inspects: bool = True

    async def ask(self, call: Call, lookup: Lookup) -> Sequence[GatewayRequest]:
        """Read a request (`consentry.gateway.dialect.Endpoint`)."""
        del lookup
        is_json = call.head.media_type == "application/json"
        large = LARGE_JSON_BYTES if is_json else LARGE_BYTES
        request = await off_loop(len(call.body), lambda: _read(call), large=large)
        return (request,)

    def read_json(self, body: JsonObject) -> Sequence[GatewayRequest]:
        """Read a request that is a line of a batch; its names are as they were written."""
        return (_json_request(folded(body)),)

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
    prompt: str | None = None
    others: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)

    def take(self, name: str, text: str) -> None:
        """Take a string that is not in a place for pictures."""
        if not text:
            return
        if name == "prompt" and self.prompt is None:
            self.prompt = self._words(text)
        elif name in SETTINGS and len(text) <= _MAX_SETTING_CHARS:
            self.settings[name] = text
        elif (picture := picture_in(text)) is not None:
            self.pictures.append(picture)
        elif name.rpartition(".")[2] in _PICTURES:
            raise CorruptImage("A picture of the request is given in a way that is not read here.")
        else:
            self.others.append(self._words(text))

    def _words(self, text: str) -> str:
        words, pictures = parted(text)
        self.pictures.extend(pictures)
        return words

    def request(self) -> GatewayRequest:
        before, prompt = split_prompt(self.prompt or "")
        return GatewayRequest(
            pictures=tuple(self.pictures),
            prompt=prompt or None,
            context=fitted([*self.others, *before]),
            asker=next((self.settings[each] for each in _ASKERS if self.settings.get(each)), None),
        )


def _read(call: Call) -> GatewayRequest:
    match call.head.media_type:
        case "multipart/form-data":
            return _form_request(parts_of(call.head.value(b"content-type") or "", call.body))
        case "application/json":
            return _json_request(folded_object(call.body))
        case _:
            raise UnsupportedMediaType("The body is a form (multipart/form-data) or JSON.")


def _form_request(parts: Sequence[Part]) -> GatewayRequest:
    gathered = _Gathered()
    for part in parts:
        name = part.name.partition("[")[0].strip().casefold()
        if part.is_file or name in _PICTURES:
            gathered.pictures.append(Sent(bytes(part.data)))
        elif name == "prompt" and gathered.prompt is not None:
            raise BadRequest("A request has one prompt.")
        else:
            gathered.take(name, part.text())
    return gathered.request()


def _json_request(body: JsonObject) -> GatewayRequest:
    gathered = _Gathered()
    for path, text in strings_of(body):
        if path[-1] == "file_id":
            gathered.pictures.append(StoredFile(text))
        elif path[-1] in ("image_url", "url"):
            gathered.pictures.append(address(text))
        elif path == ("prompt",) or len(path) == 1:
            gathered.take(path[0], text)
        else:
            gathered.take(".".join(path), text)
    return gathered.request()
