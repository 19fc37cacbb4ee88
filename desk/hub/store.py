"""Rows of the hub's database as the structs that rules speak of, and back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias, TypeVar

import msgspec
from sqlalchemy import (
    Connection,
    Insert,
    Row,
    Select,
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
from desk.domain.model import Entry, Item, Person, Standing, Subject, Tally, Task, Undo
from desk.domain.scene import Scene
from desk.hub import changes, registry
from desk.hub.changes import Change
from desk.schema import hub_tables as t

# Rows come by the hundred thousand: names are paired with them here, not looked up in each row.
_ITEM, _TASK, _ENTRY, _SUBJECT, _PERSON = (
    tuple(table.c.keys()) for table in (t.item, t.task, t.entry, t.subject, t.person)
)

_Row: TypeAlias = Subject | Item | Task | Entry | Tally
_AnyRow = TypeVar("_AnyRow", Item, Task)
#: In the order in which they are written.
_TABLES = (t.subject, t.item, t.task, t.entry, t.tally)

_of = t.item.alias()
_ROOTS = (
    select(t.item.c.id)
    .where(
        t.item.c.id.in_(
            select(func.coalesce(_of.c.parent_id, _of.c.id)).where(
                _of.c.id.in_(bindparam("items", expanding=True))
            )
        )
    )
    .order_by(t.item.c.id)
    .with_for_update()
)
_FAMILIES = (
    select(t.item)
    .where(
        or_(
            t.item.c.id.in_(bindparam("roots", expanding=True)),
            t.item.c.parent_id.in_(bindparam("roots", expanding=True)),
        )
    )
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
    values = dict(zip(_SUBJECT, row, strict=True))
    values["consents"] = msgspec.convert(values["consents"], dict[str, Standing])
    return Subject(**values)


def person_of(row: Row[Any]) -> Person:
    """A person from his whole row; his load is not counted."""
    return Person(**dict(zip(_PERSON, row, strict=True)))


def row_of(value: Item | Task | Entry | Subject | Tally) -> dict[str, Any]:
    """The column values of a row."""
    values = msgspec.structs.asdict(value)
    if isinstance(value, Item) and value.undo is not None:
        values["undo"] = msgspec.to_builtins(value.undo)
    elif isinstance(value, Subject):
        values["consents"] = msgspec.to_builtins(value.consents)
    return values


class _Family:
    """The items of one root with their open tasks, by id."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.tasks: dict[str, Task] = {}


