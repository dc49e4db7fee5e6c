"""Idempotency-Key: a request that is repeated within ten minutes is answered, not carried out, again.

draft-ietf-httpapi-idempotency-key-header-07. In memory only, for this process, and forgotten at each
lock, because an answer may hold what only the owner may read.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from fastapi import Request
from starlette.responses import Response

from consentry.accounts.principals import Principal
from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest, Conflict, Overloaded
from consentry.kernel.ids import Random

HEADER = "idempotency-key"
LIFETIME_S = 600.0
MAX_KEPT = 256
MAX_KEY_CHARS = 255
_DIGEST_KEY_BYTES = 32
_Place = tuple[str, str, str]


@dataclass(slots=True)
class _Kept:
    fingerprint: bytes = field(repr=False)
    made: float
    status: int = 0
    body: bytes | None = field(default=None, repr=False)


class Once:
    """Answers by key. One per application; safe between threads."""

    def __init__(self, clock: Clock, random: Random = os.urandom) -> None:
        self._clock = clock
        # A fingerprint is of pictures and prompts: under a key, it says nothing to a later reader.
        self._key = random(_DIGEST_KEY_BYTES)
        self._lock = threading.Lock()
        self._kept: dict[_Place, _Kept] = {}  # guarded by _lock; oldest first

    async def answer(
        self,
        request: Request,
        principal: Principal,
        parts: Sequence[bytes],
        work: Callable[[], Awaitable[Response]],
    ) -> Response:
        """Carry out ``work``, or repeat what it answered to the same key and the same request.

        Only success is kept: after an error the same request may be tried again.

        Args:
            request: Its header may carry a key; without one the work is simply done.
            principal: Keys of different callers never meet.
            parts: What was asked, piece by piece; framing of the body plays no part.
            work: What to do.

        Raises:
            BadRequest: If the key is empty, too long or not printable ASCII.
            Conflict: If the key was used for something else, or the first request still runs.
            Overloaded: If too many answers are kept.
        """
        key = request.headers.get(HEADER)
        if key is None:
            return await work()
        if not (1 <= len(key) <= MAX_KEY_CHARS and key.isascii() and key.isprintable()):
            raise BadRequest(
                f"An Idempotency-Key has 1 to {MAX_KEY_CHARS} printable ASCII characters."
            )
        place = (principal.token or principal.door.value, request.url.path, key)
        kept = self._begin(place, self._fingerprint(parts))
        if kept.body is not None:
            return Response(kept.body, kept.status, media_type="application/json")
        try:
            response = await work()
        except BaseException:
            self._drop(place)
            raise
        with self._lock:
            kept.status, kept.body = response.status_code, bytes(response.body)
        return response

    def forget(self) -> None:
        """Forget every answer. Called at each lock."""
        with self._lock:
            self._kept = {place: kept for place, kept in self._kept.items() if kept.body is None}

    def _begin(self, place: _Place, fingerprint: bytes) -> _Kept:
        now = self._clock.monotonic()
        with self._lock:
            for old in [p for p, k in self._kept.items() if now - k.made >= LIFETIME_S]:
                del self._kept[old]
            kept = self._kept.get(place)
            if kept is None:
                if len(self._kept) >= MAX_KEPT:
                    raise Overloaded("too many answers are kept for repetition")
                kept = self._kept[place] = _Kept(fingerprint, now)
                return kept
            if kept.fingerprint != fingerprint:
                raise Conflict("This Idempotency-Key was used for another request.")
            if kept.body is None:
                raise Conflict("The first request with this Idempotency-Key is still worked on.")
            return kept

    def _drop(self, place: _Place) -> None:
        with self._lock:
            self._kept.pop(place, None)

    def _fingerprint(self, parts: Sequence[bytes]) -> bytes:
        digest = hashlib.blake2b(key=self._key)
        for part in parts:
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
        return digest.digest()
