"""Rows of the hub's database as the structs that rules speak of, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, Table, insert, or_, select, update

from desk.domain.effects import Outcome
from desk.domain.model import Entry, Item, Person, Subject, Tally, Task, Undo
from desk.domain.scene import Scene
from desk.hub import changes
from desk.hub.changes import Change
from desk.schema import hub_tables as t

# Rows come by the hundred thousand: names are paired with them here, not looked up in each row.
_ITEM, _TASK, _ENTRY, _SUBJECT, _PERSON = (
    tuple(table.c.keys()) for table in (t.item, t.task, t.entry, t.subject, t.person)
)


def item_of(row: Row[Any]) -> Item:
    """An item from its whole row."""
    values = dict(zip(_ITEM, row, strict=True))
    if values["undo"] is not None:
        values["undo"] = msgspec.convert(values["undo"], Undo)
    return Item(**values)


def task_of(row: Row[Any]) -> Task:
    """A task from its whole row."""
    return Task(**dict(zip(_TASK, row, strict=True)))


def entry_of(row: Row[Any]) -> Entry:
    """A timeline entry from its whole row."""
    return Entry(**dict(zip(_ENTRY, row, strict=True)))


def subject_of(row: Row[Any]) -> Subject:
    """A subject from its whole row."""
    return Subject(**dict(zip(_SUBJECT, row, strict=True)))


def person_of(row: Row[Any]) -> Person:
    """A person from his whole row; his load is not counted."""
    return Person(**dict(zip(_PERSON, row, strict=True)))


def row_of(value: Item | Task | Entry | Subject | Tally) -> dict[str, Any]:
    """The column values of a row."""
    values = msgspec.structs.asdict(value)
    if isinstance(value, Item) and value.undo is not None:
        values["undo"] = msgspec.to_builtins(value.undo)
    return values


def load_scene(connection: Connection, item_id: str, people: Sequence[Person]) -> Scene | None:
    """The family of an item as the hub judges it, locked until the transaction ends.

    The root is locked first, so operations on one family wait for each other and see what the
    other one added. None where there is no such item.
    """
    found = connection.execute(select(t.item.c.parent_id).where(t.item.c.id == item_id)).first()
    if found is None:
        return None
    root: str = found.parent_id or item_id
    root_row = select(t.item.c.id).where(t.item.c.id == root).with_for_update()
    connection.execute(root_row).first()
    family = (
        select(t.item)
        .where(or_(t.item.c.id == root, t.item.c.parent_id == root))
        .order_by(t.item.c.id)
        .with_for_update()
    )
    items = _all(connection, family, item_of)
    ids = [item.id for item in items]
    tasks = (
        select(t.task)
        .where(t.task.c.item_id.in_(ids), t.task.c.closed_at.is_(None))
        .order_by(t.task.c.id)
    )
    subjects = (
        select(t.subject)
        .where(t.subject.c.id.in_({item.subject_id for item in items if item.subject_id}))
        .order_by(t.subject.c.id)
        .with_for_update()
    )
    return Scene(
        item_id=item_id,
        items=tuple(items),
        tasks=tuple(_all(connection, tasks, task_of)),
        subjects=tuple(_all(connection, subjects, subject_of)),
        people=tuple(people),
        judge="hub",
    )


def save(connection: Connection, scene: Scene, outcome: Outcome) -> list[Change]:
    """Write what came out of an operation and return what the log must say of it."""
    items = {item.id: item for item in scene.items}
    tasks = {task.id for task in scene.tasks}
    subjects = {subject.id for subject in scene.subjects}
    _write(connection, t.subject, outcome.subjects, subjects)
    _write(connection, t.item, outcome.items, items)
    _write(connection, t.task, outcome.tasks, tasks)
    _write(connection, t.entry, outcome.entries, ())
    _write(connection, t.tally, outcome.tallies, ())
    log = [changes.of_item(items.get(item.id), item) for item in outcome.items]
    log += _log("subject", outcome.subjects, subjects)
    log += _log("task", outcome.tasks, tasks)
    log += _log("entry", outcome.entries, ())
    return log


def _log(
    kind: str, rows: Iterable[Task | Entry | Subject], known: Iterable[str]
) -> Iterable[Change]:
    there = frozenset(known)
    for row in rows:
        item_id = None if isinstance(row, Subject) else row.item_id
        yield changes.of_row(kind, row.id, row.version, item_id, new=row.id not in there)


def _write(
    connection: Connection,
    table: Table,
    rows: Iterable[Item | Task | Entry | Subject | Tally],
    known: Iterable[str],
) -> None:
    there = frozenset(known)
    values = [row_of(row) for row in rows]
    new = [row for row in values if row["id"] not in there]
    if new:
        connection.execute(insert(table), new)
    for row in values:
        if row["id"] in there:
            changed = {name: value for name, value in row.items() if name != "id"}
            connection.execute(update(table).where(table.c.id == row["id"]).values(changed))


def _all(connection: Connection, query: Select[Any], make: Any) -> list[Any]:
    return [make(row) for row in connection.execute(query).all()]
