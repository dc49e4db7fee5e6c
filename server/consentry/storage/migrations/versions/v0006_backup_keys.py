"""What opens a person's section in backups: with it, an erasure reaches them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backup_keys",
        sa.Column(
            "subject",
            sa.String(),
            sa.ForeignKey("subjects.subject"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("key", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("an older Consentry reads a backup, not a newer database")
