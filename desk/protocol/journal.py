"""The messages of the journal of personal data, and of what is only done with an entry in it.

========  ====================  =====================================================
method    path                  request → answer
========  ====================  =====================================================
POST      /v1/journal           Upload → Uploaded (what was noted on a desk)
POST      /v1/pd/reveal         Reveal → Revealed
POST      /v1/pd/call           Call → Dial
POST      /v1/pd/journal        JournalQuery → JournalPage (for the PD officer)
========  ====================  =====================================================

Fields of personal data are named "OWNER.FIELD", as a playbook's masks name them: "subject.phone".
"""

from typing import Annotated, TypeAlias

import msgspec

from desk.domain.journal import Access
from desk.domain.model import Unspoken, Value

#: The most entries of one upload, and of one page of the journal.
UPLOADED_AT_ONCE = 200
PAGE_LIMIT = 500

#: An id or a name, and a moment (ms) or a number, as a database takes them.
Code: TypeAlias = Annotated[str, msgspec.Meta(max_length=80, pattern="^[A-Za-z0-9_.:-]*$")]
Number: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Place: TypeAlias = Annotated[
    str, msgspec.Meta(pattern="^([0-9]{1,16}:[a-z0-9-]{1,36}:[0-9]{1,16})?$")
]
_Mac: TypeAlias = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a desk's own chain: its number there and its MAC, which only that desk reads."""

    seq: Number
    mac: _Mac
    access: Access


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """Entries in order, without a gap, that follow the entry ``after`` with the MAC ``after_mac``.

    ``broken`` is what the desk itself found wrong with its chain: "local" where an entry is not
    what was written, "restored" where the hub has later entries than the desk's own file.
    """

    after: Number
    after_mac: bytes
    entries: list[Noted]
    broken: Code = ""


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """The last entry of that chain which the hub has; the desk need not keep it any more."""

    seq: int
    mac: bytes


class Reveal(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for masked fields of a card's item and subject in full, for one of the purposes."""

    item_id: Code
    fields: list[Code]
    purpose: Code


class Revealed(Unspoken, frozen=True, kw_only=True):
    """The values by the names that were asked for; what is empty is left out."""

    values: dict[str, Value]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for the number in a field of a card's subject, to be dialled; of several, the one at
    ``place``."""

    item_id: Code
    field: Code
    place: Number = 0


class Dial(Unspoken, frozen=True, kw_only=True):
    """The number, for the dialler alone where it is shown masked."""

    number: str


class JournalQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are asked for; what is None does not matter. Moments are in ms.

    ``after`` is the ``more`` of the page before.
    """

    who: Code | None = None
    subject_id: Code | None = None
    item_id: Code | None = None
    event: Code | None = None
    device: Code | None = None
    offline: bool | None = None
    since: Number | None = None
    until: Number | None = None
    after: Place = ""
    limit: Number = 100


class JournalLine(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with its place: its number in the chain of a device, or of the "hub"."""

    stream: str
    seq: int
    access: Access


class JournalPage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries, the newest first, and where to go on; "" where there are no more."""

    lines: list[JournalLine]
    more: str = ""
