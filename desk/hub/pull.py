"""What a desk pulls: a snapshot of all it may see, or what changed since its cursor.

Every page is made within one consistent view of the database, and a row is projected as it stands
there, not as it was when the log was written: a page never shows more than the reader's rights.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select

from desk.domain.model import Entry, Item, Person, Subject, Task
from desk.hub import changes, store
from desk.hub.digests import within
from desk.hub.projection import Reader
from desk.protocol.messages import Forget, Page, Range
from desk.schema import hub_tables as t

SNAPSHOT_LIMIT = 2000
CHANGES_LIMIT = 4000
_MOST = 5000


def snapshot(
    connection: Connection,
    reader: Reader,
    device_id: str,
    after: str,
    limit: int = SNAPSHOT_LIMIT,
    until: str = "",
) -> Page:
    """Visible items, the newest first, with all that belongs to them; people at the start.

    The next page begins below the id ``after`` and ends at the id ``until``, if one is given;
    what is made meanwhile is in the log. Counting all that is visible reads the whole table, so
    only the first page tells the total.
    """
    head = changes.head(connection)
    count = _bounded(limit)
    inside = within(t.item.c.id, Range(low=until, high=after))
    query = select(t.item).where(reader.items, inside).order_by(t.item.c.id.desc()).limit(count + 1)
    rows = _Rows(connection)
    items = rows.opened.items(query)
    more = len(items) > count
    items = items[:count]
    rows.add_items(reader, items)
    rows.add_dependents(reader, [item.id for item in items])
    rows.add_subjects(reader, items)
    if not after:
        rows.add_people(select(t.person))
    total = 0
    if not after:
        counting = select(func.count()).select_from(t.item).where(reader.items)
        total = connection.execute(counting).scalar_one()
    return rows.page(
        cursor=reader.cursor(head.epoch, head.seq),
        last_op=_last_op(connection, device_id),
        playbook_version=reader.playbook_version,
        more=more,
        after=items[-1].id if items else after,
        asked=after,
        total=total,
    )


def head_start(connection: Connection, reader: Reader, device_id: str, limit: int) -> Page:
    """Enough to begin to work with: half of the ``limit`` are the most urgent items, half the
    newest, each with its whole family as far as it is visible, and everybody.

    The rest comes by ``snapshot``; the cursor of this page is none to go on from.
    """
    head = changes.head(connection)
    half = max(1, _bounded(limit) // 2)
    root = func.coalesce(t.item.c.parent_id, t.item.c.id)
    visible = select(root).where(reader.items).limit(half)
    urgent = visible.where(t.item.c.due_at.is_not(None)).order_by(t.item.c.due_at, t.item.c.id)
    newest = visible.order_by(t.item.c.id.desc())
    roots = {row[0] for query in (urgent, newest) for row in connection.execute(query)}
    family = or_(t.item.c.id.in_(roots), t.item.c.parent_id.in_(roots))
    query = select(t.item).where(reader.items, family).order_by(t.item.c.id.desc())
    rows = _Rows(connection)
    items = rows.opened.items(query)
    rows.add_items(reader, items)
    rows.add_dependents(reader, [item.id for item in items])
    rows.add_subjects(reader, items)
    rows.add_people(select(t.person))
    return rows.page(
        cursor=reader.cursor(head.epoch, head.seq),
        last_op=_last_op(connection, device_id),
        playbook_version=reader.playbook_version,
    )


def since(
    connection: Connection, reader: Reader, device_id: str, cursor: str, limit: int = CHANGES_LIMIT
) -> Page:
    """What changed after ``cursor``: rows in sight, and ``forget`` for items that left it."""
    head = changes.head(connection)
    start = reader.position(cursor, head)
    if start is None:
        rows = _Rows(connection)
        # The reader's own role may be another one.
        rows.add_people(select(t.person))
        return rows.page(
            cursor=reader.cursor(head.epoch, head.seq),
            asked=cursor,
            last_op=_last_op(connection, device_id),
            playbook_version=reader.playbook_version,
            reset=True,
        )
    count = _bounded(limit)
    query = (
        select(t.change)
        .where(t.change.c.seq > start, t.change.c.seq <= head.seq)
        .order_by(t.change.c.seq)
        .limit(count)
    )
    log = connection.execute(query).all()
    end = log[-1].seq if len(log) == count else head.seq
    rows = _Rows(connection)
    _add_changed_items(reader, log, rows)
    rows.add_tasks(select(t.task).where(t.task.c.id.in_(_ids(log, "task")), reader.tasks))
    new_entries = select(t.entry).where(t.entry.c.id.in_(_ids(log, "entry")), reader.entries)
    rows.add_entries(reader, new_entries)
    erased = sorted({row.id for row in log if row.op == "erase"})
    rows.forget += [Forget(kind="subject", id=one) for one in erased]
    changed_subjects = select(t.subject).where(t.subject.c.id.in_(_ids(log, "subject")))
    rows.add_subject_rows(reader, changed_subjects.where(reader.subjects))
    rows.add_people(select(t.person).where(t.person.c.id.in_(_ids(log, "person"))))
    return rows.page(
        cursor=reader.cursor(head.epoch, end),
        last_op=_last_op(connection, device_id),
        playbook_version=reader.playbook_version,
        more=end < head.seq,
        asked=cursor,
    )


def _add_changed_items(reader: Reader, log: Sequence[Row[Any]], rows: _Rows) -> None:
    """Items in sight, whole where they may be new to the reader; the others forgotten.

    Every change counts, not the first alone: between two pages, or during a snapshot, an item may
    have come into sight, been delivered, and left. Forgetting one that never arrived is harmless.
    """
    changed = [row for row in log if row.kind == "item"]
    saw = {row.id for row in changed if reader.saw(row.before_scope)}
    missed = {row.id for row in changed if not reader.saw(row.before_scope)}
    query = select(t.item).where(t.item.c.id.in_(saw | missed), reader.items)
    items = rows.opened.items(query)
    there = {item.id for item in items}
    rows.forget = [Forget(kind="item", id=item_id) for item_id in sorted(saw - there)]
    rows.add_items(reader, items)
    rows.add_dependents(reader, sorted(there & missed))
    rows.add_subjects(reader, items)


class _Rows:
    """The rows of one page, each once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.opened = store.Opened(connection)
        self.items: dict[str, Item] = {}
        self.tasks: dict[str, Task] = {}
        self.entries: dict[str, Entry] = {}
        self.subjects: dict[str, Subject] = {}
        self.people: dict[str, Person] = {}
        self.forget: list[Forget] = []

    def add_items(self, reader: Reader, items: Iterable[Item]) -> None:
        self.items.update((item.id, reader.item(item)) for item in items)

    def add_dependents(self, reader: Reader, items: list[str]) -> None:
        """All tasks and entries of items that are known to be in sight."""
        self.add_tasks(select(t.task).where(t.task.c.item_id.in_(items)))
        self.add_entries(reader, select(t.entry).where(t.entry.c.item_id.in_(items)))

    def add_subjects(self, reader: Reader, items: Iterable[Item]) -> None:
        """The subjects of items in sight; an item always travels with its subject."""
        ids = {item.subject_id for item in items if item.subject_id}
        self.add_subject_rows(reader, select(t.subject).where(t.subject.c.id.in_(ids)))

    def add_tasks(self, query: Select[Any]) -> None:
        tasks = map(store.task_of, self._connection.execute(query))
        self.tasks.update((task.id, task) for task in tasks)

    def add_entries(self, reader: Reader, query: Select[Any]) -> None:
        entries = self.opened.entries(query)
        if reader.hides_comments:
            kinds = self._kinds({entry.item_id for entry in entries})
            entries = [reader.entry(kinds[entry.item_id], entry) for entry in entries]
        self.entries.update((entry.id, entry) for entry in entries)

    def _kinds(self, ids: set[str]) -> dict[str, str]:
        """The kind of each item."""
        known = {one: self.items[one].kind for one in ids & self.items.keys()}
        query = select(t.item.c.id, t.item.c.kind).where(t.item.c.id.in_(ids - known.keys()))
        return known | {row.id: row.kind for row in self._connection.execute(query)}

    def add_subject_rows(self, reader: Reader, query: Select[Any]) -> None:
        """Persons; who is erased is no row of a desk."""
        for subject in self.opened.subjects(query):
            if subject.stage != "erased":
                self.subjects[subject.id] = reader.subject(subject)

    def add_people(self, query: Select[Any]) -> None:
        people = map(store.person_of, self._connection.execute(query))
        self.people.update((person.id, person) for person in people)

    def page(self, **where: Any) -> Page:
        return Page(
            items=list(self.items.values()),
            tasks=list(self.tasks.values()),
            entries=list(self.entries.values()),
            subjects=list(self.subjects.values()),
            people=list(self.people.values()),
            forget=self.forget,
            **where,
        )


def _ids(log: Sequence[Row[Any]], kind: str) -> list[str]:
    return sorted({row.id for row in log if row.kind == kind})


def _last_op(connection: Connection, device_id: str) -> int:
    query = select(t.device.c.last_op).where(t.device.c.id == device_id)
    return connection.execute(query).scalar_one_or_none() or 0


def _bounded(limit: int) -> int:
    return max(1, min(limit, _MOST))
