"""What everybody may see, worked out in plain Python from the hub's tables: the oracle.

Only `desk.domain.rights` is shared with the hub; its queries, its log and its pages are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Connection, func, select

from desk.domain import rights
from desk.domain.model import Actor, Item, Person, Task
from desk.domain.playbook import Playbook
from desk.domain.playbook_loader import load
from desk.hub.database import Database
from desk.hub.store import Opened
from desk.protocol.messages import Result
from desk.schema import hub_tables as t

#: Values that nobody would write by chance: texts, and phone numbers.
CANARY = re.compile(r"cn\d+x|\+7999\d{7}")

Rows: TypeAlias = dict[str, list[Any]]
#: Where a value stands: the kind that owns the field, the row's id, the field.
Spot: TypeAlias = tuple[str, str, str]

_STRUCTS: Mapping[str, type[Any]] = {
    "task": Task,
    "person": Person,
}


class Judged(msgspec.Struct, frozen=True):
    """An operation that the hub has answered."""

    id: str
    device: str
    number: int
    user: str
    at: int
    result: Result


class Sight:
    """Everything on the hub at one moment."""

    def __init__(self, connection: Connection, key: object, source: str, now: int) -> None:
        self.key = key
        #: The playbook in force as it was written, and as it was read.
        self.source = source
        self.playbook = _playbook(source)
        self.now = now
        # What is sealed is opened as the hub opens it; who sees it is worked out here.
        opened = Opened(connection)
        self.rows: Rows = {
            "item": opened.items(select(t.item)),
            "task": [_struct("task", row) for row in connection.execute(select(t.task))],
            "entry": opened.entries(select(t.entry)),
            "subject": opened.subjects(select(t.subject)),
            "person": [_struct("person", row) for row in connection.execute(select(t.person))],
        }
        self.items: dict[str, Item] = {item.id: item for item in self.rows["item"]}
        self.people: dict[str, Person] = {one.id: one for one in self.rows["person"]}
        self._seen: dict[str, Rows] = {}

    def of(self, user: str) -> Rows:
        """The rows that a user should hold, as far as he may read them, in the order of ids."""
        known = self._seen.get(user)
        if known is None:
            known = self._seen[user] = self._of(user)
        return known

    def words_of(self, user: str) -> frozenset[str]:
        """The canaries that a user may read."""
        return canaries(msgspec.json.encode(self.of(user)).decode())

    def may_read(self, user: str, spots: Iterable[Spot]) -> bool:
        """Whether one of the spots is in his sight, whole."""
        seen = self.of(user)
        ids = {row.id for kind in ("item", "task", "entry", "subject") for row in seen[kind]}
        role = self.people[user].role
        return any(
            row in ids and (not field or self.playbook.mask(role, owner, field) == "full")
            for owner, row, field in spots
        )

    @cached_property
    def spots(self) -> dict[str, set[Spot]]:
        """Where each canary stands."""
        found: dict[str, set[Spot]] = {}
        for item in self.rows["item"]:
            _note(found, item.title, (item.kind, item.id, ""))
            for field, value in item.fields.items():
                _note(found, value, (item.kind, item.id, field))
        for subject in self.rows["subject"]:
            for field, value in subject.fields.items():
                _note(found, value, ("subject", subject.id, field))
        for entry in self.rows["entry"]:
            _note(found, entry.comment, ("entry", entry.id, ""))
        return found

    def _of(self, user: str) -> Rows:
        actor = Actor(user, self.people[user].role)
        book = self.playbook
        items = [
            rights.mask_item(book, actor.role, item)
            for item in self.rows["item"]
            if rights.sees(book, actor, rights.scope(item), self.now)
        ]
        ids = {item.id for item in items}
        subjects = {item.subject_id for item in items}
        shown = {
            "item": items,
            "task": [row for row in self.rows["task"] if row.item_id in ids],
            "entry": [
                rights.mask_entry(book, actor.role, self.items[row.item_id].kind, row)
                for row in self.rows["entry"]
                if row.item_id in ids
            ],
            "subject": [
                rights.mask_subject(book, actor.role, row)
                for row in self.rows["subject"]
                if row.id in subjects
            ],
            "person": self.rows["person"],
        }
        return {kind: sorted(rows, key=lambda row: row.id) for kind, rows in shown.items()}


class Oracle:
    """Looks at a hub's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last: Sight | None = None

    def look(self, now: int) -> Sight:
        """Everything as it stands now; the same as before while nothing has changed."""
        with self._database.read() as connection:
            head = connection.execute(select(t.sync_head.c.epoch, t.sync_head.c.seq)).one()
            version = connection.execute(select(func.max(t.playbook.c.version))).scalar_one()
            key = (head.epoch, head.seq, version)
            if self._last is None or self._last.key != key:
                source = connection.execute(
                    select(t.playbook.c.source).where(t.playbook.c.version == version)
                ).scalar_one()
                self._last = Sight(connection, key, source, now)
            return self._last

    def answers(self) -> dict[str, Judged]:
        """Every operation that was answered, by id."""
        with self._database.read() as connection:
            return {
                row.id: Judged(
                    row.id,
                    row.device_id,
                    row.number,
                    row.user_id,
                    row.received_at,
                    msgspec.json.decode(row.result, type=Result),
                )
                for row in connection.execute(select(t.operation))
            }

    def last_ops(self) -> dict[str, int]:
        """The number of each device's last answered operation."""
        with self._database.read() as connection:
            rows = connection.execute(select(t.device.c.id, t.device.c.last_op))
            return {row.id: row.last_op for row in rows}


def canaries(text: str) -> frozenset[str]:
    """The canaries in a text."""
    return frozenset(CANARY.findall(text))


@lru_cache(maxsize=16)
def _playbook(source: str) -> Playbook:
    return load(source, "the oracle's playbook")


def _struct(kind: str, row: Any) -> Any:
    values = {str(name): value for name, value in row._asdict().items()}
    return msgspec.convert(values, _STRUCTS[kind])


def _note(found: dict[str, set[Spot]], value: object, spot: Spot) -> None:
    if isinstance(value, str):
        for word in canaries(value):
            found.setdefault(word, set()).add(spot)
