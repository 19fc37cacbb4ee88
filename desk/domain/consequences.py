"""From a playbook's effect specifications to effects on the rows of one family."""

from collections.abc import Sequence
from itertools import count

import msgspec

from desk.domain import playbook as spec
from desk.domain.clean import clean
from desk.domain.effects import (
    Assigned,
    Chosen,
    Counted,
    Created,
    Effect,
    Moved,
    Noted,
    Planned,
    Remembered,
    TaskClosed,
)
from desk.domain.forms import is_empty
from desk.domain.ids import derive_id
from desk.domain.model import (
    CAMPAIGN_LIMIT,
    TITLE_LIMIT,
    Entry,
    Item,
    ItemBefore,
    Tally,
    Task,
    Undo,
)
from desk.domain.playbook import EffectSpec, Kind, Playbook
from desk.domain.refusals import Refusal
from desk.domain.scene import Scene, find, linked

_ROBOT_IDS = 1000


class IdSource:
    """Ids of the rows that one operation creates; robots count apart from the person's effects.

    The desk runs no robots, so the ids of the person's effects agree on both sides.
    """

    def __init__(self, origin: str, *, robots: bool = False) -> None:
        self._origin = origin
        self._numbers = count(_ROBOT_IDS if robots else 0)

    def next(self) -> str:
        """The next id."""
        return derive_id(self._origin, next(self._numbers))


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What the effects follow from: an event on ``item``, its new fields already filled in."""

    scene: Scene
    item: Item
    event: str
    playbook: Playbook
    now: int
    ids: IdSource
    who: str | None
    chosen: str | None = None
    comment: str = ""


def consequences(cause: Cause, specs: Sequence[EffectSpec]) -> list[Effect] | Refusal:
    """The effects of all specifications in order, or why one of them is impossible."""
    effects: list[Effect] = []
    for one in specs:
        result = _consequence(cause, one)
        if isinstance(result, Refusal):
            return result
        effects.extend(result)
    return effects


def note(
    cause: Cause, item_id: str, *, echo: bool = False, source: str = "", target: str = ""
) -> Noted:
    """A timeline line of the event; an echo stands on a linked item and names the kind."""
    event = f"{cause.item.kind}.{cause.event}" if echo else cause.event
    return Noted(
        entry=Entry(
            id=cause.ids.next(),
            item_id=item_id,
            at=cause.now,
            who=cause.who,
            event=event,
            from_stage=source or None,
            to_stage=target or None,
            comment=cause.comment,
        )
    )


def remember(cause: Cause, effects: Sequence[Effect]) -> Remembered:
    """What a transition into a final stage would have to give back."""
    touched = [cause.item.id]
    touched += [one.item_id for one in effects if isinstance(one, Moved | Assigned)]
    before = [find(cause.scene.items, identifier) for identifier in dict.fromkeys(touched)]
    return Remembered(
        item_id=cause.item.id,
        undo=Undo(
            at=cause.now,
            items=tuple(
                ItemBefore(
                    id=item.id,
                    stage=item.stage,
                    responsible=item.responsible,
                    shared_with=item.shared_with,
                )
                for item in before
                if item
            ),
            produced=tuple(one.item.id for one in effects if isinstance(one, Created)),
            counted=tuple(one.tally.event for one in effects if isinstance(one, Counted)),
        ),
    )


def _consequence(cause: Cause, one: EffectSpec) -> Sequence[Effect] | Refusal:
    match one:
        case spec.SetResponsible() | spec.SetOwner() | spec.SetShared():
            return _assign(cause, one)
        case spec.PlanTask():
            return _plan(cause, one)
        case spec.CloseTasks():
            return _close_tasks(cause, one)
        case spec.MoveLinked():
            return _move(cause, one)
        case spec.CreateLinked():
            return _create(cause, one)
        case spec.NextRound():
            return [Chosen(item_id=cause.item.id, user=cause.chosen, next_round=True)]
        case spec.Echo():
            item = _target(cause, one.item)
            return [note(cause, item.id, echo=True)] if item else []
        case spec.Count():
            return [_count(cause, one.event, 1)]
        case spec.Withdraw():
            return _withdraw(cause)


_COLUMNS = {
    spec.SetResponsible: "responsible",
    spec.SetOwner: "owner",
    spec.SetShared: "shared_with",
}


def _assign(
    cause: Cause, one: spec.SetResponsible | spec.SetOwner | spec.SetShared
) -> Sequence[Effect] | Refusal:
    item = _target(cause, one.item)
    if item is None:
        return Refusal("link_missing", {"kind": one.item})
    return [Assigned(item_id=item.id, column=_COLUMNS[type(one)], user=_user(cause, one.to))]


def _plan(cause: Cause, one: spec.PlanTask) -> Sequence[Effect] | Refusal:
    item = _target(cause, one.item)
    if item is None:
        return Refusal("link_missing", {"kind": one.item})
    kind = cause.playbook.tasks[one.task]
    task = Task(
        id=cause.ids.next(),
        item_id=item.id,
        type=kind.id,
        title="",
        assignee=_user(cause, one.to),
        due_at=cause.now + kind.due,
        created_at=cause.now,
    )
    return [Planned(task=task)]


def _close_tasks(cause: Cause, one: spec.CloseTasks) -> Sequence[Effect]:
    item = _target(cause, one.item)
    return [
        TaskClosed(task_id=task.id, by=cause.who)
        for task in cause.scene.tasks
        if item and task.item_id == item.id and one.task in ("", task.type)
    ]


def _move(cause: Cause, one: spec.MoveLinked) -> Sequence[Effect] | Refusal:
    item = _target(cause, one.item)
    closed = item is None or cause.playbook.kinds[item.kind].is_final(item.stage)
    if one.if_open and closed:
        return []
    if item is None:
        return Refusal("link_missing", {"kind": one.item})
    stage = one.stage or str(cause.item.fields.get(one.stage_from, ""))
    if not cause.playbook.kinds[item.kind].stage(stage):
        # The field may still hold what an older playbook called a stage.
        return Refusal("missing_fields", {"fields": one.stage_from})
    if item.stage == stage:
        return []
    return [
        Moved(item_id=item.id, stage=stage),
        note(cause, item.id, echo=True, source=item.stage, target=stage),
    ]


def _create(cause: Cause, one: spec.CreateLinked) -> Sequence[Effect]:
    item, kind = cause.item, cause.playbook.kinds[one.kind]
    if one.unless_open and _has_open(cause, kind):
        return []
    if one.if_filled and is_empty(item.fields.get(one.if_filled)):
        return []
    identifier = cause.ids.next()
    fields = {
        name: value
        for name, value in item.fields.items()
        if name in kind.fields and ("*" in one.copy_fields or name in one.copy_fields)
    }
    title = str(item.fields.get(one.title_from) or item.title) if one.title_from else item.title
    created = Item(
        id=identifier,
        kind=kind.id,
        stage=kind.stages[0].id,
        title=clean(title, TITLE_LIMIT),
        created_at=cause.now,
        updated_at=cause.now,
        stage_since=cause.now,
        author=cause.who,
        responsible=_user(cause, one.responsible),
        owner=_user(cause, one.owner),
        parent_id=item.root_id,
        subject_id=item.subject_id,
        playbook_version=cause.playbook.version,
        fields=fields,
        field_versions=dict.fromkeys(fields, 1),
    )
    return [
        Created(item=created),
        note(cause, identifier, echo=True, target=created.stage),
    ]


def _has_open(cause: Cause, kind: Kind) -> bool:
    return any(item.kind == kind.id and not kind.is_final(item.stage) for item in cause.scene.items)


def _count(cause: Cause, event: str, sign: int) -> Counted:
    campaign = cause.item.fields.get(cause.playbook.campaign_field)
    return Counted(
        tally=Tally(
            id=cause.ids.next(),
            item_id=cause.item.id,
            event=event,
            owner=cause.item.owner,
            campaign=clean(str(campaign or ""), CAMPAIGN_LIMIT),
            at=cause.now,
            sign=sign,
        )
    )


def _withdraw(cause: Cause) -> Sequence[Effect] | Refusal:
    undo = cause.item.undo
    if undo is None:
        return Refusal("nothing_to_reopen")
    produced = [find(cause.scene.items, one) for one in undo.produced]
    changed = [find(cause.scene.items, one.id) for one in undo.items if one.id != cause.item.id]
    if any(item and (item.worked_at or 0) > undo.at for item in (*produced, *changed)):
        return Refusal("worked_on")
    effects: list[Effect] = [Remembered(item_id=cause.item.id, undo=None)]
    for before in undo.items:
        restored = _restore(cause, before)
        if isinstance(restored, Refusal):
            return restored
        effects += restored
    for item in produced:
        kind = cause.playbook.kind(item.kind) if item else None
        if item and kind and kind.withdrawn:
            withdrawn = kind.withdrawn
            effects.append(Moved(item_id=item.id, stage=withdrawn))
            effects.append(note(cause, item.id, echo=True, source=item.stage, target=withdrawn))
    effects += [_count(cause, event, -1) for event in undo.counted]
    return effects


def _restore(cause: Cause, before: ItemBefore) -> Sequence[Effect] | Refusal:
    item = find(cause.scene.items, before.id)
    if item is None:
        return []
    kind = cause.playbook.kind(item.kind)
    if kind is None or kind.stage(before.stage) is None:
        return Refusal("nothing_to_reopen")
    echo = item.id != cause.item.id
    return [
        Moved(item_id=item.id, stage=before.stage),
        Assigned(item_id=item.id, column="responsible", user=before.responsible),
        Assigned(item_id=item.id, column="shared_with", user=before.shared_with),
        note(cause, item.id, echo=echo, source=item.stage, target=before.stage),
    ]


def _target(cause: Cause, reference: str) -> Item | None:
    return linked(cause.scene.items, cause.item, reference, cause.playbook)


def _user(cause: Cause, reference: spec.UserRef) -> str | None:
    match reference:
        case "chosen":
            return cause.chosen
        case "owner":
            return cause.item.owner
        case "actor":
            return cause.who
        case "responsible":
            return cause.item.responsible
        case "nobody":
            return None
