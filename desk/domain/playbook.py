"""One company's process as data: what ``desk.domain.playbook_loader`` reads from TOML."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, TypeAlias

import msgspec

from desk.domain.condition import NEVER, Condition, FieldType

Level: TypeAlias = Literal["none", "exists", "masked", "full"]
ValueType: TypeAlias = Literal[
    "text",
    "long",
    "number",
    "money",
    "choice",
    "choices",
    "bool",
    "date",
    "time",
    "phone",
    "email",
    "user",
    "phones",
    "emails",
    "texts",
]
_CONDITION_TYPES: Mapping[str, FieldType] = {
    "text": "text",
    "long": "text",
    "number": "number",
    "money": "number",
    "choice": "choice",
    "choices": "choices",
    "bool": "bool",
    "date": "text",
    "time": "time",
    "phone": "text",
    "email": "text",
    "user": "user",
    "phones": "choices",
    "emails": "choices",
    "texts": "choices",
}
#: Several values, each as of the type it is made of.
SEVERAL: Mapping[ValueType, ValueType] = {"phones": "phone", "emails": "email", "texts": "text"}


class _Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Text(_Data, frozen=True, kw_only=True):
    """A text in both languages of the interface."""

    ru: str
    en: str

    def get(self, language: str) -> str:
        """The text in ``language`` ("ru" or "en")."""
        return self.ru if language == "ru" else self.en


class Choice(_Data, frozen=True, kw_only=True):
    """One value of a choice field."""

    id: str
    title: Text


class Field(_Data, frozen=True, kw_only=True):
    """A field of an item or of a subject. Money is in kopecks; a date is ``YYYY-MM-DD``."""

    id: str
    title: Text
    type: ValueType = "text"
    hint: Text | None = None
    choices: tuple[Choice, ...] = ()
    #: "KIND.FIELD": the choices are that field's; "KIND.junk": the junk stages of that kind.
    choices_from: str = ""
    min: float | None = None
    max: float | None = None
    max_length: int = 400
    #: Free text in which people write of a person; a long one is unless the playbook says no.
    personal: bool | None = None
    #: Of a subject: shown in lists and searched by a part of it; the first field always is.
    overview: bool = False

    @property
    def is_personal(self) -> bool:
        """Whether what it holds is treated as personal data, wherever it stands."""
        return self.type == "long" if self.personal is None else self.personal

    @property
    def condition_type(self) -> FieldType:
        """The field's type in the condition language."""
        return _CONDITION_TYPES[self.type]

    def choice(self, identifier: str) -> Choice | None:
        """The choice of that id."""
        return next((choice for choice in self.choices if choice.id == identifier), None)


class FormSection(_Data, frozen=True, kw_only=True):
    """A titled group of fields of a form."""

    title: Text
    fields: tuple[str, ...]
    #: The fields are the subject's.
    subject: bool = False


class Stage(_Data, frozen=True, kw_only=True):
    """A stage of a pipeline. ``required`` fields must be filled to enter it."""

    id: str
    title: Text
    hint: Text | None = None
    final: bool = False
    junk: bool = False
    #: Which of the three outcomes of a lead the stage means.
    outcome: Literal["", "lost", "in_work", "converted"] = ""
    required: tuple[str, ...] = ()


class Choose(_Data, frozen=True, kw_only=True):
    """A transition that chooses a colleague; with ``route`` the hub may choose himself."""

    roles: tuple[str, ...]
    route: bool = False
    #: The one chosen last time goes first if he is present.
    prefer_last: bool = False


class Guard(_Data, frozen=True, kw_only=True):
    """A condition that must hold on an item of the family, else the transition is refused.

    A linked item that does not exist has nothing against it.
    """

    condition: Condition
    otherwise: Text
    on: str = "self"


#: "self", or the id of a kind: the family's newest open item of it, else the newest.
ItemRef: TypeAlias = str
UserRef: TypeAlias = Literal["chosen", "owner", "actor", "responsible", "nobody"]


class _Effect(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"
):
    pass


class SetResponsible(_Effect, frozen=True, kw_only=True, tag="responsible"):
    """Somebody else works on the item from now on."""

    to: UserRef
    item: ItemRef = "self"


class SetOwner(_Effect, frozen=True, kw_only=True, tag="owner"):
    """The item counts for somebody else."""

    to: UserRef
    item: ItemRef = "self"


