"""What the gate asks of others. All of it may be awaited by many requests at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from consentry.checks.check import CheckRequest, CheckResult
from consentry.checks.output import OutputRequest, OutputResult
from consentry.gateway.exchange import Answer, Head


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

    def keep(self, size: int) -> None:
        """Give back the memory that was set aside, but for ``size`` bytes."""


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


class OutputCheck(Protocol):
    """Looks at what a generator has made before anybody gets it (`consentry.checks.output.CheckOutput`)."""

    async def __call__(self, request: OutputRequest) -> OutputResult:
        """Decide, sign, and keep the receipt.

        Raises:
            ConsentryError: Then there is no verdict, and nothing is delivered.
        """
