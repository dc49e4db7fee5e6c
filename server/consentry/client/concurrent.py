"""`AsyncConsentryClient`: the client for programs that do other things meanwhile."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TypeVar

import anyio
import httpx

from consentry.client.answers import BatchResult, Changes, CheckAnswer, ConsentStatus
from consentry.client.blocking import DEFAULT_TIMEOUT_S, received
from consentry.client.exchange import (
    Conversation,
    Exchange,
    Received,
    Retries,
    Send,
    Wait,
    checked_address,
)
from consentry.client.question import Question
from consentry.client.receipts import KeySet
from consentry.kernel.errors import Unreachable
from consentry.kernel.ids import Random

_T = TypeVar("_T")


class AsyncConsentryClient:
    """Asks one server, under asyncio or trio. Close it, or use it in an ``async with``.

    The methods are those of `consentry.client.blocking.ConsentryClient`, and raise the same.
    """

    def __init__(  # noqa: PLR0913 -- all but two have a default, and are given by keyword
        self,
        base_url: str,
        api_key: str,
        *,
        platform: str,
        keys: KeySet | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retries: Retries | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        random: Random = os.urandom,
    ) -> None:
        """Prepare to ask; the arguments are those of `ConsentryClient`.

        Raises:
            BadRequest: If the address would send the key in the clear.
        """
        self._conversation = Conversation(
            api_key=api_key,
            platform=platform,
            keys=keys,
            retries=retries or Retries(),
            random=random,
        )
        self._http = httpx.AsyncClient(
            base_url=checked_address(base_url),
            timeout=timeout_s,
            transport=transport,
            follow_redirects=False,
            trust_env=False,
        )

    async def check(self, question: Question, *, idempotency_key: str | None = None) -> CheckAnswer:
        """Ask whether it may be done."""
        return await self._run(self._conversation.check(question, idempotency_key))

    async def check_output(
        self,
        results: Sequence[bytes],
        question: Question | None = None,
        *,
        allowed: CheckAnswer | None = None,
        idempotency_key: str | None = None,
    ) -> CheckAnswer:
        """Ask whether what was made may be delivered."""
        asked = question or Question()
        conversation = self._conversation.check_output(results, asked, allowed, idempotency_key)
        return await self._run(conversation)

    async def check_many(
        self, questions: Sequence[Question], *, idempotency_key: str | None = None
    ) -> tuple[BatchResult, ...]:
        """Ask up to 32 questions at once."""
        return await self._run(self._conversation.check_many(questions, idempotency_key))

    async def answer(self, check: str) -> CheckAnswer:
        """Read an answer of your own again."""
        return await self._run(self._conversation.answer(check))

    async def consent(self, request: str) -> ConsentStatus:
        """Ask how far a consent request has come."""
        return await self._run(self._conversation.consent(request))

    async def changes(self, cursor: str | None = None) -> Changes:
        """Ask what has changed since a cursor."""
        return await self._run(self._conversation.changes(cursor))

    async def policy_version(self) -> str:
        """Ask for the version of the rules."""
        return await self._run(self._conversation.policy_version())

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _run(self, exchange: Exchange[_T]) -> _T:
        came: Received | Unreachable | None = None
        while True:
            try:
                step = exchange.send(came)
            except StopIteration as end:
                result: _T = end.value
                return result
            match step:
                case Send():
                    came = await self._send(step)
                case Wait(seconds):
                    await anyio.sleep(seconds)
                    came = None

    async def _send(self, step: Send) -> Received | Unreachable:
        try:
            response = await self._http.request(
                step.method, step.path, headers=dict(step.headers), content=step.body
            )
        except httpx.HTTPError as cause:
            return Unreachable(f"The server could not be reached ({type(cause).__name__}).")
        return received(response)
