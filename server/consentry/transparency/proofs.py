"""A proof that something was logged, in one text that stands for itself (C2SP tlog-proof).

    c2sp.org/tlog-proof@v1
    extra <the entry, base64>
    index <place in the log>
    <sibling hash, base64>...
                                  (an empty line)
    <checkpoint, with cosignatures>

Construction: https://c2sp.org/tlog-proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from consentry.kernel.errors import ProofInvalid
from consentry.transparency.checkpoints import SignedCheckpoint, parse_size
from consentry.transparency.notes import MAX_NOTE_BYTES, decode_base64, encode_base64
from consentry.transparency.policy import TrustPolicy
from consentry.transparency.tree import HASH_BYTES, leaf_hash, verify_inclusion

_HEADER = "c2sp.org/tlog-proof@v1"
_MAX_HASHES = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProof:
    """An entry, its place, and the way from it to a checkpoint. Nothing is verified yet."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    signed: SignedCheckpoint

    @classmethod
    def parse(cls, data: bytes | str) -> Self:
        """Read a proof that carries its entry.

        Raises:
            ProofInvalid: If it is not in the form of one.
        """
        try:
            whole = data if isinstance(data, str) else data.decode("utf-8")
        except UnicodeDecodeError as cause:
            raise ProofInvalid("A proof is a text in UTF-8.") from cause
        if len(whole) > 2 * MAX_NOTE_BYTES:
            raise ProofInvalid("It is longer than any proof.")
        head, gap, note = whole.partition("\n\n")
        lines = head.split("\n")
        has_form = (
            bool(gap)
            and len(lines) >= 3  # noqa: PLR2004 -- header, extra, index
            and lines[0] == _HEADER
            and lines[1].startswith("extra ")
            and lines[2].startswith("index ")
        )
        if not has_form or len(lines) > 3 + _MAX_HASHES:
            raise ProofInvalid("It is not a proof of a log that carries its entry.")
        path = tuple(decode_base64(line) for line in lines[3:])
        if any(len(each) != HASH_BYTES for each in path):
            raise ProofInvalid("A hash of a proof has 32 bytes.")
        return cls(
            entry=decode_base64(lines[1].removeprefix("extra ")),
            index=parse_size(lines[2].removeprefix("index ")),
            path=path,
            signed=SignedCheckpoint.parse(note),
        )

    def __str__(self) -> str:
        lines = (
            _HEADER,
            f"extra {encode_base64(self.entry)}",
            f"index {self.index}",
            *(encode_base64(each) for each in self.path),
        )
        return "\n".join(lines) + "\n\n" + str(self.signed)

    def verify(self, policy: TrustPolicy) -> None:
        """Pass when the entry is at its place in a log that the policy trusts.

        Raises:
            ProofInvalid: If the log is not known, or anything does not hold.
        """
        checkpoint = self.signed.checkpoint
        log = policy.log_of(checkpoint.origin)
        if log is None:
            raise ProofInvalid("The proof is of a log that is not known here. Give its key.")
        self.signed.require_signed_by(log)
        policy.require_quorum(self.signed)
        verify_inclusion(
            leaf_hash(self.entry), self.index, checkpoint.size, self.path, checkpoint.root
        )
