"""The journal of personal data: who did what with whose data, and never the data itself.

An entry holds ids, names of fields and codes. `cleaned` keeps it so, whoever wrote it: whatever
does not look like one of these is dropped.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeAlias, get_args

import msgspec

from desk.domain.ids import is_id

#: ``deliver``: a page with personal data went to a desk; ``read``: a person opened a card, or an
#: officer his screen; ``find``: somebody was looked for on the hub; ``search``: on a desk;
#: ``export`` and ``print``: data left Desk; ``rights``: somebody may see other things from now on;
#: ``journal_broken``: a desk's journal does not go on where it ended; ``unknown``: a newer desk
#: knows more than this hub.
Event: TypeAlias = Literal[
    "deliver",
    "read",
    "reveal",
    "call",
    "find",
    "search",
    "export",
    "print",
    "copy",
    "screenshot",
    "rights",
    "consent",
    "request",
    "erase",
    "incident",
    "sign_in",
    "lease",
    "wipe",
    "journal_broken",
    "unknown",
]
EVENTS: tuple[Event, ...] = get_args(Event)
#: What a desk may tell of; everything else the hub sees itself.
DESK_EVENTS: frozenset[str] = frozenset(
    {"read", "call", "search", "export", "print", "copy", "screenshot"}
)

_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,80}")
_MOST_FIELDS = 200
_MOST_DETAILS = 16
#: The most subjects of one entry.
MOST_SUBJECTS = 20_000
_ID_BYTES = 16


class Access(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry. ``at`` is in ms, by the clock of whoever wrote it.

    ``who`` is nobody where the hub's administrator or the hub itself did it. ``purpose`` is the
    id of one of the playbook's purposes. Of several subjects their ids stand in ``subjects``
    (see `pack`). ``offline`` says that the hub could not know of it then, and ``received_at`` when
    the hub got it of a desk. ``detail`` holds ids and codes. An entry without an ``id`` is given
    one where it is written.
    """

    id: str = ""
    at: int
    received_at: int | None = None
    who: str | None = None
    role: str = ""
    device: str = ""
    #: An `Event`; a newer desk may know others.
    event: str
    purpose: str = ""
    subject_id: str | None = None
    item_id: str | None = None
    fields: tuple[str, ...] = ()
    offline: bool = False
    count: int = 1
    subjects: bytes = b""
    detail: dict[str, str] = {}


def encoded(access: Access) -> bytes:
    """The entry as its chain binds it: the same bytes whichever database kept it meanwhile.

    Values that are as they were by default are left out, so entries stay sound when `Access`
    learns of more.
    """
    return msgspec.json.encode(access, order="deterministic")


def pack(ids: Iterable[str]) -> bytes:
    """Subject ids, each once and in order, in 16 bytes each."""
    return b"".join(sorted({uuid.UUID(one).bytes for one in ids}))


def unpack(subjects: bytes) -> Iterator[str]:
    """The ids that were packed."""
    for place in range(0, len(subjects), _ID_BYTES):
        yield str(uuid.UUID(bytes=subjects[place : place + _ID_BYTES]))


def speaks_of(access: Access, subject_id: str) -> bool:
    """Whether the entry is about the subject."""
    if access.subject_id == subject_id:
        return True
    wanted = uuid.UUID(subject_id).bytes
    place = access.subjects.find(wanted)
    while place > 0 and place % _ID_BYTES:
        place = access.subjects.find(wanted, place + 1)
    return place >= 0


def cleaned(access: Access) -> Access:
    """The entry with nothing in it but ids, names and codes."""
    whole = len(access.subjects) // _ID_BYTES * _ID_BYTES
    return msgspec.structs.replace(
        access,
        who=_code(access.who) or None,
        role=_code(access.role),
        device=_code(access.device),
        purpose=_code(access.purpose),
        subject_id=_id(access.subject_id),
        item_id=_id(access.item_id),
        fields=tuple(name for name in access.fields[:_MOST_FIELDS] if _code(name)),
        count=max(0, min(access.count, 2**31 - 1)),
        subjects=access.subjects[: min(whole, MOST_SUBJECTS * _ID_BYTES)],
        detail=_details(access.detail),
    )


def _details(detail: Mapping[str, str]) -> dict[str, str]:
    known = list(detail.items())[:_MOST_DETAILS]
    return {name: code for name, code in known if _code(name) and _code(code)}


def _code(text: str | None) -> str:
    return text if text and _CODE.fullmatch(text) else ""


def _id(text: str | None) -> str | None:
    return text if text and is_id(text) else None
