"""Memory for bodies: set aside before they are read, so that its sum has a bound whatever is sent at once.

Who finds no room waits without being read: the sender's own connection holds the rest back. The first in the queue
whom the room suffices for goes first, and a part of the room is for small requests alone: large ones that come slowly
hold up nobody but each other.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from consentry.kernel.errors import BodyTooLarge, Overloaded

SMALL_BYTES = 1024 * 1024
_FOR_SMALL = 8
"""One part in so many."""


def room_for_one(total: int) -> int:
    """Return the most that one request may set aside of ``total`` bytes."""
    return total - total // _FOR_SMALL


@dataclass(eq=False, slots=True)
class _Waiter:
    size: int
    turn: asyncio.Future[None]


@dataclass(slots=True)
class Memory:
    """So many bytes, shared by the requests of one event loop."""

    total: int
    patience_s: float
    used: int = 0
    _waiting: list[_Waiter] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        """How many wait for room."""
        return len(self._waiting)

    async def take(self, size: int) -> None:
        """Set ``size`` bytes aside.

        Raises:
            BodyTooLarge: If there is never room for it.
            Overloaded: If there was none for ``patience_s``.
        """
        if size > room_for_one(self.total):
            raise BodyTooLarge("The request takes more memory than there is for all.")
        waiter = _Waiter(size, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        self._admit()
        try:
            async with asyncio.timeout(self.patience_s):
                await waiter.turn
        except TimeoutError:
            raise Overloaded("There is no room for the request; try again") from None
        except asyncio.CancelledError:
            if waiter.turn.done() and not waiter.turn.cancelled():
                self.give_back(size)
            raise
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def give_back(self, size: int) -> None:
        """Free ``size`` bytes."""
        self.used -= size
        self._admit()

    def _suffices(self, size: int) -> bool:
        room = self.total if size <= SMALL_BYTES else room_for_one(self.total)
        return self.used + size <= room

    def _admit(self) -> None:
        for waiter in list(self._waiting):
            if self._suffices(waiter.size) and not waiter.turn.done():
                self._waiting.remove(waiter)
                self.used += waiter.size
                waiter.turn.set_result(None)


@dataclass(slots=True)
class Room:
    """What one request has set aside of the memory."""

    memory: Memory
    size: int = 0

    async def grow(self, size: int) -> None:
        """Set aside ``size`` bytes in all, at least what is set aside already.

        Raises:
            BodyTooLarge, Overloaded: As `Memory.take`.
        """
        await self.memory.take(size - self.size)
        self.size = size

    def keep(self, size: int) -> None:
        """Give back what is not needed any more."""
        if size < self.size:
            self.memory.give_back(self.size - size)
            self.size = size
