"""``batches``: every line of the file is judged as the request that it is, before the batch is made.

The file was uploaded before, and the generator keeps it; it is looked up with the caller's own credentials. Files
cannot be changed once they are there. The results are judged when they are fetched (``files/{id}/content``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from consentry.gateway.dialect import Lookup, Reply
from consentry.gateway.exchange import Call
from consentry.gateway.json_body import JsonObject, folded_object
from consentry.gateway.off_loop import off_loop
from consentry.gateway.openai import refusals
from consentry.gateway.openai.answers import pictures_of_answer
from consentry.gateway.openai.own_names import OWN_NAMES
from consentry.gateway.refusals import Refusal
from consentry.gateway.request import GatewayRequest, Picture
from consentry.kernel.errors import BadRequest, UnsupportedMediaType

MAX_LINES = 1000
_PREFIX = "/v1/"
_BODY = frozenset({"body"})
_HARMLESS = frozenset({"embeddings", "moderations"})


class Judged(Protocol):
    """An endpoint that a line may be for."""

    def read_json(self, body: JsonObject) -> Sequence[GatewayRequest]:
        """Read the body of a line; its names are as they were written."""


@dataclass(frozen=True, slots=True)
class BatchEndpoint:
    """Makes a batch."""

    endpoints: Mapping[str, Judged]
    route: str = field(default="batches")
    reads: bool = True
    inspects: bool = False

    async def ask(self, call: Call, lookup: Lookup) -> Sequence[GatewayRequest]:
        """Read the request and the file that it names."""
        if call.head.media_type != "application/json":
            raise UnsupportedMediaType("The body is JSON: application/json.")
        body = await off_loop(len(call.body), lambda: folded_object(call.body, OWN_NAMES))
        file_id = body.get("input_file_id")
        if not isinstance(file_id, str):
            raise BadRequest("The request names no file of requests (`input_file_id`).")
        lines = await lookup.get(f"files/{file_id}/content")
        return await off_loop(len(lines), lambda: self._requests(lines))

    def found(self, media_type: str, body: bytes) -> Sequence[Picture]:
        """Find the pictures in an answer."""
        return pictures_of_answer(media_type, body)

    def refusal(self, refusal: Refusal, request_id: str) -> Reply:
        """Word a refusal."""
        return refusals.worded(refusal, request_id)

    def last_event(self, refusal: Refusal, request_id: str) -> bytes:
        """Word a refusal as the end of a stream."""
        return refusals.last_event(refusal, request_id)

    def _requests(self, body: bytes) -> list[GatewayRequest]:
        lines = [line for line in body.split(b"\n") if line.strip()]
        if len(lines) > MAX_LINES:
            raise BadRequest(f"A batch that passes here has at most {MAX_LINES} lines. Split it.")
        return [request for line in lines for request in self._of_line(folded_object(line, _BODY))]

    def _of_line(self, line: JsonObject) -> Sequence[GatewayRequest]:
        url, body = line.get("url"), line.get("body")
        if not isinstance(url, str) or not isinstance(body, Mapping):
            raise BadRequest("A line of the batch is no request.")
        path = url.removeprefix(_PREFIX)
        if path in _HARMLESS:
            return ()
        if path not in self.endpoints:
            raise BadRequest("A line of the batch is for a route that is not open here.")
        return self.endpoints[path].read_json(body)
