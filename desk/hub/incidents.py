"""Leaks and losses of personal data, with the clocks of what the authority must be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from desk.domain.clean import clean
from desk.domain.deadlines import clocks
from desk.domain.ids import make_id
from desk.hub import journal, officer, texts
from desk.hub.accesses import of_session
from desk.hub.accounts import Session
from desk.hub.errors import HubProblem
from desk.hub.projection import Reader
from desk.protocol import personal as p
from desk.schema.hub_tables import incident

_TITLE_LIMIT = 200
_WORDS_LIMIT = 4000
#: The most that are listed.
_LISTED = 500


def listed(connection: Connection) -> p.Incidents:
    """The unresolved ones, then the others; in each the last found first."""
    line = incident.c
    query = select(incident).order_by(
        line.resolved_at.is_not(None), line.found_at.desc(), line.id.desc()
    )
    rows = connection.execute(query.limit(_LISTED)).all()
    told = texts.opened(connection, incident, rows)
    return p.Incidents(incidents=[p.IncidentLine(**values) for values in told])


def receive(
    connection: Connection,
    session: Session,
    reader: Reader,
    asked: p.NewIncident,
    random_bytes: Callable[[int], bytes],
) -> p.IncidentLine:
    """Write an incident down. Raises `HubProblem` ``wrong_moment``, ``reason_needed``."""
    found = reader.now if asked.found_at is None else asked.found_at
    if found > reader.now:
        raise HubProblem(400, "wrong_moment")
    told = clocks(found, reader.playbook.terms)
    row: dict[str, Any] = {
        "id": make_id(reader.now, random_bytes),
        "found_at": found,
        "opened_by": reader.actor.id,
        "title": _said(asked.title, _TITLE_LIMIT),
        "description": clean(asked.description, _WORDS_LIMIT, lines=True),
        "people": asked.people,
        "notice_due": told.notice_due,
        "result_due": told.result_due,
        "notice": "",
        "result": "",
    }
    connection.execute(insert(incident), texts.stored(connection, incident, [row]))
    return _noted(connection, session, reader, row["id"], "opened")


def notify(
    connection: Connection, session: Session, reader: Reader, asked: p.DecideIncident
) -> p.IncidentLine:
    """The authority was told. Raises `HubProblem` ``no_incident``, ``request_closed``."""
    row = _open(connection, asked.incident_id, "notified_at")
    values = {
        "notified_at": reader.now,
        "notified_by": reader.actor.id,
        **texts.changed(connection, incident, row, notice=_said(asked.note, _WORDS_LIMIT)),
    }
    connection.execute(update(incident).where(incident.c.id == asked.incident_id).values(values))
    return _noted(connection, session, reader, asked.incident_id, "notified")


def resolve(
    connection: Connection, session: Session, reader: Reader, asked: p.DecideIncident
) -> p.IncidentLine:
    """The inquiry has ended. Raises `HubProblem` ``no_incident``, ``request_closed``."""
    row = _open(connection, asked.incident_id, "resolved_at")
    values = {
        "resolved_at": reader.now,
        "resolved_by": reader.actor.id,
        **texts.changed(connection, incident, row, result=_said(asked.note, _WORDS_LIMIT)),
    }
    connection.execute(update(incident).where(incident.c.id == asked.incident_id).values(values))
    return _noted(connection, session, reader, asked.incident_id, "resolved")


def _open(connection: Connection, incident_id: str, step: str) -> Row[Any]:
    """The incident, locked; refused where that step was taken already."""
    query = select(incident).where(incident.c.id == incident_id).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        raise HubProblem(404, "no_incident")
    if getattr(row, step) is not None:
        raise HubProblem(409, "request_closed")
    return row


def _noted(
    connection: Connection, session: Session, reader: Reader, incident_id: str, did: str
) -> p.IncidentLine:
    entry = of_session(
        session,
        "incident",
        reader.now,
        purpose=officer.purpose_of(reader),
        detail={"did": did, "incident": incident_id},
    )
    journal.write(connection, [entry])
    rows = connection.execute(select(incident).where(incident.c.id == incident_id)).all()
    (values,) = texts.opened(connection, incident, rows)
    return p.IncidentLine(**values)


def _said(text: str, limit: int) -> str:
    said = clean(text, limit, lines=True)
    if not said:
        raise HubProblem(400, "reason_needed")
    return said
