"""Where use cases run: bounded thread pools with bounded queues, so that a flood is turned away early.

A place is taken *before* the body is read. So the memory that bodies take is bounded by the places,
and who is turned away has not uploaded anything.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import anyio
from anyio import CapacityLimiter, to_thread

from consentry.api.metrics import Metrics
from consentry.kernel.errors import Overloaded

_B = TypeVar("_B")
_T = TypeVar("_T")
_POLL_S = 0.02


class Kind(StrEnum):
    """What a piece of work asks of the machine."""

    PICTURES = "pictures"
    """CPU for as long as a check takes, and the memory of decoded pictures."""
    KEYS = "keys"
    """Argon2id: much memory at once, so one at a time."""
    STORE = "store"
    """A quick look into the database."""


@dataclass(slots=True)
class _Pool:
    limiter: CapacityLimiter
    places: int
    admitted: int = 0


class Work:
    """Pools of threads by kind of work. Belongs to one event loop; applications may share it."""

    def __init__(self, *, threads: int, metrics: Metrics) -> None:
        """Make the pools.

        Args:
            threads: Pictures worked on at the same time; four times as many may wait.
            metrics: Where the load is noted.
        """
        self._metrics = metrics
        self._guard = threading.Lock()  # guards admitted and _is_closed: loops may differ in tests
        self._is_closed = False
        self._pools = {
            Kind.PICTURES: _Pool(CapacityLimiter(threads), places=5 * threads),
            Kind.KEYS: _Pool(CapacityLimiter(1), places=8),
            Kind.STORE: _Pool(CapacityLimiter(4), places=64),
        }

    @asynccontextmanager
    async def place(self, kind: Kind) -> AsyncIterator[None]:
        """Hold a place in the queue of a kind.

        Raises:
            Overloaded: If the queue is full, or the server is stopping.
        """
        pool = self._pools[kind]
        with self._guard:
            if self._is_closed or pool.admitted >= pool.places:
                self._metrics.note_overload(kind.value)
                raise Overloaded(f"the queue for {kind.value} is full")
            pool.admitted += 1
            self._metrics.note_admitted(kind.value, pool.admitted)
        try:
            yield
        finally:
            with self._guard:
                pool.admitted -= 1
                self._metrics.note_admitted(kind.value, pool.admitted)

    async def run(self, kind: Kind, task: Callable[[], _T]) -> _T:
        """Run a task in a thread of a kind. The caller holds a place.

        It is not abandoned when the client goes away: what was begun is finished or fails whole.
        """
        return await to_thread.run_sync(task, limiter=self._pools[kind].limiter)

    async def do(self, kind: Kind, task: Callable[[], _T]) -> _T:
        """Take a place and run a task.

        Raises:
            Overloaded: As `place`.
        """
        async with self.place(kind):
            return await self.run(kind, task)

    async def do_with(
        self, kind: Kind, read: Callable[[], Awaitable[_B]], task: Callable[[_B], _T]
    ) -> _T:
        """Take a place, read the body, and run a task with what was in it.

        Raises:
            Overloaded: As `place`; then nothing was read.
        """
        async with self.place(kind):
            body = await read()
            return await self.run(kind, lambda: task(body))

    def limiter(self, kind: Kind) -> CapacityLimiter:
        """Return what bounds the threads of a kind, for the pages: both draw on one number."""
        return self._pools[kind].limiter

    def close(self) -> None:
        """Turn new work away from now on; what was admitted goes on."""
        with self._guard:
            self._is_closed = True


class Traffic:
    """Requests that are being answered. Safe between threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._count = 0  # guarded by _guard

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count a request for as long as it is answered."""
        with self._guard:
            self._count += 1
        try:
            yield
        finally:
            with self._guard:
                self._count -= 1

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is being answered."""
        with self._guard:
            return self._count == 0

    async def until_quiet(self, *, grace_s: float) -> None:
        """Wait until nothing is being answered, at most ``grace_s``."""
        with anyio.move_on_after(grace_s):
            while not self.is_quiet:  # noqa: ASYNC110 -- an event belongs to one loop, this may not
                await anyio.sleep(_POLL_S)
