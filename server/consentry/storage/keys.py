"""API keys as digests, and what they spent: who reads these tables can use none of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Session, col, delete, func, or_, select, update

from consentry.accounts.ports import KeySecret, Spending, StoredKey
from consentry.kernel.errors import NotFound
from consentry.kernel.ids import KeyId
from consentry.kernel.platforms import folded_platform
from consentry.storage.database import Database
from consentry.storage.tables import ApiKeyRow, ApiKeySecretRow, ProbeSpendingRow

_DAY_HOURS = 24
_ABSENT = "There is no key by that identifier (any more)."


class SqlKeyStore:
    """`consentry.accounts.ports.KeyStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, key: StoredKey) -> None:
        """Keep a key with its secrets."""
        with self._database.writing() as session:
            session.add(
                ApiKeyRow(
                    key=key.key,
                    name=key.name,
                    platform=key.platform,
                    scopes=" ".join(sorted(key.scopes)),
                    faces_per_hour=key.faces_per_hour,
                    faces_per_day=key.faces_per_day,
                    created_at=key.created_at,
                    last_used_day=None
                    if key.last_used_day is None
                    else key.last_used_day.isoformat(),
                    expires_at=key.expires_at,
                )
            )
            session.flush()
            session.add_all(_secret_row(key.key, secret) for secret in key.secrets)

    def find_by_digest(self, digest: bytes) -> StoredKey | None:
        """Return the key that has a secret of this digest, or None."""
        statement = select(ApiKeyRow).where(
            col(ApiKeyRow.key).in_(
                select(ApiKeySecretRow.key).where(ApiKeySecretRow.digest == digest)
            )
        )
        with self._database.reading() as session:
            row = session.exec(statement).first()
            return None if row is None else _key(row, _secrets_of(session, row.key))

    def list(self) -> Sequence[StoredKey]:
        """Return all keys, oldest first."""
        statement = select(ApiKeyRow).order_by(col(ApiKeyRow.created_at), col(ApiKeyRow.key))
        with self._database.reading() as session:
            return tuple(
                _key(row, _secrets_of(session, row.key)) for row in session.exec(statement).all()
            )

    def rotate(self, key: KeyId, secret: KeySecret, *, now: datetime, others_end: datetime) -> None:
        """Add a secret and set an end to the others."""
        ends_at = col(ApiKeySecretRow.ends_at)
        with self._database.writing() as session:
            if session.get(ApiKeyRow, key) is None:
                raise NotFound(_ABSENT)
            session.execute(
                delete(ApiKeySecretRow).where(col(ApiKeySecretRow.key) == key, ends_at <= now)
            )
            session.execute(
                update(ApiKeySecretRow)
                .where(
                    col(ApiKeySecretRow.key) == key, or_(ends_at.is_(None), ends_at > others_end)
                )
                .values(ends_at=others_end)
            )
            session.add(_secret_row(key, secret))

    def remove(self, key: KeyId) -> None:
        """Forget a key, its secrets and what it spent."""
        with self._database.writing() as session:
            session.execute(delete(ApiKeySecretRow).where(col(ApiKeySecretRow.key) == key))
            session.execute(delete(ProbeSpendingRow).where(col(ProbeSpendingRow.key) == key))
            statement = delete(ApiKeyRow).where(col(ApiKeyRow.key) == key)
            if session.execute(statement.returning(col(ApiKeyRow.key))).first() is None:
                raise NotFound(_ABSENT)

    def touch(self, key: KeyId, day: date) -> None:
        """Note the day of use."""
        with self._database.writing() as session:
            session.execute(
                update(ApiKeyRow)
                .where(col(ApiKeyRow.key) == key)
                .values(last_used_day=day.isoformat())
            )


class SqlProbeStore:
    """`consentry.accounts.ports.ProbeStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def spend(self, key: KeyId, hour: int, faces: int, *, per_hour: int, per_day: int) -> Spending:
        """Count faces, all of them or none."""
        if faces == 0:
            with self._database.reading() as session:
                in_hour, in_day = _spent(session, key, hour)
                return Spending(in_hour=in_hour, in_day=in_day, was_spent=True)
        with self._database.writing() as session:
            in_hour, in_day = _spent(session, key, hour)
            if in_hour + faces > per_hour or in_day + faces > per_day:
                return Spending(in_hour=in_hour, in_day=in_day, was_spent=False)
            spending = insert(ProbeSpendingRow).values(key=key, hour=hour, faces=faces)
            session.execute(
                spending.on_conflict_do_update(
                    index_elements=["key", "hour"],
                    set_={"faces": col(ProbeSpendingRow.faces) + faces},
                )
            )
            # Of days that are over nothing is kept: it would be a log of how busy a platform was.
            session.execute(
                delete(ProbeSpendingRow).where(
                    col(ProbeSpendingRow.hour) < hour - hour % _DAY_HOURS
                )
            )
        return Spending(in_hour=in_hour + faces, in_day=in_day + faces, was_spent=True)


def _spent(session: Session, key: str, hour: int) -> tuple[int, int]:
    first = hour - hour % _DAY_HOURS
    rows = session.exec(
        select(ProbeSpendingRow.hour, func.sum(ProbeSpendingRow.faces))
        .where(
            col(ProbeSpendingRow.key).in_(_siblings_of(session, key)),
            col(ProbeSpendingRow.hour) >= first,
            col(ProbeSpendingRow.hour) < first + _DAY_HOURS,
        )
        .group_by(col(ProbeSpendingRow.hour))
    ).all()
    by_hour = {row[0]: int(row[1]) for row in rows}
    return by_hour.get(hour, 0), sum(by_hour.values())


def _siblings_of(session: Session, key: str) -> frozenset[str]:
    """Return all keys of a key's platform, itself too: many keys must not make many budgets of one."""
    # Folded here: SQLite's own lower() knows ASCII only. There are few keys.
    rows = session.exec(select(ApiKeyRow.key, ApiKeyRow.platform)).all()
    names = {each: folded_platform(platform) for each, platform in rows}
    return frozenset(each for each, name in names.items() if name == names.get(key)) | {key}


def _secrets_of(session: Session, key: str) -> tuple[KeySecret, ...]:
    statement = (
        select(ApiKeySecretRow)
        .where(ApiKeySecretRow.key == key)
        .order_by(col(ApiKeySecretRow.made_at), col(ApiKeySecretRow.digest))
    )
    return tuple(
        KeySecret(digest=row.digest, made_at=row.made_at, ends_at=row.ends_at)
        for row in session.exec(statement).all()
    )


def _secret_row(key: str, secret: KeySecret) -> ApiKeySecretRow:
    return ApiKeySecretRow(
        digest=secret.digest, key=key, made_at=secret.made_at, ends_at=secret.ends_at
    )


def _key(row: ApiKeyRow, secrets: tuple[KeySecret, ...]) -> StoredKey:
    return StoredKey(
        key=KeyId(row.key),
        name=row.name,
        platform=row.platform,
        scopes=frozenset(row.scopes.split()),
        faces_per_hour=row.faces_per_hour,
        faces_per_day=row.faces_per_day,
        created_at=row.created_at,
        last_used_day=None if row.last_used_day is None else date.fromisoformat(row.last_used_day),
        expires_at=row.expires_at,
        secrets=secrets,
    )
