"""Operations that move nothing: create, edit, comment, close a task."""

from collections.abc import Mapping

from desk.domain.clean import clean
from desk.domain.effects import (
    Created,
    Effect,
    Filled,
    Noted,
    SubjectCreated,
    SubjectFilled,
    TaskClosed,
    Worked,
)
from desk.domain.forms import check_value, is_empty
from desk.domain.ids import derive_id
from desk.domain.model import TITLE_LIMIT, Actor, Entry, Item, Subject, Value
from desk.domain.operations import CloseTask, Comment, Create, EditFields, EditSubject, Operation
from desk.domain.playbook import Playbook
from desk.domain.refusals import Conflict, Refusal
from desk.domain.rights import may_edit
from desk.domain.scene import Scene
from desk.domain.transitions import comment_text

#: The rows an operation creates are numbered; these are the numbers of its own first ones.
_SUBJECT_ID, _ENTRY_ID = 0, 1


def decide_create(
    scene: Scene, operation: Operation, intent: Create, actor: Actor, playbook: Playbook, now: int
) -> list[Effect] | Refusal:
    """A new item in the first stage of its kind, with its subject."""
    kind = playbook.kind(intent.kind)
    role = playbook.roles.get(actor.role)
    title = clean(intent.title, TITLE_LIMIT)
    if kind is None:
        return Refusal("unknown_kind", {"kind": intent.kind})
    if role is None or kind.id not in role.creates:
        return Refusal("role_may_not_create")
    if scene.item is not None:
        return Refusal("exists_already")
    if not title:
        return Refusal("empty_title")
    fields = checked_fields(playbook, actor, kind.id, intent.fields)
    personal = checked_fields(playbook, actor, "subject", intent.subject)
    if isinstance(fields, Refusal):
        return fields
    if isinstance(personal, Refusal):
        return personal
    subject = _new_subject(operation, _filled(personal))
    item = Item(
        id=operation.id,
        kind=kind.id,
        stage=kind.stages[0].id,
        title=title,
        created_at=now,
        updated_at=now,
        stage_since=now,
        worked_at=now,
        author=actor.id,
        responsible=actor.id,
        subject_id=subject.id,
        playbook_version=playbook.version,
        fields=_filled(fields),
        field_versions=dict.fromkeys(_filled(fields), 1),
    )
    return [
        SubjectCreated(subject=subject),
        Created(item=item),
        _noted(operation, item, actor, now, "create"),
    ]


def decide_edit(
    scene: Scene, intent: EditFields, actor: Actor, playbook: Playbook
) -> list[Effect] | Refusal | Conflict:
    """New values of an item's fields."""
    item = scene.item
    if item is None:
        return Refusal("no_item")
    values = checked_fields(playbook, actor, item.kind, intent.fields)
    if isinstance(values, Refusal):
        return values
    clash = _clash(item, values, intent.base, intent.was)
    if clash:
        return clash
    return [Filled(item_id=item.id, values=values), Worked(item_id=item.id)]


def decide_edit_subject(
    scene: Scene, intent: EditSubject, actor: Actor, playbook: Playbook
) -> list[Effect] | Refusal | Conflict:
    """New values of a subject's personal data."""
    item = scene.item
    subject = scene.subject_of(item) if item else None
    if item is None:
        return Refusal("no_item")
    if subject is None:
        return Refusal("no_subject")
    values = checked_fields(playbook, actor, "subject", intent.fields)
    if isinstance(values, Refusal):
        return values
    clash = _clash(subject, values, intent.base, intent.was)
    if clash:
        return clash
    return [SubjectFilled(subject_id=subject.id, values=values), Worked(item_id=item.id)]


def decide_comment(
    scene: Scene, operation: Operation, intent: Comment, actor: Actor, now: int
) -> list[Effect] | Refusal:
    """A note on the timeline; whoever sees the item may write one."""
    item = scene.item
    if item is None:
        return Refusal("no_item")
    text = comment_text(intent.text)
    if isinstance(text, Refusal):
        return text
    if not text:
        return Refusal("empty_text")
    return [Worked(item_id=item.id), _noted(operation, item, actor, now, "comment", text)]


def decide_close_task(
    scene: Scene,
    operation: Operation,
    intent: CloseTask,
    actor: Actor,
    playbook: Playbook,
    now: int,
) -> list[Effect] | Refusal:
    """A task is done by whom it was given to, or by who is responsible for the item."""
    item = scene.item
    if item is None:
        return Refusal("no_item")
    task = next((one for one in scene.tasks if one.id == intent.task_id), None)
    if task is None or task.item_id != item.id or task.closed_at is not None:
        return Refusal("no_task")
    role = playbook.roles.get(actor.role)
    if actor.id not in (task.assignee, item.responsible) and not (role and role.acts_for_others):
        return Refusal("not_yours")
    text = comment_text(intent.comment)
    if isinstance(text, Refusal):
        return text
    return [
        Worked(item_id=item.id),
        TaskClosed(task_id=task.id, by=actor.id),
        _noted(operation, item, actor, now, f"done.{task.type}", text),
    ]


def checked_fields(
    playbook: Playbook, actor: Actor, owner: str, given: Mapping[str, Value]
) -> dict[str, Value] | Refusal:
    """The values as they are stored, or the first reason why the actor cannot set one."""
    declared = playbook.fields(owner)
    values: dict[str, Value] = {}
    for name, value in given.items():
        field = declared.get(name)
        if field is None:
            return Refusal("unknown_field", {"field": name})
        if not may_edit(playbook, actor.role, owner, name):
            return Refusal("field_not_yours", {"field": name})
        checked = check_value(field, value)
        if isinstance(checked, Refusal):
            return checked
        values[name] = checked
    return values


def _clash(
    row: Item | Subject,
    values: Mapping[str, Value],
    base: Mapping[str, int],
    was: Mapping[str, Value],
) -> Conflict | None:
    """Fields that somebody else changed since: newer than the base and neither old nor wanted."""
    fields = tuple(
        name
        for name, value in values.items()
        if name in base
        and row.field_versions.get(name, 0) > base[name]
        and row.fields.get(name) not in (was.get(name), value)
    )
    return Conflict("field_conflict", {"fields": ", ".join(fields)}, fields) if fields else None


def _filled(values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if not is_empty(value)}


def _new_subject(operation: Operation, values: dict[str, Value]) -> Subject:
    return Subject(
        id=derive_id(operation.id, _SUBJECT_ID),
        fields=values,
        field_versions=dict.fromkeys(values, 1),
    )


def _noted(
    operation: Operation, item: Item, actor: Actor, now: int, event: str, comment: str = ""
) -> Noted:
    return Noted(
        entry=Entry(
            id=derive_id(operation.id, _ENTRY_ID),
            item_id=item.id,
            at=now,
            who=actor.id,
            event=event,
            to_stage=item.stage if event == "create" else None,
            comment=comment,
        )
    )
