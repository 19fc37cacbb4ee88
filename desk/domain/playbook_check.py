"""Whether everything a playbook mentions exists."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from desk.domain import playbook as spec
from desk.domain.condition.lexer import KEYWORDS
from desk.domain.playbook import EffectSpec, Field, Kind, Playbook, Role, Transition
from desk.domain.refusals import N_
from desk.domain.rights import COLUMN_TYPES, PSEUDO_FIELDS

#: "KIND.TRANSITION" names an event in 64 characters; conditions and masks spell ids too.
_ID = re.compile(r"[a-z][a-z0-9_]{0,30}")
_RESERVED_KINDS = frozenset(("self", "subject"))
_RESERVED_FIELDS = frozenset((*COLUMN_TYPES, *KEYWORDS, *PSEUDO_FIELDS, "responsible_role"))


class PlaybookError(ValueError):
    """A playbook that cannot be used: ``where`` it is wrong, and a sentence with the mend.

    ``sentence`` is a template for translation, filled with ``fill``; so is ``mend``, which is
    empty where the sentence says already what to do.
    """

    def __init__(self, where: str, sentence: str, fill: Mapping[str, str], mend: str = "") -> None:
        text = f"{where}: {sentence.format(**fill)}"
        super().__init__(f"{text}. {mend.format(**fill)}" if mend else text)
        self.where = where
        self.sentence = sentence
        self.fill = dict(fill)
        self.mend = mend

    def in_file(self, name: str) -> "PlaybookError":
        """The same error, naming the file."""
        return PlaybookError(f"{name}: {self.where}", self.sentence, self.fill, self.mend)


def check(playbook: Playbook) -> None:
    """Raise PlaybookError at the first mention of something that does not exist."""
    for key, tables in (("kind", playbook.kinds), ("role", playbook.roles)):
        if not tables:
            raise PlaybookError(key, N_("A playbook needs at least one [[{key}]]."), {"key": key})
        _check_ids(tables, key)
    _check_ids(playbook.tasks, "task")
    _check_ids(playbook.purposes, "purpose")
    _check_fields(playbook.subject_fields, "subject")
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
    if kind.id in _RESERVED_KINDS:
        raise PlaybookError(path, N_("This id means something else. Choose another."), {})
    _check_ids(stages, f"{path}: stage")
    _check_ids(kind.transitions, f"{path}: transition")
    _check_fields(kind.fields, path)
    for section in kind.form:
        fields = playbook.fields("subject" if section.subject else kind.id)
        known_id(section.fields, fields, f"{path}: form {section.title.en!r}")
    for stage in kind.stages:
        known_id(stage.required, kind.fields, f"{path}: stage {stage.id!r}: required")
    for transition in kind.transitions.values():
        _check_transition(transition, kind, playbook, path)
    _check_ids((robot.id for robot in kind.robots), f"{path}: robot")
    for robot in kind.robots:
        _check_effects(robot.effects, kind, playbook, f"{path}: robot {robot.id!r}")
    if kind.withdrawn:
        known_id((kind.withdrawn,), stages, f"{path}: withdrawn")


def _check_ids(ids: Iterable[str], where: str) -> None:
    for one in ids:
        if not _ID.fullmatch(one):
            raise PlaybookError(
                f"{where} {one!r}",
                N_("An id is at most 31 small Latin letters, digits and “_”. Rename it."),
                {},
            )


def _check_fields(fields: Mapping[str, Field], path: str) -> None:
    _check_ids(fields, f"{path}: field")
    for field in fields.values():
        where = f"{path}: field {field.id!r}"
        if field.id in _RESERVED_FIELDS:
            raise PlaybookError(where, N_("This id means something else. Choose another."), {})
        if field.choices_from and not field.choices:
            raise PlaybookError(
                where,
                N_("There are no choices in “{name}”. Name a KIND.FIELD or KIND.junk."),
                {"name": field.choices_from},
            )
        if field.type in ("choice", "choices") and not field.choices:
            raise PlaybookError(where, N_("A choice field needs choices. Add them."), {})
        if len({choice.id for choice in field.choices}) != len(field.choices):
            raise PlaybookError(where, N_("Two choices have the same id. Rename one."), {})
        if field.min is not None and field.max is not None and field.min > field.max:
            raise PlaybookError(where, N_("“min” is greater than “max”. Swap them."), {})


def _check_undo(transition: Transition, kind: Kind, playbook: Playbook, path: str) -> None:
    if transition.undoes != any(isinstance(one, spec.Withdraw) for one in transition.effects):
        raise PlaybookError(
            path, N_("“undoes = true” and the effect “undo” go together. Write both or none."), {}
        )
    if not transition.undoes:
        return
    made = (one for other in kind.transitions.values() for one in other.effects)
    for effect in made:
        if isinstance(effect, spec.CreateLinked) and not playbook.kinds[effect.kind].withdrawn:
            raise PlaybookError(
                f"kind {effect.kind!r}",
                N_("What creates these cards can be undone. Name their stage “withdrawn”."),
                {},
            )


def _check_transition(transition: Transition, kind: Kind, playbook: Playbook, path: str) -> None:
    path = f"{path}: transition {transition.id!r}"
    stages = {stage.id for stage in kind.stages}
    known_id(transition.sources, stages, f"{path}: from")
    known_id((transition.target,) if transition.target else (), stages, f"{path}: to")
    known_id(transition.roles, playbook.roles, f"{path}: roles")
    known_id((*transition.form, *transition.required), kind.fields, f"{path}: form")
    if transition.target_from:
        known_id((transition.target_from,), kind.fields, f"{path}: target_from")
        choices = [choice.id for choice in kind.fields[transition.target_from].choices]
        known_id(choices, stages, f"{path}: target_from")
    if transition.choose:
        known_id(transition.choose.roles, playbook.roles, f"{path}: choose")
    _check_effects(transition.effects, kind, playbook, path)
    _check_undo(transition, kind, playbook, path)


def _check_effects(
    effects: Iterable[EffectSpec], kind: Kind, playbook: Playbook, path: str
) -> None:
    for number, effect in enumerate(effects, start=1):
        where = f"{path}: effect[{number}]"
        known_item(getattr(effect, "item", "self"), playbook.kinds, where)
        match effect:
            case spec.PlanTask():
                known_id((effect.task,), playbook.tasks, where)
            case spec.CloseTasks() if effect.task:
                known_id((effect.task,), playbook.tasks, where)
            case spec.Count():
                _check_ids((effect.event,), where)
            case spec.MoveLinked():
                _check_move(effect, kind, playbook, where)
            case spec.CreateLinked():
                known_id((effect.kind,), playbook.kinds, where)
                used = (*effect.copy_fields, effect.title_from, effect.if_filled)
                known_id([one for one in used if one not in ("", "*")], kind.fields, where)
            case _:
                pass


def _check_move(effect: spec.MoveLinked, kind: Kind, playbook: Playbook, where: str) -> None:
    moved = kind if effect.item == "self" else playbook.kinds[effect.item]
    stages = {stage.id for stage in moved.stages}
    if effect.stage_from:
        known_id((effect.stage_from,), kind.fields, where)
        known_id([choice.id for choice in kind.fields[effect.stage_from].choices], stages, where)
    else:
        known_id((effect.stage,), stages, where)


def _check_role(role: Role, playbook: Playbook) -> None:
    path = f"role {role.id!r}"
    owners = {*playbook.kinds, "subject"}
    known_id((*role.creates, *role.sees), playbook.kinds, f"{path}: creates or sees")
    known_id((role.start,) if role.start else (), playbook.kinds, f"{path}: start")
    known_id(role.edits, owners, f"{path}: edits")
    for owner, names in role.edits.items():
        known_id([one for one in names if one != "*"], playbook.fields(owner), f"{path}: edits")
    for key in role.mask:
        owner, _, field = key.partition(".")
        known_id((owner,), owners, f"{path}: mask")
        known = [*playbook.fields(owner), *(PSEUDO_FIELDS if owner != "subject" else ())]
        known_id((field,) if field else (), known, f"{path}: mask")
    known_id(role.reveals, owners, f"{path}: reveals")
    for owner, names in role.reveals.items():
        known_id(names, playbook.fields(owner), f"{path}: reveals")
    known_id((role.purpose,) if role.purpose else (), playbook.purposes, f"{path}: purpose")


def known_item(reference: str, kinds: Iterable[str], where: str) -> None:
    """Raise PlaybookError unless the reference is "self" or the id of a kind."""
    if reference != "self":
        known_id((reference,), kinds, where)


def known_id(names: Iterable[str], known: Iterable[str], where: str) -> None:
    """Raise PlaybookError at the first name that is not known, with the closest one."""
    existing = list(known)
    for name in names:
        if name not in existing:
            close = get_close_matches(name, existing, 1)
            raise PlaybookError(
                where,
                N_("“{name}” does not exist. Use one of: {known}."),
                {"name": name, "known": ", ".join(close or sorted(existing)) or "—"},
            )
