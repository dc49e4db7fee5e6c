"""A vault header kept in memory: the fake at custody's port."""

from __future__ import annotations

import threading

from consentry.kernel.errors import Conflict, VaultExists


class MemoryHeaderStore:
    def __init__(self, header: bytes | None = None) -> None:
        self._lock = threading.Lock()
        self.header = header

    def load(self) -> bytes | None:
        return self.header

    def create(self, header: bytes) -> None:
        with self._lock:
            if self.header is not None:
                raise VaultExists("there is a vault already")
            self.header = header

    def replace(self, old: bytes, new: bytes) -> None:
        with self._lock:
            if self.header != old:
                raise Conflict("the header was changed meanwhile")
            self.header = new
