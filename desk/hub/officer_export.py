"""A copy of a subject's data for himself: whole and machine-readable, or readable on paper."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from desk.domain.forms import is_empty
from desk.domain.journal import Access
from desk.domain.model import Actor, Entry, Item, Subject, Value
from desk.domain.playbook import Field, Playbook
from desk.hub import journal, officer, officer_requests, papers
from desk.hub.database import Database
from desk.hub.documents import EVENTS
from desk.hub.papers import Paper, Section
from desk.hub.playbooks import current
from desk.hub.projection import Reader
from desk.hub.workdays import Workdays
from desk.protocol import personal as p
from desk.protocol.journal import JournalLine

#: The form of the machine-readable copy.
FORMAT = 1

_WORDS = {
    "ru": {
        "title": "Персональные данные субъекта",
        "operator": "Оператор",
        "subject": "Идентификатор",
        "made": "Составлено",
        "person": "Данные",
        "consents": "Согласия",
        "requests": "Запросы",
        "cards": "Карточки",
        "accesses": "Кто обращался к данным",
        "page": "Персональные данные субъекта, лист {page} из {pages}",
        "given": "получено {at}",
        "withdrawn": "отозвано {at}",
        "objected": "возражение {at}",
        "due": "до {at}",
        "role": "Роль",
        "event": "Событие",
        "count": "Сколько раз",
        "access": "доступ к данным",
        "rectify": "исправление",
        "stop": "прекращение обработки",
        "erase": "уничтожение",
        "open": "в работе",
        "answered": "исполнен",
        "rejected": "отказано",
        "executed": "данные уничтожены",
        "void": "снят",
    },
    "en": {
        "title": "Personal data of a subject",
        "operator": "Operator",
        "subject": "Identifier",
        "made": "Made",
        "person": "Data",
        "consents": "Consents",
        "requests": "Requests",
        "cards": "Cards",
        "accesses": "Who used the data",
        "page": "Personal data of a subject, page {page} of {pages}",
        "given": "given {at}",
        "withdrawn": "taken back {at}",
        "objected": "objected {at}",
        "due": "until {at}",
        "role": "Role",
        "event": "Event",
        "count": "How often",
        "access": "access to the data",
        "rectify": "correction",
        "stop": "stop of processing",
        "erase": "erasure",
        "open": "open",
        "answered": "answered",
        "rejected": "rejected",
        "executed": "data erased",
        "void": "void",
    },
}


class _Whole(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept of a subject."""

    subject: Subject
    consents: list[p.GivenConsent]
    requests: list[p.RequestLine]
    items: list[Item]
    entries: list[Entry]
    journal: list[JournalLine]


def export(connection: Connection, reader: Reader, asked: p.AskExport) -> p.Export:
    """The copy. Raises `HubProblem` ``no_subject``."""
    subject = officer.subject_of(connection, reader, asked.subject_id)
    items = officer.items_of(connection, reader, subject.id)
    whole = _Whole(
        subject=subject,
        consents=officer.consents_of(connection, subject.id),
        requests=officer_requests.of_subject(connection, reader, subject.id),
        items=items,
        entries=officer.entries_of(connection, [item.id for item in items]),
        journal=journal.extract(connection, subject.id),
    )
    name = f"subject-{subject.id}.{asked.format}"
    if asked.format == "json":
        return p.Export(name=name, media_type="application/json", content=_json(reader, whole))
    content = papers.pdf(_paper(reader, whole, asked.language))
    return p.Export(name=name, media_type="application/pdf", content=content)


def _json(reader: Reader, whole: _Whole) -> bytes:
    told: dict[str, Any] = {
        "format": FORMAT,
        "operator": reader.playbook.title,
        "made_at": reader.now,
        "subject": whole.subject,
        "consents": whole.consents,
        "requests": whole.requests,
        "items": whole.items,
        "entries": whole.entries,
        "accesses": [_access(line) for line in whole.journal],
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2)


def _access(line: JournalLine) -> dict[str, Any]:
    """One access, without the ids of the others that were read with him."""
    access = line.access
    return {
        "at": access.at,
        "who": access.who,
        "role": access.role,
        "event": access.event,
        "purpose": access.purpose,
        "fields": access.fields,
        "offline": access.offline,
    }


