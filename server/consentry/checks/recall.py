"""Reading an answer again: only by the one who was given it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from consentry.checks.ports import ReceiptStore
from consentry.kernel.errors import NotFound
from consentry.kernel.ids import CheckId
from consentry.kernel.taxonomy import Obligation, PublicReason, Verdict
from consentry.transparency.receipts import ReceiptClaims, ReceiptSigner, verify_receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """The public part of an answer. Its salts were given once, and not kept."""

    check: CheckId
    verdict: Verdict
    reasons: tuple[PublicReason, ...]
    obligations: tuple[Obligation, ...]
    jws: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecallCheck:
    """Find the answer to an ``act`` check. Stateless; safe to share between threads."""

    receipts: ReceiptStore
    signer: ReceiptSigner

    def __call__(self, check: CheckId, *, caller: str) -> Recalled:
        """Return the answer.

        Raises:
            NotFound: If there is none, or somebody else was given it (not told apart).
        """
        jws = self._own(check, caller)
        claims = verify_receipt(jws, self.signer.jwks())
        return Recalled(
            check=check,
            verdict=claims.verdict,
            reasons=claims.reasons,
            obligations=claims.obligations,
            jws=jws,
        )

    def claims(self, check: CheckId, *, caller: str) -> ReceiptClaims:
        """Return all that the receipt of an answer says, its commitments among it.

        Raises:
            NotFound: As `__call__`.
        """
        return verify_receipt(self._own(check, caller), self.signer.jwks())

    def _own(self, check: CheckId, caller: str) -> str:
        stored = self.receipts.get(check)
        if not hmac.compare_digest((stored.caller or "").encode(), caller.encode()):
            raise NotFound("There is no receipt of that check.")
        return stored.jws
