"""Legal holds in a file of their own, beside the database: putting an older database back lifts none."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import TypedDict

from consentry.kernel.errors import NotFound, StorageFailed, StorageFull
from consentry.rights.holds import Hold, HoldId

_OWNER_ONLY = 0o600
_DAMAGED = (
    "The file of legal holds cannot be read, so nothing is deleted. Put a sound copy in its place, or "
    "remove it if no hold is in force."
)


class _Row(TypedDict):
    hold: str
    reason: str
    placed_by: str
    placed_at: str
    until: str


@dataclass(frozen=True, slots=True)
class FileHoldStore:
    """`consentry.rights.holds.HoldStore` in a JSON file. ``_lock`` guards changes in this process."""

    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, hold: Hold) -> None:
        """Keep a hold; those that have ended are forgotten with it."""
        with self._lock:
            kept = [each for each in self.all() if each.until > hold.placed_at]
            self._write([*kept, hold])

    def remove(self, hold: HoldId) -> None:
        """Forget a hold."""
        with self._lock:
            before = self.all()
            kept = [each for each in before if each.hold != hold]
            if len(kept) == len(before):
                raise NotFound("There is no such hold (any more).")
            self._write(kept)

    def all(self) -> Sequence[Hold]:
        """Return every hold.

        Raises:
            StorageFailed: If the file is damaged: then nothing must be deleted.
        """
        try:
            rows: list[_Row] = json.loads(self.path.read_bytes())
            if not isinstance(rows, list):
                raise StorageFailed(_DAMAGED)
            return tuple(
                Hold(
                    hold=HoldId(row["hold"]),
                    reason=row["reason"],
                    placed_by=row["placed_by"],
                    placed_at=datetime.fromisoformat(row["placed_at"]),
                    until=datetime.fromisoformat(row["until"]),
                )
                for row in rows
            )
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError) as cause:
            raise StorageFailed(_DAMAGED) from cause

    def _write(self, holds: Sequence[Hold]) -> None:
        rows = [
            _Row(
                hold=each.hold,
                reason=each.reason,
                placed_by=each.placed_by,
                placed_at=each.placed_at.isoformat(),
                until=each.until.isoformat(),
            )
            for each in holds
        ]
        draft = self.path.with_name(f".{self.path.name}.new")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
            with os.fdopen(os.open(draft, flags, _OWNER_ONLY), "wb") as file:
                file.write(json.dumps(rows, indent=1).encode())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except OSError as cause:
            with suppress(OSError):
                draft.unlink()
            if cause.errno in {ENOSPC, EDQUOT}:
                raise StorageFull(
                    "The disk is full, so the holds were left as they were."
                ) from cause
            raise StorageFailed(
                f"The file of legal holds cannot be written ({cause.strerror})."
            ) from cause
