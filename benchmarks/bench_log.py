"""The transparency log at a size: appending, proving, verifying all of it, and room on the disk.

Run: .venv/bin/python benchmarks/bench_log.py [--entries 1000000]

Everything is what an installation does: SQLite with full synchronisation, an entry for each verdict with
its receipt, signed heads. The first entries are verdicts, each in a transaction of its own; the rest are
appended in batches, to reach the size in reasonable time, and are verdict entries with random commitments.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

from consentry.checks.ports import DraftReceipt
from consentry.kernel.clock import SystemClock
from consentry.kernel.ids import new_check_id
from consentry.kernel.taxonomy import Mode, PublicReason, Purpose, Verdict
from consentry.storage.database import Database
from consentry.storage.head_memory import FileHeadMemory
from consentry.storage.log import Item, SqlLog, item_of
from consentry.storage.receipts import SqlReceiptStore
from consentry.transparency.entries import VerdictEntry, circumstances
from consentry.transparency.notes import NoteSigner, SignatureType
from consentry.transparency.policy import KnownLog, TrustPolicy
from consentry.transparency.publication import ProveEntry, PublishLog
from consentry.transparency.receipts import ReceiptInputs, ReceiptSigner, ReceiptStatement
from consentry.transparency.signing_key import new_signing_key
from consentry.transparency.tiles import TileNodes, tiles_of
from consentry.transparency.tree import consistency_proof, root, verify_consistency
from consentry.transparency.whole import verify_whole

ENGINES = {"faces": "mfn192+sface@1", "intent": "composition@2"}
SINGLE = 200
BATCH = 5_000
PROOFS = 200
THREADS = 16
VERDICTS = (Verdict.ALLOW, Verdict.ALLOW, Verdict.NEEDS_CONSENT, Verdict.REFUSE)
REASONS = {
    Verdict.ALLOW: (),
    Verdict.NEEDS_CONSENT: (PublicReason.CONSENT_REQUIRED,),
    Verdict.REFUSE: (PublicReason.REVEALING_REAL_PERSON,),
}


def seconds_of(work: Iterator[object]) -> float:
    """Return how long it takes to run through."""
    began = time.perf_counter()
    for _ in work:
        pass
    return time.perf_counter() - began


def verdicts(receipts: SqlReceiptStore, count: int) -> Iterator[None]:
    """Keep verdicts as a check does: log, sign, keep, synced, one by one."""
    signer = ReceiptSigner(private_key=new_signing_key(), issuer="urn:bench", clock=SystemClock())
    inputs = ReceiptInputs(
        images=(b"picture",), prompt="make the sky blue", context=(), purpose=Purpose.EDIT,
        region="GB", platform="bench",
    )  # fmt: skip
    for number in range(count):
        verdict = VERDICTS[number % len(VERDICTS)]
        statement = ReceiptStatement(
            check=new_check_id(), mode=Mode.ACT, verdict=verdict, reasons=REASONS[verdict],
            obligations=(), policy_version="consentry-policy@2", engines=ENGINES,
        )  # fmt: skip
        receipts.add(
            DraftReceipt(
                check=statement.check,
                issued_at=datetime.now(UTC),
                verdict=verdict,
                reasons=statement.reasons,
                policy_version=statement.policy_version,
                engines=ENGINES,
                platform="bench",
                purpose=Purpose.EDIT,
                region="GB",
                caller="key_bench",
                sign=signer.draft(statement, inputs).sign,
            )
        )  # fmt: skip
        yield


def items(count: int) -> list[Item]:
    """Make entries of verdicts."""
    made = []
    for number in range(count):
        verdict = VERDICTS[number % len(VERDICTS)]
        opening = circumstances(
            platform="bench", purpose=Purpose.EDIT, region="GB", salt=os.urandom(32)
        )
        entry = VerdictEntry(
            day=date(2026, 11, 22), verdict=verdict, reasons=REASONS[verdict],
            policy="consentry-policy@2", engines=ENGINES, receipt=os.urandom(32),
            platform=opening.commit("platform"), purpose=opening.commit("purpose"),
            region=opening.commit("region"),
        )  # fmt: skip
        made.append(item_of(entry, opening))
    return made


def grow(log: SqlLog, total: int) -> Iterator[None]:
    """Append in batches."""
    with log.view() as view:
        size = view.size
    while size < total:
        batch = items(min(BATCH, total - size))
        with log.database.writing() as session:
            size = log.append(session, batch) + len(batch)
        yield


def bench_proofs(log: SqlLog, publish: PublishLog, total: int) -> None:
    """Prove entries and old heads."""
    prove = ProveEntry(log, publish)
    with log.view() as view:
        origin = view.origin
    policy = TrustPolicy(logs=(KnownLog(vkey=publish.vkey(origin)),))
    times, lengths, sizes, checks = [], set(), set(), []
    for k in range(PROOFS):
        index = k * (total - 1) // (PROOFS - 1)
        began = time.perf_counter()
        proof = prove(origin, index)
        times.append(time.perf_counter() - began)
        began = time.perf_counter()
        proof.verify(policy)
        checks.append(time.perf_counter() - began)
        lengths.add(len(proof.path))
        sizes.add(len(str(proof)))
    print(
        f"  prove an entry            {1e3 * statistics.median(times):8.1f} ms, "
        f"verify it {1e3 * statistics.median(checks):.2f} ms"
    )
    print(
        f"  hashes of a proof         {max(lengths):8d}    (log2 of the size: "
        f"{math.log2(total):.1f}), {max(sizes)} bytes with entry and head"
    )
    times = []
    with log.view() as view:
        now = publish().checkpoint
        for k in range(PROOFS):
            old = 1 + k * (total - 1) // PROOFS
            nodes = view.nodes(total)
            old_root = TileNodes(old, view.read)
            began = time.perf_counter()
            found = consistency_proof(nodes, old, total)
            times.append(time.perf_counter() - began)
            verify_consistency(old, total, found, root(old_root, old), now.root)
    print(f"  prove an old head         {1e3 * statistics.median(times):8.1f} ms")


def report(folder: Path, total: int) -> None:
    """Measure everything."""
    database = Database.open(folder / "consentry.db")
    log = SqlLog(database, FileHeadMemory(folder / "log.checkpoint"))
    publish = PublishLog(
        log,
        log.memory,
        NoteSigner(name=log.name, type=SignatureType.TEXT, private_key=new_signing_key()),
        TrustPolicy(),
        (),
        SystemClock(),
    )
    singles = min(SINGLE, total)
    spent = seconds_of(verdicts(SqlReceiptStore(database, log), singles))
    print(f"  verdicts, one by one      {singles / spent:8.0f} / s  (log, sign, keep, sync)")
    receipts = SqlReceiptStore(database, log)
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        rounds = [pool.submit(seconds_of, verdicts(receipts, singles // 4)) for _ in range(THREADS)]
        for each in rounds:
            each.result()
    rate = THREADS * (singles // 4) / (time.perf_counter() - began)
    print(f"  verdicts, {THREADS} threads      {rate:8.0f} / s  (those who wait share a commit)")
    with log.view() as view:
        before = view.size
    spent = seconds_of(grow(log, total))
    print(f"  entries, {BATCH} a batch     {(total - before) / spent:8.0f} / s")
    began = time.perf_counter()
    publish()
    print(f"  sign a head               {1e3 * (time.perf_counter() - began):8.1f} ms")
    bench_proofs(log, publish, total)
    began = time.perf_counter()
    with log.view() as view:
        kinds = verify_whole(view.entries(), view.heads(), view.nodes(view.size))
    spent = time.perf_counter() - began
    print(f"  verify all of it          {spent:8.1f} s   ({sum(kinds.values())} entries)")
    began = time.perf_counter()
    with log.view() as view:
        read = sum(len(view.read(tile)) for tile in tiles_of(view.size))
    print(
        f"  give out every tile       {time.perf_counter() - began:8.1f} s   ({read / 1e6:.0f} MB)"
    )
    database.close()
    size = (folder / "consentry.db").stat().st_size
    print(f"  on the disk               {size / 1e6:8.0f} MB  ({size / total:.0f} bytes an entry)")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    total = parser.parse_args().entries
    with tempfile.TemporaryDirectory() as folder:
        print(f"a log of {total} entries")
        report(Path(folder), total)


if __name__ == "__main__":
    main()
