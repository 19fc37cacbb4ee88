"""What the officer for personal data sees of subjects: the registry, the cards, one card whole.

Whoever calls writes into the journal, in the same transaction, what was looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, func, select, tuple_

from desk.domain.forms import check_value, is_empty
from desk.domain.journal import Access, pack
from desk.domain.model import Consent, Entry, Item, Standing, Subject
from desk.domain.playbook import Field, Playbook, Text
from desk.hub import lookup, store, texts
from desk.hub.accesses import of_session
from desk.hub.accounts import Session
from desk.hub.errors import HubProblem
from desk.hub.projection import Reader
from desk.protocol import personal as p
from desk.schema import hub_tables as t

_PHONE = Field(id="contact", title=Text(ru="", en=""), type="phone")
_EMAIL = Field(id="contact", title=Text(ru="", en=""), type="email")


def require(reader: Reader) -> None:
    """Raises `HubProblem` ``not_officer`` for everybody who does not answer for personal data."""
    role = reader.playbook.roles.get(reader.actor.role)
    if role is None or not role.officer:
        raise HubProblem(403, "not_officer")


def purpose_of(reader: Reader, asked: str = "") -> str:
    """What the reading stands under. Raises `HubProblem` ``no_purpose``."""
    if asked and asked not in reader.playbook.purposes:
        raise HubProblem(400, "no_purpose")
    return asked or reader.playbook.roles[reader.actor.role].purpose


def looked(
    session: Session,
    reader: Reader,
    event: Literal["read", "find"],
    via: str,
    subjects: Collection[str],
) -> list[Access]:
    """The entry of a page that was shown; one of a look-up stands though it found nobody."""
    if not subjects and event == "read":
        return []
    return [
        of_session(
            session,
            event,
            reader.now,
            purpose=purpose_of(reader),
            subjects=pack(subjects),
            count=len(set(subjects)),
            fields=tuple(f"subject.{name}" for name in overview(reader.playbook)),
            detail={"via": via},
        )
    ]


def registry(connection: Connection, reader: Reader, asked: p.RegistryQuery) -> p.RegistryPage:
    """Consents, the last given first. Raises `HubProblem` ``bad_contact``."""
    query = select(t.consent, t.subject.c.stage).join(
        t.subject, t.subject.c.id == t.consent.c.subject_id
    )
    query = query.where(*_registry_tests(connection, asked))
    rows, more = _page(connection, query, (t.consent.c.given_at, t.consent.c.id), asked)
    names = names_of(connection, reader, {row.subject_id for row in rows})
    return p.RegistryPage(
        lines=[
            p.RegistryLine(consent=consent, name=names.get(row.subject_id, ""), stage=row.stage)
            for row, consent in zip(rows, _consents(connection, rows), strict=True)
        ],
        more=more,
        total=None if asked.after else _count(connection, query),
    )


def cards(connection: Connection, reader: Reader, asked: p.CardsQuery) -> p.CardsPage:
    """Subjects, the newest first. Raises `HubProblem` ``bad_contact``."""
    subject = t.subject.c
    query = select(subject.id, subject.stage, subject.consents)
    if asked.stage:
        query = query.where(subject.stage == asked.stage)
    if asked.contact:
        query = query.where(subject.id.in_(find(connection, asked.contact)))
    total = None if asked.after else _count(connection, query)
    if asked.after:
        query = query.where(subject.id < asked.after.partition(":")[2])
    rows = connection.execute(query.order_by(subject.id.desc()).limit(asked.limit + 1)).all()
    shown = rows[: asked.limit]
    names = names_of(connection, reader, {row.id for row in shown})
    open_ones = _open_requests(connection, [row.id for row in shown])
    return p.CardsPage(
        lines=[
            p.CardLine(
                subject_id=row.id,
                name=names.get(row.id, ""),
                stage=row.stage,
                consents=msgspec.convert(row.consents, dict[str, Standing]),
                open_requests=len(open_ones[row.id]),
                due_at=min(open_ones[row.id], default=None),
            )
            for row in shown
        ],
        more=f"0:{shown[-1].id}" if len(rows) > asked.limit else "",
        total=total,
    )


def subject_of(connection: Connection, reader: Reader, subject_id: str) -> Subject:
    """One subject as the officer may read it. Raises `HubProblem` ``no_subject``."""
    found = subjects(connection, select(t.subject).where(t.subject.c.id == subject_id))
    if not found:
        raise HubProblem(404, "no_subject")
    return reader.subject(found[0])


def consents_of(connection: Connection, subject_id: str) -> list[p.GivenConsent]:
    """A subject's consents with their texts, the last given first."""
    line = t.consent.c
    query = select(t.consent).where(line.subject_id == subject_id)
    rows = connection.execute(query.order_by(line.given_at.desc(), line.id.desc())).all()
    kept = {text.hash: text for text in texts_of(connection)}
    return [
        p.GivenConsent(consent=consent, text=kept.get(consent.text_hash))
        for consent in _consents(connection, rows)
    ]


