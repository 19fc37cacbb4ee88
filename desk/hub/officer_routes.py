"""What the officer for personal data asks of the hub (``desk.protocol.personal`` has the table)."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy import Connection

from desk.hub import (
    documents,
    incidents,
    journal,
    officer,
    officer_erasure,
    officer_export,
    officer_requests,
)
from desk.hub.accesses import of_session
from desk.hub.accounts import Session
from desk.hub.gate import Hub, reader_of
from desk.hub.projection import Reader
from desk.protocol import personal as p
from desk.protocol.personal import (
    AskDocument,
    AskExport,
    AskExtract,
    AskSubject,
    CardsPage,
    CardsQuery,
    DecideIncident,
    DecideRequest,
    Documents,
    Export,
    IncidentLine,
    Incidents,
    NewIncident,
    NewRequest,
    RegistryPage,
    RegistryQuery,
    RequestLine,
    RequestsPage,
    RequestsQuery,
    SubjectCard,
    TextVersions,
)


@contextmanager
def _officer(hub: Hub, session: Session) -> Generator[tuple[Connection, Reader]]:
    """A transaction of the officer; everybody else is refused."""
    with hub.database.write() as connection:
        reader = reader_of(hub, session, connection)
        officer.require(reader)
        yield connection, reader


@post("/v1/pd/registry", status_code=200, sync_to_thread=True)
def registry_page(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[RegistryQuery]
) -> RegistryPage:
    """Consents by purpose, standing, channel, date, stage, or a whole phone or e-mail."""
    with _officer(hub, session) as (connection, reader):
        page = officer.registry(connection, reader, data)
        shown = {line.consent.subject_id for line in page.lines}
        _note(connection, session, reader, "registry", shown, found=bool(data.contact))
    return page


@post("/v1/pd/cards", status_code=200, sync_to_thread=True)
def cards_page(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[CardsQuery]
) -> CardsPage:
    """Subjects by stage, or by a whole phone or e-mail."""
    with _officer(hub, session) as (connection, reader):
        page = officer.cards(connection, reader, data)
        shown = {line.subject_id for line in page.lines}
        _note(connection, session, reader, "cards", shown, found=bool(data.contact))
    return page


@post("/v1/pd/subject", status_code=200, sync_to_thread=True)
def subject_card(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[AskSubject]
) -> SubjectCard:
    """All that is kept of one subject."""
    with _officer(hub, session) as (connection, reader):
        purpose = officer.purpose_of(reader, data.purpose)
        subject = officer.subject_of(connection, reader, data.subject_id)
        card = SubjectCard(
            subject=subject,
            consents=officer.consents_of(connection, subject.id),
            requests=officer_requests.of_subject(connection, reader, subject.id),
            items=[
                p.ItemLine(
                    id=item.id,
                    kind=item.kind,
                    stage=item.stage,
                    title=item.title,
                    responsible=item.responsible,
                    updated_at=item.updated_at,
                )
                for item in officer.items_of(connection, reader, subject.id)
            ],
            documents=documents.listed(connection, subject.id),
            erasure=officer_erasure.of(connection, subject.id),
        )
        entry = of_session(
            session,
            "read",
            reader.now,
            purpose=purpose,
            subject_id=subject.id,
            fields=tuple(f"subject.{name}" for name in subject.fields),
            detail={"via": "card"},
        )
        journal.write(connection, [entry])
    return card


@post("/v1/pd/export", status_code=200, sync_to_thread=True)
def export_subject(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[AskExport]
) -> Export:
    """A copy of a subject's data for himself."""
    with _officer(hub, session) as (connection, reader):
        purpose = officer.purpose_of(reader, data.purpose)
        copy = officer_export.export(connection, reader, data)
        entry = of_session(
            session,
            "export",
            reader.now,
            purpose=purpose,
            subject_id=data.subject_id,
            detail={"via": "subject", "format": data.format},
        )
        journal.write(connection, [entry])
    return copy


@get("/v1/pd/texts", sync_to_thread=True)
def text_versions(hub: NamedDependency[Hub], session: NamedDependency[Session]) -> TextVersions:
    """Every text people were asked to agree to."""
    with _officer(hub, session) as (connection, _reader):
        return TextVersions(texts=officer.texts_of(connection))


@post("/v1/pd/requests", status_code=200, sync_to_thread=True)
def requests_page(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[RequestsQuery]
) -> RequestsPage:
    """What has to be done, by deadline; or what was done."""
    with _officer(hub, session) as (connection, reader):
        page = officer_requests.page(connection, reader, data)
        shown = {line.subject_id for line in page.lines}
        _note(connection, session, reader, "requests", shown)
    return page


