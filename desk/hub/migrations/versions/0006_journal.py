"""The journal of personal data.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.String(36).with_variant(sa.String(36, collation="C"), "postgresql")
_JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Make its tables."""
    op.create_table(
        "journal",
        sa.Column("stream", _ID, primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger()),
        sa.Column("who", sa.String(64)),
        sa.Column("role", sa.String(80), nullable=False),
        sa.Column("device", sa.String(80), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("purpose", sa.String(80), nullable=False),
        sa.Column("subject_id", _ID),
        sa.Column("item_id", _ID),
        sa.Column("fields", _JSON, nullable=False),
        sa.Column("offline", sa.Boolean(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("detail", _JSON, nullable=False),
        sa.Column("subjects", sa.LargeBinary(), nullable=False),
        sa.Column("first_subject", _ID),
        sa.Column("last_subject", _ID),
        sa.Column("mac", sa.LargeBinary(32), nullable=False),
    )
    op.create_index("journal_entry", "journal", ["stream", "id"], unique=True)
    op.create_index("journal_at", "journal", ["at", "stream", "seq"])
    op.create_index("journal_subject", "journal", ["subject_id", "at"])
    op.create_index("journal_item", "journal", ["item_id", "at"])
    op.create_index("journal_who", "journal", ["who", "event", "at"])
    op.create_index("journal_packed", "journal", ["first_subject", "last_subject"])
    for name, stream in (("journal_head", "stream"), ("journal_upload", "device_id")):
        op.create_table(
            name,
            sa.Column(stream, _ID, primary_key=True),
            sa.Column("seq", sa.BigInteger(), nullable=False),
            sa.Column("mac", sa.LargeBinary(32), nullable=False),
        )


def downgrade() -> None:
    """Drop them."""
    for table in ("journal_upload", "journal_head", "journal"):
        op.drop_table(table)
