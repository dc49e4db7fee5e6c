"""A passphrase of her own for everybody who shares a home: its sealed check."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subjects", sa.Column("own_passphrase", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("an older Consentry reads a backup, not a newer database")
