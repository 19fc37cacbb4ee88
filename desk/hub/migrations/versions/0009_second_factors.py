"""Codes for new devices, and second factors.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every device may come in as before, and nobody needs a second factor."""
    op.add_column(
        "hub", sa.Column("enrolment", sa.String(8), nullable=False, server_default="open")
    )
    op.add_column("hub", sa.Column("totp", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "enrolment_code",
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("hash", sa.String(200), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "second_factor",
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("begun", sa.LargeBinary(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "recovery_code",
        sa.Column("hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("user_id", sa.String(64), nullable=False),
    )
    op.create_index("ix_recovery_code_user_id", "recovery_code", ["user_id"])


def downgrade() -> None:
    """Forget codes and factors."""
    op.drop_table("recovery_code")
    op.drop_table("second_factor")
    op.drop_table("enrolment_code")
    op.drop_column("hub", "totp")
    op.drop_column("hub", "enrolment")
