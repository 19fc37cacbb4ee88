"""The mirrored rows in ``local.db``, kind by kind."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from desk.domain.model import Entry, Item, Person, Task
from desk.schema import desk_tables
from desk.services.subjects import SubjectRows
from desk.services.table_rows import Rows

__all__ = ["ENTRIES", "ITEMS", "PEOPLE", "ROWS", "SUBJECTS", "TASKS", "Rows", "family"]

ITEMS = Rows("item", Item, desk_tables.item)
TASKS = Rows("task", Task, desk_tables.task)
ENTRIES = Rows("entry", Entry, desk_tables.entry)
SUBJECTS = SubjectRows()
PEOPLE = Rows("person", Person, desk_tables.person)
#: The rows of every kind, by the kind's name on the wire.
ROWS: dict[str, Rows[Any]] = {rows.kind: rows for rows in (ITEMS, TASKS, ENTRIES, SUBJECTS, PEOPLE)}


def family(connection: Connection, item_id: str) -> list[Item]:
    """An item's root with every item whose parent is that root; empty when it is not here."""
    found = ITEMS.get(connection, (item_id,))
    if not found:
        return []
    root = found[0].root_id
    sql = f"{ITEMS.select} WHERE id = ? OR parent_id = ? ORDER BY id"
    return [ITEMS.decode(row) for row in connection.exec_driver_sql(sql, (root, root))]
