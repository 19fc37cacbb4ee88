"""The floor of the local copy: the same rows in plain `sqlite3`, without encryption or rules."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import Took, timed

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


def write(path: Path, rows: Rows) -> Took:
    """Write the rows into a new file with the desk's own tables."""
    with closing(sqlite3.connect(path)) as connection:
        prepare(connection)
        return timed(lambda: _insert(connection, rows))


def prepare(connection: sqlite3.Connection) -> None:
    """Make the desk's own tables in a new file, written as the desk writes what can be fetched
    again."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    for statement in _schema():
        connection.execute(statement)


def _insert(connection: sqlite3.Connection, rows: Rows) -> None:
    with connection:
        for table, (columns, values) in rows.items():
            marks = ", ".join("?" * len(columns))
            names = ", ".join(columns)
            connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)


def ids_in_order(path: Path, kind: str) -> Took:
    """Select the ids of a board in its order."""
    order = (
        "SELECT stage, coalesce(due_at, 1 << 62), -created_at, id FROM item WHERE kind = ?"
        " ORDER BY 2, 3, 4"
    )
    with closing(sqlite3.connect(path)) as connection:
        return timed(lambda: connection.execute(order, (kind,)).fetchall())


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

    def move_one(self) -> None:
        """Move the next card; it is on the disk when this returns."""
        item_id = self._ids[self._number % len(self._ids)]
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

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _schema() -> Iterable[str]:
    from sqlalchemy import JSON, MetaData
    from sqlalchemy.dialects import sqlite
    from sqlalchemy.schema import CreateIndex, CreateTable

    from desk.schema.desk_tables import metadata
    from desk.schema.tables import mirrored

    dialect = sqlite.dialect()
    people = mirrored(MetaData(), JSON())["subject"]
    for table in (*metadata.sorted_tables, people):
        # The desk's own people are sealed.
        if table.name == people.name and table is not people:
            continue
        yield str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            yield str(CreateIndex(index).compile(dialect=dialect))
