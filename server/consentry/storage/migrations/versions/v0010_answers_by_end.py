"""What is kept beside receipts is found by its end: every allowed act keeps something, and sweeps."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("answers_by_end", "answers", ["ends_at"])


def downgrade() -> None:
    raise NotImplementedError("an older Consentry reads a backup, not a newer database")
