"""Erasing a subject at a request: the rows, the keys, then the act and its extract.

What was cut short after the rows were emptied is finished when the officer asks once more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Row, select

from desk.domain.forms import is_empty
from desk.domain.model import Actor
from desk.domain.playbook import Playbook
from desk.hub import documents, erasure, officer, officer_requests
from desk.hub.accounts import Session
from desk.hub.database import Database
from desk.hub.documents import Destroyed
from desk.hub.erasure import Erased
from desk.hub.errors import HubProblem
from desk.hub.gate import Hub, reader_of
from desk.hub.playbooks import current
from desk.hub.projection import Reader
from desk.hub.store import Opened
from desk.protocol import personal as p
from desk.schema import hub_tables as t

_REST = ("Названия карточек", "Свободный текст карточек", "Комментарии", "Поисковый указатель")


def execute(hub: Hub, session: Session, asked: p.DecideRequest) -> p.RequestLine:
    """Erase the subject of a request for good and keep the act.

    Raises `HubProblem`: ``not_officer``, ``no_request``, ``request_closed``, ``not_to_erase``.
    """
    with hub.database.write() as connection:
        reader = reader_of(hub, session, connection)
        officer.require(reader)
        request = _to_erase(connection, asked.request_id)
        subject = officer.subject_of(connection, reader, request.subject_id)
        categories = _categories(reader.playbook, subject.fields)
        done = erasure.erase_rows(
            connection, subject.id, reader.actor.id, reader.now, request.ground
        )
    erasure.finish(hub.database, subject.id, reader.now)
    hub.hints.wake()
    with hub.database.write() as connection:
        officer_requests.close(connection, reader, request.id, "executed")
        officer_requests.note(
            connection, session, reader, request.subject_id, "executed", request.id
        )
        destroyed = Destroyed(
            number=done.number,
            subject_id=subject.id,
            request_id=request.id,
            ground=request.ground,
            received_at=request.received_at,
            erased_at=done.at,
            by=done.by,
            categories=categories,
            devices=devices(connection, subject.id),
        )
        documents.act(connection, reader, destroyed, hub.random_bytes)
        return officer_requests.one(connection, reader, request.id)


def by_administrator(
    database: Database,
    subject_id: str,
    by: str | None,
    reason: str,
    now: int,
    random_bytes: Callable[[int], bytes],
) -> Erased:
    """Erase a subject without a request and keep the act; one who is erased already keeps his.

    Raises `erasure.NoSubject`.
    """
    with database.read() as connection:
        installed = current(connection)
        found = Opened(connection).subjects(select(t.subject).where(t.subject.c.id == subject_id))
    fields = found[0].fields if found else {}
    done = erasure.erase(database, subject_id, by, now, reason)
    reader = Reader(
        actor=Actor(id=by or "", role=""),
        playbook=installed.playbook,
        playbook_version=installed.version,
        policy_version=0,
        now=now,
    )
    with database.write() as connection:
        if not _has_act(connection, subject_id):
            destroyed = Destroyed(
                number=done.number,
                subject_id=subject_id,
                request_id=None,
                ground=reason or "решение оператора",
                received_at=done.at,
                erased_at=done.at,
                by=by,
                categories=_categories(installed.playbook, fields),
                devices=devices(connection, subject_id),
            )
            documents.act(connection, reader, destroyed, random_bytes)
    return done


def of(connection: Connection, subject_id: str) -> p.ErasureLine | None:
    """The erasure of a subject, with the devices that may have held him."""
    done = erasure.of(connection, subject_id)
    if done is None:
        return None
    return p.ErasureLine(
        at=done.at,
        by=done.by,
        categories=done.categories,
        devices=devices(connection, subject_id),
    )


def devices(connection: Connection, subject_id: str) -> list[p.DeviceLine]:
    """The devices that may have held an erased subject; those that have not confirmed first."""
    ack, device = t.erasure_ack.c, t.device.c
    query = (
        select(
            ack.device_id,
            device.name.label("device_name"),
            device.user_id.label("user"),
            ack.state,
            ack.lease_until,
            ack.acked_at,
        )
        .join(t.device, device.id == ack.device_id)
        .where(ack.subject_id == subject_id)
        .order_by(ack.acked_at.is_not(None), device.user_id, ack.device_id)
    )
    return [p.DeviceLine(**row) for row in connection.execute(query).mappings()]


def _to_erase(connection: Connection, request_id: str) -> Row[Any]:
    query = select(t.pd_request).where(t.pd_request.c.id == request_id)
    request = connection.execute(query).first()
    if request is None:
        raise HubProblem(404, "no_request")
    if request.kind != "erase":
        raise HubProblem(409, "not_to_erase")
    if request.state != "open" and not _is_unfinished(connection, request):
        raise HubProblem(409, "request_closed")
    return request


def _is_unfinished(connection: Connection, request: Row[Any]) -> bool:
    """Whether the subject is erased but no act says so."""
    if erasure.of(connection, request.subject_id) is None:
        return False
    return not _has_act(connection, request.subject_id)


def _has_act(connection: Connection, subject_id: str) -> bool:
    acts = select(t.document.c.id).where(t.document.c.subject_id == subject_id)
    return connection.execute(acts.where(t.document.c.kind == "act")).first() is not None


def _categories(playbook: Playbook, fields: dict[str, Any]) -> list[str]:
    """What is destroyed, by kinds of data; all there may be where the data is gone already."""
    declared = playbook.fields("subject")
    filled = [name for name, value in fields.items() if name in declared and not is_empty(value)]
    return [*(declared[name].title.ru for name in filled or declared), *_REST]
