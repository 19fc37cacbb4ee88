"""Ids in the order of their bytes, whatever language PostgreSQL sorts in.

Desks walk along the ids and cut them into ranges; Danish, Norwegian and Welsh sort some pairs of
hexadecimal digits otherwise.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: All columns that hold an id, for only columns of one collation can be compared.
_IDS = {
    "change": ("item_id",),
    "crash": ("device_id",),
    "device": ("id",),
    "entry": ("id", "item_id"),
    "hub": ("id",),
    "item": ("id", "parent_id", "subject_id"),
    "operation": ("id", "device_id"),
    "subject": ("id",),
    "tally": ("id", "item_id"),
    "task": ("id", "item_id"),
    "token": ("device_id",),
}


def upgrade() -> None:
    """Sort by bytes; SQLite always does."""
    _sort('"C"')


def downgrade() -> None:
    """Sort as the database does."""
    _sort('"default"')


def _sort(collation: str) -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, columns in _IDS.items():
        changed = ", ".join(
            f"ALTER COLUMN {one} TYPE varchar(36) COLLATE {collation}" for one in columns
        )
        op.execute(sa.text(f'ALTER TABLE "{table}" {changed}'))
