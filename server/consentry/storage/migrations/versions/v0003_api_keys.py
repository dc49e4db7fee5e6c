"""API keys of platforms, what each of them spent of its budget today, and who asked for a receipt."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("faces_per_hour", sa.Integer(), nullable=False),
        sa.Column("faces_per_day", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_day", sa.String(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "api_key_secrets",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["key"], ["api_keys.key"]),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("api_key_secrets_by_key", "api_key_secrets", ["key"])
    op.create_table(
        "probe_spending",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "hour"),
    )

    op.add_column("receipts", sa.Column("caller", sa.String(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("an older Consentry reads a backup, not a newer database")
