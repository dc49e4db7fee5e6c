"""By which platform somebody was asked, under her own key: several API keys of one are one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What was asked before counts for no platform, and lapses within a day.
    op.add_column(
        "consent_requests",
        sa.Column("platform", sa.LargeBinary(), nullable=False, server_default=sa.text("x''")),
    )


def downgrade() -> None:
    raise NotImplementedError("an older Consentry reads a backup, not a newer database")
