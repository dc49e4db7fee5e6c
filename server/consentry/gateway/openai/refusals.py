"""Refusals as users of this API know them: status, type, code, categories, ``x-request-id``.

    400 {"error": {"message": "Your request was rejected by the safety system. …",
                   "type": "image_generation_user_error", "param": null, "code": "moderation_blocked",
                   "moderation_details": {"moderation_stage": "input", "categories": ["sexual"]}}}

Its clients raise their own ``BadRequestError`` on that. ``needs_consent`` has no status of its own here, so it is the
same; the question that was put to her is named in ``Consentry-Consent-Request``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias

from consentry.gateway.dialect import Reply
from consentry.gateway.refusals import Kind, Refusal, Stage
from consentry.kernel.taxonomy import PublicReason

IMAGES_CODE = "moderation_blocked"
CHAT_CODE = "content_policy_violation"

_Shape: TypeAlias = tuple[int, str, str | None]

# Status, type, code.
_SHAPES: Mapping[Kind, _Shape] = {
    Kind.UNREADABLE: (400, "invalid_request_error", "image_parse_error"),
    Kind.MALFORMED: (400, "invalid_request_error", "invalid_request"),
    Kind.TOO_LARGE: (413, "invalid_request_error", "request_too_large"),
    Kind.CLOSED: (404, "invalid_request_error", "unknown_url"),
    Kind.UNAUTHENTICATED: (401, "invalid_request_error", "invalid_api_key"),
    Kind.FORBIDDEN: (403, "invalid_request_error", "forbidden"),
    Kind.TOO_SLOW: (408, "invalid_request_error", "request_timeout"),
    Kind.OVERLOADED: (503, "server_error", "overloaded"),
    Kind.TOO_MANY: (429, "requests", "rate_limit_exceeded"),
    Kind.UPSTREAM_FAILED: (502, "server_error", "upstream_failed"),
    Kind.UPSTREAM_TIMED_OUT: (504, "server_error", "upstream_timeout"),
    Kind.ERROR: (503, "server_error", "check_failed"),
}
_CATEGORIES: Mapping[PublicReason, str] = {
    PublicReason.REVEALING_REAL_PERSON: "sexual",
    PublicReason.MINOR: "sexual/minors",
    PublicReason.CONSENT_REQUIRED: "likeness",
    PublicReason.UNREADABLE: "unreadable",
    PublicReason.ERROR: "unchecked",
}
_RETRY_AFTER_S = 2


def worded(refusal: Refusal, request_id: str, *, blocked_code: str = IMAGES_CODE) -> Reply:
    """Return a refusal as an answer of its own.

    Args:
        refusal: Why.
        request_id: Goes into the header and the message.
        blocked_code: The code that the users of this endpoint know for a verdict.
    """
    status = _shape_of(refusal, blocked_code)[0]
    headers = [(b"content-type", b"application/json"), (b"x-request-id", request_id.encode())]
    if refusal.kind is Kind.OVERLOADED:
        headers.append((b"retry-after", str(_RETRY_AFTER_S).encode()))
    return Reply(
        status=status,
        headers=tuple(headers),
        body=json.dumps({"error": _error_of(refusal, request_id, blocked_code)}).encode(),
    )


def last_event(refusal: Refusal, request_id: str, *, blocked_code: str = IMAGES_CODE) -> bytes:
    """Return a refusal as the event that ends a stream: clients raise their ``APIError`` on it."""
    found = {"type": "error", "error": _error_of(refusal, request_id, blocked_code)}
    return b"event: error\ndata: " + json.dumps(found).encode() + b"\n\n"


def _shape_of(refusal: Refusal, blocked_code: str) -> _Shape:
    is_withheld = refusal.kind is Kind.UNREADABLE and refusal.stage is Stage.OUTPUT
    if refusal.kind is not Kind.BLOCKED and not is_withheld:
        return _SHAPES[refusal.kind]
    of_images = blocked_code == IMAGES_CODE
    return (
        400,
        "image_generation_user_error" if of_images else "invalid_request_error",
        blocked_code,
    )


def _error_of(refusal: Refusal, request_id: str, blocked_code: str) -> dict[str, object]:
    _, kind, code = _shape_of(refusal, blocked_code)
    if code != blocked_code:
        message = refusal.message or "The request was not carried out."
        return {"message": message, "type": kind, "param": None, "code": code}
    reasons = refusal.reasons or (PublicReason.UNREADABLE,)
    categories = [_CATEGORIES[each] for each in reasons]
    return {
        "message": (
            "Your request was rejected by the safety system. If you believe this is an error, contact the "
            f"operator of this service and include the request ID {request_id}. "
            f"safety_violations=[{', '.join(categories)}]."
        ),
        "type": kind,
        "param": None,
        "code": code,
        "moderation_details": {"moderation_stage": refusal.stage.value, "categories": categories},
    }
