"""What is beside a body: a head that leaves one way to read it, and words in the address."""

from __future__ import annotations

from dataclasses import replace

from consentry.gateway.exchange import Head
from consentry.gateway.request import GatewayRequest
from consentry.gateway.sources import picture_asked
from consentry.gateway.words import fitted
from consentry.kernel.errors import BadRequest, UnsupportedMediaType

ELSEWHERE = frozenset(
    {
        b"x-http-method",
        b"x-http-method-override",
        b"x-method-override",
        b"x-original-url",
        b"x-rewrite-url",
    }
)
"""Header fields by which some servers take a request for another one than was judged."""

_ONLY_ONCE = frozenset({b"content-type", b"content-encoding", b"content-length"})


def require_plain(head: Head) -> None:
    """Pass when there is one way to read a body.

    Raises:
        BadRequest: If a header field that decides about it is there twice, or would not be handed on.
        UnsupportedMediaType: If it is packed, or no UTF-8.
    """
    names = [name for name, _ in head.headers if name in _ONLY_ONCE]
    if len(names) != len(set(names)):
        raise BadRequest("A header field that decides how the body is read appears twice.")
    if _ONLY_ONCE & head.of_one_hop:
        raise BadRequest("A header field that decides how the body is read is kept to one hop.")
    if head.value(b"content-encoding") not in (None, "identity"):
        raise UnsupportedMediaType("Bodies are read as they are: send it without a coding.")
    declared = (head.value(b"content-type") or "").lower().partition("charset=")[2]
    if declared.strip("\"' ") not in ("", "utf-8"):
        raise UnsupportedMediaType("Bodies are read as UTF-8.")


def with_query(request: GatewayRequest, head: Head) -> GatewayRequest:
    """Add what the address asks: some generators take words and pictures there as well.

    Raises:
        BadRequest: If it gives a picture by address.
        CorruptImage: If it gives one in a way that is not read here.
    """
    if not head.query:
        return request
    values = [value for _, value in head.asked]
    given = [(value, picture_asked(value)) for value in values]
    return replace(
        request,
        pictures=(*request.pictures, *(picture for _, picture in given if picture is not None)),
        context=fitted([*(value for value, each in given if each is None), *request.context]),
    )
