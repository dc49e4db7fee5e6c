"""Refusals as users of this API know them: a status of gRPC, and a sentence.

    INVALID_ARGUMENT    Request rejected by content moderation. Reason: …. Request ID: req_….

The client raises its ``grpc.RpcError`` on it. It tries again by itself on UNAVAILABLE, so only what may pass the next
time is that. A refusal is written as gRPC itself writes it (``grpc-status``, ``grpc-message``), with no body.
"""

from __future__ import annotations

from collections.abc import Mapping

from consentry.gateway.dialect import Reply
from consentry.gateway.exchange import GRPC_MESSAGE, GRPC_STATUS, Headers
from consentry.gateway.refusals import Kind, Refusal, Stage
from consentry.gateway.xai.refusals import moderated

_INVALID_ARGUMENT = 3
_DEADLINE_EXCEEDED = 4
_PERMISSION_DENIED = 7
_RESOURCE_EXHAUSTED = 8
_UNIMPLEMENTED = 12
_INTERNAL = 13
_UNAVAILABLE = 14
_UNAUTHENTICATED = 16

_CODES: Mapping[Kind, int] = {
    Kind.BLOCKED: _INVALID_ARGUMENT,
    Kind.UNREADABLE: _INVALID_ARGUMENT,
    Kind.MALFORMED: _INVALID_ARGUMENT,
    Kind.TOO_LARGE: _RESOURCE_EXHAUSTED,
    Kind.CLOSED: _UNIMPLEMENTED,
    Kind.UNAUTHENTICATED: _UNAUTHENTICATED,
    Kind.FORBIDDEN: _PERMISSION_DENIED,
    Kind.TOO_SLOW: _DEADLINE_EXCEEDED,
    Kind.OVERLOADED: _UNAVAILABLE,
    Kind.TOO_MANY: _RESOURCE_EXHAUSTED,
    Kind.UPSTREAM_FAILED: _UNAVAILABLE,
    Kind.UPSTREAM_TIMED_OUT: _DEADLINE_EXCEEDED,
    Kind.ERROR: _INTERNAL,
}


def worded(refusal: Refusal, request_id: str) -> Reply:
    """Return a refusal: header fields that are the end of a call."""
    is_withheld = refusal.kind is Kind.UNREADABLE and refusal.stage is Stage.OUTPUT
    code = _CODES[refusal.kind]
    if refusal.kind is Kind.UPSTREAM_FAILED and refusal.stage is Stage.OUTPUT:
        # It has been at work, and would be again for the same answer.
        code = _INTERNAL
    if refusal.kind is Kind.BLOCKED or is_withheld:
        message = moderated(refusal, request_id)
    else:
        message = refusal.message or "The request was not carried out."
    headers: Headers = (
        (GRPC_STATUS, str(code).encode()),
        (GRPC_MESSAGE, message.encode()),
        (b"x-request-id", request_id.encode()),
    )
    return Reply(status=200, headers=headers, body=b"")
