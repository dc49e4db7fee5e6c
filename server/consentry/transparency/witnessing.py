"""Being a witness: cosigning the heads of others' logs, and never two that do not go together.

    old <size>, proof, checkpoint --known log? signed? as seen last? consistent?--> cosignature

A log that shows different histories to different people cannot have both cosigned. Checking and
remembering are one turn of the memory, so two requests at once cannot roll a log back.
Construction: https://c2sp.org/tlog-witness.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from consentry.kernel.clock import Clock
from consentry.kernel.errors import ProofInvalid
from consentry.transparency.checkpoints import SignedCheckpoint, parse_size
from consentry.transparency.notes import (
    MAX_NOTE_BYTES,
    Note,
    NoteSignature,
    NoteSigner,
    decode_base64,
    encode_base64,
)
from consentry.transparency.policy import TrustPolicy
from consentry.transparency.ports import Witnessed, WitnessMemory, WitnessTurn
from consentry.transparency.tree import EMPTY_ROOT, HASH_BYTES, verify_consistency

MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 8 * 1024
SIZE_TYPE = "text/x.tlog.size"

_MAX_HASHES = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheckpoint:
    """A request to a witness. Nothing is verified yet."""

    old: int
    proof: tuple[bytes, ...]
    signed: SignedCheckpoint

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a request.

        Raises:
            ProofInvalid: If it is not in the form of one.
        """
        try:
            whole = data.decode("utf-8")
        except UnicodeDecodeError as cause:
            raise ProofInvalid("A request to a witness is a text in UTF-8.") from cause
        head, gap, note = whole.partition("\n\n")
        lines = head.split("\n")
        if not gap or not lines[0].startswith("old ") or len(lines) > 1 + _MAX_HASHES:
            raise ProofInvalid("A request to a witness has an old size, a proof and a checkpoint.")
        proof = tuple(decode_base64(line) for line in lines[1:])
        if any(len(each) != HASH_BYTES for each in proof):
            raise ProofInvalid("A hash of a proof has 32 bytes.")
        return cls(
            old=parse_size(lines[0].removeprefix("old ")),
            proof=proof,
            signed=SignedCheckpoint.parse(note),
        )

    def __str__(self) -> str:
        lines = (f"old {self.old}", *(encode_base64(each) for each in self.proof))
        return "\n".join(lines) + "\n\n" + str(self.signed)


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessAnswer:
    """What a witness answers, in the terms of HTTP."""

    status: int
    body: str
    media_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Witness:
    """Answer ``add-checkpoint``. Safe to share between threads.

    Attributes:
        memory: What was cosigned.
        policy: Its logs are those that are cosigned; its witnesses play no part.
        signer: The witness's key.
        clock: Where the time comes from.
    """

    memory: WitnessMemory
    policy: TrustPolicy
    signer: NoteSigner
    clock: Clock

    def add_checkpoint(self, data: bytes) -> WitnessAnswer:
        """Cosign a head that goes on from the one seen last.

        Raises:
            StorageFailed, StorageFull: If it could not be remembered. Then it is not cosigned.
        """
        try:
            asked = AddCheckpoint.parse(data)
        except ProofInvalid as cause:
            return _refusal(400, cause)
        checkpoint = asked.signed.checkpoint
        log = self.policy.log_of(checkpoint.origin)
        if log is None:
            return WitnessAnswer(status=404, body="This log is not known here.\n")
        try:
            asked.signed.require_signed_by(log)
        except ProofInvalid as cause:
            return _refusal(403, cause)
        if asked.old > checkpoint.size:
            return WitnessAnswer(status=400, body="The old size is larger than the new one.\n")
        with self.memory.turn() as turn:
            return self._cosign(asked, turn)

    def checkpoint(self, origin_hash: str) -> str | None:
        """Return the head that was cosigned last, with the log's signature and this witness's.

        Args:
            origin_hash: SHA-256 of the origin, in hex.
        """
        last = self.memory.last(origin_hash)
        return None if last is None else str(last.signed)

    def _cosign(self, asked: AddCheckpoint, turn: WitnessTurn) -> WitnessAnswer:
        checkpoint = asked.signed.checkpoint
        last = turn.last(checkpoint.origin)
        size = 0 if last is None else last.signed.checkpoint.size
        if asked.old != size:
            return WitnessAnswer(status=409, body=f"{size}\n", media_type=SIZE_TYPE)
        try:
            root = EMPTY_ROOT if last is None else last.signed.checkpoint.root
            verify_consistency(size, checkpoint.size, asked.proof, root, checkpoint.root)
        except ProofInvalid as cause:
            return _refusal(422, cause)
        now = self._stamp(last)
        cosignature = self.signer.sign(asked.signed.note.text, now)
        # Only what was verified is kept and shown: the log's own signature, and this one.
        log = self.policy.log_of(checkpoint.origin)
        own = [
            each
            for each in asked.signed.note.signatures
            if log is not None and (each.name, each.key_id) == (log.name, log.id)
        ]
        note = Note(asked.signed.note.text, (*own, cosignature))
        signed = replace(asked.signed, note=note)
        turn.keep(Witnessed(signed=signed, stamped_at=now))
        return WitnessAnswer(status=200, body=str(cosignature))

    def _stamp(self, last: Witnessed | None) -> datetime:
        """Return the time, or the last one when the clock went back.

        A cosignature says which head was the largest at a time: an earlier time with a larger head
        would contradict the one before.
        """
        now = self.clock.now().replace(microsecond=0)
        return now if last is None else max(now, last.stamped_at)


def parse_signatures(answer: bytes) -> tuple[NoteSignature, ...]:
    """Read the cosignature lines that a witness answered.

    Raises:
        ProofInvalid: If there are none, or something else.
    """
    try:
        lines = answer.decode("utf-8")
    except UnicodeDecodeError as cause:
        raise ProofInvalid("The answer of a witness is a text in UTF-8.") from cause
    if not lines.endswith("\n"):
        raise ProofInvalid("The answer of a witness ends with a newline.")
    return tuple(NoteSignature.parse(line) for line in lines[:-1].split("\n"))


def parse_size_reply(answer: bytes) -> int:
    """Read the size that a witness says it has seen.

    Raises:
        ProofInvalid: If it is none.
    """
    return parse_size(answer.decode("ascii", "replace").removesuffix("\n"))


def _refusal(status: int, cause: ProofInvalid) -> WitnessAnswer:
    return WitnessAnswer(status=status, body=f"{cause}\n")
