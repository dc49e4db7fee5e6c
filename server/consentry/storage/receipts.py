"""Signed verdicts with their entries in the log, and sealed sightings beside them.

A receipt holds no picture, prompt or subject.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from sqlmodel import Session, col, delete, func, or_, select, update

from consentry.checks.ports import DraftReceipt, KeptAnswer, StoredReceipt
from consentry.kernel.errors import Conflict, NotFound
from consentry.kernel.ids import CheckId, ConsentTokenId, GrantId, Random
from consentry.kernel.taxonomy import PublicReason, Verdict
from consentry.storage.consent_tables import (
    AnswerRow,
    ConsentTokenRow,
    ConsentUseRow,
    GrantRow,
)
from consentry.storage.database import Database
from consentry.storage.log import Item, SqlLog, item_of
from consentry.storage.shared_commits import GivenUp, SharedCommits
from consentry.storage.sightings import insert_sightings
from consentry.storage.tables import ReceiptRow
from consentry.transparency.entries import (
    SALT_BYTES,
    VerdictEntry,
    circumstances,
    receipt_digest,
)
from consentry.transparency.receipts import LogPlace, claimed_place


class SqlReceiptStore:
    """`consentry.checks.ports.ReceiptStore` in SQLite."""

    def __init__(self, database: Database, log: SqlLog, *, random: Random = os.urandom) -> None:
        self._database = database
        self._log = log
        self._random = random
        self._commits: SharedCommits[StoredReceipt] = SharedCommits(database)

    def add(
        self,
        draft: DraftReceipt,
        answers: Sequence[KeptAnswer] = (),
        *,
        takes: bytes | None = None,
    ) -> StoredReceipt | None:
        """Log and keep a receipt, and answers with it."""

        def work(session: Session) -> StoredReceipt:
            _exchange_answers(session, answers, takes, draft.issued_at)
            return self._insert(session, draft)

        with suppress(_Spent):
            return self._commits.run(work)
        return None

    def add_relying(
        self,
        draft: DraftReceipt,
        relies_on: Sequence[GrantId | ConsentTokenId],
        answers: Sequence[KeptAnswer] = (),
        *,
        takes: bytes | None = None,
    ) -> StoredReceipt | None:
        """Use up grants and tokens once each, and log and keep the receipt, or none of it.

        The write lock of SQLite, taken when the transaction begins, is what lets one succeed.
        """
        if not relies_on:
            raise ValueError("a receipt that relies on nothing is simply added")

        def work(session: Session) -> StoredReceipt:
            _exchange_answers(session, answers, takes, draft.issued_at)
            for authority in relies_on:
                _use_up(session, authority, draft.issued_at)
                session.add(ConsentUseRow(authority=authority, check_id=draft.check))
            return self._insert(session, draft)

        with suppress(_Spent):
            return self._commits.run(work)
        return None

    def answer(self, place: bytes, *, now: datetime) -> KeptAnswer | None:
        """Return the answer that is kept in a place, or None when there is none (any more)."""
        with self._database.reading() as session:
            row = session.get(AnswerRow, place)
            if row is None or row.ends_at <= now:
                return None
            return KeptAnswer(
                place=row.place,
                check=CheckId(row.check_id),
                sealed=row.sealed,
                ends_at=row.ends_at,
            )

    def get(self, check: CheckId) -> StoredReceipt:
        """Return one receipt."""
        with self._database.reading() as session:
            row = session.get(ReceiptRow, check)
            if row is None:
                raise NotFound("There is no receipt of that check.")
            return _receipt(row)

    def at_leaves(self, leaves: Collection[int]) -> Mapping[int, str]:
        """Return the signed receipts of entries of the log, by index; of those that have one."""
        statement = select(ReceiptRow.leaf, ReceiptRow.jws).where(col(ReceiptRow.leaf).in_(leaves))
        with self._database.reading() as session:
            return {leaf: jws for leaf, jws in session.exec(statement).all() if leaf is not None}

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

    def _insert(self, session: Session, draft: DraftReceipt) -> StoredReceipt:
        """Append the entry, sign for its place, and keep the receipt."""
        if session.get(ReceiptRow, draft.check) is not None:
            raise Conflict("There is a receipt of that check already.")
        self._log.announce(session, draft.policy_version, draft.engines)
        origin, index = self._log.place(session)
        place = LogPlace(origin=origin, index=index)
        jws = draft.sign(place)
        self._log.append(session, [self._item(draft, jws)])
        session.add(
            ReceiptRow(
                check_id=draft.check,
                issued_at=draft.issued_at,
                verdict=draft.verdict.value,
                reasons=" ".join(reason.value for reason in draft.reasons),
                jws=jws,
                caller=draft.caller,
                leaf=index,
            )
        )
        session.flush()
        insert_sightings(session, draft.check, draft.issued_at, draft.sightings)
        return StoredReceipt(
            check=draft.check,
            issued_at=draft.issued_at,
            verdict=draft.verdict,
            reasons=draft.reasons,
            jws=jws,
            caller=draft.caller,
            log=place,
        )

    def _item(self, draft: DraftReceipt, jws: str) -> Item:
        opening = circumstances(
            platform=draft.platform,
            purpose=draft.purpose,
            region=draft.region,
            salt=self._random(SALT_BYTES),
        )
        entry = VerdictEntry(
            day=draft.issued_at.astimezone(UTC).date(),
            verdict=draft.verdict,
            reasons=draft.reasons,
            policy=draft.policy_version,
            engines=draft.engines,
            receipt=receipt_digest(jws),
            platform=opening.commit("platform"),
            purpose=opening.commit("purpose"),
            region=opening.commit("region"),
        )
        return item_of(entry, opening)


class _Spent(GivenUp):
    """Undoes the transaction; never leaves this module."""


def _exchange_answers(
    session: Session, answers: Sequence[KeptAnswer], takes: bytes | None, now: datetime
) -> None:
    """Keep answers, take one, and forget those that have lapsed.

    Raises:
        _Spent: If a place is taken, or there is none to be taken.
    """
    if not answers and takes is None:
        return
    session.execute(delete(AnswerRow).where(col(AnswerRow.ends_at) <= now))
    if takes is not None:
        taken = delete(AnswerRow).where(col(AnswerRow.place) == takes)
        if session.connection().execute(taken).rowcount != 1:
            raise _Spent
    for answer in answers:
        if session.get(AnswerRow, answer.place) is not None:
            raise _Spent
        session.add(
            AnswerRow(
                place=answer.place,
                check_id=answer.check,
                sealed=answer.sealed,
                ends_at=answer.ends_at,
            )
        )


def _use_up(session: Session, authority: GrantId | ConsentTokenId, now: datetime) -> None:
    """Count one use of a grant or a token.

    Raises:
        _Spent: If there is none (left).
    """
    grant = (
        update(GrantRow)
        .where(col(GrantRow.grant_id) == authority)
        .where(or_(col(GrantRow.ends_at).is_(None), col(GrantRow.ends_at) > now))
        .where(or_(col(GrantRow.uses_left).is_(None), col(GrantRow.uses_left) > 0))
        .values(uses_left=col(GrantRow.uses_left) - 1)
    )
    token = (
        update(ConsentTokenRow)
        .where(col(ConsentTokenRow.token) == authority)
        .where(col(ConsentTokenRow.valid_until) > now)
        .where(col(ConsentTokenRow.uses_left) > 0)
        .values(uses_left=col(ConsentTokenRow.uses_left) - 1)
    )
    counted = [session.connection().execute(statement).rowcount for statement in (grant, token)]
    if sum(counted) != 1:
        raise _Spent


def _receipt(row: ReceiptRow) -> StoredReceipt:
    return StoredReceipt(
        check=CheckId(row.check_id),
        issued_at=row.issued_at,
        verdict=Verdict(row.verdict),
        reasons=tuple(PublicReason(reason) for reason in row.reasons.split()),
        jws=row.jws,
        caller=row.caller,
        # Not from the log: it may go by another origin today.
        log=None if row.leaf is None else claimed_place(row.jws),
    )
