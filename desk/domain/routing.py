"""Whom a transition chooses: the colleague asked for, or by presence and load."""

from desk.domain.model import Person
from desk.domain.playbook import Choose
from desk.domain.refusals import Refusal
from desk.domain.scene import Scene


def choose(
    scene: Scene, rule: Choose | None, asked: str | None, last: str | None
) -> str | Refusal | None:
    """The chosen user's name; None where nobody is to be chosen, or where the hub will choose.

    Only the hub knows presence and load, so a desk leaves routing open.
    """
    if rule is None:
        return Refusal("nobody_to_choose") if asked else None
    if asked:
        return _asked(scene, rule, asked)
    if not rule.route:
        return Refusal("choose_user")
    if scene.judge == "desk":
        return None
    present = [one for one in scene.people if _eligible(one, rule) and one.present]
    if not present:
        return Refusal("nobody_present")
    if rule.prefer_last and any(one.id == last for one in present):
        return last
    return min(present, key=lambda one: (one.load, one.id)).id


def _asked(scene: Scene, rule: Choose, asked: str) -> str | Refusal:
    person = scene.person(asked)
    if person is None or not person.active:
        return Refusal("user_unknown", {"user": asked})
    if person.role not in rule.roles:
        return Refusal("user_wrong_role", {"user": asked, "roles": ", ".join(rule.roles)})
    return asked


def _eligible(person: Person, rule: Choose) -> bool:
    return person.active and person.role in rule.roles
