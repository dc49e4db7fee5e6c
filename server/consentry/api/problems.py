"""Every error as one shape: problem+json (RFC 9457), with a stable ``code`` (docs/errors.md)."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Mapping
from pathlib import PurePath

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from consentry.kernel.errors import (
    BadRequest,
    BodyTooLarge,
    ConsentryError,
    Forbidden,
    HeadersTooLarge,
    MethodNotAllowed,
    NotFound,
    OperatorError,
    Overloaded,
    QualityTooLow,
    RequestTimedOut,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMediaType,
    WrongHost,
)

MEDIA_TYPE = "application/problem+json"
_TYPE_PREFIX = "urn:consentry:problem:"
_SERVER_ERROR = 500
_RETRY_AFTER_S = 2
_log = logging.getLogger("consentry.api")


class Problem(BaseModel):
    """What went wrong, in the form of RFC 9457."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(
        description="A URN that ends in `code`.", examples=["urn:consentry:problem:vault-locked"]
    )
    title: str = Field(description="The kind of problem in a few words.", examples=["Vault locked"])
    status: int = Field(description="The HTTP status.", examples=[423])
    detail: str = Field(description="What happened, and how to mend it.")
    code: str = Field(
        description="Stable name of the kind; docs/errors.md lists all.", examples=["vault-locked"]
    )
    instance: str = Field(description="Names this one answer; the log line of it has the same.")
    issues: list[str] | None = Field(
        default=None, description="With `quality-too-low`: what is wrong with the face."
    )


def title_of(kind: type[ConsentryError]) -> str:
    """Return the name of an error class in words: ``Vault locked``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__)
    return words.capitalize()


def summary_of(kind: type[ConsentryError]) -> str:
    """Return the first line of an error class's docstring."""
    return (kind.__doc__ or "").strip().splitlines()[0].replace("``", "`")


def problem_of(error: ConsentryError, instance: str) -> Problem:
    """Return the wire form of an error.

    Args:
        error: What happened.
        instance: The correlation id of the request.
    """
    kind = type(error)
    return Problem(
        type=_TYPE_PREFIX + error.code,
        title=title_of(kind),
        status=error.status,
        # What broke on our side is for the log: the text that goes out is constant for its kind.
        detail=summary_of(kind) if isinstance(error, OperatorError) else str(error),
        code=error.code,
        instance=instance,
        issues=list(error.issues) if isinstance(error, QualityTooLow) else None,
    )


def problem_response(
    error: ConsentryError, instance: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the answer to an error, and log it if it is ours."""
    if error.status >= _SERVER_ERROR:
        _log.error("%s: %s, ref=%s", type(error).__name__, error, instance)
    sent = dict(headers or {})
    if isinstance(error, TooManyRequests):
        sent["retry-after"] = str(error.retry_after_s)
    elif error.status == Overloaded.status:
        sent["retry-after"] = str(_RETRY_AFTER_S)
    if isinstance(error, Unauthenticated):
        sent["www-authenticate"] = 'Bearer realm="consentry"'
    body = problem_of(error, instance).model_dump_json(exclude_none=True)
    return Response(body, error.status, headers=sent, media_type=MEDIA_TYPE)


def unexpected_response(error: Exception, instance: str) -> Response:
    """Return the constant answer to a mistake of ours, and log where it happened.

    The text of a foreign exception may quote what it choked on, so it is not logged.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
    _log.error("unexpected %s at %s, ref=%s", type(error).__name__, place, instance)
    problem = Problem(
        type=_TYPE_PREFIX + OperatorError.code,
        title=title_of(OperatorError),
        status=_SERVER_ERROR,
        detail=summary_of(OperatorError),
        code=OperatorError.code,
        instance=instance,
    )
    return Response(
        problem.model_dump_json(exclude_none=True), _SERVER_ERROR, media_type=MEDIA_TYPE
    )


_RETRIABLE = frozenset({TooManyRequests.status, Overloaded.status})
_RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
_ANYWHERE: tuple[type[ConsentryError], ...] = (
    BadRequest,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    RequestTimedOut,
    BodyTooLarge,
    WrongHost,
    HeadersTooLarge,
    TooManyRequests,
    OperatorError,
    Overloaded,
)


def documented(
    *kinds: type[ConsentryError], is_open: bool = False, reads_body: bool = False
) -> dict[int | str, dict[str, object]]:
    """Return the problem responses of a route, for OpenAPI.

    Args:
        kinds: What this route can raise beyond what any route can.
        is_open: Whether it asks for no credential.
        reads_body: Whether it takes a body.
    """
    found = [*_ANYWHERE, *kinds]
    if not is_open:
        found.append(Unauthenticated)
    if reads_body:
        found.append(UnsupportedMediaType)
    by_status: dict[int, dict[str, str]] = {}
    for kind in found:
        by_status.setdefault(kind.status, {})[kind.code] = summary_of(kind)
    return {
        status: {
            "description": "\n".join(f"`{code}`: {text}" for code, text in sorted(codes.items())),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            **({"headers": _RETRY_AFTER} if status in _RETRIABLE else {}),
        }
        for status, codes in sorted(by_status.items())
    }
