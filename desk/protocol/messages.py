"""The messages between a desk and the hub: JSON over HTTP, unknown fields ignored.

========  ====================  =====================================================
method    path                  request → answer
========  ====================  =====================================================
GET       /v1/handshake         → Handshake (no token)
POST      /v1/sign-in           SignIn → SignedIn (no token, proof)
POST      /v1/second-factor     SignIn → SecondFactor (no token, proof)
POST      /v1/refresh           Refresh → Refreshed (no token, proof)
POST      /v1/sign-out          → nothing; the session is ended
GET       /v1/playbook          → PlaybookSource
POST      /v1/operations        Push → Pushed
GET       /v1/changes           ?cursor=EPOCH:SEQ&limit=N → Page
GET       /v1/snapshot          ?after=ID&until=ID&limit=N → Page (what the reader may see)
                          ?order=urgent&limit=N → Page (enough of it to begin to work)
POST      /v1/digests           Compare → Compared
POST      /v1/device            NewDevice → Registered (proof)
POST      /v1/presence          Presence → nothing
GET       /v1/hints             → server-sent events; data is the head's cursor
========  ====================  =====================================================

Every request carries ``Authorization: Bearer TOKEN`` unless it is said to need no token. Where a
proof is said to be needed, the device's key signs the request (``desk.protocol.proofs``).
"""

from typing import Literal

import msgspec

from desk.domain.model import Entry, Item, Person, Subject, Task, Unspoken, Value
from desk.domain.operations import Operation

#: The protocol this build speaks, and the oldest it still understands. Desks of before 3 have no
#: key of their own: they cannot prove who they are, and would keep what is to be erased.
PROTOCOL = 3
PROTOCOL_MIN = 3
PROTOCOL_HEADER = "x-desk-protocol"


class Handshake(msgspec.Struct, frozen=True, kw_only=True):
    """What a hub says of itself to anybody. ``hub`` is its lasting id."""

    product: str
    hub: str
    protocol_min: int
    protocol_max: int
    now: int


class SignIn(Unspoken, frozen=True, kw_only=True):
    """A user's name and password from one device, whose id and key the desk made once.

    ``key`` is its public Ed25519 key, 32 bytes; the request is signed by the other half of it.
    ``enrolment`` and ``code`` are what ``code_needed`` asks for: the code for a new device, and
    that of the authenticator or a recovery code.
    """

    user: str
    password: str
    device: str
    device_name: str
    protocol: int
    key: bytes
    enrolment: str = ""
    code: str = ""


class SignedIn(Unspoken, frozen=True, kw_only=True):
    """The session's tokens, the person, and the number of the device's last answered operation.

    ``token`` lets requests in for ``expires_in`` ms; ``refresh`` gets the next two, once.
    """

    token: str
    refresh: str
    expires_in: int
    person: Person
    hub: str
    company: str
    last_op: int
    playbook_version: int


class SecondFactor(Unspoken, frozen=True, kw_only=True):
    """A secret for an authenticator, and codes for when it is lost; both are in force after the
    sign-in that brings its first code. ``uri`` is what a QR code shows."""

    secret: str
    uri: str
    recovery: list[str]


class Refresh(Unspoken, frozen=True, kw_only=True):
    """Asks for the tokens that follow.

    ``retry`` is drawn anew for each pair of tokens: with the same one, the same device gets the
    same answer again if the first was lost.
    """

    refresh: str
    retry: str


class Refreshed(Unspoken, frozen=True, kw_only=True):
    """The tokens that follow; the refresh token that was sent is used up."""

    token: str
    refresh: str
    expires_in: int


class PlaybookSource(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook as it was written."""

    version: int
    source: str


class Numbered(msgspec.Struct, frozen=True, kw_only=True):
    """An operation with its number in the device's sequence."""

    number: int
    operation: Operation


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """Queued operations in order, without a gap."""

    operations: list[Numbered]


class Changed(msgspec.Struct, frozen=True):
    """Who changed something last (nobody: a robot or an import), and when, UTC ms."""

    who: str | None
    at: int


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The hub's answer to one operation.

    ``code`` and ``args`` are a refusal's (see ``desk.domain.refusals``). For a conflict,
    ``theirs`` holds the values that stand on the hub, as far as the reader may see them, and
    ``changed`` who put them there; the stage counts as a field named "stage". ``blocked`` is an
    operation that builds on one that was not carried out.
    """

    number: int
    id: str
    result: Literal["applied", "merged", "rejected", "conflict", "quarantined", "blocked"]
    code: str = ""
    args: dict[str, str] = {}
    theirs: dict[str, Value] = {}
    changed: dict[str, Changed] = {}


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """Answers to a push, and the device's last answered number."""

    results: list[Result]
    last_op: int


class Forget(msgspec.Struct, frozen=True, kw_only=True):
    """A row that left the reader's sight or is gone."""

    kind: str
    id: str


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Rows as the reader may see them, and where to go on.

    ``cursor`` is where the next pull starts (of a snapshot: as it was before the first page).
    ``last_op`` is the last operation of this device that the rows cover. ``more`` asks for the
    next page: changes from ``cursor``, a snapshot from ``after``. ``reset`` says that the cursor
    is of another epoch, of other rights or rules, or older than the log: compare, or take a new
    snapshot; ``cursor`` says then which epoch, rights and rules the people are of. ``total``
    counts the items of a snapshot, on its first page only. ``asked`` repeats where this page was
    asked to begin, so that the answer to another question is told apart.
    """

    cursor: str
    last_op: int
    playbook_version: int
    more: bool = False
    after: str = ""
    asked: str = ""
    reset: bool = False
    total: int = 0
    items: list[Item] = []
    tasks: list[Task] = []
    entries: list[Entry] = []
    subjects: list[Subject] = []
    people: list[Person] = []
    forget: list[Forget] = []


class Range(msgspec.Struct, frozen=True):
    """The items whose ids are not below ``low`` and below ``high``; an empty bound bounds nothing.

    A row belongs to the range of its item, and to that of each item that speaks of a subject.
    """

    low: str = ""
    high: str = ""


class Digest(msgspec.Struct, frozen=True):
    """How many rows there are, and the XOR of their keyed hashes, in hexadecimal digits."""

    count: int
    xor: str


class Compare(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for the digests of ranges, hashed under ``key`` (see ``desk.protocol.digests``).

    The ranges are in order and do not overlap.

    With a ``cursor`` the answer is ``moved`` if something in the ranges has changed since, so
    that a difference would say nothing.
    """

    key: bytes
    ranges: list[Range]
    cursor: str = ""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """The digests by kind of row, range by range, as of ``cursor``."""

    cursor: str
    moved: bool = False
    digests: list[dict[str, Digest]] = []


class NewDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A copy of a profile wants to be a device of its own, under a new id and with a new key.

    Signed by the key that it has as the copy of a device.
    """

    device: str
    device_name: str
    key: bytes


class Registered(Unspoken, frozen=True, kw_only=True):
    """The new device's tokens, and the number of its last answered operation."""

    token: str
    refresh: str
    expires_in: int
    last_op: int


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says of being at work."""

    presence: Literal["auto", "present", "away"]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Any answer that is not a success: a code, its arguments and the English sentence."""

    code: str
    args: dict[str, str] = {}
    detail: str = ""
