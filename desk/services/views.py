"""What the services tell whoever shows it: plain values without behaviour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from desk.domain.model import Entry, Item, Subject, Task, Value
    from desk.domain.operations import Intent
    from desk.domain.transitions import Possible
    from desk.protocol.messages import Changed
    from desk.services.errors import DeskError


@dataclass(frozen=True, slots=True)
class Row:
    """An item, and whether something done with it waits for the hub's answer."""

    item: Item
    pending: bool


@dataclass(frozen=True, slots=True)
class Card:
    """An item with all that belongs to it and what its reader may do with it."""

    item: Item
    subject: Subject | None
    #: Open and closed, by deadline.
    tasks: tuple[Task, ...]
    #: The timeline, oldest first.
    entries: tuple[Entry, ...]
    #: The other items of its family: the lead of a qualification, the deals of a lead.
    linked: tuple[Item, ...]
    pending: bool
    possible: tuple[Possible, ...]


@dataclass(frozen=True, slots=True)
class BoardCard:
    """What a card on the board shows."""

    id: str
    title: str
    #: The id of the choice in the field ``source``.
    source: str | None
    created_at: int
    score: int
    responsible: str | None
    due_at: int | None
    pending: bool
    stage: str
    round: int
    version: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long exchange is; ``total`` is 0 while it is not known."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class RowsChanged:
    """These items changed, came or went; ``None`` when nearly all did (load anew)."""

    ids: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """Something in ``Desk.status()`` changed."""


Event: TypeAlias = RowsChanged | StatusChanged | Progress
Listener: TypeAlias = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a desk for its status line."""

    user: str | None
    role: str | None
    hub: str | None
    online: bool
    offline_by_choice: bool
    #: Operations the hub has not answered yet.
    pending: int
    #: Entries of the inbox.
    conflicts: int
    cursor: str
    syncing: Progress | None
    #: Code of the last error of the network, "" when there is none; 401 gives "not_signed_in".
    last_error: str


@dataclass(frozen=True, slots=True)
class Done:
    """An operation was applied here and queued for the hub."""

    operation_id: str
    #: The items it changed; of ``Create``, the new one first.
    item_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Calling:
    """A call was begun: by the dialler, or by the person, to whom ``number`` is then shown."""

    number: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one exchange with the hub did."""

    pushed: int = 0
    applied: int = 0
    merged: int = 0
    rejected: int = 0
    conflicts: int = 0
    pulled: int = 0
    forgotten: int = 0
    cursor: str = ""
    seconds: float = 0.0


#: A step of an exchange and its counts: the hub's protocol range (``low``, ``high``); the new
#: playbook's ``version``; operations answered so far (``sent``, ``of``); a page (``rows``,
#: ``forget``); the cursor is not taken any more; ``ranges`` of ids compared by their digests; all
#: is in the local copy (``rows``, ``forgotten``, ``ms`` since the last operation was answered).
StepName: TypeAlias = Literal["greeted", "playbook", "sent", "page", "reset", "compared", "written"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an exchange, ``seconds`` after it began."""

    name: StepName
    seconds: float
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether everything here is what the hub shows; ``differing`` counts items that may not be.

    ``repaired`` says that they were fetched anew.
    """

    same: bool
    differing: int
    repaired: bool


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """An operation that the hub did not carry out; it waits for the person.

    ``mine`` is what was asked for, ``base`` what stood there when it was, ``theirs`` what stands
    on the hub, by field; for a card that somebody else moved first, the stages are in a field
    "stage". ``changed`` says who put ``theirs`` there and when, as far as the hub still knows.
    ``code`` and ``args`` are a refusal's. A ``blocked`` entry builds on the operation ``after``,
    which was not carried out either.
    """

    id: str
    intent: Intent
    item_id: str
    result: Literal["rejected", "conflict", "quarantined", "blocked"]
    code: str
    args: dict[str, str]
    mine: dict[str, Value]
    theirs: dict[str, Value]
    base: dict[str, Value]
    at: int
    changed: dict[str, Changed] = field(default_factory=dict[str, "Changed"])
    after: str | None = None


@dataclass(frozen=True, slots=True)
class DraftInfo:
    """A form that was begun and not sent."""

    item_id: str
    form: str
    saved_at: int
    values: dict[str, str] = field(default_factory=dict[str, str])


#: What can be done about what an examination found: sign in; switch the network on; send and
#: fetch; set the machine's clock; compare all rows with the hub (``Desk.verify``); decide about
#: the inbox; update the application.
Repair: TypeAlias = Literal[
    "sign_in", "go_online", "sync", "set_clock", "reconcile", "inbox", "update"
]


@dataclass(frozen=True, slots=True)
class Checkup:
    """What ``Desk.examine`` found. Moments are UTC ms by this machine's clock, sizes bytes."""

    at: int
    #: Whose desk it is, also after he signed out; None before the first sign-in.
    user: str | None
    hub: str | None
    #: The id the hub knows this copy by.
    device: str | None
    #: Numbers of the operations without an answer, in order.
    pending: tuple[int, ...]
    #: When the oldest of them was done.
    pending_since: int | None
    #: Operations that were answered and are not covered by a pull yet.
    uncovered: int
    #: Entries that wait for the person's decision.
    inbox: int
    #: Why nothing is sent or fetched now: an error as an exchange would raise it; None if nothing
    #: stands in the way.
    why: DeskError | None
    #: What the last failed exchange failed of, also when one has succeeded since, and when it
    #: began to fail.
    last_error: DeskError | None
    last_error_at: int | None
    synced_at: int | None
    #: Whether the hub answered now, and the protocols it speaks if it said so.
    reachable: bool
    protocol: tuple[int, int] | None
    #: This machine's clock less the hub's, ms; None while the hub does not answer.
    clock_ms: int | None
    #: What the last comparison with the hub said: "same", "repaired", "differs", "" before one.
    digest_state: str
    digest_at: int | None
    cursor: str
    epoch: str
    #: How many rows are here, by kind.
    rows: dict[str, int]
    file_bytes: int
    wal_bytes: int
    #: Whether something deleted may still stand in the write-ahead log.
    to_scrub: bool
    repairs: tuple[Repair, ...]
