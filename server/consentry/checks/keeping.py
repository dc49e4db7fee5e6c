"""Keeping a verdict: its entry in the log, its receipt that names the place, the uses that it relies on.

All of it in one transaction, or none, together with what those may read of it who were seen. The
place in the log is known only inside of it, so the receipt is signed there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from consentry.checks.ports import DraftReceipt, KeptAnswer, ReceiptStore
from consentry.checks.sightings import SealSighting, Seen
from consentry.kernel.clock import Clock
from consentry.kernel.ids import ConsentTokenId, GrantId
from consentry.transparency.receipts import (
    ReceiptInputs,
    ReceiptSalts,
    ReceiptSigner,
    ReceiptStatement,
    SignedReceipt,
)

Seal = Callable[[ReceiptSalts, datetime], KeptAnswer]
"""Makes what is kept beside a receipt, for whoever has its salts or the key of a retry."""


@dataclass(frozen=True, slots=True)
class KeepVerdict:
    """Log, sign and keep. Stateless; safe to share between threads."""

    signer: ReceiptSigner
    receipts: ReceiptStore
    clock: Clock
    sightings: SealSighting

    def __call__(  # noqa: PLR0913 -- all that one transaction is made of, each named
        self,
        statement: ReceiptStatement,
        inputs: ReceiptInputs,
        *,
        seen: Seen,
        caller: str,
        relies_on: Sequence[GrantId | ConsentTokenId],
        seals: Sequence[Seal] = (),
        takes: bytes | None = None,
    ) -> SignedReceipt | None:
        """Keep a verdict.

        Args:
            statement: What the receipt says.
            inputs: What it commits to.
            seen: Who mattered in it.
            caller: Alone may read it again.
            relies_on: Used up once each.
            seals: Make what is kept beside it.
            takes: The place of what was kept for this verdict alone, and goes with it.

        Returns:
            Its receipt; None when something that it relies on is used up, what it takes is gone, or
            an answer is kept for this very request. Then nothing was changed.

        Raises:
            LogInconsistent, StorageFull, StorageFailed: If it could not be kept: then there is no
                verdict.
        """
        unsigned, now = self.signer.draft(statement, inputs), self.clock.now()
        draft = DraftReceipt(
            check=statement.check,
            issued_at=now,
            verdict=statement.verdict,
            reasons=statement.reasons,
            policy_version=statement.policy_version,
            engines=statement.engines,
            platform=inputs.platform,
            purpose=inputs.purpose,
            region=inputs.region,
            caller=caller,
            sign=unsigned.sign,
            sightings=self.sightings(
                seen.sighting(statement.check, now, inputs, statement.verdict, statement.reasons),
                seen.subjects,
            ),
        )
        answers = [seal(unsigned.salts, now) for seal in seals]
        store = self.receipts
        kept = (
            store.add_relying(draft, relies_on, answers, takes=takes)
            if relies_on
            else store.add(draft, answers, takes=takes)
        )
        return None if kept is None else SignedReceipt(jws=kept.jws, salts=unsigned.salts)
