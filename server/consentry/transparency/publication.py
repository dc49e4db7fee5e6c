"""Signing the head of the log, having it cosigned, and proving entries from it.

    hold the log -> consistent with every head that was signed? -> remember -> sign -> let go
                 -> ask the witnesses -> published, once the quorum has cosigned

The order is what makes a crash harmless: a head is remembered outside of the database before anybody
sees its signature, and only what is on the disk is signed. A database that was put back from a
backup is older than that memory, or than what a witness has seen, and is never signed again until
`RenewLog` has said so in public.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from consentry.kernel.clock import Clock
from consentry.kernel.errors import LogInconsistent, NotReady, ProofInvalid, Unreachable
from consentry.transparency.checkpoints import Checkpoint, SignedCheckpoint
from consentry.transparency.notes import (
    Note,
    NoteSigner,
    SignatureType,
    VerifierKey,
)
from consentry.transparency.policy import TrustPolicy
from consentry.transparency.ports import HeadMemory, HeldLog, LogStore, WitnessLine
from consentry.transparency.proofs import LogProof
from consentry.transparency.tree import (
    consistency_proof,
    inclusion_proof,
    root,
    verify_consistency,
)

_log = logging.getLogger(__name__)
_MOST_TRIES = 3
_ROLLED_BACK = (
    "The log here is older than, or other than, what was signed of it: its database was put back from "
    "a backup, or changed. Nothing is appended or signed any more. Put the newest database back; if it "
    "is lost, `consentry log renew` goes on under a new origin and tells so in public."
)


@dataclass(frozen=True, slots=True)
class PublishLog:
    """Sign the head of the log and collect cosignatures. Safe to share between threads.

    Attributes:
        store: The log.
        memory: Outside of the database.
        signer: The log's key. Its name is that of the log, whatever it was made with.
        policy: Which witnesses are enough.
        witnesses: The ways to them.
        clock: Where the time comes from.
    """

    store: LogStore
    memory: HeadMemory
    signer: NoteSigner
    policy: TrustPolicy
    witnesses: Sequence[WitnessLine]
    clock: Clock
    _sizes: dict[str, int] = field(default_factory=dict)
    """By witness, the size that it has seen last; a wrong one costs one more request."""

    def vkey(self, origin: str) -> VerifierKey:
        """Return the key of the log under an origin."""
        return self._signer(origin).vkey

    def __call__(self) -> SignedCheckpoint:
        """Publish the log as it is.

        Returns:
            The newest head, with every cosignature that was to be had. `TrustPolicy.is_enough` says
            whether it is published.

        Raises:
            LogInconsistent: If it is not what was signed before. Nothing is signed.
            StorageFailed, StorageFull: If the head could not be kept.
        """
        signed = self._sign()
        cosigned = self._cosigned(signed)
        is_enough = self.policy.is_enough(self.policy.witnesses_of(cosigned))
        self.store.note_cosigned(cosigned, is_published=is_enough)
        return cosigned

    def batch(self) -> SignedCheckpoint:
        """Bring in what waits for the next batch, and publish."""
        self.store.take_in()
        return self()

    def _sign(self) -> SignedCheckpoint:
        with self.store.hold() as held:
            checkpoint = Checkpoint(
                origin=held.origin, size=held.size, root=root(held.nodes(held.size), held.size)
            )
            newest, remembered = self._last(held)
            last = [each for each in (newest, remembered) if each is not None]
            require_beginning(held, checkpoint, last)
            if newest is not None and newest.checkpoint == checkpoint:
                if remembered is None or remembered.checkpoint != checkpoint:
                    self.memory.keep(newest)  # the file was lost, or put back
                return newest
            signed = SignedCheckpoint.sign(checkpoint, self._signer(held.origin), self.clock.now())
            # Before the database, and before anybody sees it: whatever happens from here on, a
            # database without these entries is known for what it is.
            self.memory.keep(signed)
            held.keep(signed)
            return signed

    def _last(self, held: HeldLog) -> tuple[SignedCheckpoint | None, SignedCheckpoint | None]:
        """Return what this database and what the memory say was signed last."""
        heads = [each for each in held.heads() if each.checkpoint.origin == held.origin]
        remembered = self.memory.read()
        if remembered is not None and held.is_renounced(remembered):
            remembered = None
        return heads[-1] if heads else None, remembered

    def _signer(self, origin: str) -> NoteSigner:
        return NoteSigner(name=origin, type=SignatureType.TEXT, private_key=self.signer.private_key)

    def _cosigned(self, signed: SignedCheckpoint) -> SignedCheckpoint:
        has = self.policy.witnesses_of(signed)
        for witness in self.witnesses:
            if witness.name in has:
                continue
            try:
                signed = self._ask(witness, signed)
            except (Unreachable, ProofInvalid) as cause:
                # The others may be enough; if not, the head stays unpublished and is asked for again.
                _log.warning("a witness did not cosign: %s", cause)
        return signed

    def _ask(self, witness: WitnessLine, signed: SignedCheckpoint) -> SignedCheckpoint:
        size = signed.checkpoint.size
        for _ in range(_MOST_TRIES):
            old = min(self._sizes.get(witness.name, 0), size)
            with self.store.view() as view:
                proof = consistency_proof(view.nodes(size), old, size)
            reply = witness.submit(old, proof, signed)
            if reply.has_refused:
                raise LogInconsistent(f"The witness {witness.name} refuses. {_ROLLED_BACK}")
            if reply.size is None:
                break
            if reply.size > size:
                raise LogInconsistent(
                    f"The witness {witness.name} has seen a larger log. {_ROLLED_BACK}"
                )
            self._sizes[witness.name] = reply.size
        else:
            raise Unreachable("A witness keeps naming another size. Try again.")
        added = Note(signed.note.text, tuple(reply.signatures))
        if witness.vkey not in added.signed_by([witness.vkey]):
            raise ProofInvalid("A witness answered without its cosignature.")
        own = [each for each in added.signatures if each.key_id == witness.vkey.id]
        self._sizes[witness.name] = size
        return SignedCheckpoint(checkpoint=signed.checkpoint, note=signed.note.with_signatures(own))


@dataclass(frozen=True, slots=True)
class ProveEntry:
    """Prove entries from published heads, publishing first when none reaches far enough."""

    store: LogStore
    publish: PublishLog

    def __call__(self, origin: str, index: int) -> LogProof:
        """Prove that the entry at ``index`` is in the log of that origin.

        Raises:
            NotFound: If the log has not come so far.
            NotReady: If too few witnesses have cosigned yet.
            LogInconsistent: If the log is not what was signed of it.
        """
        signed = self._head(origin, index)
        with self.store.view() as view:
            size = signed.checkpoint.size
            return LogProof(
                entry=view.entry(index),
                index=index,
                path=inclusion_proof(view.nodes(size), index, size),
                signed=signed,
            )

    def _head(self, origin: str, index: int) -> SignedCheckpoint:
        with self.store.view() as view:
            view.entry(index)
            heads = [
                each
                for each in view.heads()
                if each.checkpoint.origin == origin and each.checkpoint.size > index
            ]
            is_current = view.origin == origin
        policy = self.publish.policy
        for each in reversed(heads):
            if policy.is_enough(policy.witnesses_of(each)):
                return each
        if is_current:
            signed = self.publish()
            if policy.is_enough(policy.witnesses_of(signed)):
                return signed
        raise NotReady(
            "Too few witnesses have cosigned the log since. Ask for the proof again later."
        )


@dataclass(frozen=True, slots=True)
class RenewLog:
    """Go on after entries were lost that had been signed: under a new origin, and openly."""

    store: LogStore
    publish: PublishLog

    def __call__(self) -> SignedCheckpoint:
        """Renew, and publish the first head under the new origin.

        The tree goes on: entries that were not lost keep their places and their proofs.
        """
        self.store.renew()
        return self.publish()


def require_beginning(
    held: HeldLog, checkpoint: Checkpoint, signed_before: Sequence[SignedCheckpoint]
) -> None:
    """Pass when every head that was signed before is the beginning of this one.

    Raises:
        LogInconsistent: If one is of another log, larger, or of another history.
    """
    nodes = held.nodes(checkpoint.size)
    for before in (each.checkpoint for each in signed_before):
        if before.origin != checkpoint.origin or before.size > checkpoint.size:
            raise LogInconsistent(_ROLLED_BACK)
        proof = consistency_proof(nodes, before.size, checkpoint.size)
        try:
            verify_consistency(before.size, checkpoint.size, proof, before.root, checkpoint.root)
        except ProofInvalid as cause:
            raise LogInconsistent(_ROLLED_BACK) from cause
