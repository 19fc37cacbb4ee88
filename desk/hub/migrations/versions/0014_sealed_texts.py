"""Room for sealed free texts: of consents, of requests, of incidents.

What stands there bare is sealed by ``desk.hub.setup.bring_up``, in pieces.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_SEALED = ("consent", "pd_request", "incident")


def upgrade() -> None:
    """Add the columns; `bring_up` looks again for what lies bare."""
    for table in _SEALED:
        op.add_column(table, sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.execute("UPDATE hub SET sealed_at = NULL")


def downgrade() -> None:
    """Only where nothing was sealed yet: it would be lost."""
    for table in _SEALED:
        sealed = sa.text(f"SELECT count(*) FROM {table} WHERE sealed IS NOT NULL")  # noqa: S608
        if op.get_bind().execute(sealed).scalar_one():
            raise RuntimeError("sealed rows cannot be brought back")
    for table in _SEALED:
        with op.batch_alter_table(table) as batch:
            batch.drop_column("sealed")
