"""Where the synchronous use cases run for the gateway: a fixed number of threads, and a queue.

A task whose request has gone away is dropped while it waits, and finished once it has begun; the threads are counted
either way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from consentry.checks.check import CheckRequest, CheckResult
from consentry.checks.output import OutputRequest, OutputResult

_T = TypeVar("_T")
_FETCHES = 16


class GatewayThreads:
    """The threads of one gateway."""

    def __init__(self, threads: int) -> None:
        """Make them as they are needed.

        Args:
            threads: Checks that are made at the same time.
        """
        self._checks = ThreadPoolExecutor(threads, thread_name_prefix="gateway-check")
        self._fetches = ThreadPoolExecutor(_FETCHES, thread_name_prefix="gateway-fetch")

    async def check(self, task: Callable[[], _T]) -> _T:
        """Do what takes the processor."""
        return await asyncio.get_running_loop().run_in_executor(self._checks, task)

    async def fetch(self, task: Callable[[], _T]) -> _T:
        """Do what waits for the network."""
        return await asyncio.get_running_loop().run_in_executor(self._fetches, task)

    def close(self) -> None:
        """End them when they are done."""
        self._checks.shutdown(wait=True, cancel_futures=True)
        self._fetches.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class ThreadedChecks:
    """The one decision path, awaited (`consentry.gateway.ports.Checks`)."""

    check: Callable[[CheckRequest], CheckResult]
    threads: GatewayThreads

    async def __call__(self, request: CheckRequest) -> CheckResult:
        """Check in a thread."""
        return await self.threads.check(partial(self.check, request))


@dataclass(frozen=True, slots=True)
class ThreadedOutputs:
    """The output check, awaited (`consentry.gateway.ports.OutputCheck`)."""

    check: Callable[[OutputRequest], OutputResult]
    threads: GatewayThreads

    async def __call__(self, request: OutputRequest) -> OutputResult:
        """Check in a thread."""
        return await self.threads.check(partial(self.check, request))


@dataclass(frozen=True, slots=True)
class ThreadedPictures:
    """The SSRF-safe client, awaited (`consentry.gateway.ports.PictureSource`)."""

    get: Callable[[str], bytes]
    threads: GatewayThreads

    async def fetch(self, url: str) -> bytes:
        """Fetch in a thread."""
        return await self.threads.fetch(partial(self.get, url))
