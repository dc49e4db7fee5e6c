"""Logs over real files, with a clock and a key of the test's own."""

from __future__ import annotations

from pathlib import Path

from consentry.checks.ports import DraftReceipt, StoredReceipt
from consentry.kernel.clock import Clock
from consentry.kernel.taxonomy import Purpose
from consentry.storage.database import Database
from consentry.storage.head_memory import FileHeadMemory
from consentry.storage.log import SqlLog
from consentry.transparency.notes import NoteSigner, SignatureType
from consentry.transparency.policy import TrustPolicy
from consentry.transparency.publication import PublishLog
from consentry.transparency.receipts import LogPlace
from consentry.transparency.signing_key import new_signing_key
from fakes.manual_clock import ManualClock


def memory_of(database: Database) -> FileHeadMemory:
    return FileHeadMemory(database.path.with_name("log.checkpoint"))


def log_of(database: Database, clock: Clock | None = None, **options) -> SqlLog:
    return SqlLog(
        database,
        options.pop("memory", None) or memory_of(database),
        clock=clock or ManualClock(),
        **options,
    )


def publisher(log: SqlLog, *, seed: int = 1, policy: TrustPolicy | None = None, witnesses=()):
    signer = NoteSigner(
        name=log.name,
        type=SignatureType.TEXT,
        private_key=new_signing_key(lambda n: bytes([seed]) * n),
    )
    return PublishLog(log, log.memory, signer, policy or TrustPolicy(), tuple(witnesses), log.clock)


def draft_of(receipt: StoredReceipt, *, jws: str | None = None) -> DraftReceipt:
    """What is added so that ``receipt`` comes back, but for the place that it is given."""

    def sign(_: LogPlace) -> str:
        return receipt.jws if jws is None else jws

    return DraftReceipt(
        check=receipt.check,
        issued_at=receipt.issued_at,
        verdict=receipt.verdict,
        reasons=receipt.reasons,
        policy_version="policy@1",
        engines={"faces": "colours@1"},
        platform=None,
        purpose=Purpose.EDIT,
        region=None,
        caller=receipt.caller,
        sign=sign,
    )


def database_at(path: Path) -> Database:
    return Database.open(path, busy_timeout_s=30)
