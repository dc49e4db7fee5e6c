"""Which routes of this API are open. Whatever is not named here is closed.

Batches (``batches`` and everything below) and videos are closed: nobody could look at each item, or at the result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consentry.gateway.dialect import Endpoint, Lookup, Reply
from consentry.gateway.exchange import Call, Head
from consentry.gateway.openai.conversations import ConversationEndpoint
from consentry.gateway.openai.passing import PassingEndpoint
from consentry.gateway.pinning import pinned
from consentry.gateway.refusals import Refusal
from consentry.gateway.xai import refusals
from consentry.gateway.xai.images import ImagesEndpoint
from consentry.gateway.xai.refusals import Worded

# Never ".." alone: that would lead to another route.
_ID = r"[A-Za-z0-9_-][A-Za-z0-9._:-]{0,127}"

_JUDGED: Sequence[Endpoint] = (
    ImagesEndpoint("images/generations"),
    ImagesEndpoint("images/edits"),
    Worded(ConversationEndpoint("chat/completions", turns="messages")),
    Worded(ConversationEndpoint("responses", turns="input")),
)
# Method, template, and whether pictures may come back.
_PASSING: Sequence[tuple[str, str, bool]] = (
    ("GET", "api-key", False),
    ("GET", "models", False),
    ("GET", "models/{id}", False),
    ("GET", "image-generation-models", False),
    ("GET", "image-generation-models/{id}", False),
    ("GET", "language-models", False),
    ("GET", "language-models/{id}", False),
    ("GET", "embedding-models", False),
    ("GET", "embedding-models/{id}", False),
    ("POST", "embeddings", False),
    ("POST", "tokenize-text", False),
    ("POST", "files", False),
    ("GET", "files", False),
    ("GET", "files/{id}", False),
    ("DELETE", "files/{id}", False),
    ("GET", "files/{id}/content", True),
    ("GET", "responses/{id}", True),
    ("DELETE", "responses/{id}", False),
)


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    endpoint: Endpoint


def _route(method: str, endpoint: Endpoint) -> _Route:
    pattern = re.compile(endpoint.route.replace("{id}", _ID), re.ASCII)
    return _Route(method, pattern, endpoint)


_ROUTES: Sequence[_Route] = (
    *(_route("POST", endpoint) for endpoint in _JUDGED),
    *(
        _route(method, Worded(PassingEndpoint(template, inspects=inspects)))
        for method, template, inspects in _PASSING
    ),
)


@dataclass(frozen=True, slots=True)
class XaiDialect:
    """The API at ``/xai/v1`` (`consentry.gateway.dialect.Dialect`)."""

    name: str = "xai"

    def has_credentials(self, head: Head) -> bool:
        """Whether there is an API key."""
        return head.value(b"authorization") is not None

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
