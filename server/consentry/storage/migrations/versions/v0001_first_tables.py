"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("forgotten_up_to", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name="only_one_state"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO state (id, revision, forgotten_up_to) VALUES (1, 0, 0)")
    op.create_table(
        "subjects",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_name", sa.LargeBinary(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "templates",
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.subject"]),
        sa.PrimaryKeyConstraint("row"),
        sa.UniqueConstraint("template"),
        sqlite_autoincrement=True,
    )
    op.create_index("templates_by_subject", "templates", ["subject"])
    op.create_index("templates_by_model", "templates", ["model"])
    op.create_index("templates_by_revision", "templates", ["revision"])
    op.create_table(
        "tombstones",
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("row"),
    )
    op.create_index("tombstones_by_revision", "tombstones", ["revision"])
    op.create_table(
        "erasures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "receipts",
        sa.Column("check_id", sa.String(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        sa.Column("jws", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("check_id"),
    )
    op.create_index("receipts_by_time", "receipts", ["issued_at"])
    op.create_table(
        "vault_header",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name="only_one_header"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "tokens",
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_day", sa.String(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("token"),
        sa.UniqueConstraint("digest"),
    )
    # Says in the file's own header that it is ours ("Csty"), so that no other database is touched.
    op.execute(f"PRAGMA application_id = {0x43737479}")


def downgrade() -> None:
    raise NotImplementedError("an older Consentry reads a backup, not a newer database")
