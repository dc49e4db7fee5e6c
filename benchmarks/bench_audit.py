"""An audit of a log at a size: reading and verifying all of it, the export, and its size.

Run: .venv/bin/python benchmarks/bench_audit.py [--entries 1000000]

The log is in SQLite, as in an installation, over a year of days; entries are verdicts with random commitments,
appended in batches. With openings, the purpose of every verdict is opened.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from consentry.audit.examine import Audited, Terms, examine
from consentry.audit.export import export_files
from consentry.audit.figures import figures_of
from consentry.audit.openings import OpenedValue
from consentry.audit.rates import measured_rates
from consentry.audit.sources import ViewedLog
from consentry.kernel.clock import SystemClock
from consentry.kernel.taxonomy import PublicReason, Purpose, Verdict
from consentry.storage.database import Database
from consentry.storage.head_memory import FileHeadMemory
from consentry.storage.log import Item, SqlLog, item_of
from consentry.transparency.entries import VerdictEntry, Versions, VersionsEntry, circumstances
from consentry.transparency.notes import NoteSigner, SignatureType
from consentry.transparency.policy import KnownLog, TrustPolicy
from consentry.transparency.publication import PublishLog
from consentry.transparency.signing_key import new_signing_key

ENGINES = {"faces": "mfn192+sface@1", "intent": "composition@2"}
POLICY = "consentry-policy@2"
FIRST_DAY = date(2025, 11, 22)
DAYS = 365
BATCH = 5_000
KINDS = (
    (Verdict.ALLOW, ()),
    (Verdict.ALLOW, ()),
    (Verdict.NEEDS_CONSENT, (PublicReason.CONSENT_REQUIRED,)),
    (Verdict.REFUSE, (PublicReason.REVEALING_REAL_PERSON,)),
)
PURPOSES = tuple(Purpose)


def items(first: int, count: int, total: int) -> Iterator[tuple[Item, OpenedValue]]:
    """Make entries of verdicts, and what opens their purpose."""
    for index in range(first, first + count):
        verdict, reasons = KINDS[index % len(KINDS)]
        opening = circumstances(
            platform="bench",
            purpose=PURPOSES[index % len(PURPOSES)],
            region="GB",
            salt=os.urandom(32),
        )
        entry = VerdictEntry(
            day=FIRST_DAY + timedelta(index * DAYS // total),
            verdict=verdict,
            reasons=reasons,
            policy=POLICY,
            engines=ENGINES,
            receipt=os.urandom(32),
            platform=opening.commit("platform"),
            purpose=opening.commit("purpose"),
            region=opening.commit("region"),
        )
        opened = OpenedValue(
            index=index,
            name="purpose",
            value=opening.values["purpose"],
            salt=opening.salt_of("purpose"),
        )
        yield item_of(entry, opening), opened


def grow(log: SqlLog, total: int) -> dict[int, tuple[OpenedValue, ...]]:
    """Append until the log has that size."""
    versions = Versions(program="bench", policy=POLICY, engines=ENGINES, models={})
    with log.view():
        pass  # the first look begins the log
    with log.database.writing() as session:
        size = 1 + log.append(session, [item_of(VersionsEntry(day=FIRST_DAY, versions=versions))])
    openings: dict[int, tuple[OpenedValue, ...]] = {}
    while size < total:
        made = list(items(size, min(BATCH, total - size), total))
        with log.database.writing() as session:
            log.append(session, [item for item, _ in made])
        openings |= {opened.index: (opened,) for _, opened in made}
        size += len(made)
    return openings


def timed(log: SqlLog, terms: Terms) -> tuple[float, float, Audited]:
    """Return wall seconds and processor seconds of one audit, and what came of it."""
    wall, cpu = time.perf_counter(), time.process_time()
    with log.view() as view:
        audited = examine(ViewedLog(view), terms)
    return time.perf_counter() - wall, time.process_time() - cpu, audited


def report(folder: Path, total: int) -> None:
    """Measure."""
    log = SqlLog(Database.open(folder / "consentry.db"), FileHeadMemory(folder / "log.checkpoint"))
    signer = NoteSigner(name=log.name, type=SignatureType.TEXT, private_key=new_signing_key())
    publish = PublishLog(log, log.memory, signer, TrustPolicy(), (), SystemClock())
    openings = grow(log, total)
    middle = publish()
    with log.view() as view:
        policy = TrustPolicy(logs=(KnownLog(vkey=publish.vkey(view.origin)),))
    wall, cpu, audited = timed(log, Terms(policy=policy, kept=(middle,)))
    assert not audited.findings, audited.findings
    print(f"  verify all of it          {wall:8.1f} s   ({cpu:.1f} s of processor time)")
    began = time.perf_counter()
    files = export_files(figures_of(audited, 10, measured_rates(ENGINES.values())))
    spent = time.perf_counter() - began
    size = sum(map(len, files.values()))
    print(f"  figures and files         {spent:8.2f} s   ({size / 1e3:.0f} kB)")
    print(f"  most memory so far        {_most_memory_mb():8.0f} MB  (openings are held beside it)")
    wall, cpu, audited = timed(log, Terms(policy=policy, openings=openings))
    assert not audited.findings, audited.findings
    print(f"  with every purpose opened {wall:8.1f} s   ({cpu:.1f} s of processor time)")


def _most_memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    total = parser.parse_args().entries
    print(f"{total} entries")
    with tempfile.TemporaryDirectory() as folder:
        report(Path(folder), total)


if __name__ == "__main__":
    main()
