"""Robots: what the hub does by itself after an operation."""

from collections.abc import Sequence

from desk.domain.condition import evaluate
from desk.domain.consequences import Cause, IdSource, consequences
from desk.domain.effects import Assigned, Created, Effect, Working
from desk.domain.model import Item
from desk.domain.operations import Operation
from desk.domain.playbook import Playbook, Robot
from desk.domain.rights import record
from desk.domain.scene import Scene

#: Robots may set off robots; deeper chains than this are a mistake in the playbook.
_DEPTH = 4


def run_robots(
    working: Working,
    effects: Sequence[Effect],
    operation: Operation,
    playbook: Playbook,
    now: int,
) -> None:
    """Apply what the robots do about ``effects``, and about what they did themselves."""
    ids = IdSource(operation.id, robots=True)
    for _ in range(_DEPTH):
        effects = _reactions(working, effects, playbook, now, ids)
        if not effects:
            return


def _reactions(
    working: Working, effects: Sequence[Effect], playbook: Playbook, now: int, ids: IdSource
) -> list[Effect]:
    done: list[Effect] = []
    for item_id, events in _events(effects).items():
        kind = playbook.kind(working.items[item_id].kind)
        for robot in kind.robots if kind else ():
            scene = working.scene()
            item = working.items[item_id]
            if robot.when in events and _wakes(robot, scene, item, now):
                reaction = _reaction(robot, scene, item, playbook, now, ids)
                working.run(reaction)
                done += reaction
    return done


def _events(effects: Sequence[Effect]) -> dict[str, set[str]]:
    events: dict[str, set[str]] = {}
    for effect in effects:
        if isinstance(effect, Created):
            events.setdefault(effect.item.id, set()).update(("created", "responsible_changed"))
        elif isinstance(effect, Assigned) and effect.column == "responsible":
            events.setdefault(effect.item_id, set()).add("responsible_changed")
    return events


def _wakes(robot: Robot, scene: Scene, item: Item, now: int) -> bool:
    person = scene.person(item.responsible)
    known = {**record(item), "responsible_role": person.role if person else None}
    return evaluate(robot.condition, known, me="", now=now)


def _reaction(
    robot: Robot, scene: Scene, item: Item, playbook: Playbook, now: int, ids: IdSource
) -> list[Effect]:
    cause = Cause(
        scene=scene,
        item=item,
        event=robot.id,
        playbook=playbook,
        now=now,
        ids=ids,
        who=None,
    )
    effects = consequences(cause, robot.effects)
    # A robot whose link is missing does nothing: the person's operation stands all the same.
    return effects if isinstance(effects, list) else []
