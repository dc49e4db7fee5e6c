"""Proving that a receipt's verdict is in the log: for the owner, and for the one who asked."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from consentry.checks.ports import ReceiptStore
from consentry.kernel.errors import NotFound
from consentry.kernel.ids import CheckId
from consentry.transparency.notes import VerifierKey
from consentry.transparency.proofs import LogProof
from consentry.transparency.publication import ProveEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedReceipt:
    """A receipt, the proof of its entry, and the key that the log's head is signed with."""

    check: CheckId
    jws: str = field(repr=False)
    proof: LogProof
    log_key: VerifierKey


@dataclass(frozen=True, slots=True)
class ProveReceipt:
    """Prove a receipt. Stateless; safe to share between threads."""

    receipts: ReceiptStore
    prove: ProveEntry

    def __call__(self, check: CheckId, *, caller: str | None) -> ProvedReceipt:
        """Prove the receipt of a check.

        Args:
            check: Which.
            caller: Who asks and must have been given it; None for the owner, who may see all.

        Raises:
            NotFound: If there is none, somebody else was given it (not told apart), or it is from
                before there was a log.
            NotReady: If too few witnesses have cosigned the log since.
            LogInconsistent: If the log is not what was signed of it.
        """
        stored = self.receipts.get(check)
        is_for = caller is None or hmac.compare_digest(
            (stored.caller or "").encode(), caller.encode()
        )
        if not is_for:
            raise NotFound("There is no receipt of that check.")
        if stored.log is None:
            raise NotFound("That receipt is older than the log: its signature is all there is.")
        return ProvedReceipt(
            check=check,
            jws=stored.jws,
            proof=self.prove(stored.log.origin, stored.log.index),
            log_key=self.prove.publish.vkey(stored.log.origin),
        )
