"""Room for sealed personal data, and the index that finds a subject without storing his phone.

What stands there bare is sealed by ``desk.hub.setup.bring_up``, in pieces.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ID = sa.String(36).with_variant(sa.String(36, collation="C"), "postgresql")
_SEALED = ("item", "entry", "subject")


def upgrade() -> None:
    """Add the columns and the table; what a hub that has keys holds bare is sealed anew."""
    for table in _SEALED:
        op.add_column(table, sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.create_table(
        "subject_lookup",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("digest", sa.LargeBinary(16), primary_key=True),
        sa.Column("subject_id", _ID, primary_key=True),
    )
    op.create_index("subject_lookup_subject", "subject_lookup", ["subject_id"])
    op.execute("UPDATE hub SET sealed_at = NULL")


def downgrade() -> None:
    """Only a hub without rows can go back: what is sealed would be lost."""
    if op.get_bind().execute(sa.text("SELECT count(*) FROM item")).scalar_one():
        raise RuntimeError("sealed rows cannot be brought back")
    op.drop_table("subject_lookup")
    for table in _SEALED:
        with op.batch_alter_table(table) as batch:
            batch.drop_column("sealed")
