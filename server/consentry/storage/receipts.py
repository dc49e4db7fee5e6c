"""Signed verdicts. A receipt holds no picture, no prompt and no subject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, func, select

from consentry.checks.ports import StoredReceipt
from consentry.kernel.errors import Conflict, NotFound
from consentry.kernel.ids import CheckId
from consentry.kernel.taxonomy import PublicReason, Verdict
from consentry.storage.database import Database
from consentry.storage.tables import ReceiptRow


class SqlReceiptStore:
    """`consentry.checks.ports.ReceiptStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, receipt: StoredReceipt) -> None:
        """Keep a receipt."""
        with self._database.writing() as session:
            if session.get(ReceiptRow, receipt.check) is not None:
                raise Conflict("There is a receipt of that check already.")
            session.add(
                ReceiptRow(
                    check_id=receipt.check,
                    issued_at=receipt.issued_at,
                    verdict=receipt.verdict.value,
                    reasons=" ".join(reason.value for reason in receipt.reasons),
                    jws=receipt.jws,
                )
            )

    def get(self, check: CheckId) -> StoredReceipt:
        """Return one receipt."""
        with self._database.reading() as session:
            row = session.get(ReceiptRow, check)
            if row is None:
                raise NotFound("There is no receipt of that check.")
            return _receipt(row)

    def newest(self, limit: int, before: datetime | None) -> Sequence[StoredReceipt]:
        """Return at most ``limit`` receipts issued before a moment, newest first."""
        if limit < 0:
            raise ValueError("a limit is not negative")
        statement = select(ReceiptRow).order_by(
            col(ReceiptRow.issued_at).desc(), col(ReceiptRow.check_id)
        )
        if before is not None:
            statement = statement.where(col(ReceiptRow.issued_at) < before)
        with self._database.reading() as session:
            return tuple(_receipt(row) for row in session.exec(statement.limit(limit)).all())

    def count(self) -> int:
        """Return how many receipts there are."""
        with self._database.reading() as session:
            return session.exec(select(func.count()).select_from(ReceiptRow)).one()


def _receipt(row: ReceiptRow) -> StoredReceipt:
    return StoredReceipt(
        check=CheckId(row.check_id),
        issued_at=row.issued_at,
        verdict=Verdict(row.verdict),
        reasons=tuple(PublicReason(reason) for reason in row.reasons.split()),
        jws=row.jws,
    )
