"""Rows of the hub's database as the structs that rules speak of, and back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias, TypeVar

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
from desk.domain.model import Entry, Item, Person, Standing, Subject, Tally, Task, Undo, Value
from desk.domain.playbook import Playbook
from desk.domain.scene import Scene
from desk.hub import changes, lookup, registry
from desk.hub.changes import Change
from desk.hub.database import keys_of
from desk.hub.keystore import key_name
from desk.hub.playbooks import current
from desk.hub.sealing import Ring, personal_fields
from desk.schema import hub_tables as t

# Rows come by the hundred thousand: names are paired with them here, not looked up in each row.
# The last column of an item, an entry and a subject is what is sealed of it.
_ITEM, _TASK, _ENTRY, _SUBJECT, _PERSON = (
    tuple(table.c.keys()) for table in (t.item, t.task, t.entry, t.subject, t.person)
)

_Row: TypeAlias = Subject | Item | Task | Entry | Tally
_AnyRow = TypeVar("_AnyRow", Item, Task)
#: In the order in which they are written.
_TABLES = (t.subject, t.item, t.task, t.entry, t.tally)

_encode = msgspec.json.encode
_decode_item = msgspec.json.Decoder(tuple[str, dict[str, Value]]).decode
_decode_fields = msgspec.json.Decoder(dict[str, Value]).decode

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


def bare_item_of(row: Row[Any]) -> Item:
    """An item from its whole row, without what is sealed: for its place and its scope alone."""
    values = dict(zip(_ITEM, row, strict=True))
    del values["sealed"]
    if values["undo"] is not None:
        values["undo"] = msgspec.convert(values["undo"], Undo)
    return Item(**values)


def task_of(row: Row[Any]) -> Task:
    """A task from its whole row."""
    return Task(**dict(zip(_TASK, row, strict=True)))


def person_of(row: Row[Any]) -> Person:
    """A person from his whole row; his load is not counted."""
    return Person(**dict(zip(_PERSON, row, strict=True)))


class Opened:
    """Rows as the structs that rules speak of, opened with keys that are got once for them all.

    What was sealed by a key that is destroyed is empty.
    """

    def __init__(self, connection: Connection) -> None:
        """Its keys live as long as this does: no longer than a request."""
        self.ring = Ring(keys_of(connection))
        self._connection = connection

    def items(self, query: Select[Any]) -> list[Item]:
        """The items of a query for whole rows."""
        return self.items_of(self._connection.execute(query).all())

    def entries(self, query: Select[Any]) -> list[Entry]:
        """The timeline entries of a query for whole rows."""
        return self.entries_of(self._connection.execute(query).all())

    def subjects(self, query: Select[Any]) -> list[Subject]:
        """The subjects of a query for whole rows."""
        return self.subjects_of(self._connection.execute(query).all())

    def items_of(self, rows: Sequence[Row[Any]]) -> list[Item]:
        """The items of whole rows."""
        self.ring.fetch(row[-1] for row in rows)
        return [self._item(row) for row in rows]

    def entries_of(self, rows: Sequence[Row[Any]]) -> list[Entry]:
        """The timeline entries of whole rows."""
        self.ring.fetch(row[-1] for row in rows)
        return [self._entry(row) for row in rows]

    def subjects_of(self, rows: Sequence[Row[Any]]) -> list[Subject]:
        """The subjects of whole rows."""
        self.ring.fetch(row[-1] for row in rows)
        return [self._subject(row) for row in rows]

    def _item(self, row: Row[Any]) -> Item:
        values = dict(zip(_ITEM, row, strict=True))
        sealed = values.pop("sealed")
        if values["undo"] is not None:
            values["undo"] = msgspec.convert(values["undo"], Undo)
        if sealed is not None:
            place = ("item", values["kind"], values["id"], values["version"])
            opened = self.ring.open(sealed, *place)
            if opened is not None:
                values["title"], fields = _decode_item(opened)
                values["fields"] = {**values["fields"], **fields}
        return Item(**values)

    def _entry(self, row: Row[Any]) -> Entry:
        values = dict(zip(_ENTRY, row, strict=True))
        sealed = values.pop("sealed")
        if sealed is not None:
            opened = self.ring.open(sealed, "entry", "", values["id"], values["version"])
            values["comment"] = opened.decode() if opened is not None else ""
        return Entry(**values)

    def _subject(self, row: Row[Any]) -> Subject:
        values = dict(zip(_SUBJECT, row, strict=True))
        sealed = values.pop("sealed")
        values["consents"] = msgspec.convert(values["consents"], dict[str, Standing])
        if sealed is not None:
            opened = self.ring.open(sealed, "subject", "", values["id"], values["version"])
            if opened is None:
                # An old backup of the rows: his key says that he is erased.
                values["stage"], values["field_versions"] = "erased", {}
            else:
                values["fields"] = _decode_fields(opened)
        return Subject(**values)


class Sealed:
    """Rows as they are stored: what is personal in them sealed."""

    def __init__(self, connection: Connection, ring: Ring | None = None) -> None:
        """``ring`` are keys that are at hand."""
        self.playbook = current(connection).playbook
        self._ring = ring or Ring(keys_of(connection))
        self._personal = personal_fields(self.playbook)

    def rows(
        self, values: Iterable[_Row], whose: Callable[[str], str] = lambda item_id: item_id
    ) -> list[dict[str, Any]]:
        """The column values; ``whose`` gives, for an entry's item, whom it speaks of: the id of
        the subject, or its own. Raises `KeyDestroyed` for something of an erased subject."""
        made = [self._row(value, whose) for value in values]
        self._ring.ensure(key_name(secret.owner) for _, secret in made if secret)
        for row, secret in made:
            if secret is not None:
                place = (secret.table, secret.kind, row["id"], row["version"])
                row["sealed"] = self._ring.seal(key_name(secret.owner), secret.data, *place)
        return [row for row, _ in made]

    def _row(
        self, value: _Row, whose: Callable[[str], str]
    ) -> tuple[dict[str, Any], _Secret | None]:
        row = msgspec.structs.asdict(value)
        secret = None
        match value:
            case Item():
                if value.undo is not None:
                    row["undo"] = msgspec.to_builtins(value.undo)
                secret = self._hide_item(row, value)
            case Subject():
                row["consents"] = msgspec.to_builtins(value.consents)
                if value.fields:
                    secret = _Secret(value.id, "subject", "", _encode(value.fields))
                row["fields"], row["sealed"] = {}, None
            case Entry():
                if value.comment:
                    owner = whose(value.item_id)
                    secret = _Secret(owner, "entry", "", value.comment.encode())
                row["comment"], row["sealed"] = "", None
            case _:
                pass
        return row, secret

    def _hide_item(self, row: dict[str, Any], item: Item) -> _Secret | None:
        row["sealed"] = None
        personal = self._personal.get(item.kind, frozenset())
        hidden = {name: item.fields[name] for name in personal if name in item.fields}
        if not item.title and not hidden:
            return None
        row["title"] = ""
        if hidden:
            row["fields"] = {k: v for k, v in item.fields.items() if k not in hidden}
        owner = item.subject_id or item.id
        return _Secret(owner, "item", item.kind, _encode((item.title, hidden)))


class _Secret(NamedTuple):
    """What is to be sealed of a row, and by whose key."""

    owner: str
    table: str
    kind: str
    data: bytes


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
        self._opened = Opened(connection)
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
        sealed = Sealed(self._connection, self._opened.ring)
        for table, rows in self._unwritten.items():
            there = self._stored[table]
            values = sealed.rows(rows.values(), self._whose)
            if table is t.subject:
                self._index(sealed.playbook, rows.values(), there)
            new = [row for row in values if row["id"] not in there]
            changed = [{"row_id": row.pop("id"), **row} for row in values if row["id"] in there]
            write_rows(self._connection, _insert(table), new)
            write_rows(self._connection, _update(table), changed)
            there.update(rows)
            rows.clear()
        registry.write(self._connection, self._said)
        self._said.clear()

    def _index(self, playbook: Playbook, rows: Iterable[_Row], there: Collection[str]) -> None:
        subjects = [row for row in rows if isinstance(row, Subject)]
        for new in (True, False):
            some = [one for one in subjects if (one.id not in there) is new]
            lookup.write(self._connection, playbook, some, new=new)

    def _whose(self, item_id: str) -> str:
        return self._families[self._roots[item_id]].items[item_id].subject_id or item_id

    def _change(self, table: Table, rows: Iterable[_Row], known: Iterable[_Row]) -> None:
        changed = {row.id for row in known}
        stored, unwritten = self._stored[table], self._unwritten[table]
        for row in rows:
            if row.id not in changed and (row.id in stored or row.id in unwritten):
                # The database would refuse it; here it would take the other row's place.
                raise ValueError("a new row has the id of another")
            unwritten[row.id] = row

    def _load(self, roots: Sequence[str]) -> None:
        for item in self._opened.items_of(self._listed(_FAMILIES, roots=roots)):
            self._keep(item)
        items = list(self._roots)
        for row in self._listed(_TASKS, items=items):
            self._keep_task(task_of(row))
        families = self._families.values()
        about = {item.subject_id for one in families for item in one.items.values()}
        found = self._opened.subjects_of(self._listed(_SUBJECTS, subjects=about - {None}))
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
