"""Whether the hub has keys, which personal data is sealed with.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """It has none yet."""
    op.add_column("hub", sa.Column("sealed_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("hub") as batch:
        batch.drop_column("sealed_at")
