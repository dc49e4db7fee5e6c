"""A description as a dialect (`consentry.gateway.dialect.Dialect`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from consentry.gateway.configured import refusals
from consentry.gateway.configured.description import Description, RouteDescription, RouteKind
from consentry.gateway.configured.places import is_at, leaves, place
from consentry.gateway.configured.request import read_request
from consentry.gateway.data_urls import from_base64
from consentry.gateway.dialect import Endpoint, Lookup, Reply
from consentry.gateway.exchange import Call, Head
from consentry.gateway.json_body import Json, JsonObject, json_object, parsed
from consentry.gateway.multipart import parts_of
from consentry.gateway.off_loop import off_loop
from consentry.gateway.openai.answers import pictures_of_answer
from consentry.gateway.pinning import pinned
from consentry.gateway.refusals import Refusal
from consentry.gateway.request import GatewayRequest, Picture, Sent
from consentry.gateway.sources import picture_in
from consentry.kernel.errors import (
    BadRequest,
    Unreachable,
    UnsupportedMediaType,
)

# Never ".." alone: that would lead to another route.
_ID = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}"
_STORED_NAME = re.compile(r"(?P<name>.+?)(?: \[(?P<kind>input|output|temp)\])?", re.DOTALL)
_EMPTY = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class ConfiguredEndpoint:
    """One route of a description."""

    described: RouteDescription
    api: Description

    @property
    def route(self) -> str:
        """Its template."""
        return self.described.path

    @property
    def reads(self) -> bool:
        """Whether the body is read."""
        return self.described.kind is not RouteKind.PASS

    @property
    def inspects(self) -> bool:
        """Whether pictures may come back."""
        return self.described.inspects

    async def ask(self, call: Call, lookup: Lookup) -> Sequence[GatewayRequest]:
        """Read a request (`consentry.gateway.dialect.Endpoint`)."""
        del lookup
        return await off_loop(len(call.body), lambda: self._read(call))

    def found(self, media_type: str, body: bytes) -> Sequence[Picture]:
        """Find the pictures in an answer: in the places that are described, and by their looks."""
        looked = pictures_of_answer(media_type, body)
        if not self.described.results or media_type != "application/json" or not body.strip():
            return looked
        try:
            answer = parsed(body)
        except BadRequest:
            raise Unreachable("The answer of the generator could not be read.") from None
        named = [
            picture_in(value) or Sent(from_base64(value))
            for path, value in leaves(answer)
            if isinstance(value, str) and value and is_at(path, self.described.results)
        ]
        return [*named, *(each for each in looked if each not in named)]

    def refusal(self, refusal: Refusal, request_id: str) -> Reply:
        """Word a refusal."""
        return refusals.worded(self.api.refusal, refusal, request_id)

    def last_event(self, refusal: Refusal, request_id: str) -> bytes:
        """Word a refusal as the end of a stream."""
        return refusals.last_event(self.api.refusal, refusal, request_id)

    def _read(self, call: Call) -> Sequence[GatewayRequest]:
        if self.described.kind is RouteKind.UPLOAD:
            self._require_plain_upload(call)
            return ()
        if call.head.media_type != "application/json":
            raise UnsupportedMediaType("The body is JSON: application/json.")
        return (read_request(self.described, _object(call.body), call.head.query),)

    def _require_plain_upload(self, call: Call) -> None:
        if call.head.media_type != "multipart/form-data":
            raise UnsupportedMediaType("The body is a form: multipart/form-data.")
        for part in parts_of(call.head.value(b"content-type") or "", call.body):
            is_closed = is_at(place(part.name), self.described.closed)
            if is_closed and part.text().strip().lower() not in _EMPTY:
                raise BadRequest(f"`{part.name}` is closed here: leave it out.")


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    endpoint: ConfiguredEndpoint


@dataclass(frozen=True, slots=True)
class ConfiguredDialect:
    """The API of one description, at ``/{name}``."""

    api: Description
    _routes: tuple[_Route, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        routes = tuple(
            _Route(
                each.method,
                re.compile(_ID.join(re.escape(part) for part in each.path.split("{id}")), re.ASCII),
                ConfiguredEndpoint(each, self.api),
            )
            for each in self.api.routes
        )
        object.__setattr__(self, "_routes", routes)

    @property
    def name(self) -> str:
        """As in addresses, metrics and the log."""
        return self.api.name

    def has_credentials(self, head: Head) -> bool:
        """Whether somebody names himself, where the server has accounts."""
        fields = self.api.credentials
        return not fields or any(head.value(each.lower().encode()) for each in fields)

    def endpoint(self, method: str, path: str) -> Endpoint | None:
        """Return the place that a request is for, or None: closed."""
        return next(
            (
                each.endpoint
                for each in self._routes
                if each.method == method and each.pattern.fullmatch(path)
            ),
            None,
        )

    def pinned(self, call: Call, pictures: Mapping[str, bytes]) -> bytes:
        """Put checked pictures in place of their addresses."""
        return pinned(call.body, call.head.media_type, pictures)

    async def file(self, file_id: str, lookup: Lookup) -> bytes:
        """Return an uploaded picture, as the generator will see it."""
        stored, found = self.api.stored, _STORED_NAME.fullmatch(file_id)
        if stored is None or found is None:
            raise BadRequest("The request refers to a picture where none can be looked up.")
        folder, _, name = found["name"].rpartition("/")
        if ".." in folder.split("/") or name in ("", "..") or "\\" in file_id:
            raise BadRequest("The request refers to a picture by a name that is none.")
        query = stored.query.format(
            name=quote(name, safe=""),
            folder=quote(folder, safe=""),
            kind=found["kind"] or "input",
        )
        return await lookup.get(stored.path, query.encode("ascii"))

    def refusal(self, refusal: Refusal, request_id: str) -> Reply:
        """Word a refusal where there is no endpoint."""
        return refusals.worded(self.api.refusal, refusal, request_id)


def _object(body: bytes) -> JsonObject:
    """Read a body with its names as they are: the numbers of a graph's nodes are referred to by them.

    Raises:
        BadRequest: As `consentry.gateway.json_body.folded_object`.
    """
    return json_object(body, _once_in_any_case)


def _once_in_any_case(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    if len({name.casefold() for name, _ in pairs}) != len(pairs):
        raise BadRequest("Two names in one object of the body are the same, or but for their case.")
    return dict(pairs)
