"""The shadow copy: a second set of the mirrored tables, filled unseen and put in place whole.

It lies in the same encrypted file. Its indexes are there from the start: ids and dates of what
arrives newest first go one way, so every index grows at one end, and nothing has to be sorted
while the operator's own work waits for the writer.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, MetaData, quoted_name

from desk.schema import desk_tables
from desk.services.rows import ROWS as LIVE
from desk.services.rows import Rows

_PREFIX = "shadow_"
_TABLES = {kind: desk_tables.metadata.tables[kind] for kind in LIVE}
#: The rows of every kind in the shadow copy.
ROWS: dict[str, Rows[Any]] = {
    kind: Rows(_PREFIX + kind, rows.struct, _TABLES[kind]) for kind, rows in LIVE.items()
}


def exists(connection: Connection) -> bool:
    """Whether one was begun."""
    return _PREFIX + "item" in _names(connection, "table")


def begin(connection: Connection) -> None:
    """Make an empty one in place of what was begun before."""
    drop(connection)
    taken = _names(connection, "index")
    made = MetaData()
    for kind, live in _TABLES.items():
        for index in live.to_metadata(made, name=_PREFIX + kind).indexes:
            index.name = quoted_name(_free(str(index.name), taken), None)
    made.create_all(connection, checkfirst=False)


def drop(connection: Connection) -> None:
    """Remove it with all that it holds."""
    for kind in LIVE:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {_PREFIX}{kind}")


def items(connection: Connection) -> int:
    """How many items it holds."""
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {_PREFIX}item").scalar_one())  # noqa: S608


def swap(connection: Connection) -> None:
    """Put it in the place of the mirrored tables, which are gone with all that they held."""
    for kind in LIVE:
        connection.exec_driver_sql(f"DROP TABLE {kind}")
        connection.exec_driver_sql(f"ALTER TABLE {_PREFIX}{kind} RENAME TO {kind}")


def _free(name: str, taken: set[str]) -> str:
    """A name for an index whose table is not in place yet: SQLite wants each name once."""
    return name if name not in taken else f"{name}_2"


def _names(connection: Connection, what: str) -> set[str]:
    query = "SELECT name FROM sqlite_master WHERE type = ?"
    return {row[0] for row in connection.exec_driver_sql(query, (what,))}
