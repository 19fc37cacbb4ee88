"""What a subject agreed to, in short, and whether he asked to be erased.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Nobody agreed to anything yet."""
    op.add_column("subject", sa.Column("consents", _JSON, nullable=False, server_default="{}"))
    op.add_column(
        "subject", sa.Column("stage", sa.String(20), nullable=False, server_default="active")
    )


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("subject") as batch:
        batch.drop_column("stage")
        batch.drop_column("consents")
