"""Who made a change and when, and from where on the log is kept.

Revision ID: 0002
Revises: 0001
"""

import time

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; changes of before count as made now, so they are kept as long as others.

    Added plainly, not in a batch: a batch copies the table, and loses its check on SQLite.
    """
    now = str(time.time_ns() // 1_000_000)
    op.add_column("change", sa.Column("who", sa.String(length=64), nullable=True))
    op.add_column("change", sa.Column("at", sa.BigInteger(), nullable=False, server_default=now))
    op.add_column(
        "sync_head", sa.Column("floor", sa.BigInteger(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("sync_head", "floor")
    op.drop_column("change", "at")
    op.drop_column("change", "who")
