"""Acts of erasure, and who has yet to confirm them.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ID = sa.String(36).with_variant(sa.String(36, collation="C"), "postgresql")
_JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "erasure",
        sa.Column("subject_id", _ID, primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False, unique=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("categories", _JSON, nullable=False),
    )
    op.create_table(
        "erasure_ack",
        sa.Column("subject_id", _ID, primary_key=True),
        sa.Column("device_id", _ID, primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("acked_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("erasure_ack_device", "erasure_ack", ["device_id", "acked_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("erasure_ack")
    op.drop_table("erasure")
