"""Consent requests. Their pictures are destroyed when they are answered, or lapse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, delete, or_, select

from consentry.grants.ports import (
    RequestState,
    Room,
    StoredBlock,
    StoredConsentToken,
    StoredRequest,
)
from consentry.kernel.errors import NotFound
from consentry.kernel.ids import ConsentRequestId, SubjectId
from consentry.storage.consent_tables import (
    AnswerRow,
    BlockedAskerRow,
    ConsentRequestRow,
    ConsentTokenRow,
    ConsentUseRow,
    GrantRow,
)
from consentry.storage.consent_tokens import insert_token
from consentry.storage.database import Database, Erasure
from consentry.storage.grants import require_enrolled

_ANSWERED = "There is no such request, or it has been answered or has lapsed."


class SqlRequestStore:
    """`consentry.grants.ports.RequestStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, request: StoredRequest, room: Room) -> None:
        """Keep a request; without what is sealed of it when she is not shown it."""
        with self._database.writing() as session:
            require_enrolled(session, request.subject)
            is_shown = _is_shown(session, request, room)
            session.add(
                ConsentRequestRow(
                    request=request.request,
                    subject=request.subject,
                    caller=request.caller,
                    platform=request.platform,
                    asker=request.asker,
                    sealed=request.sealed if is_shown else None,
                    state=request.state.value,
                    jws=request.jws,
                    asked_at=request.asked_at,
                    ends_at=request.ends_at,
                )
            )

    def get(self, request: ConsentRequestId) -> StoredRequest | None:
        """Return a request, or None."""
        with self._database.reading() as session:
            row = session.get(ConsentRequestRow, request)
            return None if row is None else _request(row)

    def pending(self, subject: SubjectId, *, now: datetime) -> tuple[StoredRequest, ...]:
        """Return what a subject has been shown and not answered, oldest first."""
        statement = (
            select(ConsentRequestRow)
            .where(ConsentRequestRow.subject == subject)
            .where(ConsentRequestRow.state == RequestState.PENDING.value)
            .where(col(ConsentRequestRow.sealed).is_not(None))
            .where(col(ConsentRequestRow.ends_at) > now)
            .order_by(col(ConsentRequestRow.asked_at), col(ConsentRequestRow.request))
        )
        with self._database.reading() as session:
            return tuple(_request(row) for row in session.exec(statement).all())

    def approve(
        self, request: ConsentRequestId, token: StoredConsentToken, jws: str, *, now: datetime
    ) -> None:
        """Keep a yes and the token that it made, and destroy the sealed pictures."""
        with self._database.erasing() as erasure:
            row = _answer(erasure, request, RequestState.APPROVED, now)
            row.jws = jws
            insert_token(erasure.session, token)

    def decline(
        self, request: ConsentRequestId, block: StoredBlock | None, *, now: datetime
    ) -> None:
        """Keep a no, and a block if there is one, and destroy the sealed pictures."""
        with self._database.erasing() as erasure:
            _answer(erasure, request, RequestState.DECLINED, now)
            if block is None or _block(erasure.session, block.subject, block.asker) is not None:
                return
            erasure.session.add(
                BlockedAskerRow(
                    subject=block.subject,
                    asker=block.asker,
                    sealed=block.sealed,
                    blocked_at=block.blocked_at,
                )
            )

    def blocks(self, subject: SubjectId) -> tuple[StoredBlock, ...]:
        """Return whom a subject has blocked, oldest first."""
        statement = (
            select(BlockedAskerRow)
            .where(BlockedAskerRow.subject == subject)
            .order_by(col(BlockedAskerRow.number))
        )
        with self._database.reading() as session:
            return tuple(
                StoredBlock(
                    number=row.number or 0,
                    subject=SubjectId(row.subject),
                    asker=row.asker,
                    sealed=row.sealed,
                    blocked_at=row.blocked_at,
                )
                for row in session.exec(statement).all()
            )

    def unblock(self, subject: SubjectId, number: int) -> None:
        """Forget a block."""
        with self._database.erasing() as erasure:
            row = erasure.session.get(BlockedAskerRow, number)
            if row is None or row.subject != subject:
                raise NotFound("There is no such block.")
            erasure.forget(row.sealed)
            erasure.session.delete(row)

    def sweep(self, *, now: datetime) -> int:
        """Destroy what has lapsed: pictures, requests, tokens, answers. Returns how many rows."""
        with self._database.reading() as session:
            if not _Lapsed.at(now, session).count():
                return 0
        with self._database.erasing() as erasure:
            lapsed = _Lapsed.at(now, erasure.session)
            lapsed.erase(erasure)
            return lapsed.count()


@dataclass(frozen=True, slots=True)
class _Lapsed:
    """What nobody may use any more."""

    requests: Sequence[ConsentRequestRow]
    tokens: Sequence[ConsentTokenRow]
    grants: Sequence[GrantRow]
    answers: Sequence[AnswerRow]

    @classmethod
    def at(cls, now: datetime, session: Session) -> _Lapsed:
        return cls(
            session.exec(select(ConsentRequestRow).where(ConsentRequestRow.ends_at <= now)).all(),
            session.exec(select(ConsentTokenRow).where(ConsentTokenRow.valid_until <= now)).all(),
            session.exec(select(GrantRow).where(col(GrantRow.ends_at) <= now)).all(),
            session.exec(select(AnswerRow).where(AnswerRow.ends_at <= now)).all(),
        )

    def count(self) -> int:
        return sum(map(len, (self.requests, self.tokens, self.grants, self.answers)))

    def erase(self, erasure: Erasure) -> None:
        erasure.forget(*(row.sealed for row in self.requests if row.sealed is not None))
        erasure.forget(*(row.sealed for row in self.tokens))
        erasure.forget(*(row.sealed for row in self.grants))
        erasure.forget(*(row.sealed for row in self.answers))
        ended = [*(row.token for row in self.tokens), *(row.grant_id for row in self.grants)]
        used = col(ConsentUseRow.authority).in_(ended)
        erasure.session.execute(delete(ConsentUseRow).where(used))
        for row in (*self.requests, *self.tokens, *self.grants, *self.answers):
            erasure.session.delete(row)


def _is_shown(session: Session, request: StoredRequest, room: Room) -> bool:
    """Say whether one more question is put to her: not from the blocked, and nobody pesters her."""
    # Without their pictures: those may be megabytes, and are not looked at.
    statement = (
        select(
            ConsentRequestRow.state,
            ConsentRequestRow.asker,
            ConsentRequestRow.platform,
            ConsentRequestRow.caller,
        )
        .where(ConsentRequestRow.subject == request.subject)
        .where(col(ConsentRequestRow.ends_at) > request.asked_at)
        .where(
            or_(
                ConsentRequestRow.state == RequestState.DECLINED.value,
                col(ConsentRequestRow.sealed).is_not(None),
            )
        )
    )
    counted = session.exec(statement).all()
    pending = [each for each in counted if each[0] == RequestState.PENDING.value]
    return (
        _block(session, request.subject, request.asker) is None
        and sum(asker == request.asker for _, asker, _, _ in counted) < room.of_asker
        and sum(platform == request.platform for _, _, platform, _ in pending) < room.of_platform
        and sum(caller == request.caller for _, _, _, caller in pending) < room.of_caller
        and len(pending) < room.of_all
    )


def _answer(
    erasure: Erasure, request: ConsentRequestId, state: RequestState, now: datetime
) -> ConsentRequestRow:
    row = erasure.session.get(ConsentRequestRow, request)
    if row is None or row.sealed is None or row.ends_at <= now:
        raise NotFound(_ANSWERED)
    erasure.forget(row.sealed)
    row.sealed = None
    row.state = state.value
    return row


def _block(session: Session, subject: SubjectId, asker: bytes) -> BlockedAskerRow | None:
    return session.exec(
        select(BlockedAskerRow)
        .where(BlockedAskerRow.subject == subject)
        .where(BlockedAskerRow.asker == asker)
    ).first()


def _request(row: ConsentRequestRow) -> StoredRequest:
    return StoredRequest(
        request=ConsentRequestId(row.request),
        subject=SubjectId(row.subject),
        caller=row.caller,
        platform=row.platform,
        asker=row.asker,
        sealed=row.sealed,
        state=RequestState(row.state),
        jws=row.jws,
        asked_at=row.asked_at,
        ends_at=row.ends_at,
    )
