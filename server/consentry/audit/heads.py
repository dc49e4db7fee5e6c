"""Which heads an audit holds the entries against, and whether they are signed by whom they must be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from consentry.audit.findings import FindingKind, Findings
from consentry.kernel.errors import ProofInvalid
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.notes import VerifierKey
from consentry.transparency.policy import TrustPolicy


@dataclass(frozen=True, slots=True)
class Head:
    """A head whose signatures hold.

    Attributes:
        signed: The head.
        is_kept: The auditor had it before; else the log shows it now.
        cosigned: Known witnesses that cosigned it, and when.
    """

    signed: SignedCheckpoint
    is_kept: bool
    cosigned: Mapping[str, datetime]

    @property
    def size(self) -> int:
        """How many entries it covers."""
        return self.signed.checkpoint.size

    @property
    def root(self) -> bytes:
        """The root hash that was signed."""
        return self.signed.checkpoint.root

    @property
    def origin(self) -> str:
        """Which log, or which life of it."""
        return self.signed.checkpoint.origin


def verified_heads(
    shown: Iterable[SignedCheckpoint],
    kept: Iterable[SignedCheckpoint],
    policy: TrustPolicy,
    findings: Findings,
) -> list[Head]:
    """Return the heads that are signed by a trusted log; of the others, say so."""
    found: list[Head] = []
    for is_kept, group in ((False, shown), (True, kept)):
        for signed in group:
            try:
                signed.require_signed_by(_key_for(signed.checkpoint.origin, policy))
                cosigned = policy.witnesses_of(signed)
            except ProofInvalid as cause:
                whose = "you keep" if is_kept else "the log shows"
                findings.add(
                    FindingKind.SIGNATURE,
                    f"A head of {signed.checkpoint.size} entries that {whose}: {cause}",
                )
            else:
                found.append(Head(signed, is_kept, cosigned))
    return found


def newest_head(heads: Sequence[Head], policy: TrustPolicy, findings: Findings) -> Head | None:
    """Return the largest head that the log shows and enough witnesses cosigned."""
    shown = [head for head in heads if not head.is_kept]
    cosigned = [head for head in shown if policy.is_enough(head.cosigned)]
    if shown and not cosigned:
        findings.add(
            FindingKind.QUORUM,
            "The log shows no head that enough of the witnesses you trust have cosigned.",
        )
    return max(cosigned, key=lambda head: head.size, default=None)


def find_forks(heads: Sequence[Head], findings: Findings) -> None:
    """Say where one log signed two heads of one size that are not the same."""
    first: dict[tuple[str, int], bytes] = {}
    told: set[tuple[str, int]] = set()
    for head in heads:
        place = (head.origin, head.size)
        if first.setdefault(place, head.root) != head.root and place not in told:
            told.add(place)
            findings.add(
                FindingKind.FORK,
                f"Two different heads of {head.size} entries were signed: the log shows two histories.",
            )


def _key_for(origin: str, policy: TrustPolicy) -> VerifierKey:
    known = policy.log_of(origin)
    if known is not None:
        return known
    if not policy.logs:
        raise ProofInvalid("No log is trusted. Give its key.")
    # A log that was renewed goes on under another origin with the same key.
    return replace(policy.logs[0].vkey, name=origin)
