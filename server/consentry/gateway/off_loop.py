"""Work on large bodies happens beside the event loop, so that small requests and probes are answered meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
LARGE_BYTES = 512 * 1024
"""Of forms, of base64, and where only strings are exchanged: what is smaller takes two milliseconds."""
LARGE_JSON_BYTES = 16 * 1024
"""Of what is read member by member: the smallest have three bytes, and so many of them take twenty milliseconds."""


async def off_loop(size: int, work: Callable[[], _T], *, large: int = LARGE_JSON_BYTES) -> _T:
    """Do a piece of work: here when it is small, in a thread when it is large.

    Args:
        size: Bytes that it goes through.
        work: Touches nothing that others touch.
        large: From how many bytes on it is large; the change of threads, there and back, takes half
            a millisecond.
    """
    return work() if size < large else await asyncio.to_thread(work)
