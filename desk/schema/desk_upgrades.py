"""How a ``local.db`` of an older build becomes one of today's. Queue, inbox and drafts are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from desk.schema import desk_tables

#: Where a file of version 2 leaves the plain rows of people (see ``subjects.take_over``).
PLAIN_SUBJECTS = "plain_subject"


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
    """There is a journal, and people are sealed: their plain rows wait for whoever has the keys."""
    connection.exec_driver_sql(f"ALTER TABLE subject RENAME TO {PLAIN_SUBJECTS}")
    names = ("subject", "subject_lookup", "vault_state", "erasure", "journal")
    desk_tables.metadata.create_all(connection, [desk_tables.metadata.tables[n] for n in names])
    # A shadow copy that was arriving, or is being cleared, has the old tables: it begins anew.
    for kind in ("item", "task", "entry", "subject", "person"):
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS shadow_{kind}")
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS aside_{kind}")
    connection.exec_driver_sql("DELETE FROM setting WHERE key = 'snapshot'")


_STEPS: Mapping[int, Callable[[Connection], None]] = {1: _from_1, 2: _from_2}