@post("/v1/pd/request", status_code=200, sync_to_thread=True)
def open_request(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[NewRequest]
) -> RequestLine:
    """Write a demand down, and stop at once what it stops."""
    with _officer(hub, session) as (connection, reader):
        line = officer_requests.receive(connection, session, reader, data, hub.random_bytes)
    hub.hints.wake()
    return line


@post("/v1/pd/request/answer", status_code=200, sync_to_thread=True)
def answer_request(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[DecideRequest]
) -> RequestLine:
    """The demand was met or answered."""
    with _officer(hub, session) as (connection, reader):
        return officer_requests.answer(connection, session, reader, data)


@post("/v1/pd/request/extend", status_code=200, sync_to_thread=True)
def extend_request(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[DecideRequest]
) -> RequestLine:
    """A longer term, once."""
    with _officer(hub, session) as (connection, reader):
        return officer_requests.extend(connection, session, reader, data)


@post("/v1/pd/request/reject", status_code=200, sync_to_thread=True)
def reject_request(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[DecideRequest]
) -> RequestLine:
    """The demand is not met, for a reason."""
    with _officer(hub, session) as (connection, reader):
        line = officer_requests.reject(connection, session, reader, data)
    hub.hints.wake()
    return line


@post("/v1/pd/request/execute", status_code=200, sync_to_thread=True)
def execute_request(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[DecideRequest]
) -> RequestLine:
    """The subject is erased for good, and the act is kept."""
    return officer_erasure.execute(hub, session, data)


@get("/v1/pd/incidents", sync_to_thread=True)
def list_incidents(hub: NamedDependency[Hub], session: NamedDependency[Session]) -> Incidents:
    """The unresolved ones first."""
    with _officer(hub, session) as (connection, _reader):
        return incidents.listed(connection)


@post("/v1/pd/incident", status_code=200, sync_to_thread=True)
def open_incident(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[NewIncident]
) -> IncidentLine:
    """Something happened to personal data; its clocks run."""
    with _officer(hub, session) as (connection, reader):
        return incidents.receive(connection, session, reader, data, hub.random_bytes)


@post("/v1/pd/incident/notify", status_code=200, sync_to_thread=True)
def notify_incident(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[DecideIncident]
) -> IncidentLine:
    """The authority was told of it."""
    with _officer(hub, session) as (connection, reader):
        return incidents.notify(connection, session, reader, data)


@post("/v1/pd/incident/resolve", status_code=200, sync_to_thread=True)
def resolve_incident(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[DecideIncident]
) -> IncidentLine:
    """The inquiry has ended with a result."""
    with _officer(hub, session) as (connection, reader):
        return incidents.resolve(connection, session, reader, data)


@get("/v1/pd/documents", sync_to_thread=True)
def list_documents(hub: NamedDependency[Hub], session: NamedDependency[Session]) -> Documents:
    """Acts and extracts that are kept."""
    with _officer(hub, session) as (connection, _reader):
        return Documents(documents=documents.listed(connection))


@post("/v1/pd/document", status_code=200, sync_to_thread=True)
def document_file(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[AskDocument]
) -> Export:
    """The file of a document."""
    with _officer(hub, session) as (connection, reader):
        found, subject_id = documents.file(connection, data.document_id)
        entry = of_session(
            session,
            "export",
            reader.now,
            purpose=officer.purpose_of(reader),
            subject_id=subject_id,
            detail={"via": "document", "document": data.document_id},
        )
        journal.write(connection, [entry])
    return found


@post("/v1/pd/extract", status_code=200, sync_to_thread=True)
def make_extract(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[AskExtract]
) -> Documents:
    """An extract of the journal about a subject, made now and kept."""
    with _officer(hub, session) as (connection, reader):
        subject = officer.subject_of(connection, reader, data.subject_id)
        made = documents.extract(connection, reader, subject.id, hub.random_bytes)
        entry = of_session(
            session,
            "export",
            reader.now,
            purpose=officer.purpose_of(reader),
            subject_id=subject.id,
            detail={"via": "extract"},
        )
        journal.write(connection, [entry])
    return Documents(documents=made)


def _note(
    connection: Connection,
    session: Session,
    reader: Reader,
    via: str,
    shown: set[str],
    *,
    found: bool = False,
) -> None:
    entries = officer.looked(session, reader, "find" if found else "read", via, shown)
    if entries:
        journal.write(connection, entries)


ROUTES = [
    registry_page,
    cards_page,
    subject_card,
    export_subject,
    text_versions,
    requests_page,
    open_request,
    answer_request,
    extend_request,
    reject_request,
    execute_request,
    list_incidents,
    open_incident,
    notify_incident,
    resolve_incident,
    list_documents,
    document_file,
    make_extract,
]
