"""What an auditor may read of a running installation, beside the log itself. Nothing of it is about anybody."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from consentry.audit.beside import Beside, engine_rates
from consentry.audit.examine import Terms, examine
from consentry.audit.export import FIGURES, export_files
from consentry.audit.figures import figures_of
from consentry.audit.rates import measured_rates
from consentry.audit.sources import AtHead, ViewedLog
from consentry.kernel.errors import BadRequest, NotFound, Overloaded
from consentry.transparency.policy import KnownLog
from consentry.transparency.ports import LogStore
from consentry.transparency.publication import PublishLog

MAX_SAMPLES = 100


class ReceiptsByLeaf(Protocol):
    """`consentry.checks.ports.ReceiptStore`."""

    def at_leaves(self, leaves: Collection[int]) -> Mapping[int, str]:
        """Return the signed receipts of entries of the log, by index."""


@dataclass(slots=True)
class _Made:
    """The figures that were made last."""

    of: tuple[str, int, int] | None = None
    figures: bytes = b""


@dataclass(frozen=True, slots=True)
class LiveAudit:
    """Safe to share between threads: ``_turn`` guards ``_made``, and lets one export run at a time."""

    log: LogStore
    publish: PublishLog
    receipts: ReceiptsByLeaf
    _made: _Made = field(default_factory=_Made)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def sample(self, leaves: Collection[int]) -> Mapping[int, str]:
        """Return the receipts of entries that the auditor picked: she picks, so nobody else chooses.

        Args:
            leaves: Indices under the published head, 1 to `MAX_SAMPLES`.

        Returns:
            Signed receipts by index; an entry that is no verdict has none.

        Raises:
            BadRequest: If there are too many or too few.
            NotFound: If nothing has been published, or not so far.
        """
        if not 1 <= len(leaves) <= MAX_SAMPLES:
            raise BadRequest(f"A sample is of 1 to {MAX_SAMPLES} entries.")
        signed = self.log.published()
        if signed is None or max(leaves) >= signed.checkpoint.size:
            raise NotFound("The published log has not come so far.")
        return self.receipts.at_leaves(leaves)

    def figures(self, threshold: int) -> bytes:
        """Return ``figures.json`` of the published head (docs/specs/audit-export.md).

        The same bytes that `consentry audit export` makes without openings; who does not believe
        them makes them again.

        Args:
            threshold: The least count that is shown, at least 1.

        Raises:
            NotFound: If nothing has been published.
            BadRequest: If the log cannot be read up to its head.
            Overloaded: If figures are being made already.
        """
        signed = self.log.published()
        if signed is None:
            raise NotFound("Nothing of the log has been published yet. Ask again later.")
        head = signed.checkpoint
        of = (head.origin, head.size, threshold)
        if not self._turn.acquire(blocking=False):
            raise Overloaded("The figures are being made for somebody else. Ask again in a minute.")
        try:
            if self._made.of != of:
                policy = replace(
                    self.publish.policy, logs=(KnownLog(vkey=self.publish.vkey(head.origin)),)
                )
                with self.log.view() as view:
                    audited = examine(AtHead(ViewedLog(view), signed), Terms(policy=policy))
                engines = {
                    version
                    for each in audited.counts.announced
                    for version in each.versions.engines.values()
                }
                figures = figures_of(
                    audited,
                    threshold,
                    measured_rates(engines),
                    Beside(engine_rates=engine_rates(engines)),
                )
                self._made.of, self._made.figures = of, export_files(figures)[FIGURES]
            return self._made.figures
        finally:
            self._turn.release()
