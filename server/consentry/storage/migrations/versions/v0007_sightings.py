"""What those may read of a check who were seen in it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sightings",
        sa.Column("check_id", sa.String(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("check_id", "part"),
        sqlite_with_rowid=False,
    )
    op.create_index("sightings_by_time", "sightings", ["issued_at"])


def downgrade() -> None:
    raise NotImplementedError("an older Consentry reads a backup, not a newer database")
