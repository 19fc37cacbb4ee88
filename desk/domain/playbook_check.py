"""Whether everything a playbook mentions exists."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from desk.domain import playbook as spec
from desk.domain.playbook import EffectSpec, Kind, Playbook, Role, Transition
from desk.domain.refusals import N_


class PlaybookError(ValueError):
    """A playbook that cannot be used: ``where`` it is wrong, and a sentence with the mend.

    ``sentence`` is a template for translation, filled with ``fill``.
    """

    def __init__(self, where: str, sentence: str, fill: Mapping[str, str]) -> None:
        super().__init__(f"{where}: {sentence.format(**fill)}")
        self.where = where
        self.sentence = sentence
        self.fill = dict(fill)

    def in_file(self, name: str) -> "PlaybookError":
        """The same error, naming the file."""
        return PlaybookError(f"{name}: {self.where}", self.sentence, self.fill)


def check(playbook: Playbook) -> None:
    """Raise PlaybookError at the first mention of something that does not exist."""
    for kind in playbook.kinds.values():
        _check_kind(kind, playbook)
    for role in playbook.roles.values():
        _check_role(role, playbook)
    if playbook.campaign_field and not any(
        playbook.campaign_field in kind.fields for kind in playbook.kinds.values()
    ):
        raise PlaybookError(
            "campaign_field",
            N_("No kind has the field “{name}”. Name a field of a kind."),
            {"name": playbook.campaign_field},
        )


def _check_kind(kind: Kind, playbook: Playbook) -> None:
    path = f"kind {kind.id!r}"
    if not kind.stages:
        raise PlaybookError(path, N_("A kind needs at least one [[{key}]]."), {"key": "kind.stage"})
    stages = {stage.id for stage in kind.stages}
    if len(stages) != len(kind.stages):
        raise PlaybookError(path, N_("Two stages have the same id. Rename one."), {})
    for section in kind.form:
        fields = playbook.fields("subject" if section.subject else kind.id)
        _known(section.fields, fields, f"{path}: form {section.title.en!r}")
    for stage in kind.stages:
        _known(stage.required, kind.fields, f"{path}: stage {stage.id!r}: required")
    for field in kind.fields.values():
        if field.type in ("choice", "choices") and not field.choices:
            raise PlaybookError(
                f"{path}: field {field.id!r}",
                N_("A choice field needs choices. Add them."),
                {},
            )
    for transition in kind.transitions.values():
        _check_transition(transition, kind, playbook, path)
    for robot in kind.robots:
        _check_effects(robot.effects, kind, playbook, f"{path}: robot {robot.id!r}")
    if kind.withdrawn:
        _known((kind.withdrawn,), stages, f"{path}: withdrawn")


def _check_transition(transition: Transition, kind: Kind, playbook: Playbook, path: str) -> None:
    path = f"{path}: transition {transition.id!r}"
    stages = {stage.id for stage in kind.stages}
    _known(transition.sources, stages, f"{path}: from")
    _known((transition.target,) if transition.target else (), stages, f"{path}: to")
    _known(transition.roles, playbook.roles, f"{path}: roles")
    _known((*transition.form, *transition.required), kind.fields, f"{path}: form")
    if transition.target_from:
        _known((transition.target_from,), kind.fields, f"{path}: target_from")
        choices = [choice.id for choice in kind.fields[transition.target_from].choices]
        _known(choices, stages, f"{path}: target_from")
    if transition.choose:
        _known(transition.choose.roles, playbook.roles, f"{path}: choose")
    for guard in transition.guards:
        _known_item(guard.on, playbook, f"{path}: guard")
    _check_effects(transition.effects, kind, playbook, path)


def _check_effects(
    effects: Iterable[EffectSpec], kind: Kind, playbook: Playbook, path: str
) -> None:
    for number, effect in enumerate(effects, start=1):
        where = f"{path}: effect[{number}]"
        _known_item(getattr(effect, "item", "self"), playbook, where)
        match effect:
            case spec.PlanTask():
                _known((effect.task,), playbook.tasks, where)
            case spec.CloseTasks() if effect.task:
                _known((effect.task,), playbook.tasks, where)
            case spec.MoveLinked():
                _check_move(effect, kind, playbook, where)
            case spec.CreateLinked():
                _known((effect.kind,), playbook.kinds, where)
                used = (*effect.copy_fields, effect.title_from, effect.if_filled)
                _known([one for one in used if one not in ("", "*")], kind.fields, where)
            case _:
                pass


def _check_move(effect: spec.MoveLinked, kind: Kind, playbook: Playbook, where: str) -> None:
    moved = kind if effect.item == "self" else playbook.kinds[effect.item]
    stages = {stage.id for stage in moved.stages}
    if effect.stage_from:
        _known((effect.stage_from,), kind.fields, where)
        _known([choice.id for choice in kind.fields[effect.stage_from].choices], stages, where)
    else:
        _known((effect.stage,), stages, where)


def _check_role(role: Role, playbook: Playbook) -> None:
    path = f"role {role.id!r}"
    owners = {*playbook.kinds, "subject"}
    _known((*role.creates, *role.sees), playbook.kinds, f"{path}: creates or sees")
    _known((role.start,) if role.start else (), playbook.kinds, f"{path}: start")
    _known(role.edits, owners, f"{path}: edits")
    for owner, names in role.edits.items():
        _known([one for one in names if one != "*"], playbook.fields(owner), f"{path}: edits")
    for key in role.mask:
        owner, _, field = key.partition(".")
        _known((owner,), owners, f"{path}: mask")
        _known((field,) if field else (), playbook.fields(owner), f"{path}: mask")


def _known_item(reference: str, playbook: Playbook, where: str) -> None:
    if reference != "self":
        _known((reference,), playbook.kinds, where)


def _known(names: Iterable[str], known: Iterable[str], where: str) -> None:
    existing = list(known)
    for name in names:
        if name not in existing:
            close = get_close_matches(name, existing, 1)
            raise PlaybookError(
                where,
                N_("“{name}” does not exist. Use one of: {known}."),
                {"name": name, "known": ", ".join(close or sorted(existing)) or "—"},
            )
