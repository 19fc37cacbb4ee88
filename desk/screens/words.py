"""What screens and commands say of rules and values: refusals, fields, people, timeline events.

Everything here is plain text without markup; foreign parts are made safe where they are painted.
"""

from __future__ import annotations

from collections.abc import Mapping

from desk.domain.model import Entry, Person, Task, Value
from desk.domain.playbook import Choice, Field, Kind, Playbook, Purpose, Stage, Transition
from desk.domain.refusals import SENTENCES, Conflict, Refusal
from desk.text import (
    N_,
    _,
    format_datetime,
    format_money,
    format_number,
    language,
    local_time,
)

NOTHING = "—"

#: What happened, by the event of a timeline entry; a transition's own title goes first.
EVENTS: Mapping[str, str] = {
    "create": N_("Created"),
    "comment": N_("Comment"),
    "erasure_requested": N_("Erasure requested"),
    "erasure_rejected": N_("Erasure not carried out"),
    "stopped": N_("All consents ended at the person's demand"),
    "erased": N_("Personal data erased"),
}
#: What was said of a purpose; the line is ``EVENT.PURPOSE``.
_CONSENT_EVENTS: Mapping[str, str] = {
    "consent": N_("Consent given"),
    "withdrawn": N_("Consent taken back"),
}

_LISTS = frozenset({"fields", "choices", "roles", "possible"})


def said(refusal: Refusal | Conflict, playbook: Playbook | None, kind: str | None = None) -> str:
    """The refusal in the reader's language, with titles in the place of ids."""
    sentence = SENTENCES.get(refusal.code)
    if sentence is None:
        return _("The rules do not allow this ({code}).").format(code=refusal.code)
    args = {
        name: _titles(playbook, kind, name, value) if playbook else value
        for name, value in refusal.args.items()
    }
    try:
        return _(sentence).format(**args)
    except (KeyError, IndexError):
        return _(sentence)


#: Reasons short enough to stand beside a dimmed step.
_BRIEF: Mapping[str, str] = {
    "wrong_stage": N_("not at this stage"),
    "not_yours": N_("not your card"),
    "link_missing": N_("the linked card is missing"),
    "worked_on": N_("worked on already"),
    "nothing_to_reopen": N_("nothing to go back to"),
}


def briefly(refusal: Refusal, playbook: Playbook, kind: str) -> str:
    """The reason in a few words where there are such, else the whole sentence."""
    brief = _BRIEF.get(refusal.code)
    return _(brief) if brief else said(refusal, playbook, kind).rstrip(".")


def moment(ms: int) -> str:
    """A day of this year or the last with its time, as short as it can be: «22.11 09:30»."""
    local = local_time(ms)
    return f"{local:%d.%m %H:%M}" if language() == "ru" else f"{local:%b %d %H:%M}"


def time_of(ms: int, now: int) -> str:
    """The time of a moment of today, with its day where it was another."""
    local = local_time(ms)
    return f"{local:%H:%M}" if local.date() == local_time(now).date() else moment(ms)


def _titles(playbook: Playbook, kind: str | None, name: str, value: str) -> str:
    if name in _LISTS:
        parts = [part.strip() for part in value.split(",") if part.strip()]
        return ", ".join(_title(playbook, kind, name, part) for part in parts)
    return _title(playbook, kind, name, value)


def _title(playbook: Playbook, kind: str | None, name: str, value: str) -> str:
    kinds = _kinds(playbook, kind)
    found: Stage | Transition | Field | Kind | Purpose | None = None
    if name == "stage":
        found = next((stage for k in kinds if (stage := k.stage(value))), None)
    elif name in ("transition", "possible"):
        found = next((t for k in kinds if (t := k.transitions.get(value))), None)
    elif name in ("field", "fields"):
        found = find_field(playbook, kind, value)
    elif name == "kind":
        found = playbook.kind(value)
    elif name == "purpose":
        found = playbook.purposes.get(value)
    elif name == "roles":
        role = playbook.roles.get(value)
        return role.title.get(language()) if role else value
    return found.title.get(language()) if found else value


