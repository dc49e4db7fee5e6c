"""Receipts are found by their place in the log, for an auditor who picks entries."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("receipts_by_leaf", "receipts", ["leaf"])


def downgrade() -> None:
    raise NotImplementedError("an older Consentry reads a backup, not a newer database")
