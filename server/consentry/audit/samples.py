"""Receipts that an auditor was given, each to be found in the log at the place that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from consentry.audit.findings import FindingKind, Findings
from consentry.kernel.errors import ProofInvalid, ReceiptInvalid
from consentry.transparency.entries import Entry, VerdictEntry, receipt_digest
from consentry.transparency.jwks import JwkSet
from consentry.transparency.receipts import LogPlace, ReceiptClaims, verify_receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A receipt whose signature holds.

    Attributes:
        name: What it is called in findings: the name of a file.
    """

    name: str
    jws: str = field(repr=False)
    claims: ReceiptClaims
    place: LogPlace

    @classmethod
    def of(cls, name: str, jws: str, keys: JwkSet) -> Sample:
        """Verify a receipt and take it as a sample.

        Raises:
            ReceiptInvalid: If it is none, or its signature does not hold.
            ProofInvalid: If it names no log.
        """
        claims = verify_receipt(jws, keys)
        if claims.log is None:
            raise ProofInvalid("It is of version 1 and names no log.")
        return cls(name=name, jws=jws, claims=claims, place=claims.log)

    @property
    def index(self) -> int:
        """Where its entry must be."""
        return self.place.index

    def require_at(self, entry: Entry | None) -> None:
        """Pass when this is its entry. That the entry is in the tree is for the caller to know.

        Raises:
            ProofInvalid: If the entry is of another receipt, or says something else.
        """
        if not isinstance(entry, VerdictEntry) or entry.receipt != receipt_digest(self.jws):
            raise ProofInvalid("The entry at the place that it names is not of this receipt.")
        claims = self.claims
        says = (entry.verdict, entry.reasons, entry.policy, dict(entry.engines))
        if says != (claims.verdict, claims.reasons, claims.policy_version, dict(claims.engines)):
            raise ProofInvalid("The log and the receipt say different things about one check.")


def verified_samples(
    receipts: Mapping[str, str], keys: JwkSet, findings: Findings
) -> tuple[Sample, ...]:
    """Return the receipts whose signatures hold; of the others, say so."""
    found: list[Sample] = []
    for name, jws in receipts.items():
        try:
            found.append(Sample.of(name, jws, keys))
        except (ReceiptInvalid, ProofInvalid) as cause:
            findings.add(FindingKind.RECEIPT, f"{name}: {cause}")
    return tuple(found)
