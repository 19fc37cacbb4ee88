"""An index of deadlines, for the items a new desk gets first.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    has_deadline = sa.text("due_at IS NOT NULL")
    op.create_index(
        "item_due",
        "item",
        ["due_at", "id"],
        sqlite_where=has_deadline,
        postgresql_where=has_deadline,
    )


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("item_due", "item")
