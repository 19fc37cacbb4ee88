"""How a ``local.db`` of an older build becomes one of today's. Queue, inbox and drafts are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from desk.schema import desk_tables


def upgrade(connection: Connection, version: int) -> None:
    """Take the file from ``version`` to the newest; the caller notes which one it has then."""
    while version in _STEPS:
        _STEPS[version](connection)
        version += 1


def _from_1(connection: Connection) -> None:
    """What was sent is kept for a while, and the inbox says who was first."""
    desk_tables.sent.create(connection)
    connection.exec_driver_sql("ALTER TABLE inbox ADD COLUMN changed TEXT NOT NULL DEFAULT '{}'")
    # A snapshot that was arriving in the old way begins anew.
    gone = "'snapshot_cursor', 'snapshot_after', 'staging_reset'"
    connection.exec_driver_sql(f"DELETE FROM setting WHERE key IN ({gone})")  # noqa: S608 - names
    connection.exec_driver_sql("DELETE FROM staged")


def _from_2(connection: Connection) -> None:
    """Subjects say what they agreed to, and whether they asked to be erased."""
    for column in ("consents JSON NOT NULL DEFAULT '{}'", "stage TEXT NOT NULL DEFAULT 'active'"):
        connection.exec_driver_sql(f"ALTER TABLE subject ADD COLUMN {column}")
    desk_tables.journal.create(connection)


_STEPS: Mapping[int, Callable[[Connection], None]] = {1: _from_1, 2: _from_2}
