"""What is sent, when it is sent again, and what an answer must be like. No I/O and no framework.

An exchange is a generator: it yields what is to be done next (`Send` or `Wait`), is given the answer
or what went wrong, and returns a value or raises. `run` in `blocking` and `concurrent` drive it.
"""

from __future__ import annotations

import base64
import email.utils
import json
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, TypeVar
from urllib.parse import quote, urlsplit

from consentry.client.answers import (
    BatchResult,
    Change,
    ChangeKind,
    Changes,
    CheckAnswer,
    ConsentState,
    ConsentStatus,
)
from consentry.client.question import Json, Question
from consentry.client.receipts import (
    Claims,
    KeySet,
    Salts,
    kid_of,
    verify,
    verify_about,
    verify_about_results,
)
from consentry.kernel import errors
from consentry.kernel.errors import (
    BadRequest,
    CallerError,
    ConsentryError,
    NotReady,
    OperatorError,
    ReceiptInvalid,
    TooManyRequests,
    Unreachable,
)
from consentry.kernel.ids import Random
from consentry.kernel.taxonomy import Obligation, PublicReason, Verdict

MAX_BATCH = 32
_OK = 200
_SERVER_ERROR = 500
_RANDOM_BITS = 32
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# Beyond these, the same request would get the same answer again.
_WORTH_REPEATING = frozenset({408, 409, 429, 500, 502, 503, 504, 507})
_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how patiently a request is sent again. Always under one Idempotency-Key.

    Attributes:
        attempts: In all, 1 or more.
        first_wait_s: Before the second; doubles from there, with up to as much again by chance.
        longest_wait_s: Of one wait. When the server asks for more (``Retry-After``), the error is
            raised instead: it says how long.
    """

    attempts: int = 4
    first_wait_s: float = 0.25
    longest_wait_s: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send this, and throw or give back what came of it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait so long."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What came back."""

    status: int
    media_type: str
    retry_after: str | None
    body: bytes


Exchange: TypeAlias = "Generator[Send | Wait, Received | Unreachable | None, _T]"


