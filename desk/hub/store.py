"""Rows of the hub's database as the structs that rules speak of, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Insert,
    Row,
    Table,
    Update,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

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


_of = t.item.alias()
_ROOT = (
    select(t.item.c.id)
    .where(
        t.item.c.id
        == select(func.coalesce(_of.c.parent_id, _of.c.id))
        .where(_of.c.id == bindparam("item"))
        .scalar_subquery()
    )
    .with_for_update()
)
_FAMILY = (
    select(t.item)
    .where(or_(t.item.c.id == bindparam("root"), t.item.c.parent_id == bindparam("root")))
    .order_by(t.item.c.id)
    .with_for_update()
)
_TASKS = (
    select(t.task)
    .where(t.task.c.item_id.in_(bindparam("items", expanding=True)), t.task.c.closed_at.is_(None))
    .order_by(t.task.c.id)
)
_SUBJECTS = (
    select(t.subject)
    .where(t.subject.c.id.in_(bindparam("subjects", expanding=True)))
    .order_by(t.subject.c.id)
    .with_for_update()
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
    root = connection.execute(_ROOT, {"item": item_id}).scalar_one_or_none()
    if root is None:
        return None
    items = [item_of(row) for row in connection.execute(_FAMILY, {"root": root})]
    ids = [item.id for item in items]
    about = list({item.subject_id for item in items if item.subject_id})
    return Scene(
        item_id=item_id,
        items=tuple(items),
        tasks=tuple(task_of(row) for row in connection.execute(_TASKS, {"items": ids})),
        subjects=tuple(
            subject_of(row) for row in connection.execute(_SUBJECTS, {"subjects": about})
        ),
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
        connection.execute(_insert(table), new)
    changed = [{"row_id": row.pop("id"), **row} for row in values if row["id"] in there]
    if changed:
        connection.execute(_update(table), changed)


@cache
def _update(table: Table) -> Update:
    columns: dict[str, Any] = {n: bindparam(n) for n in table.c.keys() if n != "id"}  # noqa: SIM118
    return update(table).where(table.c.id == bindparam("row_id")).values(columns)


@cache
def _insert(table: Table) -> Insert:
    return insert(table)
