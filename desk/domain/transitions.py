"""Moves: whether a transition is possible here and now for this actor, and what it does."""

from collections.abc import Sequence

import msgspec

from desk.domain.clean import clean
from desk.domain.condition import evaluate
from desk.domain.consents import closes, processing_stopped
from desk.domain.consequences import Cause, IdSource, consequences, note, remember
from desk.domain.effects import Effect, Filled, Moved, Worked
from desk.domain.forms import check_value, is_empty
from desk.domain.model import Actor, Item, Value
from desk.domain.operations import Move, Operation
from desk.domain.playbook import Field, Kind, Playbook, Transition
from desk.domain.refusals import Conflict, Refusal
from desk.domain.rights import record
from desk.domain.routing import choose
from desk.domain.scene import Scene, linked

#: The longest comment that is kept, characters.
COMMENT_LIMIT = 4000


class Possible(msgspec.Struct, frozen=True):
    """A transition of an item's kind, and why it is not possible now, if so."""

    transition: Transition
    refusal: Refusal | None


def possible(scene: Scene, actor: Actor, playbook: Playbook, now: int) -> tuple[Possible, ...]:
    """Every transition of the item, with the reason beside those that are not possible now."""
    item = scene.item
    kind = playbook.kind(item.kind) if item else None
    if item is None or kind is None:
        return ()
    return tuple(
        Possible(one, _access(scene, item, one, actor, playbook, now))
        for one in kind.transitions.values()
    )


def comment_text(text: str) -> str | Refusal:
    """A comment as it is kept; one too long is refused, for a cut one may mean something else."""
    kept = clean(text, COMMENT_LIMIT + 1, lines=True)
    if len(kept) > COMMENT_LIMIT:
        return Refusal("comment_too_long", {"limit": str(COMMENT_LIMIT)})
    return kept


def decide_move(
    scene: Scene, operation: Operation, intent: Move, actor: Actor, playbook: Playbook, now: int
) -> list[Effect] | Refusal | Conflict:
    """The effects of a transition, or why it is refused."""
    item = scene.item
    kind = playbook.kind(item.kind) if item else None
    if item is None or kind is None:
        return Refusal("no_item")
    transition = kind.transitions.get(intent.transition)
    if transition is None:
        return _unknown(scene, actor, playbook, now, intent.transition)
    if intent.seen_stage is not None and intent.seen_stage != item.stage:
        return Conflict("stale", {"stage": item.stage}, ("stage",))
    refusal = _access(scene, item, transition, actor, playbook, now)
    if refusal:
        return refusal
    values = _checked(intent.fields, transition, kind)
    if isinstance(values, Refusal):
        return values
    comment = comment_text(intent.comment)
    if isinstance(comment, Refusal):
        return comment
    if transition.comment == "required" and not comment:
        return Refusal("comment_required")
    intent = msgspec.structs.replace(intent, comment=comment)
    return _carry_out(scene, operation, intent, item, transition, values, actor, playbook, now)


def _carry_out(
    scene: Scene,
    operation: Operation,
    intent: Move,
    item: Item,
    transition: Transition,
    values: dict[str, Value],
    actor: Actor,
    playbook: Playbook,
    now: int,
) -> list[Effect] | Refusal:
    kind = playbook.kinds[item.kind]
    filled = msgspec.structs.replace(item, fields={**item.fields, **values})
    target = _target_stage(transition, kind, filled)
    refusal = _missing(transition, kind, target, filled)
    if refusal:
        return refusal
    chosen = choose(scene, transition.choose, intent.to, item.last_chosen)
    if isinstance(chosen, Refusal):
        return chosen
    cause = Cause(
        scene=scene,
        item=filled,
        event=transition.id,
        playbook=playbook,
        now=now,
        ids=IdSource(operation.id),
        who=actor.id,
        chosen=chosen,
        comment=intent.comment,
    )
    effects = _own_effects(cause, transition, values, target)
    further = consequences(cause, transition.effects)
    if isinstance(further, Refusal):
        return further
    effects += further
    if target and kind.is_final(target):
        effects.append(remember(cause, effects))
    return effects


def _own_effects(
    cause: Cause, transition: Transition, values: dict[str, Value], target: str | None
) -> list[Effect]:
    item = cause.item
    effects: list[Effect] = [Worked(item_id=item.id)]
    if values:
        effects.append(Filled(item_id=item.id, values=values))
    if target:
        effects.append(Moved(item_id=item.id, stage=target))
    if not transition.undoes:
        effects.append(note(cause, item.id, source=item.stage, target=target or item.stage))
    return effects


def _access(
    scene: Scene,
    item: Item,
    transition: Transition,
    actor: Actor,
    playbook: Playbook,
    now: int,
) -> Refusal | None:
    if actor.role not in transition.roles:
        return Refusal("role_may_not", {"transition": transition.id})
    if item.stage not in transition.sources:
        return Refusal("wrong_stage", {"transition": transition.id, "stage": item.stage})
    known = record(item)
    role = playbook.roles.get(actor.role)
    for_others = role is not None and role.acts_for_others
    if not for_others and not evaluate(transition.who, known, me=actor.id, now=now):
        return Refusal("not_yours")
    kind = playbook.kinds[item.kind]
    if processing_stopped(playbook, scene.subject_of(item)) and not closes(
        playbook, kind, transition
    ):
        return Refusal("processing_stopped")
    return _guarded(scene, item, transition, actor, playbook, now)


def _guarded(
    scene: Scene,
    item: Item,
    transition: Transition,
    actor: Actor,
    playbook: Playbook,
    now: int,
) -> Refusal | None:
    for guard in transition.guards:
        on = linked(scene.items, item, guard.on, playbook)
        if on and not evaluate(guard.condition, record(on), me=actor.id, now=now):
            return Refusal("guard", {"ru": guard.otherwise.ru, "en": guard.otherwise.en})
    if transition.undoes and item.undo is None:
        return Refusal("nothing_to_reopen")
    return None


def _checked(
    given: dict[str, Value], transition: Transition, kind: Kind
) -> dict[str, Value] | Refusal:
    values: dict[str, Value] = {}
    for name, value in given.items():
        field: Field | None = kind.fields.get(name)
        if field is None:
            return Refusal("unknown_field", {"field": name})
        if name not in transition.form:
            return Refusal("field_not_here", {"field": name})
        checked = check_value(field, value)
        if isinstance(checked, Refusal):
            return checked
        values[name] = checked
    return values


def _target_stage(transition: Transition, kind: Kind, filled: Item) -> str | None:
    """Where the transition leads; a field may still name a stage that an older playbook had."""
    if transition.target_from:
        value = filled.fields.get(transition.target_from)
        return value if isinstance(value, str) and kind.stage(value) else None
    return transition.target


def _missing(
    transition: Transition, kind: Kind, target: str | None, filled: Item
) -> Refusal | None:
    stage = kind.stage(target) if target else None
    needed: Sequence[str] = (*transition.required, *(stage.required if stage else ()))
    missing = [name for name in dict.fromkeys(needed) if is_empty(filled.fields.get(name))]
    if transition.target_from and target is None and transition.target_from not in missing:
        missing.append(transition.target_from)
    return Refusal("missing_fields", {"fields": ", ".join(missing)}) if missing else None


def _unknown(scene: Scene, actor: Actor, playbook: Playbook, now: int, asked: str) -> Refusal:
    now_possible = possible(scene, actor, playbook, now)
    names = [one.transition.id for one in now_possible if one.refusal is None]
    return Refusal("unknown_transition", {"transition": asked, "possible": ", ".join(names) or "—"})