class SetShared(_Effect, frozen=True, kw_only=True, tag="share"):
    """One more user sees the item, or nobody more."""

    to: UserRef
    item: ItemRef


class PlanTask(_Effect, frozen=True, kw_only=True, tag="plan"):
    """A task of the playbook's type ``task`` is planned in the item."""

    task: str
    to: UserRef
    item: ItemRef = "self"


class CloseTasks(_Effect, frozen=True, kw_only=True, tag="close_tasks"):
    """The item's open tasks are closed; with ``task``, only those of that type."""

    item: ItemRef = "self"
    task: str = ""


class MoveLinked(_Effect, frozen=True, kw_only=True, tag="move"):
    """A linked item moves to ``stage``, or to the stage named in the field ``stage_from``."""

    item: ItemRef
    stage: str = ""
    stage_from: str = ""
    #: Only when the linked item is there and not in a final stage already.
    if_open: bool = False


class CreateLinked(_Effect, frozen=True, kw_only=True, tag="create"):
    """A linked item is created in the first stage of its kind, with fields copied by name."""

    kind: str
    responsible: UserRef
    owner: UserRef = "owner"
    copy_fields: tuple[str, ...] = ()
    #: The field that gives the title; the item's own title otherwise.
    title_from: str = ""
    #: Only when the family has no open item of that kind.
    unless_open: bool = False
    #: Only when this field of the item is filled.
    if_filled: str = ""


class NextRound(_Effect, frozen=True, kw_only=True, tag="round"):
    """The item was handed off once more."""


class Echo(_Effect, frozen=True, kw_only=True, tag="note"):
    """The event and its comment stand on the linked item's timeline too."""

    item: ItemRef


class Count(_Effect, frozen=True, kw_only=True, tag="count"):
    """The event counts for the owner's results."""

    event: str


class Withdraw(_Effect, frozen=True, kw_only=True, tag="undo"):
    """Back to before the final stage: everything it changed is restored, what it made withdrawn."""


EffectSpec: TypeAlias = (
    SetResponsible
    | SetOwner
    | SetShared
    | PlanTask
    | CloseTasks
    | MoveLinked
    | CreateLinked
    | NextRound
    | Echo
    | Count
    | Withdraw
)


class Transition(_Data, frozen=True, kw_only=True):
    """A named event that moves an item of one kind."""

    id: str
    title: Text
    sources: tuple[str, ...]
    #: The stage it leads to; none when it stays, undoes, or the field ``target_from`` says.
    target: str | None = None
    target_from: str = ""
    hint: Text | None = None
    roles: tuple[str, ...]
    #: Whom of those roles; a condition over the item's columns.
    who: Condition
    form: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    comment: Literal["none", "optional", "required"] = "optional"
    choose: Choose | None = None
    guards: tuple[Guard, ...] = ()
    effects: tuple[EffectSpec, ...] = ()
    hotkey: str | None = None
    undoes: bool = False


class Robot(_Data, frozen=True, kw_only=True):
    """What the hub does by itself when an item was created or got another responsible."""

    id: str
    when: Literal["created", "responsible_changed"]
    condition: Condition
    effects: tuple[EffectSpec, ...]


class Points(_Data, frozen=True, kw_only=True):
    """Points an item gets while the condition over its fields holds."""

    condition: Condition
    points: int


class TaskType(_Data, frozen=True, kw_only=True):
    """A kind of task; ``due`` is the time to its deadline, ms."""

    id: str
    title: Text
    due: int


class Kind(_Data, frozen=True, kw_only=True):
    """One kind of items: its stages, fields, forms, transitions, robots and points."""

    id: str
    title: Text
    titles: Text
    stages: tuple[Stage, ...]
    transitions: dict[str, Transition] = {}
    fields: dict[str, Field] = {}
    form: tuple[FormSection, ...] = ()
    on_board: bool = True
    robots: tuple[Robot, ...] = ()
    points: tuple[Points, ...] = ()
    #: Where produced items go when what produced them is taken back.
    withdrawn: str = ""

    def stage(self, identifier: str) -> Stage | None:
        """The stage of that id."""
        return next((stage for stage in self.stages if stage.id == identifier), None)

    def is_final(self, identifier: str) -> bool:
        """Whether the stage ends the pipeline."""
        stage = self.stage(identifier)
        return stage is not None and stage.final


#: What the withdrawal of a consent ends: all work with the person, calls to him, mailings.
Stops: TypeAlias = Literal["processing", "calls", "mailings"]


