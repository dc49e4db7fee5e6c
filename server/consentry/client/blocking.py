"""`ConsentryClient`: the client for programs that wait."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TypeVar

import httpx

from consentry.client.answers import BatchResult, Changes, CheckAnswer, ConsentStatus
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

DEFAULT_TIMEOUT_S = 30.0
_T = TypeVar("_T")


class ConsentryClient:
    """Asks one server. Safe to share between threads; close it, or use it in a ``with``."""

    def __init__(  # noqa: PLR0913 -- all but two have a default, and are given by keyword
        self,
        base_url: str,
        api_key: str,
        *,
        platform: str,
        keys: KeySet | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retries: Retries | None = None,
        transport: httpx.BaseTransport | None = None,
        random: Random = os.urandom,
    ) -> None:
        """Prepare to ask.

        Args:
            base_url: ``https://…``, or ``http://`` on this machine.
            api_key: ``csk_…``.
            platform: Whom the key speaks for, exactly as it was made.
            keys: The server's receipt keys, pinned. None fetches them from the server: then receipts
                prove no more than the connection does.
            timeout_s: Of each attempt.
            retries: How patiently; None for the usual.
            transport: How requests travel; None for the network.
            random: Source of Idempotency-Keys.

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
        self._http = httpx.Client(
            base_url=checked_address(base_url),
            timeout=timeout_s,
            transport=transport,
            follow_redirects=False,
            trust_env=False,
        )

    def check(self, question: Question, *, idempotency_key: str | None = None) -> CheckAnswer:
        """Ask whether it may be done.

        Args:
            question: Everything that the generator would be given.
            idempotency_key: To ask the same again later without a second check; None for a new one.

        Returns:
            The verdict. Its receipt was verified, and is about this question.

        Raises:
            ConsentryError: Whatever went wrong. Then nothing is allowed.
        """
        return self._run(self._conversation.check(question, idempotency_key))

    def check_output(
        self,
        results: Sequence[bytes],
        question: Question | None = None,
        *,
        allowed: CheckAnswer | None = None,
        idempotency_key: str | None = None,
    ) -> CheckAnswer:
        """Ask whether what was made may be delivered.

        Args:
            results: 1 to 16 encoded files, as they would be delivered.
            question: What they were made from and for; None when nothing is known of that.
            allowed: The answer that allowed the question, at most an hour old. None has the question
                judged together with the results.
            idempotency_key: As in `check`.

        Returns:
            The verdict: deliver on an allow alone. Its receipt was verified, and is about these.

        Raises:
            ConsentryError: Whatever went wrong. Then nothing is delivered.
        """
        asked = question or Question()
        return self._run(self._conversation.check_output(results, asked, allowed, idempotency_key))

    def check_many(
        self, questions: Sequence[Question], *, idempotency_key: str | None = None
    ) -> tuple[BatchResult, ...]:
        """Ask up to 32 questions at once. Each is judged by itself, and has its own result, in order.

        Raises:
            ConsentryError: If the batch as a whole was not answered. Then nothing is allowed.
        """
        return self._run(self._conversation.check_many(questions, idempotency_key))

    def answer(self, check: str) -> CheckAnswer:
        """Read an answer of your own again; without salts, which are given once.

        Raises:
            NotFound: If it is not yours, or there is none.
            ConsentryError: Whatever else went wrong.
        """
        return self._run(self._conversation.answer(check))

    def consent(self, request: str) -> ConsentStatus:
        """Ask how far a consent request has come.

        Raises:
            ConsentryError: Whatever went wrong.
        """
        return self._run(self._conversation.consent(request))

    def changes(self, cursor: str | None = None) -> Changes:
        """Ask what has changed since a cursor; None for the beginning.

        Raises:
            ConsentryError: Whatever went wrong.
        """
        return self._run(self._conversation.changes(cursor))

    def policy_version(self) -> str:
        """Ask for the version of the rules.

        Raises:
            ConsentryError: Whatever went wrong.
        """
        return self._run(self._conversation.policy_version())

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, exchange: Exchange[_T]) -> _T:
        came: Received | Unreachable | None = None
        while True:
            try:
                step = exchange.send(came)
            except StopIteration as end:
                result: _T = end.value
                return result
            match step:
                case Send():
                    came = self._send(step)
                case Wait(seconds):
                    time.sleep(seconds)
                    came = None

    def _send(self, step: Send) -> Received | Unreachable:
        try:
            response = self._http.request(
                step.method, step.path, headers=dict(step.headers), content=step.body
            )
        except httpx.HTTPError as cause:
            return Unreachable(f"The server could not be reached ({type(cause).__name__}).")
        return received(response)


def received(response: httpx.Response) -> Received:
    """Return what matters of a response."""
    return Received(
        status=response.status_code,
        media_type=response.headers.get("content-type", "").partition(";")[0].strip().lower(),
        retry_after=response.headers.get("retry-after"),
        body=response.content,
    )
