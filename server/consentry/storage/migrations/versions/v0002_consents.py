"""Grants, consent tokens, consent requests, aliases, contests, and the feed of changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _subject(name: str = "subject") -> tuple[sa.Column[str], sa.ForeignKeyConstraint]:
    return (
        sa.Column(name, sa.String(), nullable=False),
        sa.ForeignKeyConstraint([name], ["subjects.subject"]),
    )


def upgrade() -> None:
    op.create_table(
        "grants",
        sa.Column("grant_id", sa.String(), nullable=False),
        *_subject(),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=True),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("grant_id"),
    )
    op.create_index("grants_by_subject", "grants", ["subject"])
    op.create_table(
        "consent_tokens",
        sa.Column("token", sa.String(), nullable=False),
        *_subject(),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token"),
    )
    op.create_index("consent_tokens_by_subject", "consent_tokens", ["subject"])
    op.create_table(
        "consent_uses",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("check_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("consent_uses_by_authority", "consent_uses", ["authority"])
    op.create_table(
        "consent_requests",
        sa.Column("request", sa.String(), nullable=False),
        *_subject(),
        sa.Column("caller", sa.LargeBinary(), nullable=False),
        sa.Column("asker", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("jws", sa.String(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("request"),
    )
    op.create_index("consent_requests_by_subject", "consent_requests", ["subject"])
    op.create_table(
        "blocked_askers",
        sa.Column("number", sa.Integer(), nullable=False),
        *_subject(),
        sa.Column("asker", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("blocked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("blocked_askers_once", "blocked_askers", ["subject", "asker"], unique=True)
    op.create_table(
        "declarations",
        *_subject(),
        sa.Column("adult_at", sa.BigInteger(), nullable=True),
        sa.Column("announced_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "aliases",
        sa.Column("alias", sa.String(), nullable=False),
        *_subject(),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("alias"),
    )
    op.create_index("aliases_by_subject", "aliases", ["subject"])
    op.create_table(
        "contests",
        sa.Column("contest", sa.String(), nullable=False),
        *_subject("claimant"),
        *_subject("respondent"),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("contest"),
    )
    op.create_table(
        "answers",
        sa.Column("place", sa.LargeBinary(), nullable=False),
        sa.Column("check_id", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("place"),
    )
    op.create_table(
        "feed",
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("check_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("cursor"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    raise NotImplementedError("an older Consentry reads a backup, not a newer database")
