"""Leases of devices.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.String(36).with_variant(sa.String(36, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "lease",
        sa.Column("device_id", _ID, primary_key=True),
        sa.Column("share", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger()),
        sa.Column("subjects", sa.BigInteger()),
        sa.Column("mac", sa.LargeBinary()),
        sa.Column("wipe_id", _ID),
        sa.Column("wipe_at", sa.BigInteger()),
        sa.Column("wiped_at", sa.BigInteger()),
    )


def downgrade() -> None:
    """Forget them: desks then have no lease, and go on as before there was one."""
    op.drop_table("lease")
