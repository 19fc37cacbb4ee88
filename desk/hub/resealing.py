"""Sealing rows that lie bare: of a hub of before, or of fields that only now count as personal.

In pieces, each a transaction of its own. Cut short, it is begun anew and finds what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, bindparam, select, update
from sqlalchemy.sql.elements import BindParameter

from desk.domain.model import Item, Subject
from desk.hub import lookup, texts
from desk.hub.database import Database
from desk.hub.keystore import truncate_log
from desk.hub.store import Opened, Sealed, write_rows
from desk.schema import hub_tables as t

#: Rows of one transaction: on SQLite everybody who writes waits for it.
AT_ONCE = 1000
_COLUMNS = {
    t.subject: ("fields", "sealed"),
    t.item: ("title", "fields", "sealed"),
    t.entry: ("comment", "sealed"),
    **{table: (*names, "sealed") for table, names in texts.TEXTS.items()},
}


def seal_rows(database: Database) -> None:
    """Seal everything that lies bare, and leave nothing of it in the database's files."""
    subjects, items, entries = t.subject.c, t.item.c, t.entry.c
    bare = {
        t.subject: subjects.sealed.is_(None),
        t.item: items.sealed.is_(None),
        t.entry: (entries.sealed.is_(None)) & (entries.comment != ""),
        **{table: texts.bare(table) for table in texts.TEXTS},
    }
    for table, left in bare.items():
        _seal(database, table, left)
    _compact(database)


def seal_items(database: Database, kinds: frozenset[str]) -> None:
    """Seal the items of the kinds anew: other fields of theirs count as personal now."""
    _seal(database, t.item, t.item.c.kind.in_(kinds))
    _compact(database)


def _seal(database: Database, table: Table, left: ColumnElement[bool]) -> None:
    columns: dict[str, BindParameter[Any]] = {name: bindparam(name) for name in _COLUMNS[table]}
    statement = update(table).where(table.c.id == bindparam("row")).values(columns)
    after = ""
    while True:
        with database.write() as connection:
            query = select(table).where(left, table.c.id > after).order_by(table.c.id)
            rows = connection.execute(query.limit(AT_ONCE).with_for_update()).all()
            if not rows:
                return
            sealed = _sealed(connection, table, rows)
            write_rows(connection, statement, [_picked(table, row) for row in sealed])
        after = rows[-1].id


def _sealed(connection: Connection, table: Table, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    if table in texts.TEXTS:
        return texts.stored(connection, table, texts.opened(connection, table, rows))
    opened, sealed = Opened(connection), Sealed(connection)
    if table is t.subject:
        subjects: list[Subject] = opened.subjects_of(rows)
        lookup.write(connection, sealed.playbook, subjects, new=False)
        return sealed.rows(subjects)
    if table is t.item:
        items: list[Item] = opened.items_of(rows)
        return sealed.rows(items)
    ids = {row.item_id for row in rows}
    about = select(t.item.c.id, t.item.c.subject_id).where(t.item.c.id.in_(ids))
    subjects_of = {row.id: row.subject_id for row in connection.execute(about)}
    return sealed.rows(opened.entries_of(rows), lambda one: subjects_of.get(one) or one)


def _picked(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    return {"row": row["id"], **{name: row[name] for name in _COLUMNS[table]}}


def _compact(database: Database) -> None:
    """Write the tables anew: what stood bare is still on pages and in rows that are free."""
    if database.is_sqlite:
        connection = database.engine.raw_connection()
        try:
            connection.cursor().execute("VACUUM").fetchall()
        finally:
            connection.close()
        truncate_log(database.engine)
        return
    with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for table in _COLUMNS:
            connection.exec_driver_sql(f"VACUUM FULL {table.name}")
