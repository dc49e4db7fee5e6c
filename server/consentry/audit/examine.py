"""Reading a whole log once: is it what was signed, is every entry one, and what do they add up to?

    heads  --signed? cosigned? forked?--> the newest one that counts
    entries, in order --form, clock, versions, receipts, openings--> leaves --> roots --compare--> heads

Nothing is trusted but the keys in the policy. What is wrong is a finding; reading goes on as far as it can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from consentry.audit.counts import Announced, Counts
from consentry.audit.findings import Finding, FindingKind, Findings
from consentry.audit.heads import Head, find_forks, newest_head, verified_heads
from consentry.audit.openings import OpenedValue
from consentry.audit.ports import LogSource
from consentry.audit.samples import Sample, verified_samples
from consentry.audit.shapes import Shape, ShapeReader
from consentry.kernel.errors import NotFound, ProofInvalid, StorageFailed
from consentry.transparency import canonical
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.entries import (
    Entry,
    RenewedEntry,
    VerdictEntry,
    Versions,
    VersionsEntry,
    decode_entry,
)
from consentry.transparency.jwks import JwkSet
from consentry.transparency.policy import TrustPolicy
from consentry.transparency.tiles import TileNodes, bundles_of, decode_bundle
from consentry.transparency.tree import EMPTY_ROOT, Frontier, leaf_hash, root

_KINDS = frozenset({"verdict", "subject", "versions", "renewed"})
_BATCH = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an audit goes by.

    Attributes:
        policy: Whom to believe: keys of logs, witnesses, and the quorum.
        kept: Heads that the auditor had before.
        receipts: That must be in the log, by name (of a file, for findings).
        keys: That receipts are signed with.
        openings: Commitments that were opened for this auditor, by index.
        today: No entry may be of a later day; None leaves that out.
        days_back: How many days the clock may go back from one entry to the next.
    """

    policy: TrustPolicy
    kept: tuple[SignedCheckpoint, ...] = ()
    receipts: Mapping[str, str] = field(default_factory=dict)
    keys: JwkSet = field(default_factory=lambda: JwkSet(keys=[]))
    openings: Mapping[int, tuple[OpenedValue, ...]] = field(default_factory=dict)
    today: date | None = None
    days_back: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What came of it.

    Attributes:
        head: That the entries were held against; None when there is none that counts.
        root: Of the entries that were read.
        read: How many were read.
        heads: How many signed heads the entries make.
        samples: How many receipts were found where they must be.
        counts: Over the entries that were read.
        findings: What is wrong; empty when nothing is.
    """

    head: SignedCheckpoint | None
    root: bytes
    read: int
    heads: int
    samples: int
    counts: Counts
    findings: tuple[Finding, ...]


def examine(source: LogSource, terms: Terms) -> Audited:
    """Read a whole log, up to the newest head that counts.

    Raises:
        Unreachable: If a log behind an address does not answer: nothing is known then.
    """
    findings = Findings()
    heads = verified_heads(source.heads(), terms.kept, terms.policy, findings)
    find_forks(heads, findings)
    newest = newest_head(heads, terms.policy, findings)
    if newest is None:
        if not findings.counts:
            findings.add(FindingKind.SIGNATURE, "The log shows no signed head.")
        return Audited(
            head=None,
            root=EMPTY_ROOT,
            read=0,
            heads=0,
            samples=0,
            counts=Counts(),
            findings=findings.all(),
        )
    reading = _Reading(
        terms, findings, heads, verified_samples(terms.receipts, terms.keys, findings)
    )
    reading.run(source, newest)
    reading.counts.take(reading.reader.all())
    return Audited(
        head=newest.signed,
        root=reading.frontier.root(),
        read=reading.frontier.size,
        heads=reading.agreed,
        samples=len(reading.found),
        counts=reading.counts,
        findings=findings.all(),
    )


@dataclass(slots=True)
class _Reading:
    """One pass over the entries."""

    terms: Terms
    findings: Findings
    heads: list[Head]
    samples: Sequence[Sample]
    frontier: Frontier = field(default_factory=Frontier.empty)
    counts: Counts = field(default_factory=Counts)
    reader: ShapeReader = field(default_factory=ShapeReader)
    renewed: list[RenewedEntry] = field(default_factory=list)
    latest: date = date.min
    latest_at: dict[int, date] = field(default_factory=dict)
    versions: Versions | None = None
    agreed: int = 0
    found: list[Sample] = field(default_factory=list)

    def run(self, source: LogSource, newest: Head) -> None:
        roots = self._roots(source, newest.size)
        if self.frontier.size == newest.size and source.has_tree:
            self._compare_tree(source)
        self._compare_heads(roots, newest)
        self._close_samples(newest)

    def _roots(self, source: LogSource, size: int) -> dict[int, bytes]:
        """Read all entries, and return the root at the size of each head."""
        wanted = {head.size for head in self.heads}
        special, openings = {each.index for each in self.samples}, self.terms.openings
        roots = {0: EMPTY_ROOT}
        leaves: list[bytes] = []
        for index, data in self._entries(source, size):
            shape = self._take(index, data)
            if index in special:
                self._look_closer(index, data)
            if index in openings:
                self._open(index, data, shape)
            leaves.append(leaf_hash(data))
            is_head = index + 1 in wanted
            if is_head or len(leaves) == _BATCH:
                self.frontier, leaves = self.frontier.append(leaves)[0], []
            if is_head:
                roots[index + 1] = self.frontier.root()
                self.latest_at[index + 1] = self.latest
        self.frontier = self.frontier.append(leaves)[0]
        return roots

    def _entries(self, source: LogSource, size: int) -> Iterator[tuple[int, bytes]]:
        for tile in bundles_of(size):
            try:
                bundle = decode_bundle(source.read(tile), tile.width)
            except (NotFound, StorageFailed, ProofInvalid) as cause:
                self.findings.add(
                    FindingKind.GAP,
                    f"Entries {tile.first} to {tile.first + tile.width - 1} are not all there, so "
                    f"nothing after them can be verified. {cause}",
                    tile.first,
                )
                return
            yield from enumerate(bundle, tile.first)

    def _take(self, index: int, data: bytes) -> Shape | None:
        try:
            read = self.reader.read(data)
        except ProofInvalid as cause:
            self.findings.add(_kind_of_fault(data), f"Entry {index}: {cause}", index)
            return None
        if isinstance(read, Shape):
            self._see_shape(index, read)
            return read
        self._see_day(index, read.day)
        match read:
            case VersionsEntry():
                self.versions = read.versions
                self.counts.announced.append(
                    Announced(index=index, day=read.day, versions=read.versions)
                )
            case RenewedEntry():
                self.renewed.append(read)
                self.counts.renewals += 1
        return None

    def _see_shape(self, index: int, shape: Shape) -> None:
        entry = shape.entry
        if not isinstance(entry, VerdictEntry):
            # A change waits for its batch, so it may be older than what stands before it.
            self._see_future(index, entry.day)
            return
        if entry.day != self.latest:
            self._see_day(index, entry.day)
        if shape.announced != len(self.counts.announced):
            self._see_versions(index, entry)
            shape.announced = len(self.counts.announced)

    def _see_day(self, index: int, day: date) -> None:
        back = (self.latest - day).days
        if back > self.terms.days_back:
            self.findings.add(
                FindingKind.CLOCK,
                f"Entry {index} is of {day}, {back} days before an entry that stands before it.",
                index,
            )
        self._see_future(index, day)
        self.latest = max(self.latest, day)

    def _see_future(self, index: int, day: date) -> None:
        today = self.terms.today
        if today is not None and day > today + timedelta(days=1):
            self.findings.add(
                FindingKind.CLOCK, f"Entry {index} is of {day}, a day that has not come yet.", index
            )

    def _see_versions(self, index: int, entry: VerdictEntry) -> None:
        versions = self.versions
        if (
            versions is None
            or versions.policy != entry.policy
            or not entry.engines.items() <= versions.engines.items()
        ):
            self.findings.add(
                FindingKind.UNANNOUNCED,
                f"Entry {index} names laws or engines that the log had not announced before.",
                index,
            )

    def _look_closer(self, index: int, data: bytes) -> None:
        try:
            entry: Entry | None = decode_entry(data)
        except ProofInvalid:
            entry = None  # told already
        for sample in self.samples:
            if sample.index == index:
                try:
                    sample.require_at(entry)
                except ProofInvalid as cause:
                    self.findings.add(FindingKind.RECEIPT, f"{sample.name}: {cause}", index)
                else:
                    self.found.append(sample)

    def _open(self, index: int, data: bytes, shape: Shape | None) -> None:
        for opened in self.terms.openings.get(index, ()):
            try:
                verdict = opened.verdict_of(shape, data)
            except ProofInvalid as cause:
                self.findings.add(
                    FindingKind.OPENING, f"The {opened.name} of entry {index}: {cause}", index
                )
            else:
                self.counts.opened[opened.name, opened.value, verdict] += 1

    def _close_samples(self, newest: Head) -> None:
        origins = {head.origin for head in self.heads} | {each.origin for each in self.renewed}
        for sample in self.samples:
            if sample.place.origin not in origins:
                self._miss(sample, "it names another log.")
            elif sample.index >= self.frontier.size:
                self._miss(
                    sample,
                    f"it names entry {sample.index}, and of the {newest.size} under the head "
                    f"{self.frontier.size} could be read. A receipt that is newer than the head is "
                    "found under the next one.",
                )
        self.found = [each for each in self.found if each.place.origin in origins]

    def _miss(self, sample: Sample, why: str) -> None:
        self.findings.add(FindingKind.RECEIPT, f"{sample.name}: {why}", sample.index)

    def _compare_tree(self, source: LogSource) -> None:
        size = self.frontier.size
        try:
            shown = root(TileNodes(size, source.read), size)
        except (NotFound, StorageFailed, ProofInvalid) as cause:
            self.findings.add(FindingKind.TREE, f"Tiles of hashes are missing. {cause}")
            return
        if shown != self.frontier.root():
            self.findings.add(
                FindingKind.TREE,
                "The hashes that proofs are made from are not those of the entries.",
            )

    def _compare_heads(self, roots: Mapping[int, bytes], newest: Head) -> None:
        lost = {each.origin: each for each in self.renewed}
        for head in self.heads:
            if head.size > newest.size:
                if head.is_kept:
                    self.findings.add(
                        FindingKind.ROLLED_BACK,
                        f"You keep a head of {head.size} entries, and the log shows only {newest.size}.",
                    )
                continue
            found = roots.get(head.size)
            if found == head.root:
                self.agreed += 1
                self._see_cosigned(head)
            elif found is not None:
                self._disagree(head, lost.get(head.origin))

    def _see_cosigned(self, head: Head) -> None:
        """A witness saw these entries when it cosigned, so none of them can be of a later day."""
        latest = self.latest_at.get(head.size, date.min)
        for name, when in head.cosigned.items():
            if latest > when.date() + timedelta(days=1):
                self.findings.add(
                    FindingKind.CLOCK,
                    f"Of the first {head.size} entries one is of {latest}, and the witness {name} cosigned "
                    f"them on {when.date()}.",
                )

    def _disagree(self, head: Head, renewed: RenewedEntry | None) -> None:
        if renewed is not None and head.size <= renewed.size:
            self.findings.add(
                FindingKind.LOST,
                f"Entries under a head of {head.size} are gone. The log says itself that it was put "
                f"back from a backup on {renewed.day} and lost some.",
            )
        else:
            whose = "that you keep" if head.is_kept else "that the log shows"
            self.findings.add(
                FindingKind.REWRITTEN,
                f"The first {head.size} entries are not those of the signed head {whose}: an entry "
                "was changed, added or taken out.",
            )


def _kind_of_fault(data: bytes) -> FindingKind:
    try:
        kind = canonical.decode(data).get("kind")
    except ProofInvalid:
        return FindingKind.MALFORMED
    return FindingKind.MALFORMED if kind in _KINDS else FindingKind.UNKNOWN_KIND
