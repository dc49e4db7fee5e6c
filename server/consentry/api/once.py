"""Idempotency-Key: a request that is repeated within ten minutes is answered, not carried out, again.

draft-ietf-httpapi-idempotency-key-header-07. In memory only, for this process, and forgotten at each
lock, because an answer may hold what only the owner may read.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from fastapi import Request
from starlette.responses import Response

from consentry.accounts.principals import Principal
from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest, Conflict, IdempotencyKeyReused, Overloaded
from consentry.kernel.ids import Random

HEADER = "idempotency-key"
LIFETIME_S = 600.0
MAX_KEPT = 4096
MAX_KEY_CHARS = 255
_DIGEST_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an answer is kept.

    Attributes:
        caller: Keys of different callers never meet.
        route: Nor do those of different routes.
        key: What the caller calls its request.
    """

    caller: str
    route: str
    key: str

    def of_item(self, number: int) -> Place:
        """Return the place of one item of a request that asks several things at once."""
        return replace(self, key=f"{self.key}\x1f{number}")  # no header has that character


def place_of(request: Request, principal: Principal) -> Place | None:
    """Return where the answer to a request is kept; None when it carries no key.

    Raises:
        BadRequest: If the key is empty, too long or not printable ASCII.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not (1 <= len(key) <= MAX_KEY_CHARS and key.isascii() and key.isprintable()):
        raise BadRequest(f"An Idempotency-Key has 1 to {MAX_KEY_CHARS} printable ASCII characters.")
    return Place(caller=principal.caller, route=request.url.path, key=key)


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
        self._kept: dict[Place, _Kept] = {}  # guarded by _lock; oldest first

    async def answer(
        self, place: Place | None, parts: Sequence[bytes], work: Callable[[], Awaitable[Response]]
    ) -> Response:
        """Carry out ``work``, or repeat what it answered to the same key and the same request.

        Only success is kept: after an error the same request may be tried again.

        Args:
            place: Under which key, and whose; None when there is none: the work is simply done.
            parts: What was asked, piece by piece; framing of the body plays no part.
            work: What to do.

        Raises:
            IdempotencyKeyReused: If the key was used for something else.
            Conflict: If the first request still runs.
            Overloaded: If too many requests are under way.
        """
        if place is None:
            return await work()
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

    def _begin(self, place: Place, fingerprint: bytes) -> _Kept:
        now = self._clock.monotonic()
        with self._lock:
            for old in [p for p, k in self._kept.items() if now - k.made >= LIFETIME_S]:
                del self._kept[old]
            kept = self._kept.get(place)
            if kept is None:
                self._make_room()
                kept = self._kept[place] = _Kept(fingerprint, now)
                return kept
            if kept.fingerprint != fingerprint:
                raise IdempotencyKeyReused("This Idempotency-Key was used for another request.")
            if kept.body is None:
                raise Conflict("The first request with this Idempotency-Key is still worked on.")
            return kept

    def _make_room(self) -> None:
        """Forget the oldest answer when there are too many. Called with ``_lock`` held."""
        if len(self._kept) < MAX_KEPT:
            return
        oldest = next((place for place, kept in self._kept.items() if kept.body is not None), None)
        if oldest is None:
            raise Overloaded("too many requests with an Idempotency-Key are under way")
        del self._kept[oldest]

    def _drop(self, place: Place) -> None:
        with self._lock:
            self._kept.pop(place, None)

    def _fingerprint(self, parts: Sequence[bytes]) -> bytes:
        digest = hashlib.blake2b(key=self._key)
        for part in parts:
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
        return digest.digest()