class Families:
    """The families of some items as the hub judges them, locked until the transaction ends.

    What an operation did to them is seen by the next one at once, and by the database with
    `write`: a row that many operations of a group change is read once and written once.
    """

    def __init__(self, connection: Connection, items: Collection[str]) -> None:
        """Lock the families of ``items``, as far as there are any.

        The roots come first and in order, so that operations on one family wait for each other and
        see what the other one added, and groups that share families wait without a deadlock.
        """
        self._connection = connection
        self._families: dict[str, _Family] = {}
        self._roots: dict[str, str] = {}
        self._subjects: dict[str, Subject] = {}
        self._stored: dict[Table, set[str]] = {table: set() for table in _TABLES}
        self._unwritten: dict[Table, dict[str, _Row]] = {table: {} for table in _TABLES}
        self._said: list[Outcome] = []
        roots = self._listed(_ROOTS, items=items)
        if roots:
            self._load([root for (root,) in roots])

    def scene(self, item_id: str, people: Sequence[Person]) -> Scene | None:
        """What the rules look at; None where there is no such item."""
        root = self._roots.get(item_id)
        if root is None:
            return None
        family = self._families[root]
        about = sorted({item.subject_id or "" for item in family.items.values()})
        return Scene(
            item_id=item_id,
            items=_in_order(family.items),
            tasks=_in_order(family.tasks),
            subjects=tuple(self._subjects[one] for one in about if one in self._subjects),
            people=tuple(people),
            judge="hub",
        )

    def take(self, scene: Scene, outcome: Outcome) -> list[Change]:
        """Take over what came out of an operation; return what the log must say of it."""
        before = {item.id: item for item in scene.items}
        self._change(t.subject, outcome.subjects, scene.subjects)
        self._change(t.item, outcome.items, scene.items)
        self._change(t.task, outcome.tasks, scene.tasks)
        self._change(t.entry, outcome.entries, ())
        self._change(t.tally, outcome.tallies, ())
        self._subjects.update((subject.id, subject) for subject in outcome.subjects)
        if registry.says_something(outcome):
            self._said.append(outcome)
        for item in outcome.items:
            self._keep(item)
        for task in outcome.tasks:
            self._keep_task(task)
        log = [changes.of_item(before.get(item.id), item) for item in outcome.items]
        log += _log("subject", outcome.subjects, scene.subjects)
        log += _log("task", outcome.tasks, scene.tasks)
        log += _log("entry", outcome.entries, ())
        return log

    def write(self) -> None:
        """Bring the rows of the database to where the operations left them."""
        for table, rows in self._unwritten.items():
            there = self._stored[table]
            values = [row_of(row) for row in rows.values()]
            new = [row for row in values if row["id"] not in there]
            changed = [{"row_id": row.pop("id"), **row} for row in values if row["id"] in there]
            write_rows(self._connection, _insert(table), new)
            write_rows(self._connection, _update(table), changed)
            there.update(rows)
            rows.clear()
        registry.write(self._connection, self._said)
        self._said.clear()

    def _change(self, table: Table, rows: Iterable[_Row], known: Iterable[_Row]) -> None:
        changed = {row.id for row in known}
        stored, unwritten = self._stored[table], self._unwritten[table]
        for row in rows:
            if row.id not in changed and (row.id in stored or row.id in unwritten):
                # The database would refuse it; here it would take the other row's place.
                raise ValueError("a new row has the id of another")
            unwritten[row.id] = row

    def _load(self, roots: Sequence[str]) -> None:
        for row in self._listed(_FAMILIES, roots=roots):
            self._keep(item_of(row))
        items = list(self._roots)
        for row in self._listed(_TASKS, items=items):
            self._keep_task(task_of(row))
        families = self._families.values()
        about = {item.subject_id for one in families for item in one.items.values()}
        found = map(subject_of, self._listed(_SUBJECTS, subjects=about - {None}))
        self._subjects = {subject.id: subject for subject in found}
        self._stored[t.item].update(items)
        self._stored[t.task].update(task for one in families for task in one.tasks)
        self._stored[t.subject].update(self._subjects)

    def _listed(self, statement: Select[Any], **ids: Collection[str | None]) -> Sequence[Row[Any]]:
        """What is found by ids; nothing is asked where there are none."""
        if not all(ids.values()):
            return ()
        given = {name: list(some) for name, some in ids.items()}
        return self._connection.execute(statement, given).all()

    def _keep(self, item: Item) -> None:
        self._roots[item.id] = item.root_id
        self._families.setdefault(item.root_id, _Family()).items[item.id] = item

    def _keep_task(self, task: Task) -> None:
        tasks = self._families[self._roots[task.item_id]].tasks
        if task.closed_at is None:
            tasks[task.id] = task
        else:
            tasks.pop(task.id, None)


def write_rows(
    connection: Connection, statement: Insert | Update, rows: Sequence[dict[str, Any]]
) -> None:
    """Insert or update all the rows; one alone does not need the machinery of many."""
    if rows:
        connection.execute(statement, rows if len(rows) > 1 else rows[0])


def _in_order(rows: Mapping[str, _AnyRow]) -> tuple[_AnyRow, ...]:
    return tuple(rows[identifier] for identifier in sorted(rows))


def _log(
    kind: str,
    rows: Iterable[Task | Entry | Subject],
    known: Iterable[Task | Subject],
) -> Iterable[Change]:
    there = {row.id for row in known}
    for row in rows:
        item_id = None if isinstance(row, Subject) else row.item_id
        yield changes.of_row(kind, row.id, row.version, item_id, new=row.id not in there)


@cache
def _update(table: Table) -> Update:
    columns: dict[str, Any] = {n: bindparam(n) for n in table.c.keys() if n != "id"}  # noqa: SIM118
    return update(table).where(table.c.id == bindparam("row_id")).values(columns)


@cache
def _insert(table: Table) -> Insert:
    return insert(table)
