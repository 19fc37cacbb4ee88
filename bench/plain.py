"""The floor of the local copy: the same rows in plain `sqlite3`, without encryption or rules."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desk.services.desk import Desk

#: A table's rows as its columns have them.
Rows = dict[str, tuple[list[str], list[tuple[object, ...]]]]
_TABLES = ("item", "task", "entry", "subject", "person")


def rows_of(desk: Desk, tables: Iterable[str] = _TABLES) -> Rows:
    """Every mirrored row of a desk, as the driver takes it."""
    found: Rows = {}
    with desk.context.store.read() as connection:
        for table in tables:
            result = connection.exec_driver_sql(f"SELECT * FROM {table}")
            columns = list(result.keys())
            found[table] = (columns, [tuple(row) for row in result])
    return found


def write(path: Path, rows: Rows) -> float:
    """Write the rows into a new file with the desk's own tables; the seconds it took."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        for statement in _schema():
            connection.execute(statement)
        began = time.perf_counter()
        with connection:
            for table, (columns, values) in rows.items():
                marks = ", ".join("?" * len(columns))
                names = ", ".join(columns)
                connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)
        return time.perf_counter() - began


def ids_in_order(path: Path, kind: str) -> float:
    """Select the ids of a board in its order; the seconds it took."""
    with closing(sqlite3.connect(path)) as connection:
        began = time.perf_counter()
        connection.execute(
            "SELECT stage, coalesce(due_at, 1 << 62), -created_at, id FROM item WHERE kind = ?"
            " ORDER BY 2, 3, 4",
            (kind,),
        ).fetchall()
        return time.perf_counter() - began


class Moves:
    """Moving cards with two statements: the row, and the operation in the queue."""

    def __init__(self, path: str | Path) -> None:
        self._connection = sqlite3.connect(path)
        # What a person did must survive a power cut, here as there.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._ids: Sequence[str] = [
            row[0]
            for row in self._connection.execute("SELECT id FROM item ORDER BY id DESC LIMIT 1000")
        ]
        self._number = 0

    def move_one(self) -> float:
        """Move the next card; the seconds until it is on the disk."""
        item_id = self._ids[self._number % len(self._ids)]
        began = time.perf_counter()
        with self._connection:
            self._connection.execute(
                "UPDATE item SET stage = 'in_work', version = version + 1 WHERE id = ?", (item_id,)
            )
            last = self._connection.execute("SELECT max(number) FROM queue").fetchone()[0] or 0
            self._connection.execute(
                "INSERT INTO queue (number, id, item_id, body, state) VALUES (?, ?, ?, ?, ?)",
                (last + 1, f"{last + 1:036d}", item_id, '{"type":"move"}', "pending"),
            )
        self._number += 1
        return time.perf_counter() - began

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _schema() -> Iterable[str]:
    from sqlalchemy.dialects import sqlite
    from sqlalchemy.schema import CreateIndex, CreateTable

    from desk.schema.desk_tables import metadata

    dialect = sqlite.dialect()
    for table in metadata.sorted_tables:
        yield str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            yield str(CreateIndex(index).compile(dialect=dialect))