class Conversation:
    """All that a client says to one server. Holds the keys that it has seen; safe between threads.

    The keys are replaced as a whole, so a reader sees the old set or the new one.
    """

    def __init__(
        self,
        *,
        api_key: str,
        platform: str,
        keys: KeySet | None,
        retries: Retries,
        random: Random,
    ) -> None:
        """Remember who speaks.

        Args:
            api_key: The secret of the API key.
            platform: Whom it speaks for: receipts commit to it.
            keys: The server's receipt keys, pinned; None to fetch them from the server itself.
            retries: How patiently.
            random: Source of Idempotency-Keys and of the chance in waits.
        """
        self._api_key = api_key
        self._platform = platform
        self._pinned = keys
        self._fetched: KeySet | None = None
        self._retries = retries
        self._random = random

    def check(self, question: Question, idempotency_key: str | None) -> Exchange[CheckAnswer]:
        """Ask one question."""
        found = yield from self._post("/v1/checks", question.to_json(), idempotency_key)
        return (yield from self._verified(found, question))

    def check_output(
        self,
        results: Sequence[bytes],
        question: Question,
        allowed: CheckAnswer | None,
        idempotency_key: str | None,
    ) -> Exchange[CheckAnswer]:
        """Ask about what was made."""
        body: dict[str, Json] = {
            **question.to_json(),
            "results": [base64.b64encode(each).decode("ascii") for each in results],
        }
        if allowed is not None:
            if allowed.salts is None or not allowed.is_allowed:
                raise BadRequest(
                    "`allowed` is an answer that allows, with the salts that came with it."
                )
            body.pop("token", None)  # it was used up by that check
            body |= {"check_id": allowed.check, "salts": allowed.salts.to_json()}
        found = yield from self._post("/v1/outputs", body, idempotency_key)
        answer, claims = yield from self._genuine(found)
        salts = _salts_of(answer)
        try:
            verify_about_results(claims, salts, (results, question), self._platform)
        except ReceiptInvalid:
            # Where the request itself is not allowed, that is the answer. An allow is about the results.
            if answer.is_allowed or allowed is not None:
                raise
            verify_about(claims, salts, question, self._platform)
        return answer

    def check_many(
        self, questions: Sequence[Question], idempotency_key: str | None
    ) -> Exchange[tuple[BatchResult, ...]]:
        """Ask several questions at once."""
        if not 1 <= len(questions) <= MAX_BATCH:
            raise BadRequest(f"A batch has 1 to {MAX_BATCH} questions.")
        body: dict[str, Json] = {"checks": [question.to_json() for question in questions]}
        found = yield from self._post("/v1/checks/batch", body, idempotency_key)
        items = _list(found, "results")
        if len(items) != len(questions):
            raise _odd("it answers another number of questions")
        results = []
        for item, question in zip(items, questions, strict=True):
            results.append((yield from self._result(_object(item), question)))
        return tuple(results)

    def answer(self, check: str) -> Exchange[CheckAnswer]:
        """Read an answer of one's own again."""
        found = yield from self._get(f"/v1/checks/{quote(check, safe='')}")
        answer = yield from self._verified(found, None)
        if answer.check != check:
            raise ReceiptInvalid("It is about another check.")
        return answer

    def consent(self, request: str) -> Exchange[ConsentStatus]:
        """Ask how far a consent request has come."""
        found = yield from self._get(f"/v1/consent-requests/{quote(request, safe='')}")
        return ConsentStatus(
            state=_member(ConsentState, _text(found, "state")), token=_optional(found, "token")
        )

    def changes(self, cursor: str | None) -> Exchange[Changes]:
        """Ask what has changed since a cursor."""
        query = "" if cursor is None else f"?cursor={quote(cursor, safe='')}"
        found = yield from self._get(f"/v1/feed{query}")
        return Changes(
            changes=tuple(_change(_object(item)) for item in _list(found, "changes")),
            cursor=_text(found, "cursor"),
            has_more=found.get("has_more") is True,
        )

    def policy_version(self) -> Exchange[str]:
        """Ask for the version of the rules."""
        return _text((yield from self._get("/v1/policy")), "policy_version")

    def _result(self, item: Mapping[str, object], question: Question) -> Exchange[BatchResult]:
        problem = item.get("problem")
        if problem is not None:
            error = _error_of(_object(problem), retry_after_s=None)
            return BatchResult(answer=None, error=error)
        try:
            answer = yield from self._verified(_object(item.get("check")), question)
        except ReceiptInvalid as cause:
            return BatchResult(answer=None, error=cause)
        return BatchResult(answer=answer, error=None)

    def _verified(
        self, found: Mapping[str, object], question: Question | None
    ) -> Exchange[CheckAnswer]:
        """Return an answer once its receipt says the same, about the same question."""
        answer, claims = yield from self._genuine(found)
        if question is not None:
            verify_about(claims, _salts_of(answer), question, self._platform)
        return answer

    def _genuine(self, found: Mapping[str, object]) -> Exchange[tuple[CheckAnswer, Claims]]:
        """Return an answer, and what its receipt says, once that is the same."""
        answer = _answer(found)
        keys = yield from self._keys_for(kid_of(answer.receipt))
        claims = verify(answer.receipt, keys)
        is_same = (
            claims.check == answer.check
            and claims.mode == "act"
            and claims.verdict == answer.verdict.value
            and claims.reasons == tuple(reason.value for reason in answer.reasons)
            and claims.obligations == tuple(each.value for each in answer.obligations)
        )
        if not is_same:
            raise ReceiptInvalid("The answer says otherwise than the receipt in it.")
        return answer, claims

    def _keys_for(self, kid: str) -> Exchange[KeySet]:
        if self._pinned is not None:
            return self._pinned
        if self._fetched is None or kid not in self._fetched.keys:
            found = yield from self._exchange("GET", "/.well-known/jwks.json", None, {})
            self._fetched = KeySet.from_json(found.body)
        return self._fetched

    def _get(self, path: str) -> Exchange[Mapping[str, object]]:
        headers = {"authorization": f"Bearer {self._api_key}"}
        return _parsed((yield from self._exchange("GET", path, None, headers)))

    def _post(
        self, path: str, body: Mapping[str, Json], idempotency_key: str | None
    ) -> Exchange[Mapping[str, object]]:
        headers = {
            "authorization": f"Bearer {self._api_key}",
            "content-type": "application/json",
            "idempotency-key": idempotency_key or self._new_key(),
        }
        content = json.dumps(body, separators=(",", ":")).encode("ascii")
        return _parsed((yield from self._exchange("POST", path, content, headers)))

    def _new_key(self) -> str:
        return str(uuid.UUID(bytes=self._random(16), version=4))

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Exchange[Received]:
        """Send until there is an answer, or no more reason to hope for one."""
        for attempt in range(1, self._retries.attempts + 1):
            came = yield Send(method=method, path=path, headers=headers, body=body)
            error, asked_s = _outcome(came)
            if error is None and isinstance(came, Received):
                return came
            wait_s = self._wait_before(attempt, asked_s)
            is_final = attempt == self._retries.attempts or wait_s is None
            if error is not None and (is_final or not _is_worth_repeating(came)):
                raise error
            yield Wait(wait_s or 0.0)
        raise BadRequest("At least one attempt is needed.")

    def _wait_before(self, attempt: int, asked_s: float | None) -> float | None:
        """Return how long to wait; None when the server asks for more patience than there is."""
        chance = int.from_bytes(self._random(_RANDOM_BITS // 8), "big") / 2**_RANDOM_BITS
        own: float = self._retries.first_wait_s * 2 ** (attempt - 1) * (1 + chance)
        wait = max(own, asked_s or 0.0)
        if asked_s is not None and asked_s > self._retries.longest_wait_s:
            return None
        return min(wait, self._retries.longest_wait_s)


def checked_address(base_url: str) -> str:
    """Return the address of a server without its last slash.

    Raises:
        BadRequest: If it is no ``https`` address, or an ``http`` one beyond this machine: a key that
            is sent in the clear is everybody's.
    """
    parts = urlsplit(base_url)
    is_safe = parts.scheme == "https" or (
        parts.scheme == "http" and (parts.hostname or "") in _LOOPBACK
    )
    if not is_safe or not parts.hostname or parts.query or parts.fragment:
        raise BadRequest("The server's address is https://…, or http:// on this machine only.")
    return base_url.rstrip("/")


def _outcome(came: Received | Unreachable | None) -> tuple[ConsentryError | None, float | None]:
    """Return what went wrong, if anything, and how long the server asks to wait."""
    if isinstance(came, Unreachable):
        return came, None
    if came is None:
        raise TypeError("a request that was sent has an outcome")
    if came.status == _OK and came.media_type == "application/json":
        return None, None
    asked_s = _seconds(came.retry_after)
    if came.media_type != "application/problem+json":
        return Unreachable(f"What answered is no Consentry: status {came.status}."), asked_s
    return _error_of(_parsed(came), retry_after_s=asked_s), asked_s


def _is_worth_repeating(came: Received | Unreachable | None) -> bool:
    return not isinstance(came, Received) or came.status in _WORTH_REPEATING


def _error_of(problem: Mapping[str, object], *, retry_after_s: float | None) -> ConsentryError:
    """Return the error class that a problem names; one that is not known counts as its family."""
    code, status = problem.get("code"), problem.get("status")
    detail = problem.get("detail")
    text = detail if isinstance(detail, str) else "The server says no more."
    if code == TooManyRequests.code:
        return TooManyRequests(text, retry_after_s=round(retry_after_s or 1))
    kind = _KINDS.get(code) if isinstance(code, str) else None
    if kind is not None:
        return kind(text)
    is_ours = isinstance(status, int) and status < _SERVER_ERROR
    return CallerError(text) if is_ours else OperatorError(text)


def _kinds() -> dict[str, Callable[[str], ConsentryError]]:
    """Return every error class with a message alone, by its code; the first of a code stands."""
    found: dict[str, Callable[[str], ConsentryError]] = {}
    for kind in vars(errors).values():
        is_plain = isinstance(kind, type) and issubclass(kind, ConsentryError)
        if is_plain and "__init__" not in vars(kind) and "code" in vars(kind):
            found.setdefault(kind.code, kind)
    found[BadRequest.code] = BadRequest
    found[NotReady.code] = NotReady
    return found


_KINDS = _kinds()


def _seconds(value: str | None) -> float | None:
    """Read ``Retry-After``: seconds. A date is not sent by Consentry; a proxy's counts as a minute."""
    if value is None:
        return None
    try:
        return max(0.0, float(int(value)))
    except ValueError:
        return 60.0 if email.utils.parsedate(value) else None


def _parsed(came: Received) -> Mapping[str, object]:
    try:
        return _object(json.loads(came.body))
    except (ValueError, RecursionError) as cause:
        raise _odd("it is not JSON") from cause


def _answer(found: Mapping[str, object]) -> CheckAnswer:
    salts = found.get("salts")
    return CheckAnswer(
        check=_text(found, "check_id"),
        verdict=_member(Verdict, _text(found, "verdict")),
        reasons=tuple(_member(PublicReason, each) for each in _texts(found, "reasons")),
        obligations=tuple(_member(Obligation, each) for each in _texts(found, "obligations")),
        receipt=_text(found, "receipt"),
        salts=None if salts is None else _salts(_object(salts)),
        request=_optional(found, "request_id"),
    )


def _salts_of(answer: CheckAnswer) -> Salts:
    if answer.salts is None:
        raise ReceiptInvalid("The answer has no salts, so nobody can say what it is about.")
    return answer.salts


def _salts(found: Mapping[str, object]) -> Salts:
    return Salts(
        images=_texts(found, "images"),
        prompt=_optional(found, "prompt"),
        context=_texts(found, "context"),
        circumstances=_text(found, "circumstances"),
    )


def _change(found: Mapping[str, object]) -> Change:
    try:
        hour = datetime.fromisoformat(_text(found, "hour"))
    except ValueError as cause:
        raise _odd("a time is none") from cause
    return Change(
        kind=_member(ChangeKind, _text(found, "kind")),
        hour=hour,
        check=_optional(found, "check_id"),
    )


def _member(vocabulary: type[_E], value: str) -> _E:
    try:
        return vocabulary(value)
    except ValueError as cause:
        # A word of a newer server: what it permits cannot be known, so it permits nothing.
        raise _odd("it uses a word that this client does not know; update the client") from cause


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _odd("a part of it is of another type")
    return value


def _list(found: Mapping[str, object], name: str) -> list[object]:
    value = found.get(name)
    if not isinstance(value, list):
        raise _odd(f"`{name}` is missing or of another type")
    return value


def _text(found: Mapping[str, object], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise _odd(f"`{name}` is missing or of another type")
    return value


def _optional(found: Mapping[str, object], name: str) -> str | None:
    return None if found.get(name) is None else _text(found, name)


def _texts(found: Mapping[str, object], name: str) -> tuple[str, ...]:
    values = _list(found, name)
    if not all(isinstance(value, str) for value in values):
        raise _odd(f"`{name}` is missing or of another type")
    return tuple(str(value) for value in values)


def _odd(why: str) -> Unreachable:
    return Unreachable(f"The answer cannot be understood: {why}. Nothing is allowed by it.")
