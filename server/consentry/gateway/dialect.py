"""What the gate has to be told about an API that it stands in front of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from consentry.gateway.exchange import Call, Head, Headers
from consentry.gateway.refusals import Refusal
from consentry.gateway.request import GatewayRequest, Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A refusal, worded."""

    status: int
    headers: Headers
    body: bytes


class Lookup(Protocol):
    """Asks the generator for what a request refers to, with the caller's own credentials."""

    async def call(self, path: str, message: bytes) -> bytes:
        """Return the messages that a method of gRPC answers, one behind the other.

        Args:
            path: Of the method.
            message: That it is called with.

        Raises:
            BadRequest, Unreachable, UpstreamTimedOut: As `get`.
        """

    async def get(self, path: str, query: bytes = b"") -> bytes:
        """Return the body of a ``GET``.

        Args:
            path: Below the prefix, of characters that need no escaping.
            query: Without the question mark.

        Raises:
            BadRequest: If the generator does not give it: what cannot be seen does not pass.
            Unreachable, UpstreamTimedOut: If it does not answer.
        """


class Endpoint(Protocol):
    """One place of an API."""

    @property
    def route(self) -> str:
        """Its template, for metrics and the log: ``files/{id}``."""

    @property
    def reads(self) -> bool:
        """Whether `ask` must see the body. Otherwise it streams through unread."""

    @property
    def inspects(self) -> bool:
        """Whether pictures may come back. Otherwise the answer streams through unread."""

    async def ask(self, call: Call, lookup: Lookup) -> Sequence[GatewayRequest]:
        """Read a request: everything in it that has to be judged; nothing when it makes no picture.

        Raises:
            BadRequest: If it cannot be read with certainty.
            ImageError, UnsupportedMediaType: If it holds what cannot be examined.
        """

    def found(self, media_type: str, body: bytes) -> Sequence[Picture]:
        """Find the pictures in an answer, or in the data of one event of a stream.

        Raises:
            Unreachable: If it cannot be read with certainty.
            ImageError, UnsupportedMediaType: If it holds what cannot be examined.
        """

    def refusal(self, refusal: Refusal, request_id: str) -> Reply:
        """Word a refusal as this API does."""

    def last_event(self, refusal: Refusal, request_id: str) -> bytes:
        """Word a refusal as the event that ends a stream which has begun."""


class Dialect(Protocol):
    """One API."""

    @property
    def name(self) -> str:
        """As in addresses, metrics and the log."""

    def has_credentials(self, head: Head) -> bool:
        """Whether somebody names himself to the generator; it says later whether that holds.

        Who does not is turned away before anything is read or looked at.
        """

    def endpoint(self, method: str, path: str) -> Endpoint | None:
        """Return the place that a request is for; None for one that is not known, which is closed."""

    def pinned(self, call: Call, pictures: Mapping[str, bytes]) -> bytes:
        """Return the body in which the checked pictures stand instead of their addresses.

        Args:
            call: The request.
            pictures: Bytes by address; of formats that are read here.

        Raises:
            BadRequest: If an address cannot be found in it.
        """

    async def file(self, file_id: str, lookup: Lookup) -> bytes:
        """Return what the generator keeps under a name.

        Raises:
            BadRequest: If it cannot be had, or the name is none.
        """

    def refusal(self, refusal: Refusal, request_id: str) -> Reply:
        """Word a refusal where there is no endpoint."""