def _kinds(playbook: Playbook, kind: str | None) -> list[Kind]:
    first = playbook.kind(kind) if kind else None
    rest = [k for k in playbook.kinds.values() if k is not first]
    return [first, *rest] if first else rest


def find_field(playbook: Playbook, kind: str | None, identifier: str) -> Field | None:
    """The field of that id: of the kind, of the subject, or of any other kind."""
    owners = [kind, "subject", *playbook.kinds] if kind else ["subject", *playbook.kinds]
    return next(
        (field for owner in owners if (field := playbook.fields(owner).get(identifier))), None
    )


def title_of(thing: Stage | Transition | Field | Kind | Choice | Purpose) -> str:
    """The title in the reader's language."""
    return thing.title.get(language())


def stage_title(playbook: Playbook, kind: str, stage: str | None) -> str:
    """The title of a stage of `kind`, or its id where the playbook no longer has it."""
    known = playbook.kind(kind)
    found = known.stage(stage) if known and stage else None
    return title_of(found) if found else stage or NOTHING


def person_name(people: Mapping[str, Person], user: str | None) -> str:
    """The person's name, or his sign-in name where he is unknown."""
    if user is None:
        return NOTHING
    person = people.get(user)
    return person.name if person else user


def task_title(playbook: Playbook, task: Task) -> str:
    """What is to be done: the task's own words, or those of its type for one that was planned."""
    known = playbook.tasks.get(task.type)
    return task.title or (known.title.get(language()) if known else task.type)


def event_title(playbook: Playbook, kind: str, entry: Entry) -> str:
    """What a line of the timeline is about.

    An event of a linked card reads ``KIND.EVENT``, a task that was done ``done.TASK``, and what
    was said of a purpose ``consent.PURPOSE`` or ``withdrawn.PURPOSE``.
    """
    owner, _dot, event = entry.event.rpartition(".")
    if owner in _CONSENT_EVENTS:
        purpose = playbook.purposes.get(event)
        return f"{_(_CONSENT_EVENTS[owner])}: {title_of(purpose) if purpose else event}"
    if owner == "done":
        task = playbook.tasks.get(event)
        done = _("Task done")
        return f"{done}: {task.title.get(language()) if task else event}"
    for known in _kinds(playbook, owner or kind):
        transition = known.transitions.get(event)
        if transition:
            return title_of(transition)
    known_event = EVENTS.get(event)
    if known_event:
        return _(known_event)
    # What a robot of the hub has made bears the robot's id, which is no word for people.
    return _(EVENTS["create"]) if entry.to_stage and not entry.from_stage else event


def shown(field: Field, value: Value, people: Mapping[str, Person]) -> str:
    """A field's value as people read it; a dash where there is none."""
    if value is None or value == "" or value == []:
        return NOTHING
    if isinstance(value, list):
        return ", ".join(_text(field, str(part), people) for part in value)
    if field.type == "bool" or isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        return _number(field, value)
    return _text(field, value, people)


def _number(field: Field, value: float) -> str:
    if field.type == "money":
        return format_money(int(value))
    if field.type == "time":
        return format_datetime(int(value))
    return format_number(value)


def _text(field: Field, value: str, people: Mapping[str, Person]) -> str:
    if field.type in ("choice", "choices"):
        return _choice(field, value)
    if field.type == "user":
        return person_name(people, value)
    if field.type in ("phone", "phones"):
        return phone(value)
    if field.type == "date":
        return date(value)
    return value


def _choice(field: Field, identifier: str) -> str:
    found = field.choice(identifier)
    return found.title.get(language()) if found else identifier


def date(value: str) -> str:
    """A date `YYYY-MM-DD` as the locale writes it; anything else as it is."""
    if language() != "ru":
        return value
    parts = value.split("-")
    return ".".join(reversed(parts)) if [len(part) for part in parts] == [4, 2, 2] else value


def phone(value: str) -> str:
    """A number in E.164 with spaces for reading; masked and foreign ones keep their form."""
    digits = value[1:]
    if value.startswith("+7") and len(digits) == 11 and digits.isdigit():
        return f"+7 {digits[1:4]} {digits[4:7]}-{digits[7:9]}-{digits[9:]}"
    return value