def texts_of(connection: Connection) -> list[p.ConsentText]:
    """Every text that was ever to be agreed to."""
    text = t.consent_text.c
    query = select(t.consent_text).order_by(text.purpose, text.version.desc())
    return [p.ConsentText(**row) for row in connection.execute(query).mappings()]


def items_of(connection: Connection, reader: Reader, subject_id: str) -> list[Item]:
    """The cards that speak of a subject, the newest first, as the officer may read them."""
    query = select(t.item).where(t.item.c.subject_id == subject_id).order_by(t.item.c.id.desc())
    return [reader.item(item) for item in items(connection, query)]


def entries_of(connection: Connection, ids: Sequence[str]) -> list[Entry]:
    """What stands on the timelines of some cards, the oldest first."""
    query = select(t.entry).where(t.entry.c.item_id.in_(ids)).order_by(t.entry.c.id)
    return entries(connection, query) if ids else []


def overview(playbook: Playbook) -> list[str]:
    """The fields of a subject that say in short who it is."""
    declared = playbook.fields("subject")
    marked = [one.id for one in declared.values() if one.overview]
    return marked or list(declared)[:1]


def names_of(connection: Connection, reader: Reader, ids: Collection[str]) -> dict[str, str]:
    """Who some subjects are, in short, as the officer may read it."""
    if not ids:
        return {}
    found = subjects(connection, select(t.subject).where(t.subject.c.id.in_(sorted(ids))))
    shown = overview(reader.playbook)
    return {one.id: _name(reader.subject(one), shown) for one in found}


def find(connection: Connection, contact: str) -> list[str]:
    """The subjects with a whole phone or e-mail. Raises `HubProblem` ``bad_contact``."""
    kind = "email" if "@" in contact else "phone"
    wanted = check_value(_EMAIL if kind == "email" else _PHONE, contact)
    if not isinstance(wanted, str):
        raise HubProblem(400, "bad_contact")
    return lookup.find(connection, kind, wanted)


def subjects(connection: Connection, query: Select[Any]) -> list[Subject]:
    """The subjects of a query for whole rows."""
    return store.Opened(connection).subjects(query)


def items(connection: Connection, query: Select[Any]) -> list[Item]:
    """The items of a query for whole rows."""
    return store.Opened(connection).items(query)


def entries(connection: Connection, query: Select[Any]) -> list[Entry]:
    """The timeline entries of a query for whole rows."""
    return store.Opened(connection).entries(query)


def _consents(connection: Connection, rows: Sequence[Any]) -> list[Consent]:
    return [Consent(**values) for values in texts.opened(connection, t.consent, rows)]


def _registry_tests(connection: Connection, asked: p.RegistryQuery) -> list[ColumnElement[bool]]:
    line = t.consent.c
    tests: list[ColumnElement[bool]] = []
    if asked.purpose:
        tests.append(line.purpose == asked.purpose)
    if asked.standing == "given":
        tests.append(line.withdrawn_at.is_(None))
    elif asked.standing == "withdrawn":
        tests.append(line.withdrawn_at.is_not(None))
    if asked.channel:
        tests.append(line.channel == asked.channel)
    if asked.since is not None:
        tests.append(line.given_at >= asked.since)
    if asked.until is not None:
        tests.append(line.given_at < asked.until)
    if asked.stage:
        tests.append(t.subject.c.stage == asked.stage)
    if asked.contact:
        tests.append(line.subject_id.in_(find(connection, asked.contact)))
    return tests


def _page(
    connection: Connection,
    query: Select[Any],
    order: tuple[ColumnElement[int], ColumnElement[str]],
    asked: p.RegistryQuery,
) -> tuple[Sequence[Any], str]:
    if asked.after:
        moment, _, identifier = asked.after.partition(":")
        query = query.where(tuple_(*order) < (int(moment), identifier))
    query = query.order_by(*(column.desc() for column in order)).limit(asked.limit + 1)
    rows = connection.execute(query).all()
    if len(rows) <= asked.limit:
        return rows, ""
    last = rows[asked.limit - 1]
    return rows[: asked.limit], f"{last.given_at}:{last.id}"


def _count(connection: Connection, query: Select[*tuple[Any, ...]]) -> int:
    return connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()


def _open_requests(connection: Connection, ids: Sequence[str]) -> defaultdict[str, list[int]]:
    request = t.pd_request.c
    query = select(request.subject_id, request.due_at).where(
        request.subject_id.in_(ids), request.state == "open"
    )
    found: defaultdict[str, list[int]] = defaultdict(list)
    for row in connection.execute(query) if ids else ():
        found[row.subject_id].append(row.due_at)
    return found


def _name(subject: Subject, shown: Sequence[str]) -> str:
    values = [subject.fields.get(name) for name in shown]
    return ", ".join(str(value) for value in values if not is_empty(value))