def _paper(reader: Reader, whole: _Whole, language: Literal["ru", "en"]) -> Paper:
    words, playbook = _WORDS[language], reader.playbook
    zone = Workdays(playbook.terms).zone
    facts = [
        (words["operator"], playbook.title.get(language)),
        (words["subject"], whole.subject.id),
        (words["made"], papers.moment(reader.now, zone)),
    ]
    about = _values(playbook, "subject", whole.subject.fields, language)
    sections = [
        Section(facts=facts),
        Section(title=words["person"], facts=about),
        Section(
            title=words["consents"],
            facts=[_consent(playbook, one, language, zone) for one in whole.consents],
        ),
        Section(
            title=words["requests"],
            facts=[
                (
                    papers.moment(one.received_at, zone),
                    f"{words[one.kind]}, {words[one.state]}, "
                    f"{words['due'].format(at=papers.moment(one.due_at, zone))}",
                )
                for one in whole.requests
            ],
        ),
        *(_card(playbook, whole, item, language, zone) for item in whole.items),
        Section(
            title=words["accesses"],
            columns=(words["role"], words["event"], words["count"]),
            rows=_accesses(playbook, whole.journal, language),
            widths=(50, 30, 20),
        ),
    ]
    return Paper(
        title=words["title"],
        sections=[one for one in sections if one.facts or one.rows],
        made_at=reader.now,
        page=words["page"],
    )


def _consent(
    playbook: Playbook, given: p.GivenConsent, language: Literal["ru", "en"], zone: Any
) -> tuple[str, str]:
    words, consent = _WORDS[language], given.consent
    purpose = playbook.purposes.get(consent.purpose)
    title = purpose.title.get(language) if purpose else consent.purpose
    said = "given" if consent.text_version else "objected"
    told = [words[said].format(at=papers.moment(consent.given_at, zone))]
    if consent.withdrawn_at is not None and consent.text_version:
        told.append(words["withdrawn"].format(at=papers.moment(consent.withdrawn_at, zone)))
    if given.text:
        told.append(given.text.ru if language == "ru" else given.text.en)
    return title, "\n".join(told)


def _card(
    playbook: Playbook, whole: _Whole, item: Item, language: Literal["ru", "en"], zone: Any
) -> Section:
    kind = playbook.kind(item.kind)
    title = kind.title.get(language) if kind else item.kind
    told = [
        (papers.moment(entry.at, zone), entry.comment)
        for entry in whole.entries
        if entry.item_id == item.id and entry.comment
    ]
    facts = [*_values(playbook, item.kind, item.fields, language), *told]
    return Section(title=f"{title}: {item.title}", facts=facts or [("", "—")])


def _values(
    playbook: Playbook, owner: str, fields: dict[str, Value], language: Literal["ru", "en"]
) -> list[tuple[str, str]]:
    declared = playbook.fields(owner)
    return [
        (declared[name].title.get(language), _shown(declared[name], value, language))
        for name, value in fields.items()
        if name in declared and not is_empty(value)
    ]


def _shown(field: Field, value: Value, language: Literal["ru", "en"]) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(field, one, language) for one in value)
    if isinstance(value, bool):
        return {"ru": ("нет", "да"), "en": ("no", "yes")}[language][value]
    if isinstance(value, int | float) and field.type == "money":
        return f"{value / 100:.2f}"
    choice = field.choice(str(value))
    return choice.title.get(language) if choice else str(value)


def _accesses(
    playbook: Playbook, lines: list[JournalLine], language: Literal["ru", "en"]
) -> list[tuple[str, str, str]]:
    """By roles and not by names: a colleague's name is another person's data."""
    counted: dict[tuple[str, str], int] = {}
    for line in lines:
        key = (line.access.role, line.access.event)
        counted[key] = counted.get(key, 0) + 1
    return [
        (
            playbook.roles[role].title.get(language) if role in playbook.roles else role or "—",
            EVENTS.get(event, event) if language == "ru" else event,
            str(count),
        )
        for (role, event), count in sorted(counted.items())
    ]


def by_administrator(database: Database, asked: p.AskExport, now: int) -> p.Export:
    """The copy for whoever runs the hub; it shows what an officer would see, and is journaled.

    Raises `HubProblem` ``no_subject``.
    """
    with database.write() as connection:
        installed = current(connection)
        roles = installed.playbook.roles.values()
        role = next((one.id for one in roles if one.officer), "")
        reader = Reader(
            actor=Actor("", role),
            playbook=installed.playbook,
            playbook_version=installed.version,
            policy_version=1,
            now=now,
        )
        copy = export(connection, reader, asked)
        entry = Access(
            at=now,
            event="export",
            subject_id=asked.subject_id,
            detail={"via": "hub", "format": asked.format},
        )
        journal.write(connection, [entry])
    return copy
