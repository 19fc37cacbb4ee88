"""What a role does not see on its cards and may have a look at, or have dialled.

Both are answered in the transaction that journals them. Whoever asks for what his role never may
is told so before any card is looked for, and a card out of his sight is refused like one that does
not exist: neither answer tells of cards.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from desk.domain.consents import may_contact, processing_stopped
from desk.domain.model import Item, Subject, Value
from desk.domain.rights import SUBJECT, may_call, may_reveal, numbers_in
from desk.hub import accesses, journal, store
from desk.hub.accounts import Session
from desk.hub.errors import HubProblem
from desk.hub.projection import Reader
from desk.protocol.journal import Call, Dial, Reveal, Revealed
from desk.schema import hub_tables as t

#: How many looks, calls and searches for a number a user may take in a while (ms). By searches
#: the digits that a mask hides could be tried out.
LOOKS = 30
CALLS = 120
SEARCHES = 120
WHILE = 10 * 60_000
_MOST_FIELDS = 20


def reveal(connection: Connection, session: Session, reader: Reader, asked: Reveal) -> Revealed:
    """The fields in full.

    Raises `HubProblem`: ``bad_request``, ``not_allowed``, ``too_often``, ``no_item``,
    ``processing_stopped``.
    """
    playbook = reader.playbook
    names = sorted(set(asked.fields))
    if not 0 < len(names) <= _MOST_FIELDS or asked.purpose not in playbook.purposes:
        raise HubProblem(400, "bad_request")
    if not all(may_reveal(playbook, reader.actor.role, name) for name in names):
        raise HubProblem(403, "not_allowed")
    slow_down(connection, reader, "reveal", LOOKS)
    item, subject = _in_sight(connection, reader, asked.item_id, names)
    if processing_stopped(playbook, subject):
        raise HubProblem(409, "processing_stopped")
    values = {name: _value(item, subject, name) for name in names}
    entry = accesses.of_session(
        session,
        "reveal",
        reader.now,
        purpose=asked.purpose,
        subject_id=item.subject_id,
        item_id=item.id,
        fields=tuple(names),
    )
    journal.write(connection, [entry])
    return Revealed(values={name: value for name, value in values.items() if value is not None})


def call(connection: Connection, session: Session, reader: Reader, asked: Call) -> Dial:
    """The number to dial.

    Raises `HubProblem`: ``not_allowed``, ``too_often``, ``no_item``, ``no_number``,
    ``do_not_call``, ``processing_stopped``.
    """
    playbook = reader.playbook
    role = playbook.roles.get(reader.actor.role)
    if role is None or not may_call(playbook, reader.actor.role, asked.field):
        raise HubProblem(403, "not_allowed")
    slow_down(connection, reader, "call", CALLS)
    item, subject = _in_sight(connection, reader, asked.item_id, [asked.field])
    numbers = numbers_in(_value(item, subject, asked.field))
    if subject is None or not 0 <= asked.place < len(numbers):
        raise HubProblem(409, "no_number")
    refusal = may_contact(playbook, subject, "calls")
    if refusal is not None:
        raise HubProblem(409, refusal.code)
    entry = accesses.of_session(
        session,
        "call",
        reader.now,
        purpose=role.purpose,
        subject_id=subject.id,
        item_id=item.id,
        fields=(asked.field,),
    )
    journal.write(connection, [entry])
    return Dial(number=numbers[asked.place])


def slow_down(connection: Connection, reader: Reader, event: str, most: int) -> None:
    """Refuse who has done it too often of late; his requests are looked at one after another."""
    user = reader.actor.id
    mine = select(t.account.c.user_id).where(t.account.c.user_id == user)
    connection.execute(mine.with_for_update())
    if journal.count(connection, user, event, reader.now - WHILE) >= most:
        seconds = str(WHILE // 1000)
        raise HubProblem(429, "too_often", {"seconds": seconds}, {"Retry-After": seconds})


def _in_sight(
    connection: Connection, reader: Reader, item_id: str, names: Sequence[str]
) -> tuple[Item, Subject | None]:
    """The card and its subject, if the reader sees it and it has what is asked for."""
    opened = store.Opened(connection)
    mine = opened.items(select(t.item).where(t.item.c.id == item_id, reader.items))
    item = mine[0] if mine else None
    owners = {name.partition(".")[0] for name in names}
    if item is None or not owners <= {SUBJECT, item.kind}:
        raise HubProblem(404, "no_item")
    about = opened.subjects(select(t.subject).where(t.subject.c.id == item.subject_id))
    return item, about[0] if about else None


def _value(item: Item, subject: Subject | None, name: str) -> Value:
    owner, _, field = name.partition(".")
    holder = subject if owner == SUBJECT else item
    return holder.fields.get(field) if holder else None
