"""The shadow copy: a second set of the mirrored tables, filled unseen and put in place whole.

It lies in the same encrypted file. Its indexes are there from the start: ids and dates of what
arrives newest first go one way, so every index grows at one end, and nothing has to be sorted
while the operator's own work waits for the writer. The tables it replaces are put aside and cleared
a part at a time: to overwrite all they hold takes as long as to fetch it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, MetaData, quoted_name

from desk.schema import desk_tables
from desk.services import vault_state
from desk.services.rows import ROWS as LIVE
from desk.services.rows import SUBJECTS as LIVE_SUBJECTS
from desk.services.rows import Rows
from desk.services.table_rows import SHADOW

_PREFIX = SHADOW
_ASIDE = "aside_"
#: The mirrored tables, and what goes with them.
_TABLES = {name: desk_tables.metadata.tables[name] for name in (*LIVE, "subject_lookup")}
#: The rows of every kind in the shadow copy.
SUBJECTS = LIVE_SUBJECTS.in_shadow()
ROWS: dict[str, Rows[Any]] = {
    kind: rows.in_shadow() if rows is not LIVE_SUBJECTS else SUBJECTS for kind, rows in LIVE.items()
}


def exists(connection: Connection) -> bool:
    """Whether one was begun."""
    return _PREFIX + "item" in _names(connection, "table")


def begin(connection: Connection) -> None:
    """Make an empty one; there is none, and nothing aside."""
    taken = _names(connection, "index")
    made = MetaData()
    for name, live in _TABLES.items():
        for index in live.to_metadata(made, name=_PREFIX + name).indexes:
            index.name = quoted_name(_free(str(index.name), taken), None)
    made.create_all(connection, checkfirst=False)


def drop(connection: Connection) -> None:
    """Remove it and what was put aside, at once."""
    for name in _TABLES:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {_PREFIX}{name}")
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {_ASIDE}{name}")
    vault_state.forget(connection, SUBJECTS.kind)


def items(connection: Connection) -> int:
    """How many items it holds."""
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {_PREFIX}item").scalar_one())  # noqa: S608


def swap(connection: Connection) -> None:
    """Put it in the place of the mirrored tables, and these aside, to be cleared."""
    for name in _TABLES:
        _rename(connection, name, _ASIDE + name)
        _rename(connection, _PREFIX + name, name)
    vault_state.swap(connection, SUBJECTS.kind)


def abandon(connection: Connection) -> None:
    """Put it aside, to be cleared: what it holds is of no use any more."""
    for name in _TABLES:
        _rename(connection, _PREFIX + name, _ASIDE + name)
    vault_state.forget(connection, SUBJECTS.kind)


def is_aside(connection: Connection) -> bool:
    """Whether something was put aside and is not cleared yet."""
    return any(name.startswith(_ASIDE) for name in _names(connection, "table"))


def clear_some(connection: Connection, rows: int) -> None:
    """Overwrite so many rows of what was put aside, or remove a table that is empty by now."""
    aside = sorted(name for name in _names(connection, "table") if name.startswith(_ASIDE))
    if not aside:
        return
    key = "rowid" if aside[0] != f"{_ASIDE}subject_lookup" else "(shelf, digest, subject_id)"
    some = f"SELECT {key.strip('()')} FROM {aside[0]} LIMIT ?"  # noqa: S608 - names of our own tables
    sql = f"DELETE FROM {aside[0]} WHERE {key} IN ({some})"  # noqa: S608
    if connection.exec_driver_sql(sql, (rows,)).rowcount < rows:
        connection.exec_driver_sql(f"DROP TABLE {aside[0]}")


def _rename(connection: Connection, name: str, to: str) -> None:
    connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {to}")


def _free(name: str, taken: set[str]) -> str:
    """A name for an index whose table is not in place yet: SQLite wants each name once."""
    return name if name not in taken else f"{name}_2"


def _names(connection: Connection, what: str) -> set[str]:
    query = "SELECT name FROM sqlite_master WHERE type = ?"
    return {row[0] for row in connection.exec_driver_sql(query, (what,))}
