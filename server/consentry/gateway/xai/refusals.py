"""Refusals as users of this API know them: a status, and two strings.

    400 {"code": "imagine:content-moderated", "error": "Request rejected by content moderation. …"}

It has no status of its own for consent, so `needs_consent` is the same; the question that was put to her is named in
``Consentry-Consent-Request``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from consentry.gateway.dialect import Endpoint, Lookup, Reply
from consentry.gateway.exchange import Call
from consentry.gateway.refusals import Kind, Refusal, Stage
from consentry.gateway.request import GatewayRequest, Picture
from consentry.kernel.taxonomy import PublicReason

MODERATED = "imagine:content-moderated"
_INVALID = "Client specified an invalid argument"
_BUSY = "The service is currently unavailable"

# Status and code; the codes are those that this API gives with the status.
_SHAPES: Mapping[Kind, tuple[int, str]] = {
    Kind.BLOCKED: (400, MODERATED),
    Kind.UNREADABLE: (400, _INVALID),
    Kind.MALFORMED: (400, _INVALID),
    Kind.TOO_LARGE: (413, "The request is too large"),
    Kind.CLOSED: (404, "Some requested entity was not found"),
    Kind.UNAUTHENTICATED: (401, "No valid credentials were provided"),
    Kind.FORBIDDEN: (403, "The caller does not have permission to execute the specified operation"),
    Kind.TOO_SLOW: (408, "The request came too slowly"),
    Kind.OVERLOADED: (503, _BUSY),
    Kind.TOO_MANY: (429, "Some resource has been exhausted"),
    Kind.UPSTREAM_FAILED: (502, "The upstream failed"),
    Kind.UPSTREAM_TIMED_OUT: (504, "The upstream timed out"),
    Kind.ERROR: (503, _BUSY),
}
_WORDS: Mapping[PublicReason, str] = {
    PublicReason.REVEALING_REAL_PERSON: "a revealing picture of a real person",
    PublicReason.MINOR: "a revealing picture of a minor",
    PublicReason.CONSENT_REQUIRED: "the likeness of somebody whose consent is needed",
    PublicReason.UNREADABLE: "something that could not be examined",
    PublicReason.ERROR: "something that was not examined",
}
_RETRY_AFTER_S = 2


def worded(refusal: Refusal, request_id: str) -> Reply:
    """Return a refusal as an answer of its own."""
    status, _ = _shape_of(refusal)
    headers = [(b"content-type", b"application/json"), (b"x-request-id", request_id.encode())]
    if refusal.kind is Kind.OVERLOADED:
        headers.append((b"retry-after", str(_RETRY_AFTER_S).encode()))
    body = json.dumps(_body_of(refusal, request_id)).encode()
    return Reply(status=status, headers=tuple(headers), body=body)


def last_event(refusal: Refusal, request_id: str) -> bytes:
    """Return a refusal as the event that ends a stream."""
    return b"data: " + json.dumps(_body_of(refusal, request_id)).encode() + b"\n\n"


@dataclass(frozen=True, slots=True)
class Worded:
    """An endpoint of an API that is like this one, with the refusals of this one."""

    inner: Endpoint

    @property
    def route(self) -> str:
        """Its template."""
        return self.inner.route

    @property
    def reads(self) -> bool:
        """Whether the body is read."""
        return self.inner.reads

    @property
    def inspects(self) -> bool:
        """Whether pictures may come back."""
        return self.inner.inspects

    async def ask(self, call: Call, lookup: Lookup) -> tuple[GatewayRequest, ...]:
        """Read a request."""
        return tuple(await self.inner.ask(call, lookup))

    def found(self, media_type: str, body: bytes) -> tuple[Picture, ...]:
        """Find the pictures in an answer."""
        return tuple(self.inner.found(media_type, body))

    def refusal(self, refusal: Refusal, request_id: str) -> Reply:
        """Word a refusal."""
        return worded(refusal, request_id)

    def last_event(self, refusal: Refusal, request_id: str) -> bytes:
        """Word a refusal as the end of a stream."""
        return last_event(refusal, request_id)


def _shape_of(refusal: Refusal) -> tuple[int, str]:
    if refusal.kind is Kind.UNREADABLE and refusal.stage is Stage.OUTPUT:
        return _SHAPES[Kind.BLOCKED]
    return _SHAPES[refusal.kind]


def _body_of(refusal: Refusal, request_id: str) -> dict[str, str]:
    _, code = _shape_of(refusal)
    if code != MODERATED:
        return {"code": code, "error": refusal.message or "The request was not carried out."}
    return {"code": code, "error": moderated(refusal, request_id)}


def moderated(refusal: Refusal, request_id: str) -> str:
    """Return the sentence in which this API says that something may not be."""
    what = "Generated image" if refusal.stage is Stage.OUTPUT else "Request"
    why = "; ".join(_WORDS[each] for each in refusal.reasons or (PublicReason.UNREADABLE,))
    return f"{what} rejected by content moderation. Reason: {why}. Request ID: {request_id}."