class Purpose(_Data, frozen=True, kw_only=True):
    """What personal data is used for, with the text that people agree to.

    Another text needs another ``version``; the hub keeps those that were agreed to.
    """

    id: str
    title: Text
    text: Text
    version: int = 1
    stops: tuple[Stops, ...] = ()


#: A number of days, hours or years.
Term: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=366)]


class Terms(_Data, frozen=True, kw_only=True):
    """By when what the law on personal data demands has to be done.

    Working days, where the name does not say otherwise: to answer a subject, to put wrong data
    right, to stop, to erase at his demand, to erase what was processed unlawfully, and by how many
    a term may be extended once. ``destroy_days`` are calendar days, once a consent was taken back
    or the purpose reached. An incident's clocks run in hours. ``keep_years`` is how long acts and
    extracts are kept. Days are those of ``zone``.
    """

    access: Term = 10
    rectify: Term = 7
    stop: Term = 10
    erase: Term = 10
    unlawful: Term = 10
    extension: Term = 5
    destroy_days: Term = 30
    notice_hours: Term = 24
    result_hours: Term = 72
    keep_years: Term = 3
    zone: str = "Europe/Moscow"


#: How long a desk works without the hub where its role does not say, ms.
OFFLINE = 72 * 3_600_000


class Role(_Data, frozen=True, kw_only=True):
    """What people of one role may see and do."""

    id: str
    title: Text
    #: The kind whose board opens first.
    start: str = ""
    creates: tuple[str, ...] = ()
    sees: dict[str, Condition] = {}
    #: Levels by "OWNER" or "OWNER.FIELD", where OWNER is a kind or "subject".
    mask: dict[str, Level] = {}
    #: What may be changed: field ids by OWNER, or "*".
    edits: dict[str, tuple[str, ...]] = {}
    #: May act on cards that others are responsible for.
    acts_for_others: bool = False
    #: Masked fields by OWNER that may be looked at for a stated purpose.
    reveals: dict[str, tuple[str, ...]] = {}
    #: May call a number that is shown masked.
    calls: bool = False
    #: Answers for personal data: the registry, requests, incidents and the journal are his.
    officer: bool = False
    #: May take rows out of the application.
    exports: bool = False
    #: A desk of this role opens without the hub, and works so long without it, ms.
    starts_offline: bool = True
    offline: int = OFFLINE
    #: The purpose that ordinary reading stands under in the journal.
    purpose: str = ""


class Playbook(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A whole playbook, checked: every id it mentions exists."""

    id: str
    title: Text
    version: int
    kinds: dict[str, Kind]
    roles: dict[str, Role]
    subject_fields: dict[str, Field]
    tasks: dict[str, TaskType]
    #: The field whose value names the campaign in results.
    campaign_field: str = ""
    #: In the playbook's order.
    purposes: dict[str, Purpose] = {}
    terms: Terms = Terms()

    def kind(self, identifier: str) -> Kind | None:
        """The kind of that id."""
        return self.kinds.get(identifier)

    def sees(self, role: str, kind: str) -> Condition:
        """Which items of ``kind`` people of ``role`` see; none for an unknown role."""
        known = self.roles.get(role)
        return known.sees.get(kind, NEVER) if known else NEVER

    def mask(self, role: str, owner: str, field: str) -> Level:
        """How much of a field people of ``role`` see; nothing unless the playbook grants it."""
        known = self.roles.get(role)
        if known is None:
            return "none"
        return known.mask.get(f"{owner}.{field}") or known.mask.get(owner, "none")

    def shows_all(self, role: str, owner: str) -> bool:
        """Whether people of ``role`` see every field of ``owner`` in full, so no mask applies."""
        return (role, owner) in self._unmasked

    @cached_property
    def _unmasked(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (role.id, owner)
            for role in self.roles.values()
            for owner, level in role.mask.items()
            if level == "full" and not any(key.startswith(f"{owner}.") for key in role.mask)
        )

    def fields(self, owner: str) -> Mapping[str, Field]:
        """The fields of a kind, or of "subject"."""
        if owner == "subject":
            return self.subject_fields
        kind = self.kinds.get(owner)
        return kind.fields if kind else {}

    @cached_property
    def board_kinds(self) -> tuple[Kind, ...]:
        """The kinds that have a board, in the playbook's order."""
        return tuple(kind for kind in self.kinds.values() if kind.on_board)
