"""The rows that rules speak of: items, tasks, timeline entries, subjects, people.

Times are UTC milliseconds since the epoch; ids are UUIDv7 in canonical text form; a user's id is
his sign-in name. Everything is immutable: a rule answers with new rows, it never changes one.
"""

from typing import Any, Literal, TypeAlias

import msgspec

#: The longest title of an item and the longest name of a campaign in the tallies, characters.
TITLE_LIMIT = 200
CAMPAIGN_LIMIT = 200

#: What a field may hold: text, number, truth, several choices, or nothing.
Value: TypeAlias = str | int | float | bool | list[str] | None


class Unspoken(msgspec.Struct, frozen=True):
    """Shows its type alone: tracebacks, logs and consoles must not tell what it holds."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


class ItemBefore(msgspec.Struct, frozen=True):
    """What ``reopen`` restores of one item."""

    id: str
    stage: str
    responsible: str | None
    shared_with: str | None


class Undo(msgspec.Struct, frozen=True):
    """What a transition into a final stage changed and produced, so that it can be taken back."""

    at: int
    items: tuple[ItemBefore, ...]
    produced: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """Anything that moves through a pipeline: lead, qualification, deal, company, …"""

    id: str
    kind: str
    stage: str
    title: str
    created_at: int
    updated_at: int
    stage_since: int
    version: int = 1
    author: str | None = None
    #: Who works on the item now; nobody while the hub has not routed it yet.
    responsible: str | None = None
    #: One more user who sees the item, as the sales manager who was handed its qualification.
    shared_with: str | None = None
    #: The marketing manager the item counts for.
    owner: str | None = None
    #: Whom the last hand-off chose; the next one prefers him.
    last_chosen: str | None = None
    parent_id: str | None = None
    subject_id: str | None = None
    score: int = 0
    #: How many times the item was handed off.
    round: int = 0
    #: The earliest deadline among the item's open tasks.
    due_at: int | None = None
    #: When a person last did something with it.
    worked_at: int | None = None
    playbook_version: int = 1
    fields: dict[str, Value] = {}
    #: For each field, the item's version in which it last changed.
    field_versions: dict[str, int] = {}
    undo: Undo | None = None

    @property
    def root_id(self) -> str:
        """The id of the item's family: its parent's, or its own."""
        return self.parent_id or self.id


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be done on an item by a deadline: a planned call, a check."""

    id: str
    item_id: str
    type: str
    title: str
    assignee: str | None
    due_at: int
    created_at: int
    version: int = 1
    closed_at: int | None = None
    closed_by: str | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an item's timeline; entries are only ever added."""

    id: str
    item_id: str
    at: int
    who: str | None
    event: str
    from_stage: str | None = None
    to_stage: str | None = None
    comment: str = ""
    version: int = 1


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a subject's consent to one purpose stands: its last row of the registry, in short."""

    given_at: int
    #: Which text was agreed to (``Purpose.version``).
    text_version: int
    channel: str
    withdrawn_at: int | None = None


SubjectStage: TypeAlias = Literal["active", "erasure_requested", "erased"]


class Subject(Unspoken, frozen=True, kw_only=True):
    """A person whose personal data is kept, apart from the items that speak of him."""

    id: str
    version: int = 1
    fields: dict[str, Value] = {}
    field_versions: dict[str, int] = {}
    #: By the id of the purpose; none where it was never agreed to.
    consents: dict[str, Standing] = {}
    stage: SubjectStage = "active"


class Consent(Unspoken, frozen=True, kw_only=True):
    """One row of the registry of consents: one subject, one purpose, one text.

    ``evidence`` says what proves it (a form's address, a letter's number): foreign text, which
    may hold personal data. ``given_by`` and ``withdrawn_by`` are the users who wrote it down.
    """

    id: str
    subject_id: str
    purpose: str
    text_version: int
    #: SHA-256 of the text, in hexadecimal digits.
    text_hash: str
    channel: str
    evidence: str
    given_at: int
    given_by: str | None = None
    withdrawn_at: int | None = None
    withdrawn_by: str | None = None
    withdrawn_channel: str = ""


class SubjectRequest(Unspoken, frozen=True, kw_only=True):
    """What a subject demands as to his data; the hub counts its deadline."""

    id: str
    subject_id: str
    kind: Literal["access", "rectify", "stop", "erase"]
    #: Why, where it was not simply demanded; see ``desk.protocol.personal``.
    ground: Literal["request", "withdrawal", "unlawful", "purpose_reached"] = "request"
    #: The purpose whose consent was taken back; a new consent to it ends the request.
    purpose: str = ""
    received_at: int
    by: str | None
    channel: str
    note: str = ""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A user of Desk as his colleagues see him."""

    id: str
    name: str
    role: str
    active: bool = True
    present: bool = False
    #: How many open items he is responsible for; known on the hub only.
    load: int = 0
    version: int = 1


class Actor(msgspec.Struct, frozen=True):
    """Who asks for an operation."""

    id: str
    role: str


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """One countable event of a marketing manager's results; ``sign`` is -1 for a reversal."""

    id: str
    item_id: str
    event: str
    owner: str | None
    campaign: str
    at: int
    sign: int = 1
