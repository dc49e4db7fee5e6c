"""Whether a receipt is in the log that it names: receipt, entry, and proof belong together."""

from __future__ import annotations

from consentry.kernel.errors import ProofInvalid
from consentry.transparency.entries import VerdictEntry, decode_entry, receipt_digest
from consentry.transparency.policy import TrustPolicy
from consentry.transparency.proofs import LogProof
from consentry.transparency.receipts import ReceiptClaims


def verify_logged(
    jws: str, claims: ReceiptClaims, proof: LogProof, policy: TrustPolicy
) -> VerdictEntry:
    """Pass when a receipt's verdict stands in a trusted log where the receipt says. Needs no network.

    Args:
        jws: The receipt.
        claims: What `verify_receipt` returned for it.
        proof: Of its entry.
        policy: Which log is believed, and which witnesses must have cosigned.

    Returns:
        The entry.

    Raises:
        ProofInvalid: If the receipt names no log, or another place; if the entry is of another
            receipt, or says something else; if the proof does not hold.
    """
    if claims.log is None:
        raise ProofInvalid("The receipt is of version 1 and names no log.")
    if (claims.log.origin, claims.log.index) != (proof.signed.checkpoint.origin, proof.index):
        raise ProofInvalid("The proof is of another place than the one that the receipt names.")
    entry = decode_entry(proof.entry)
    if not isinstance(entry, VerdictEntry) or entry.receipt != receipt_digest(jws):
        raise ProofInvalid("The entry at that place is not of this receipt.")
    says = (entry.verdict, entry.reasons, entry.policy, dict(entry.engines))
    if says != (claims.verdict, claims.reasons, claims.policy_version, dict(claims.engines)):
        raise ProofInvalid("The log and the receipt say different things about one check.")
    proof.verify(policy)
    return entry
