"""What the gate asks of others. All of it may be awaited by many requests at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from consentry.checks.check import CheckRequest, CheckResult
from consentry.gateway.exchange import Answer, Head
from consentry.kernel.taxonomy import PublicReason


class Incoming(Protocol):
    """The body of a request that is coming in. Read once, either whole or in chunks."""

    async def whole(self) -> bytes:
        """Return all of it, held in memory that was set aside for it.

        Raises:
            BodyTooLarge: If it is larger than the limit.
            RequestTimedOut: If it comes too slowly.
            Overloaded: If there is no memory for it, and none in time.
        """

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield it as it comes in.

        Raises:
            BodyTooLarge, RequestTimedOut: As `whole`.
        """


class Upstream(Protocol):
    """The generator."""

    def send(
        self, head: Head, body: bytes | AsyncIterator[bytes]
    ) -> AbstractAsyncContextManager[Answer]:
        """Send a request as it is, and return its answer while it comes in.

        Leaving the context ends the exchange, whether or not the answer was read.

        Raises:
            Unreachable: If the generator does not answer, or breaks off.
            UpstreamTimedOut: If it does not answer in time.
        """


class PictureSource(Protocol):
    """Fetches pictures by address, safely (`consentry.connectors.safe_http`)."""

    async def fetch(self, url: str) -> bytes:
        """Return the bytes at an address.

        Raises:
            ImageError: If it is not to be fetched, or cannot be.
        """


class Checks(Protocol):
    """The one decision path (`consentry.checks.check.CheckImages`)."""

    async def __call__(self, request: CheckRequest) -> CheckResult:
        """Decide, sign, and keep the receipt.

        Raises:
            ConsentryError: Then there is no verdict, and nothing passes.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a generator has made.

    Attributes:
        pictures: As encoded files.
        inputs: What it was made from; empty when that is not known.
    """

    pictures: tuple[bytes, ...] = field(repr=False)
    inputs: tuple[bytes, ...] = field(repr=False)


class OutputCheck(Protocol):
    """Looks at what a generator has made before anybody gets it."""

    async def __call__(self, returned: Returned) -> tuple[PublicReason, ...]:
        """Return why it is to be withheld; nothing when it may be delivered.

        Raises:
            ConsentryError: If it could not be examined: then it is withheld, too.
        """
