"""What desks ask about persons: who has this number, and that somebody who is erased is gone."""

from __future__ import annotations

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy import Connection, select

from desk.domain.forms import check_value
from desk.domain.journal import pack
from desk.domain.model import Item
from desk.domain.playbook import Field, Text
from desk.domain.refusals import Refusal
from desk.hub import accesses, erasure, journal, lookup, reveals, rowsecurity
from desk.hub.accounts import Session
from desk.hub.errors import HubProblem
from desk.hub.gate import Hub, reader_of
from desk.hub.projection import Reader
from desk.hub.store import Opened
from desk.protocol.personal import ErasedHere, FindPerson, FoundPerson, ItemLine
from desk.schema import hub_tables as t

_TITLE = Text(ru="", en="")
_FIELDS = {
    "phone": Field(id="phone", title=_TITLE, type="phone"),
    "email": Field(id="email", title=_TITLE, type="email"),
}
#: The types of a subject's fields that a contact is looked for in.
_HOLDERS = {"phone": ("phone", "phones"), "email": ("email", "emails")}


@post("/v1/pd/find", status_code=200, sync_to_thread=True)
def find(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[FindPerson]
) -> list[FoundPerson]:
    """The persons with a whole phone number or e-mail, and their cards in the reader's sight."""
    with hub.database.read() as connection:
        reader = reader_of(hub, session, connection)
        kind, value = _asked(reader, data)
        ids = lookup.find(connection, kind, value)
        rowsecurity.enter(connection, reader)
        found = _found(connection, reader, ids)
    entry = accesses.of_session(
        session,
        "search",
        reader.now,
        subjects=pack({one.subject.id for one in found}),
        count=len(found),
        fields=(f"subject.{kind}",),
    )
    with hub.database.write() as connection:
        reveals.slow_down(connection, reader, "search", reveals.SEARCHES)
        journal.write(connection, [entry])
    return found


@post("/v1/pd/erased", status_code=204, sync_to_thread=True)
def erased(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[ErasedHere]
) -> None:
    """A desk holds these persons no more: not in its rows, its search, or its journal of writes."""
    with hub.database.write() as connection:
        erasure.acknowledge(connection, session.device_id, data.subjects, hub.clock())


def _asked(reader: Reader, data: FindPerson) -> tuple[lookup.Contact, str]:
    """What to look for. Whoever may not see a number at all may not find out whose it is."""
    if bool(data.phone) == bool(data.email):
        raise HubProblem(400, "bad_request")
    kind: lookup.Contact = "phone" if data.phone else "email"
    value = check_value(_FIELDS[kind], data.phone or data.email)
    if isinstance(value, Refusal) or not isinstance(value, str):
        raise HubProblem(400, "bad_request")
    playbook, role = reader.playbook, reader.actor.role
    levels = {
        playbook.mask(role, "subject", one.id)
        for one in playbook.fields("subject").values()
        if one.type in _HOLDERS[kind]
    }
    if not levels & {"full", "masked"}:
        raise HubProblem(403, "not_allowed")
    return kind, value


def _found(connection: Connection, reader: Reader, ids: list[str]) -> list[FoundPerson]:
    opened = Opened(connection)
    items = opened.items(
        select(t.item)
        .where(t.item.c.subject_id.in_(ids), reader.items)
        .order_by(t.item.c.updated_at.desc(), t.item.c.id)
    )
    seen = {item.subject_id for item in items}
    subjects = opened.subjects(select(t.subject).where(t.subject.c.id.in_(seen)))
    return [
        FoundPerson(
            subject=reader.subject(one),
            items=[_line(reader.item(item)) for item in items if item.subject_id == one.id],
        )
        for one in subjects
    ]


def _line(item: Item) -> ItemLine:
    return ItemLine(
        id=item.id,
        kind=item.kind,
        stage=item.stage,
        title=item.title,
        responsible=item.responsible,
        updated_at=item.updated_at,
    )


ROUTES = [find, erased]
