"""A whole freight exchange in memory: people, items, tasks; operations settle as on the hub."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from desk.domain.decide import settle
from desk.domain.effects import Outcome
from desk.domain.ids import derive_id
from desk.domain.model import Actor, Entry, Item, Person, Subject, Tally, Task
from desk.domain.operations import Create, Intent, Move, Operation
from desk.domain.playbook import Playbook
from desk.domain.playbook_loader import load
from desk.domain.refusals import Conflict, Refusal
from desk.domain.scene import Scene
from desk.resources import playbooks_dir


def shipped(name: str) -> Playbook:
    """A playbook that comes with Desk."""
    return load((playbooks_dir() / f"{name}.toml").read_text(encoding="utf-8"), f"{name}.toml")


FREIGHT = shipped("freight")
START = 1_790_000_000_000
_ORIGIN = "019f0000-0000-7000-8000-000000000000"

PEOPLE = (
    ("operator1", "operator"),
    ("consultant1", "consultant"),
    ("marketer1", "marketer"),
    ("marketer2", "marketer"),
    ("sales1", "sales"),
    ("sales2", "sales"),
    ("director", "director"),
    ("head", "head"),
    ("admin", "admin"),
)


class World:
    """State that operations change, as the hub would keep it."""

    def __init__(
        self, playbook: Playbook = FREIGHT, people: Iterable[tuple[str, str]] = PEOPLE
    ) -> None:
        self.playbook = playbook
        self.now = START
        self.people = {
            name: Person(id=name, name=name, role=role, present=True) for name, role in people
        }
        self.items: dict[str, Item] = {}
        self.tasks: dict[str, Task] = {}
        self.subjects: dict[str, Subject] = {}
        self.entries: list[Entry] = []
        self.tallies: list[Tally] = []
        self._count = 0

    def actor(self, name: str) -> Actor:
        """The person as who asks."""
        return Actor(name, self.people[name].role)

    def scene(self, item_id: str, judge: Any = "hub") -> Scene:
        """What a rule sees of the item's family."""
        item = self.items.get(item_id)
        root = item.root_id if item else item_id
        family = tuple(one for one in self.items.values() if root in (one.id, one.parent_id))
        ids = {one.id for one in family}
        load = Counter(one.responsible for one in self.items.values())
        return Scene(
            item_id=item_id,
            items=family,
            tasks=tuple(t for t in self.tasks.values() if t.item_id in ids and t.closed_at is None),
            subjects=tuple(
                s for s in self.subjects.values() if s.id in {i.subject_id for i in family}
            ),
            people=tuple(
                msgspec.structs.replace(person, load=load[person.id])
                for person in self.people.values()
            ),
            judge=judge,
        )

    def operation(self, intent: Intent) -> Operation:
        """The intent as an operation with the next id."""
        self._count += 1
        return Operation(id=derive_id(_ORIGIN, self._count), at=self.now, intent=intent)

    def ask(self, who: str, intent: Intent) -> Outcome | Refusal | Conflict:
        """Settle the intent and keep what comes of it."""
        self.now += 1000
        operation = self.operation(intent)
        item_id = operation.id if isinstance(intent, Create) else intent.item_id
        result = settle(self.scene(item_id), operation, self.actor(who), self.playbook, self.now)
        if isinstance(result, Outcome):
            self._keep(result)
        return result

    def do(self, who: str, intent: Intent) -> Outcome:
        """The same where it must succeed."""
        result = self.ask(who, intent)
        assert isinstance(result, Outcome), result
        return result

    def lead(self, who: str = "marketer1", **fields: Any) -> Item:
        """A new lead made by ``who``."""
        outcome = self.do(who, Create(kind="lead", title="Москва — Казань", fields=fields))
        return next(item for item in outcome.items if item.kind == "lead")

    def qualification(self, lead: Item) -> Item:
        """The newest qualification of the lead."""
        return max(
            (
                i
                for i in self.items.values()
                if i.kind == "qualification" and i.parent_id == lead.id
            ),
            key=lambda item: item.id,
        )

    def handed(self, to: str = "sales1") -> tuple[Item, Item]:
        """A lead and its qualification, handed to a sales manager."""
        lead = self.lead()
        first = self.qualification(lead)
        self.do("marketer1", Move(item_id=first.id, transition="hand_off", to=to))
        return self.items[lead.id], self.items[first.id]

    def open_calls(self, item_id: str) -> list[tuple[str, str | None]]:
        """Type and assignee of the item's open tasks."""
        return [
            (task.type, task.assignee)
            for task in self.tasks.values()
            if task.item_id == item_id and task.closed_at is None
        ]

    def counted(self, event: str, owner: str) -> int:
        """How often the event counts for the owner."""
        return sum(t.sign for t in self.tallies if (t.event, t.owner) == (event, owner))

    def _keep(self, outcome: Outcome) -> None:
        self.items.update({row.id: row for row in outcome.items})
        self.tasks.update({row.id: row for row in outcome.tasks})
        self.subjects.update({row.id: row for row in outcome.subjects})
        self.entries.extend(outcome.entries)
        self.tallies.extend(outcome.tallies)
