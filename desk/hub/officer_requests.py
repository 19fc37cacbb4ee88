"""What subjects demand as to their data: received, answered, extended, rejected.

To erase is ``desk.hub.officer_erasure``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, tuple_, update

from desk.domain import consents
from desk.domain.clean import clean
from desk.domain.effects import Effect, Noted, SubjectMoved, apply
from desk.domain.ids import derive_id, make_id
from desk.domain.model import Entry, SubjectRequest
from desk.hub import changes, erasure, journal, officer, registry, texts
from desk.hub.accesses import of_session
from desk.hub.accounts import Session
from desk.hub.errors import HubProblem
from desk.hub.projection import Reader
from desk.hub.store import Families
from desk.hub.workdays import Workdays
from desk.protocol import personal as p
from desk.schema import hub_tables as t

_WORDS_LIMIT = 4000
#: What a request leaves on the timelines of the person's cards.
_LINES = ("erasure_requested", "stopped", "erasure_rejected")
_REQUEST = t.pd_request.c


def page(connection: Connection, reader: Reader, asked: p.RequestsQuery) -> p.RequestsPage:
    """Open requests by deadline, or the closed ones, the last received first."""
    is_open = asked.state == "open"
    query = select(t.pd_request)
    query = query.where((_REQUEST.state == "open") if is_open else (_REQUEST.state != "open"))
    if asked.kind:
        query = query.where(_REQUEST.kind == asked.kind)
    if asked.subject_id:
        query = query.where(_REQUEST.subject_id == asked.subject_id)
    order = (_REQUEST.due_at if is_open else _REQUEST.received_at, _REQUEST.id)
    if asked.after:
        moment, _, identifier = asked.after.partition(":")
        place = (int(moment), identifier)
        query = query.where(tuple_(*order) > place if is_open else tuple_(*order) < place)
    ordered = order if is_open else [column.desc() for column in order]
    rows = connection.execute(query.order_by(*ordered).limit(asked.limit + 1)).all()
    shown = rows[: asked.limit]
    more = ""
    if len(rows) > asked.limit:
        last = shown[-1]
        more = f"{last.due_at if is_open else last.received_at}:{last.id}"
    return p.RequestsPage(lines=lines(connection, reader, shown), more=more)


def of_subject(connection: Connection, reader: Reader, subject_id: str) -> list[p.RequestLine]:
    """The requests of one subject, the last received first."""
    query = select(t.pd_request).where(_REQUEST.subject_id == subject_id)
    ordered = query.order_by(_REQUEST.received_at.desc(), _REQUEST.id.desc())
    return lines(connection, reader, connection.execute(ordered).all())


def lines(connection: Connection, reader: Reader, rows: Sequence[Row[Any]]) -> list[p.RequestLine]:
    """Requests as the officer sees them, with what is left of their terms."""
    workdays = Workdays(reader.playbook.terms)
    names = officer.names_of(connection, reader, {row.subject_id for row in rows})
    waiting = {
        subject: len(erasure.outstanding(connection, subject, reader.now))
        for subject in {row.subject_id for row in rows if row.state == "executed"}
    }
    made: list[p.RequestLine] = []
    for values in texts.opened(connection, t.pd_request, rows):
        del values["purpose"]
        made.append(
            p.RequestLine(
                **values,
                name=names.get(values["subject_id"], ""),
                days_left=workdays.left(reader.now, values["due_at"]),
                outstanding=waiting.get(values["subject_id"], 0),
            )
        )
    return made


def receive(
    connection: Connection,
    session: Session,
    reader: Reader,
    asked: p.NewRequest,
    random_bytes: Callable[[int], bytes],
) -> p.RequestLine:
    """Write a demand down, and stop at once what it says.

    Raises `HubProblem`: ``no_subject``, ``open_already``, ``wrong_moment``.
    """
    subject = officer.subject_of(connection, reader, asked.subject_id)
    if subject.stage == "erased":
        raise HubProblem(404, "no_subject")
    if asked.channel and asked.channel not in consents.CHANNELS:
        raise HubProblem(400, "bad_request")
    received = reader.now if asked.received_at is None else asked.received_at
    if received > reader.now:
        raise HubProblem(400, "wrong_moment")
    _refuse_second(connection, asked)
    request = SubjectRequest(
        id=make_id(reader.now, random_bytes),
        subject_id=subject.id,
        kind=asked.kind,
        ground=asked.ground,
        received_at=received,
        by=reader.actor.id,
        channel=asked.channel,
        note=clean(asked.note, _WORDS_LIMIT, lines=True),
    )
    blocks = request.kind in ("erase", "stop")
    row = registry.request_row(
        request, Workdays(reader.playbook.terms), blocked_at=reader.now if blocks else None
    )
    connection.execute(insert(t.pd_request), texts.stored(connection, t.pd_request, [row]))
    log = _stop(connection, reader, request) if blocks else []
    note(connection, session, reader, request.subject_id, "received", request.id)
    if log:
        changes.write(connection, log, at=reader.now, who=reader.actor.id)
    return one(connection, reader, request.id)


def answer(
    connection: Connection, session: Session, reader: Reader, asked: p.DecideRequest
) -> p.RequestLine:
    """The demand was met or answered. Raises `HubProblem`: ``no_request``, ``request_closed``,
    ``not_to_answer``, ``reason_needed``."""
    row = opened(connection, asked.request_id)
    if row.kind == "erase":
        raise HubProblem(409, "not_to_answer")
    close(connection, reader, row.id, "answered", _words(asked.reason))
    note(connection, session, reader, row.subject_id, "answered", row.id)
    return one(connection, reader, row.id)


def extend(
    connection: Connection, session: Session, reader: Reader, asked: p.DecideRequest
) -> p.RequestLine:
    """Five more working days, once. Raises `HubProblem` ``extended_already``."""
    row = opened(connection, asked.request_id)
    if row.extended_at is not None:
        raise HubProblem(409, "extended_already")
    due_at = Workdays(reader.playbook.terms).extended(row.due_at)
    said = texts.changed(connection, t.pd_request, row, extension=_words(asked.reason))
    extended = {"due_at": due_at, "extended_at": reader.now, **said}
    connection.execute(update(t.pd_request).where(_REQUEST.id == row.id).values(extended))
    note(connection, session, reader, row.subject_id, "extended", row.id)
    return one(connection, reader, row.id)


def reject(
    connection: Connection, session: Session, reader: Reader, asked: p.DecideRequest
) -> p.RequestLine:
    """The demand is not met; whom it alone blocked is free again."""
    row = opened(connection, asked.request_id)
    close(connection, reader, row.id, "rejected", _words(asked.reason))
    log: list[changes.Change] = []
    if row.kind == "erase" and not _blocked_by_another(connection, row):
        log = change(
            connection,
            reader,
            row.subject_id,
            [SubjectMoved(subject_id=row.subject_id, stage="active")],
            "erasure_rejected",
            row.id,
        )
    note(connection, session, reader, row.subject_id, "rejected", row.id)
    if log:
        changes.write(connection, log, at=reader.now, who=reader.actor.id)
    return one(connection, reader, row.id)


def one(connection: Connection, reader: Reader, request_id: str) -> p.RequestLine:
    """One request as the officer sees it. Raises `HubProblem` ``no_request``."""
    row = connection.execute(_asked(request_id)).first()
    if row is None:
        raise HubProblem(404, "no_request")
    return lines(connection, reader, [row])[0]


def opened(connection: Connection, request_id: str) -> Row[Any]:
    """An open request, locked. Raises `HubProblem` ``no_request``, ``request_closed``."""
    row = connection.execute(_asked(request_id).with_for_update()).first()
    if row is None:
        raise HubProblem(404, "no_request")
    if row.state != "open":
        raise HubProblem(409, "request_closed")
    return row


def _asked(request_id: str) -> Select[Any]:
    return select(t.pd_request).where(_REQUEST.id == request_id)


def _words(text: str) -> str:
    said = clean(text, _WORDS_LIMIT, lines=True)
    if not said:
        raise HubProblem(400, "reason_needed")
    return said


def close(
    connection: Connection, reader: Reader, request_id: str, state: p.RequestState, text: str = ""
) -> None:
    """An open request is closed, now and by whoever reads."""
    row = connection.execute(_asked(request_id)).one()
    said = texts.changed(connection, t.pd_request, row, answer=text)
    closed = {"state": state, "closed_at": reader.now, "closed_by": reader.actor.id, **said}
    connection.execute(update(t.pd_request).where(_REQUEST.id == request_id).values(closed))


def _refuse_second(connection: Connection, asked: p.NewRequest) -> None:
    query = select(_REQUEST.id).where(
        _REQUEST.subject_id == asked.subject_id,
        _REQUEST.kind == asked.kind,
        _REQUEST.ground == asked.ground,
        _REQUEST.state == "open",
    )
    if connection.execute(query).first() is not None:
        raise HubProblem(409, "open_already")


def _blocked_by_another(connection: Connection, row: Row[Any]) -> bool:
    query = select(_REQUEST.id).where(
        _REQUEST.subject_id == row.subject_id,
        _REQUEST.kind == "erase",
        _REQUEST.ground != "withdrawal",
        _REQUEST.state == "open",
    )
    return row.ground == "withdrawal" or connection.execute(query).first() is not None


def _stop(connection: Connection, reader: Reader, request: SubjectRequest) -> list[changes.Change]:
    """End what the demand ends: every consent, or all work with the person."""
    subject = officer.subject_of(connection, reader, request.subject_id)
    if request.kind == "erase":
        moved: list[Effect] = [SubjectMoved(subject_id=subject.id, stage="erasure_requested")]
        return change(connection, reader, subject.id, moved, "erasure_requested", request.id)
    effects: list[Effect] = []
    for number, purpose in enumerate(reader.playbook.purposes):
        standing = subject.consents.get(purpose)
        if standing is None or standing.withdrawn_at is None:
            origin = derive_id(request.id, number)
            effects += consents.withdrawal(
                subject, purpose, origin, reader.actor, request.channel, reader.now
            )
    return change(connection, reader, subject.id, effects, "stopped", request.id)


def change(
    connection: Connection,
    reader: Reader,
    subject_id: str,
    effects: Sequence[Effect],
    event: str,
    origin: str,
) -> list[changes.Change]:
    """Carry effects on a subject out, with a line on each of its cards; what the log must say."""
    # The lines of one request's events have ids of their own.
    first = 1000 * (1 + _LINES.index(event))
    ids = connection.execute(
        select(t.item.c.id).where(t.item.c.subject_id == subject_id).order_by(t.item.c.id)
    ).scalars().all()  # fmt: skip
    families = Families(connection, ids)
    scene = families.scene(ids[0], ()) if ids else None
    if scene is None:
        raise HubProblem(404, "no_subject")
    notes = [
        Noted(
            entry=Entry(
                id=derive_id(origin, first + number),
                item_id=item.id,
                at=reader.now,
                who=reader.actor.id,
                event=event,
            )
        )
        for number, item in enumerate(scene.items)
        if item.subject_id == subject_id
    ]
    outcome = apply(scene, [*effects, *notes], reader.playbook, reader.now)
    log = families.take(scene, outcome)
    families.write()
    return log


def note(
    connection: Connection,
    session: Session,
    reader: Reader,
    subject_id: str,
    did: str,
    request_id: str,
) -> None:
    """What was done about a request, for the journal."""
    entry = of_session(
        session,
        "request",
        reader.now,
        subject_id=subject_id,
        purpose=officer.purpose_of(reader),
        detail={"did": did, "request": request_id},
    )
    journal.write(connection, [entry])
