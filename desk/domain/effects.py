"""Effects: what a decision changes, as data; and applying them to a scene.

Every effect names the rows it touches; nothing here asks whether it may. ``apply`` answers with
new rows only, so the hub and the desk write exactly the same.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from desk.domain.condition import evaluate
from desk.domain.model import (
    Consent,
    Entry,
    Item,
    Standing,
    Subject,
    SubjectRequest,
    SubjectStage,
    Tally,
    Task,
    Undo,
    Value,
)
from desk.domain.playbook import Playbook
from desk.domain.rights import record
from desk.domain.scene import Scene

replace = msgspec.structs.replace


class _Effect(msgspec.Struct, frozen=True, tag_field="effect", kw_only=True):
    pass


class Moved(_Effect, frozen=True, kw_only=True, tag="moved"):
    """The item stands in another stage."""

    item_id: str
    stage: str


class Assigned(_Effect, frozen=True, kw_only=True, tag="assigned"):
    """One of the item's people changed; ``column`` is responsible, owner or shared_with."""

    item_id: str
    column: str
    user: str | None


class Chosen(_Effect, frozen=True, kw_only=True, tag="chosen"):
    """Whom a hand-off chose; the round counts on."""

    item_id: str
    user: str | None
    next_round: bool


class Filled(_Effect, frozen=True, kw_only=True, tag="filled"):
    """Fields got new values."""

    item_id: str
    values: dict[str, Value]


class SubjectFilled(_Effect, frozen=True, kw_only=True, tag="subject_filled"):
    """Personal data got new values."""

    subject_id: str
    values: dict[str, Value]


class Remembered(_Effect, frozen=True, kw_only=True, tag="remembered"):
    """What the item can be taken back to; nothing, when it was."""

    item_id: str
    undo: Undo | None


class Worked(_Effect, frozen=True, kw_only=True, tag="worked"):
    """A person did something with the item."""

    item_id: str


class Planned(_Effect, frozen=True, kw_only=True, tag="planned"):
    """A new task."""

    task: Task


class TaskClosed(_Effect, frozen=True, kw_only=True, tag="task_closed"):
    """A task is done."""

    task_id: str
    by: str | None


class Noted(_Effect, frozen=True, kw_only=True, tag="noted"):
    """A new line on a timeline."""

    entry: Entry


class Created(_Effect, frozen=True, kw_only=True, tag="created"):
    """A new item."""

    item: Item


class SubjectCreated(_Effect, frozen=True, kw_only=True, tag="subject_created"):
    """A new subject."""

    subject: Subject


class SubjectMoved(_Effect, frozen=True, kw_only=True, tag="subject_moved"):
    """The personal data stands in another stage."""

    subject_id: str
    stage: SubjectStage


class ConsentGiven(_Effect, frozen=True, kw_only=True, tag="consent_given"):
    """A new row of the registry; it takes the place of an earlier one for that purpose."""

    consent: Consent


class ConsentWithdrawn(_Effect, frozen=True, kw_only=True, tag="consent_withdrawn"):
    """The consent to a purpose that stands is taken back, at the moment ``at`` (ms)."""

    subject_id: str
    purpose: str
    at: int
    by: str | None
    channel: str


class Requested(_Effect, frozen=True, kw_only=True, tag="requested"):
    """A subject demands something as to his data."""

    request: SubjectRequest


class Counted(_Effect, frozen=True, kw_only=True, tag="counted"):
    """One more, or one less, of an event that counts."""

    tally: Tally


