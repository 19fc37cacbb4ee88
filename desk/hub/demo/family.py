"""One lead with its qualification and what came of them, as the freight rules would leave them.

Every method is one event of `spec` freight and changes exactly the rows the playbook's effects
change; the rules themselves would take minutes for a month of history. A test replays sampled
histories through the rules and compares.
"""

from __future__ import annotations

from random import Random
from typing import Any

from desk.domain.effects import points_of
from desk.domain.ids import make_id
from desk.domain.model import Entry, Item, ItemBefore, Tally, Task, Undo, Value
from desk.domain.playbook import Playbook
from desk.hub.demo.rows import Gathering

_Row = dict[str, Any]


class Family:
    """Rows under construction."""

    def __init__(self, playbook: Playbook, chance: Random, subject_id: str) -> None:
        self._playbook = playbook
        self._chance = chance
        self._subject_id = subject_id
        self._items: list[_Row] = []
        self._tasks: list[_Row] = []
        self._entries: list[Entry] = []
        self._tallies: list[Tally] = []
        self.lead: _Row = {}
        self.qualification: _Row = {}

    def create(self, at: int, author: str | None, title: str, fields: dict[str, Value]) -> None:
        """A request has come."""
        self.lead = self._item("lead", "new", title, at, fields, author=author, responsible=author)
        if author:
            self.lead["worked_at"] = at
        self._note(self.lead, at, author, "create", None, "new")

    def assign(self, at: int, who: str, to: str, *, marketer: bool) -> None:
        """Somebody gets the lead; for a marketing manager the hub makes a qualification."""
        lead = self.lead
        self._touch(lead, at, responsible=to, worked_at=at)
        self._note(lead, at, who, "assign", lead["stage"], lead["stage"])
        if not marketer:
            return
        lead["owner"] = to
        declared = self._playbook.kinds["qualification"].fields
        copied = {name: value for name, value in lead["fields"].items() if name in declared}
        self.qualification = self._item(
            "qualification", "new", lead["title"], at, copied, responsible=to, owner=to
        )
        self._note(self.qualification, at, None, "lead.qualify", None, "new")
        self._count(at, "arrived")

    def start_lead(self, at: int, who: str) -> None:
        """A consultant works with the lead himself."""
        self._touch(self.lead, at, responsible=who, worked_at=at)
        self._move(self.lead, at, who, "start", "in_work")

    def start(self, at: int) -> None:
        """The marketing manager begins to clarify."""
        self._touch(self.qualification, at, worked_at=at)
        self._move(self.qualification, at, self.owner, "start", "in_work")

    def fill(self, at: int, values: dict[str, Value]) -> None:
        """The form of the qualification is filled in."""
        row = self.qualification
        self._touch(row, at, worked_at=at)
        row["fields"] = {**row["fields"], **values}
        row["field_versions"] = {
            **row["field_versions"], **dict.fromkeys(values, row["version"])
        }  # fmt: skip

    def hand_off(self, at: int, to: str, comment: str) -> None:
        """To sales, with a planned call."""
        row = self.qualification
        self._close_tasks(at, self.owner, "call_marketer")
        self._touch(
            row, at, worked_at=at, responsible=to, shared_with=to, last_chosen=to,
            round=row["round"] + 1,
        )  # fmt: skip
        self._move(row, at, self.owner, "hand_off", "handed", comment)
        self._touch(self.lead, at, shared_with=to)
        self._plan(at, "call_sales", to)
        self._note(self.lead, at, self.owner, "qualification.hand_off", None, None, comment)
        self._count(at, "handed")

    def give_back(self, at: int, comment: str) -> None:
        """Sales returns it with the reason."""
        row = self.qualification
        seller = row["responsible"]
        self._close_tasks(at, seller, "call_sales")
        self._touch(row, at, worked_at=at, responsible=self.owner, shared_with=None)
        self._move(row, at, seller, "return", "returned", comment)
        self._note(self.lead, at, seller, "qualification.return", None, None, comment)
        self._touch(self.lead, at, shared_with=None)
        self._plan(at, "call_marketer", self.owner)
        self._count(at, "returned")

    def call(self, at: int, comment: str) -> None:
        """The planned call was made by whom it was planned for."""
        task = next(one for one in self._tasks if one["closed_at"] is None)
        self._touch(self.lead, at, worked_at=at)
        self._close_tasks(at, task["assignee"], task["type"])
        self._note(self.lead, at, task["assignee"], f"done.{task['type']}", None, None, comment)

    def accept(self, at: int) -> None:
        """Sales takes the lead."""
        row, lead = self.qualification, self.lead
        seller = row["responsible"]
        undo = self._undo(at, (row, lead), ("accepted",))
        self._touch(row, at, worked_at=at, responsible=self.owner, undo=undo)
        self._move(row, at, seller, "accept", "accepted")
        self._touch(lead, at, responsible=seller, shared_with=None)
        if lead["stage"] != "in_work":
            self._move(lead, at, seller, "qualification.accept", "in_work")
        self._count(at, "accepted")

    def target(self, at: int) -> None:
        """The marketing manager closes it as won: a deal, a contact, a company."""
        row, lead = self.qualification, self.lead
        before = (dict(row), dict(lead))
        self._close_tasks(at, self.owner, "")
        self._touch(row, at, worked_at=at)
        self._move(row, at, self.owner, "target", "target")
        self._touch(lead, at)
        self._move(lead, at, self.owner, "qualification.target", "won")
        made = self._produce(at, "qualification.target", self.owner, row, self.owner)
        row["undo"] = self._undo(at, before, ("target",), made)
        self._count(at, "target")

    def junk(self, at: int, stage: str, comment: str) -> None:
        """The marketing manager closes both as junk."""
        row, lead = self.qualification, self.lead
        undo = self._undo(at, (row, lead), ("junk",))
        self._close_tasks(at, self.owner, "")
        self.fill(at, {"junk_stage": stage})
        row["undo"] = undo
        self._move(row, at, self.owner, "junk", "junk", comment)
        self._touch(lead, at)
        self._move(lead, at, self.owner, "qualification.junk", stage, comment)
        self._count(at, "junk")

    def junk_lead(self, at: int, who: str, stage: str, comment: str) -> None:
        """Whoever has the lead closes it as junk."""
        lead = self.lead
        undo = self._undo(at, (lead,), ())
        self._close_tasks(at, who, "")
        self._touch(lead, at, worked_at=at, undo=undo)
        lead["fields"] = {**lead["fields"], "junk_stage": stage}
        lead["field_versions"] = {**lead["field_versions"], "junk_stage": lead["version"]}
        self._move(lead, at, who, "junk", stage, comment)

    def convert(self, at: int) -> None:
        """Whoever works with the lead converts it."""
        lead = self.lead
        before = dict(lead)
        who = lead["responsible"]
        self._close_tasks(at, who, "")
        self._touch(lead, at, worked_at=at)
        self._move(lead, at, who, "convert", "won")
        made = self._produce(at, "lead.convert", who, lead, who)
        lead["undo"] = self._undo(at, (before,), (), made)

    @property
    def owner(self) -> str:
        """The marketing manager it counts for."""
        return self.qualification["owner"]

    def finish(self, into: Gathering) -> None:
        """Hand the finished rows over."""
        open_tasks = [task for task in self._tasks if task["closed_at"] is None]
        for row in self._items:
            due = [task["due_at"] for task in open_tasks if task["item_id"] == row["id"]]
            row["due_at"] = min(due, default=None)
            item = Item(**row)
            row["score"] = points_of(self._playbook, item, row["updated_at"])
            into.items.append(Item(**row))
        into.tasks.extend(Task(**task) for task in self._tasks)
        into.entries.extend(self._entries)
        into.tallies.extend(self._tallies)

    def _item(
        self, kind: str, stage: str, title: str, at: int, fields: dict[str, Value], **more: Any
    ) -> _Row:
        row: _Row = {
            "id": self._id(at),
            "kind": kind,
            "stage": stage,
            "title": title,
            "created_at": at,
            "updated_at": at,
            "stage_since": at,
            "version": 1,
            "author": None,
            "responsible": None,
            "shared_with": None,
            "owner": None,
            "last_chosen": None,
            "parent_id": self.lead["id"] if self.lead else None,
            "subject_id": self._subject_id,
            "score": 0,
            "round": 0,
            "due_at": None,
            "worked_at": None,
            "playbook_version": self._playbook.version,
            "fields": fields,
            "field_versions": dict.fromkeys(fields, 1),
            "undo": None,
            **more,
        }
        self._items.append(row)
        return row

    def _produce(
        self, at: int, event: str, responsible: str, source: _Row, who: str
    ) -> tuple[str, ...]:
        made: list[str] = []
        for kind, title, names in (
            ("deal", source["title"], None),
            ("contact", source["title"], ()),
            ("company", source["fields"].get("company"), ()),
        ):
            if not title:
                continue
            declared = self._playbook.kinds[kind].fields
            fields = {
                name: value
                for name, value in source["fields"].items()
                if names is None and name in declared
            }
            stage = self._playbook.kinds[kind].stages[0].id
            row = self._item(
                kind, stage, title, at, fields,
                author=who, responsible=responsible, owner=source["owner"],
            )  # fmt: skip
            self._note(row, at, who, event, None, stage)
            made.append(row["id"])
        return tuple(made)

    def _undo(
        self,
        at: int,
        rows: tuple[_Row, ...],
        counted: tuple[str, ...],
        produced: tuple[str, ...] = (),
    ) -> Undo:
        before = tuple(
            ItemBefore(
                id=row["id"],
                stage=row["stage"],
                responsible=row["responsible"],
                shared_with=row["shared_with"],
            )
            for row in rows
        )
        return Undo(at=at, items=before, produced=produced, counted=counted)

    def _touch(self, row: _Row, at: int, **values: Any) -> None:
        if row["updated_at"] != at or row["version"] == 1:
            row["version"] += 1
        row["updated_at"] = at
        row.update(values)

    def _move(
        self, row: _Row, at: int, who: str, event: str, stage: str, comment: str = ""
    ) -> None:
        self._note(row, at, who, event, row["stage"], stage, comment)
        row["stage"] = stage
        row["stage_since"] = at

    def _note(
        self,
        row: _Row,
        at: int,
        who: str | None,
        event: str,
        source: str | None,
        target: str | None,
        comment: str = "",
    ) -> None:
        self._entries.append(
            Entry(
                id=self._id(at),
                item_id=row["id"],
                at=at,
                who=who,
                event=event,
                from_stage=source,
                to_stage=target,
                comment=comment,
            )
        )

    def _plan(self, at: int, task: str, assignee: str) -> None:
        self._tasks.append(
            {
                "id": self._id(at),
                "item_id": self.lead["id"],
                "type": task,
                "title": "",
                "assignee": assignee,
                "due_at": at + self._playbook.tasks[task].due,
                "created_at": at,
                "version": 1,
                "closed_at": None,
                "closed_by": None,
            }
        )

    def _close_tasks(self, at: int, who: str, task_type: str) -> None:
        for task in self._tasks:
            if task["closed_at"] is None and task_type in ("", task["type"]):
                task.update(closed_at=at, closed_by=who, version=2)

    def _count(self, at: int, event: str) -> None:
        row = self.qualification
        self._tallies.append(
            Tally(
                id=self._id(at),
                item_id=row["id"],
                event=event,
                owner=row["owner"],
                campaign=str(row["fields"].get("utm_campaign") or ""),
                at=at,
            )
        )

    def _id(self, at: int) -> str:
        return make_id(at, self._chance.randbytes)
