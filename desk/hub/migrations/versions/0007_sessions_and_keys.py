"""Sessions whose tokens follow one another, and devices that have a key.

Tokens of before are forgotten: their desks have no key, and everybody signs in anew.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.String(36).with_variant(sa.String(36, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables of sessions, and anew that of access tokens."""
    op.add_column("device", sa.Column("public_key", sa.LargeBinary(32), nullable=True))
    op.create_table(
        "session",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("device_id", _ID, nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("renewed_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("refresh_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("spent_hash", sa.LargeBinary(32), nullable=True),
        sa.Column("salt", sa.LargeBinary(32), nullable=True),
        sa.Column("retry_hash", sa.LargeBinary(32), nullable=True),
        sa.Column("retry_until", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_session_user_id", "session", ["user_id"])
    op.drop_table("token")
    op.create_table(
        "token",
        sa.Column("hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("session_id", _ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_token_session_id", "token", ["session_id"])
    op.create_index("ix_token_expires_at", "token", ["expires_at"])
    op.create_table(
        "proof_nonce",
        sa.Column("hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_proof_nonce_at", "proof_nonce", ["at"])


def downgrade() -> None:
    """Back to one long-lived token for a device."""
    op.drop_table("proof_nonce")
    op.drop_table("token")
    op.create_table(
        "token",
        sa.Column("hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("device_id", _ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_token_user_id", "token", ["user_id"])
    op.create_index("ix_token_device_id", "token", ["device_id"])
    op.drop_table("session")
    with op.batch_alter_table("device") as batch:
        batch.drop_column("public_key")
