"""Refusals in the shape that the description gives."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from consentry.gateway.configured.description import RefusalShape
from consentry.gateway.dialect import Reply
from consentry.gateway.json_body import Json
from consentry.gateway.refusals import Kind, Refusal, Stage
from consentry.kernel.taxonomy import PublicReason

_STATUSES: Mapping[Kind, int] = {
    Kind.MALFORMED: 400,
    Kind.TOO_LARGE: 413,
    Kind.CLOSED: 404,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.TOO_SLOW: 408,
    Kind.OVERLOADED: 503,
    Kind.TOO_MANY: 429,
    Kind.UPSTREAM_FAILED: 502,
    Kind.UPSTREAM_TIMED_OUT: 504,
    Kind.ERROR: 503,
}


def worded(shape: RefusalShape, refusal: Refusal, request_id: str) -> Reply:
    """Return a refusal as an answer of its own."""
    return Reply(
        status=_status(shape, refusal),
        headers=((b"content-type", b"application/json"), (b"x-request-id", request_id.encode())),
        body=json.dumps(_body(shape, refusal, request_id)).encode(),
    )


def last_event(shape: RefusalShape, refusal: Refusal, request_id: str) -> bytes:
    """Return a refusal as the event that ends a stream."""
    return b"data: " + json.dumps(_body(shape, refusal, request_id)).encode() + b"\n\n"


def _status(shape: RefusalShape, refusal: Refusal) -> int:
    needs_only_consent = set(refusal.reasons) == {PublicReason.CONSENT_REQUIRED}
    if shape.consent_status is not None and needs_only_consent and refusal.stage is Stage.INPUT:
        return shape.consent_status
    return _STATUSES.get(refusal.kind, shape.status)


def _body(shape: RefusalShape, refusal: Refusal, request_id: str) -> Json:
    code = ",".join(refusal.reasons) or refusal.kind.value
    message = refusal.message or (
        "The result was withheld." if refusal.stage is Stage.OUTPUT else "The request was refused."
    )
    return _filled(shape.body, {"code": code, "message": message, "request_id": request_id})


def _filled(value: Json, words: Mapping[str, str]) -> Json:
    if isinstance(value, str):
        for name, text in words.items():
            value = value.replace("{" + name + "}", text)
        return value
    if isinstance(value, Mapping):
        return {name: _filled(each, words) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [_filled(each, words) for each in value]
    return value