Effect: TypeAlias = (
    Moved
    | Assigned
    | Chosen
    | Filled
    | SubjectFilled
    | Remembered
    | Worked
    | Planned
    | TaskClosed
    | Noted
    | Created
    | SubjectCreated
    | SubjectMoved
    | ConsentGiven
    | ConsentWithdrawn
    | Requested
    | Counted
)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that are new or changed, their versions already counted on."""

    items: tuple[Item, ...] = ()
    tasks: tuple[Task, ...] = ()
    entries: tuple[Entry, ...] = ()
    subjects: tuple[Subject, ...] = ()
    tallies: tuple[Tally, ...] = ()
    #: New rows of the registry, and what ends earlier ones: the hub's alone to keep.
    consents: tuple[Consent, ...] = ()
    withdrawals: tuple[ConsentWithdrawn, ...] = ()
    requests: tuple[SubjectRequest, ...] = ()
    merged: bool = False


class Working:
    """A scene being changed: effects are applied one by one, later ones see the earlier."""

    def __init__(self, scene: Scene, playbook: Playbook, now: int) -> None:
        self.items: dict[str, Item] = {item.id: item for item in scene.items}
        self.tasks: dict[str, Task] = {task.id: task for task in scene.tasks}
        self.subjects: dict[str, Subject] = {one.id: one for one in scene.subjects}
        self.entries: list[Entry] = []
        self.tallies: list[Tally] = []
        self.consents: list[Consent] = []
        self.withdrawals: list[ConsentWithdrawn] = []
        self.requests: list[SubjectRequest] = []
        self._scene = scene
        self._playbook = playbook
        self._now = now
        self._before = {**self.items, **self.tasks, **self.subjects}

    def scene(self) -> Scene:
        """The scene as it stands now."""
        return replace(
            self._scene,
            items=tuple(self.items.values()),
            tasks=tuple(task for task in self.tasks.values() if task.closed_at is None),
            subjects=tuple(self.subjects.values()),
        )

    def run(self, effects: Sequence[Effect]) -> None:
        """Apply effects in order."""
        for effect in effects:
            _APPLY[type(effect)](self, effect)

    def outcome(self, *, merged: bool = False) -> Outcome:
        """The rows that differ from the scene, with versions, points and deadlines brought up."""
        for item in list(self.items.values()):
            self._bring_up(item)
        return Outcome(
            items=tuple(one for one in self.items.values() if self._is_new(one)),
            tasks=tuple(one for one in self.tasks.values() if self._is_new(one)),
            subjects=tuple(one for one in self.subjects.values() if self._is_new(one)),
            entries=tuple(self.entries),
            tallies=tuple(self.tallies),
            consents=tuple(self.consents),
            withdrawals=tuple(self.withdrawals),
            requests=tuple(self.requests),
            merged=merged,
        )

    def _is_new(self, row: Item | Task | Subject) -> bool:
        return self._before.get(row.id) is not row

    def _bring_up(self, item: Item) -> None:
        due = min(
            (t.due_at for t in self.tasks.values() if t.item_id == item.id and not t.closed_at),
            default=None,
        )
        if due != item.due_at:
            item = self.change_item(item.id, due_at=due)
        score = points_of(self._playbook, item, self._now) if self._is_new(item) else item.score
        if score != item.score:
            self.change_item(item.id, score=score)

    def change_item(self, item_id: str, **values: Any) -> Item:
        """Replace columns of an item; its version counts on once a decision."""
        item = self.items[item_id]
        changed = replace(item, **values)
        if changed == item:
            return item
        before = self._before.get(item_id)
        if isinstance(before, Item):
            changed = replace(changed, version=before.version + 1, updated_at=self._now)
        self.items[item_id] = changed
        return changed

    def fill_item(self, item_id: str, values: Mapping[str, Value]) -> None:
        """Set fields of an item and mark in which version they changed."""
        item = self.items[item_id]
        new = {name: value for name, value in values.items() if item.fields.get(name) != value}
        if not new:
            return
        before = self._before.get(item_id)
        version = before.version + 1 if isinstance(before, Item) else item.version
        self.change_item(
            item_id,
            fields=_merged(item.fields, new),
            field_versions={**item.field_versions, **dict.fromkeys(new, version)},
        )

    def fill_subject(self, subject_id: str, values: Mapping[str, Value]) -> None:
        """Set fields of a subject and mark in which version they changed."""
        subject = self.subjects[subject_id]
        new = {name: value for name, value in values.items() if subject.fields.get(name) != value}
        if not new:
            return
        before = self._before.get(subject_id)
        version = before.version + 1 if before else subject.version
        self.change_subject(
            subject_id,
            fields=_merged(subject.fields, new),
            field_versions={**subject.field_versions, **dict.fromkeys(new, version)},
        )

    def change_subject(self, subject_id: str, **values: Any) -> None:
        """Replace columns of a subject; its version counts on once a decision."""
        subject = self.subjects[subject_id]
        changed = replace(subject, **values)
        if changed == subject:
            return
        before = self._before.get(subject_id)
        version = before.version + 1 if before else subject.version
        self.subjects[subject_id] = replace(changed, version=version)

    def give(self, consent: Consent) -> None:
        """Put a new row into the registry, and in short on the subject."""
        self.consents.append(consent)
        standing = Standing(
            given_at=consent.given_at,
            text_version=consent.text_version,
            channel=consent.channel,
            withdrawn_at=consent.withdrawn_at,
        )
        known = self.subjects[consent.subject_id].consents
        self.change_subject(consent.subject_id, consents={**known, consent.purpose: standing})

    def withdraw(self, effect: ConsentWithdrawn) -> None:
        """End the consent to a purpose, where one stands."""
        known = self.subjects[effect.subject_id].consents
        standing = known.get(effect.purpose)
        if standing is None or standing.withdrawn_at is not None:
            return
        self.withdrawals.append(effect)
        ended = replace(standing, withdrawn_at=effect.at)
        self.change_subject(effect.subject_id, consents={**known, effect.purpose: ended})

    def close_task(self, task_id: str, by: str | None) -> None:
        """Mark a task as done now, unless it is done already."""
        task = self.tasks[task_id]
        if task.closed_at is not None:
            return
        self.tasks[task_id] = replace(
            task, closed_at=self._now, closed_by=by, version=task.version + 1
        )

    def move(self, item_id: str, stage: str) -> None:
        """Put an item into a stage."""
        if self.items[item_id].stage != stage:
            self.change_item(item_id, stage=stage, stage_since=self._now)

    def choose(self, effect: Chosen) -> None:
        """Remember whom a hand-off chose."""
        item = self.items[effect.item_id]
        self.change_item(
            effect.item_id,
            round=item.round + effect.next_round,
            last_chosen=effect.user or item.last_chosen,
        )

    def worked(self, item_id: str) -> None:
        """Remember that a person was here."""
        self.change_item(item_id, worked_at=self._now)


def apply(
    scene: Scene,
    effects: Sequence[Effect],
    playbook: Playbook,
    now: int,
    *,
    merged: bool = False,
) -> Outcome:
    """The rows that the effects leave behind."""
    working = Working(scene, playbook, now)
    working.run(effects)
    return working.outcome(merged=merged)


def _merged(old: Mapping[str, Value], new: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in {**old, **new}.items() if value is not None}


def points_of(playbook: Playbook, item: Item, now: int) -> int:
    """The score of an item by the points of its kind; unchanged where the kind has none."""
    kind = playbook.kind(item.kind)
    if kind is None or not kind.points:
        return item.score
    known = record(item)
    return sum(
        rule.points for rule in kind.points if evaluate(rule.condition, known, me="", now=now)
    )


_APPLY: Mapping[type[Effect], Callable[[Working, Any], object]] = {
    Moved: lambda working, it: working.move(it.item_id, it.stage),
    Assigned: lambda working, it: working.change_item(it.item_id, **{it.column: it.user}),
    Chosen: lambda working, it: working.choose(it),
    Filled: lambda working, it: working.fill_item(it.item_id, it.values),
    SubjectFilled: lambda working, it: working.fill_subject(it.subject_id, it.values),
    Remembered: lambda working, it: working.change_item(it.item_id, undo=it.undo),
    Worked: lambda working, it: working.worked(it.item_id),
    Planned: lambda working, it: working.tasks.__setitem__(it.task.id, it.task),
    TaskClosed: lambda working, it: working.close_task(it.task_id, it.by),
    Noted: lambda working, it: working.entries.append(it.entry),
    Created: lambda working, it: working.items.__setitem__(it.item.id, it.item),
    SubjectCreated: lambda working, it: working.subjects.__setitem__(it.subject.id, it.subject),
    SubjectMoved: lambda working, it: working.change_subject(it.subject_id, stage=it.stage),
    ConsentGiven: lambda working, it: working.give(it.consent),
    ConsentWithdrawn: lambda working, it: working.withdraw(it),
    Requested: lambda working, it: working.requests.append(it.request),
    Counted: lambda working, it: working.tallies.append(it.tally),
}
