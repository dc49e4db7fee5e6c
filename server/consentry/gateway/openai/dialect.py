"""Which routes of this API are open, and what each of them is. Everything else under the prefix is closed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consentry.gateway.dialect import Endpoint, Lookup, Reply
from consentry.gateway.exchange import Call, Head
from consentry.gateway.openai import refusals
from consentry.gateway.openai.batches import BatchEndpoint
from consentry.gateway.openai.conversations import ConversationEndpoint
from consentry.gateway.openai.images import ImagesEndpoint
from consentry.gateway.openai.passing import PassingEndpoint
from consentry.gateway.pinning import pinned
from consentry.gateway.refusals import Refusal

_ID = r"[A-Za-z0-9_\-]{1,128}"
_JUDGED: dict[str, ImagesEndpoint | ConversationEndpoint] = {
    "images/edits": ImagesEndpoint("images/edits"),
    "images/generations": ImagesEndpoint("images/generations"),
    "images/variations": ImagesEndpoint("images/variations"),
    "responses": ConversationEndpoint("responses", turns="input"),
    "chat/completions": ConversationEndpoint("chat/completions", turns="messages"),
}
# Method, template; whether pictures may come back. `{id}` stands for an identifier.
_PASSING: Sequence[tuple[str, str, bool]] = (
    ("GET", "models", False),
    ("GET", "models/{id}", False),
    ("POST", "moderations", False),
    ("POST", "embeddings", False),
    ("POST", "files", False),
    ("GET", "files", False),
    ("GET", "files/{id}", False),
    ("DELETE", "files/{id}", False),
    ("GET", "files/{id}/content", True),
    ("GET", "batches", False),
    ("GET", "batches/{id}", False),
    ("POST", "batches/{id}/cancel", False),
    ("GET", "responses/{id}", True),
    ("DELETE", "responses/{id}", False),
    ("POST", "responses/{id}/cancel", True),
)


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    endpoint: Endpoint


def _route(method: str, template: str, endpoint: Endpoint) -> _Route:
    return _Route(method, re.compile(template.replace("{id}", _ID), re.ASCII), endpoint)


_ROUTES: Sequence[_Route] = (
    *(_route("POST", path, endpoint) for path, endpoint in _JUDGED.items()),
    _route("POST", "batches", BatchEndpoint(_JUDGED)),
    *(
        _route(method, template, PassingEndpoint(template, inspects=inspects))
        for method, template, inspects in _PASSING
    ),
)


@dataclass(frozen=True, slots=True)
class OpenAIDialect:
    """The API at ``/openai/v1`` (`consentry.gateway.dialect.Dialect`)."""

    name: str = "openai"

    def has_credentials(self, head: Head) -> bool:
        """Whether there is an API key, in the field of this API or in that of Azure's."""
        return any(head.value(name) for name in (b"authorization", b"api-key"))

    def endpoint(self, method: str, path: str) -> Endpoint | None:
        """Return the place that a request is for, or None: closed."""
        return next(
            (
                route.endpoint
                for route in _ROUTES
                if route.method == method and route.pattern.fullmatch(path)
            ),
            None,
        )

    def pinned(self, call: Call, pictures: Mapping[str, bytes]) -> bytes:
        """Put checked pictures in place of their addresses."""
        return pinned(call.body, call.head.media_type, pictures)

    async def file(self, file_id: str, lookup: Lookup) -> bytes:
        """Return what was uploaded under an identifier, as its owner would get it."""
        return await lookup.get(f"files/{file_id}/content")

    def refusal(self, refusal: Refusal, request_id: str) -> Reply:
        """Word a refusal where there is no endpoint."""
        return refusals.worded(refusal, request_id)
