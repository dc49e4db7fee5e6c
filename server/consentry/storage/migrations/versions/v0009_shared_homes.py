"""Whether a person has ever shared this home: then its passphrase proves nobody in particular."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "subjects", sa.Column("has_shared", sa.Boolean(), nullable=False, server_default="0")
    )
    op.execute("UPDATE subjects SET has_shared = 1 WHERE (SELECT count(*) FROM subjects) > 1")


def downgrade() -> None:
    raise NotImplementedError("an older Consentry reads a backup, not a newer database")
