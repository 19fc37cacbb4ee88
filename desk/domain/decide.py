"""The rulebook: ``(scene, operation, actor, playbook, now) → effects | refusal``.

The desk asks it to show a result at once, the hub asks it to make the result true.
"""

from typing import TypeAlias

import msgspec

from desk.domain.clean import clean
from desk.domain.consents import decide_erasure, decide_give, decide_withdraw, stopped
from desk.domain.edits import (
    decide_close_task,
    decide_comment,
    decide_create,
    decide_edit,
    decide_edit_subject,
)
from desk.domain.effects import Effect, Outcome, Working
from desk.domain.ids import is_id
from desk.domain.model import Actor, Item, Subject
from desk.domain.operations import (
    CloseTask,
    Comment,
    Create,
    EditFields,
    EditSubject,
    GiveConsent,
    Move,
    Operation,
    RequestErasure,
    WithdrawConsent,
)
from desk.domain.playbook import Playbook
from desk.domain.refusals import Conflict, Refusal
from desk.domain.rights import scope, sees
from desk.domain.robots import run_robots
from desk.domain.scene import Scene
from desk.domain.transitions import decide_move


class Decision(msgspec.Struct, frozen=True):
    """What will change. ``merged``: others changed the row since the person looked at it."""

    effects: tuple[Effect, ...]
    merged: bool = False


Verdict: TypeAlias = Decision | Refusal | Conflict

#: Arguments of a refusal may repeat what was asked; no more of it than one reads.
_ARGUMENT_LIMIT = 500


def decide(
    scene: Scene, operation: Operation, actor: Actor, playbook: Playbook, now: int
) -> Verdict:
    """The effects of an operation, or why it is refused. Pure and total."""
    if not is_id(operation.id):
        return Refusal("broken_operation")
    if not isinstance(operation.intent, Create) and not _visible(scene, actor, playbook, now):
        return Refusal("no_item")
    refusal = stopped(scene, operation.intent, playbook)
    effects = refusal or _effects(scene, operation, actor, playbook, now)
    if isinstance(effects, Refusal | Conflict):
        return _showable(effects)
    return Decision(tuple(effects), _merges(scene, operation))


def settle(
    scene: Scene, operation: Operation, actor: Actor, playbook: Playbook, now: int
) -> Outcome | Refusal | Conflict:
    """The rows an operation leaves behind, what the robots did included when the hub judges."""
    decision = decide(scene, operation, actor, playbook, now)
    if not isinstance(decision, Decision):
        return decision
    working = Working(scene, playbook, now)
    working.run(decision.effects)
    if scene.judge == "hub":
        run_robots(working, decision.effects, operation, playbook, now)
    return working.outcome(merged=decision.merged)


def _showable(answer: Refusal | Conflict) -> Refusal | Conflict:
    args = {name: clean(value, _ARGUMENT_LIMIT) for name, value in answer.args.items()}
    return msgspec.structs.replace(answer, args=args)


def _visible(scene: Scene, actor: Actor, playbook: Playbook, now: int) -> bool:
    item = scene.item
    return item is not None and sees(playbook, actor, scope(item), now)


def _effects(
    scene: Scene, operation: Operation, actor: Actor, playbook: Playbook, now: int
) -> list[Effect] | Refusal | Conflict:
    match operation.intent:
        case Create() as intent:
            return decide_create(scene, operation, intent, actor, playbook, now)
        case Move() as intent:
            return decide_move(scene, operation, intent, actor, playbook, now)
        case EditFields() as intent:
            return decide_edit(scene, intent, actor, playbook)
        case EditSubject() as intent:
            return decide_edit_subject(scene, intent, actor, playbook)
        case Comment() as intent:
            return decide_comment(scene, operation, intent, actor, now)
        case CloseTask() as intent:
            return decide_close_task(scene, operation, intent, actor, playbook, now)
        case GiveConsent() as intent:
            return decide_give(scene, operation, intent, actor, playbook, now)
        case WithdrawConsent() as intent:
            return decide_withdraw(scene, operation, intent, actor, playbook, now)
        case RequestErasure() as intent:
            return decide_erasure(scene, operation, intent, actor, now)


def _merges(scene: Scene, operation: Operation) -> bool:
    intent, item = operation.intent, scene.item
    row: Item | Subject | None = None
    if isinstance(intent, EditFields):
        row = item
    elif isinstance(intent, EditSubject) and item:
        row = scene.subject_of(item)
    if row is None or not isinstance(intent, EditFields | EditSubject):
        return False
    seen: list[int] = list(intent.base.values())
    return bool(seen) and row.version > min(seen)
