"""Work on large bodies happens beside the event loop, so that small requests and probes are answered meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
LARGE_BYTES = 512 * 1024
"""What is smaller is read in two milliseconds; the change of threads, there and back, takes half of one."""


async def off_loop(size: int, work: Callable[[], _T]) -> _T:
    """Do a piece of work: here when it is small, in a thread when it is large.

    Args:
        size: Bytes that it goes through.
        work: Touches nothing that others touch.
    """
    return work() if size < LARGE_BYTES else await asyncio.to_thread(work)
