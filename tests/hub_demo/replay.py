"""Playing an invented history through the rules themselves, to compare what both leave behind."""

from __future__ import annotations

import inspect
from collections import Counter
from random import Random
from typing import Any

import msgspec

from desk.domain.effects import points_of
from desk.domain.model import Item, Subject, Undo
from desk.domain.operations import CloseTask, Create, EditFields, Move
from desk.hub.demo.family import Family
from tests.domain.world import FREIGHT, World

Call = tuple[str, dict[str, Any]]
EVENTS = (
    "create", "assign", "start_lead", "start", "fill", "hand_off", "give_back", "call", "accept",
    "target", "junk", "junk_lead", "convert",
)  # fmt: skip


class RecordedFamily(Family):
    """A family that remembers what happened to it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.calls: list[Call] = []
        self.inside = False


def _recorded(name: str) -> Any:
    original = getattr(Family, name)
    parameters = inspect.signature(original)

    def call(self: RecordedFamily, *arguments: Any, **named: Any) -> Any:
        if self.inside:
            return original(self, *arguments, **named)
        given = dict(parameters.bind(self, *arguments, **named).arguments)
        del given["self"]
        self.calls.append((name, given))
        self.inside = True
        try:
            return original(self, *arguments, **named)
        finally:
            self.inside = False

    return call


for _name in EVENTS:
    setattr(RecordedFamily, _name, _recorded(_name))


class Replay:
    """One recorded history, asked of the rules by the same people at the same moments."""

    def __init__(self, people: dict[str, Any]) -> None:
        self.world = World()
        self.world.people = people
        self.lead_id = ""

    def play(self, calls: list[Call]) -> None:
        for name, given in calls:
            # The world's clock goes on by a second with each question.
            self.world.now = given["at"] - 1000
            getattr(self, name)(**given)

    @property
    def lead(self) -> Item:
        return self.world.items[self.lead_id]

    @property
    def qualification(self) -> Item:
        return self.world.qualification(self.lead)

    def create(self, at: int, author: str | None, title: str, fields: dict[str, Any]) -> None:
        if author:
            outcome = self.world.do(author, Create(kind="lead", title=title, fields=fields))
            self.lead_id = next(item.id for item in outcome.items if item.kind == "lead")
            return
        # Nobody's lead comes by intake, which no rule decides about.
        chance = Random(1)
        family = Family(FREIGHT, chance, "subject")
        family.create(at, None, title, fields)
        made = Item(**family.lead)
        made = msgspec.structs.replace(made, score=points_of(FREIGHT, made, at))
        self.lead_id = made.id
        self.world.items[made.id] = made
        self.world.subjects["subject"] = Subject(id="subject")

    def assign(self, at: int, who: str, to: str, marketer: bool) -> None:
        self._move(who, self.lead, "assign", to=to)

    def start_lead(self, at: int, who: str) -> None:
        self._move(who, self.lead, "start")

    def start(self, at: int) -> None:
        self._move(self._owner, self.qualification, "start")

    def fill(self, at: int, values: dict[str, Any]) -> None:
        edit = EditFields(item_id=self.qualification.id, fields=values)
        self.world.do(self._owner, edit)

    def hand_off(self, at: int, to: str, comment: str) -> None:
        self._move(self._owner, self.qualification, "hand_off", to=to, comment=comment)

    def give_back(self, at: int, comment: str) -> None:
        self._move(self._seller, self.qualification, "return", comment=comment)

    def call(self, at: int, comment: str) -> None:
        task = next(one for one in self.world.tasks.values() if one.closed_at is None)
        done = CloseTask(item_id=self.lead_id, task_id=task.id, comment=comment)
        assert task.assignee
        self.world.do(task.assignee, done)

    def accept(self, at: int) -> None:
        self._move(self._seller, self.qualification, "accept")

    def target(self, at: int) -> None:
        self._move(self._owner, self.qualification, "target")

    def junk(self, at: int, stage: str, comment: str) -> None:
        fields = {"junk_stage": stage}
        self._move(self._owner, self.qualification, "junk", fields=fields, comment=comment)

    def junk_lead(self, at: int, who: str, stage: str, comment: str) -> None:
        self._move(who, self.lead, "junk", fields={"junk_stage": stage}, comment=comment)

    def convert(self, at: int) -> None:
        assert self.lead.responsible
        self._move(self.lead.responsible, self.lead, "convert")

    @property
    def _owner(self) -> str:
        assert self.qualification.owner
        return self.qualification.owner

    @property
    def _seller(self) -> str:
        assert self.qualification.responsible
        return self.qualification.responsible

    def _move(self, who: str, item: Item, transition: str, **more: Any) -> None:
        self.world.do(who, Move(item_id=item.id, transition=transition, **more))


def described(items: Any, tasks: Any, entries: Any, tallies: Any) -> dict[str, Any]:
    """All rows of one family without their ids, which the two sides make differently."""
    kinds = {item.id: item.kind for item in items}

    def undo(one: Undo | None) -> Any:
        if one is None:
            return None
        before = Counter((kinds[b.id], b.stage, b.responsible, b.shared_with) for b in one.items)
        return one.at, before, Counter(kinds[p] for p in one.produced), one.counted

    return {
        **{
            item.kind: {
                name: getattr(item, name)
                for name in item.__struct_fields__
                if name not in ("id", "parent_id", "subject_id", "undo")
            }
            | {"undo": undo(item.undo)}
            for item in items
        },
        "tasks": Counter(
            (t.type, t.assignee, t.due_at, t.created_at, t.version, t.closed_at, t.closed_by)
            for t in tasks
        ),
        "entries": Counter(
            (kinds[e.item_id], e.at, e.who, e.event, e.from_stage, e.to_stage, e.comment)
            for e in entries
        ),
        "tallies": Counter((t.event, t.owner, t.campaign, t.at, t.sign) for t in tallies),
    }
