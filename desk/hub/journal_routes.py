"""What desks ask for that stands in the journal: uploads, looks, calls, and the journal itself."""

from __future__ import annotations

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from desk.hub import accesses, journal, journal_uploads, reveals
from desk.hub.accounts import Session
from desk.hub.errors import HubProblem
from desk.hub.gate import Hub, reader_of
from desk.protocol.journal import (
    Call,
    Dial,
    JournalPage,
    JournalQuery,
    Reveal,
    Revealed,
    Upload,
    Uploaded,
)


@post("/v1/journal", status_code=200, sync_to_thread=True)
def upload(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[Upload]
) -> Uploaded:
    """Take what a desk has noted; what comes again is answered and not written again."""
    with hub.database.write() as connection:
        reader = reader_of(hub, session, connection)
        return journal_uploads.take(connection, session, reader.playbook, data, reader.now)


@post("/v1/pd/reveal", status_code=200, sync_to_thread=True)
def reveal(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[Reveal]
) -> Revealed:
    """Masked fields of a card in full, for a stated purpose."""
    with hub.database.write() as connection:
        return reveals.reveal(connection, session, reader_of(hub, session, connection), data)


@post("/v1/pd/call", status_code=200, sync_to_thread=True)
def call(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[Call]
) -> Dial:
    """A number of a card to be dialled, if the person may be called."""
    with hub.database.write() as connection:
        return reveals.call(connection, session, reader_of(hub, session, connection), data)


@post("/v1/pd/journal", status_code=200, sync_to_thread=True)
def look_up(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[JournalQuery]
) -> JournalPage:
    """The journal, for whoever answers for personal data; that he looked is an entry, too."""
    with hub.database.write() as connection:
        reader = reader_of(hub, session, connection)
        role = reader.playbook.roles.get(reader.actor.role)
        if role is None or not role.officer:
            raise HubProblem(403, "not_officer")
        page = journal.page(connection, data)
        looked = accesses.of_session(
            session,
            "read",
            reader.now,
            purpose=role.purpose,
            subject_id=data.subject_id,
            item_id=data.item_id,
            detail={"via": "journal"},
        )
        journal.write(connection, [looked])
    return page


ROUTES = [upload, reveal, call, look_up]
