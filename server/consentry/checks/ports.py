"""What a check asks of a store. Implementations pass ``tests/contracts/receipt_store.py``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from consentry.kernel.ids import CheckId
from consentry.kernel.taxonomy import PublicReason, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReceipt:
    """A signed verdict of an ``act`` check. Holds no picture, no prompt, no digest of either, and no subject."""

    check: CheckId
    issued_at: datetime
    verdict: Verdict
    reasons: tuple[PublicReason, ...]
    jws: str


class ReceiptStore(Protocol):
    """Durable receipts."""

    def add(self, receipt: StoredReceipt) -> None:
        """Keep a receipt; it has reached the disk when this returns.

        Raises:
            Conflict: If there is a receipt of this check already.
            StorageFull: If the disk is full.
        """

    def get(self, check: CheckId) -> StoredReceipt:
        """Return one receipt.

        Raises:
            NotFound: If there is none of this check.
        """

    def newest(self, limit: int, before: datetime | None) -> Sequence[StoredReceipt]:
        """Return at most ``limit`` receipts issued before a moment (None: now), newest first."""

    def count(self) -> int:
        """Return how many receipts there are."""
