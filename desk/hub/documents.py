"""Acts of destruction and extracts of the journal: made once, kept for years, and given out.

They hold what the act of the law asks for: the subject by his id, never the erased data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from desk.domain.ids import make_id
from desk.domain.playbook import Playbook
from desk.hub import journal, papers
from desk.hub.errors import HubProblem
from desk.hub.papers import Paper, Section
from desk.hub.projection import Reader
from desk.hub.workdays import Workdays
from desk.protocol import personal as p
from desk.protocol.journal import JournalLine
from desk.schema import hub_tables as t

#: So many lines of an extract are printed; all of them are in the CSV.
_PRINTED = 500
#: The most documents that are listed.
_LISTED = 1000
_LINE = tuple(column for column in t.document.c if column.key != "content")
_MEDIA = {"pdf": "application/pdf", "csv": "text/csv"}
_SIGNED = "Уничтожение провёл: ____________________ / {name} /"
_GROUNDS = {
    "request": "требование субъекта персональных данных",
    "withdrawal": "отзыв согласия субъектом персональных данных",
    "unlawful": "неправомерная обработка персональных данных",
    "purpose_reached": "достижение цели обработки персональных данных",
}
_STATES = {"confirmed": "подтверждено", "wiped": "очищено", "lapsed": "срок доступа истёк"}
_WAITING = "не подтверждено"
_HOW = (
    "Удаление записей из базы данных и уничтожение ключа шифрования субъекта: зашифрованные его"
    " ключом данные, в том числе в резервных копиях, прочитать больше нельзя"
)
_EXTRACT_COLUMNS = (
    "Дата и время", "Кто", "Роль", "Событие", "Цель", "Поля", "Карточка", "Устройство",
    "Без сети", "Подробности", "Запись",
)  # fmt: skip


class Destroyed(msgspec.Struct, frozen=True, kw_only=True):
    """What an act says: whose data, on what ground, what of it, and on which devices.

    Where there was no request, nobody sent one (``request_id`` is None) and ``ground`` is what
    the administrator wrote.
    """

    number: int
    subject_id: str
    request_id: str | None
    ground: str
    received_at: int
    erased_at: int
    by: str | None
    categories: Sequence[str]
    devices: Sequence[p.DeviceLine] = ()


def act(
    connection: Connection,
    reader: Reader,
    destroyed: Destroyed,
    random_bytes: Callable[[int], bytes],
) -> list[p.DocumentLine]:
    """Make and keep the act of destruction with its extract of the journal, as PDF and CSV."""
    facts = _act_facts(connection, reader, destroyed)
    zone = Workdays(reader.playbook.terms).zone
    devices = Section(
        title="Рабочие места, на которых могла быть копия",
        columns=("Устройство", "Пользователь", "Состояние", "Копия открывается до"),
        rows=[_device_row(one, zone) for one in destroyed.devices],
        widths=(38, 22, 20, 20),
    )
    paper = Paper(
        title="Акт об уничтожении персональных данных",
        subtitle=f"№ {destroyed.number}",
        sections=[Section(facts=facts), *([devices] if destroyed.devices else [])],
        signature=_SIGNED.format(name=_person(connection, destroyed.by)),
        made_at=reader.now,
        page="Акт об уничтожении персональных данных, лист {page} из {pages}",
    )
    rows = [*facts, *((f"Устройство {row[0]}", "; ".join(row[1:])) for row in devices.rows)]
    table = papers.table_csv(("Сведение", "Значение"), rows)
    keep = _Keeper(connection, reader, random_bytes, destroyed.subject_id, destroyed.request_id)
    return [
        keep.file("act", "pdf", papers.pdf(paper)),
        keep.file("act", "csv", table),
        *_extract(connection, reader, keep, destroyed),
    ]


def extract(
    connection: Connection,
    reader: Reader,
    subject_id: str,
    random_bytes: Callable[[int], bytes],
) -> list[p.DocumentLine]:
    """Make and keep an extract of the journal about a subject, as PDF and CSV."""
    keep = _Keeper(connection, reader, random_bytes, subject_id, None)
    return _extract(connection, reader, keep, None)


def listed(connection: Connection, subject_id: str = "") -> list[p.DocumentLine]:
    """What is kept, of one subject or of all, the last made first."""
    query = select(*_LINE)
    if subject_id:
        query = query.where(t.document.c.subject_id == subject_id)
    ordered = query.order_by(t.document.c.made_at.desc(), t.document.c.id.desc())
    rows = connection.execute(ordered.limit(_LISTED)).mappings()
    return [p.DocumentLine(**row) for row in rows]


def file(connection: Connection, document_id: str) -> tuple[p.Export, str]:
    """A document's file, and whom it is about. Raises `HubProblem` ``no_document``."""
    document = t.document.c
    query = select(document.name, document.format, document.content, document.subject_id)
    row = connection.execute(query.where(document.id == document_id)).first()
    if row is None:
        raise HubProblem(404, "no_document")
    found = p.Export(name=row.name, media_type=_MEDIA[row.format], content=row.content)
    return found, row.subject_id


class _Keeper:
    """Keeps the files that are made about one subject now."""

    def __init__(
        self,
        connection: Connection,
        reader: Reader,
        random_bytes: Callable[[int], bytes],
        subject_id: str,
        request_id: str | None,
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._random = random_bytes
        self.subject_id = subject_id
        self._request_id = request_id

    def file(self, kind: p.DocumentKind, form: p.Format, content: bytes) -> p.DocumentLine:
        reader = self._reader
        made = p.DocumentLine(
            id=make_id(reader.now, self._random),
            kind=kind,
            format=form,
            subject_id=self.subject_id,
            request_id=self._request_id,
            name=f"{kind}-{self._request_id or self.subject_id}.{form}",
            made_at=reader.now,
            made_by=reader.actor.id,
            keep_until=Workdays(reader.playbook.terms).kept_until(reader.now),
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        row = {**msgspec.structs.asdict(made), "content": content}
        self._connection.execute(insert(t.document).values(row))
        return made


def _act_facts(
    connection: Connection, reader: Reader, destroyed: Destroyed
) -> list[tuple[str, str]]:
    zone = Workdays(reader.playbook.terms).zone
    received = papers.moment(destroyed.received_at, zone)
    asked = f"№ {destroyed.request_id} от {received}" if destroyed.request_id else "не поступал"
    return [
        ("Оператор", reader.playbook.title.ru),
        ("Субъект персональных данных", f"идентификатор {destroyed.subject_id}"),
        ("Запрос", asked),
        ("Причина уничтожения", _GROUNDS.get(destroyed.ground, destroyed.ground)),
        ("Категории уничтоженных данных", "; ".join(destroyed.categories)),
        ("Информационная система", _system(connection)),
        ("Способ уничтожения", _HOW),
        ("Дата и время уничтожения", papers.moment(destroyed.erased_at, zone)),
        ("Уничтожение провёл", _person(connection, destroyed.by)),
    ]


def _extract(
    connection: Connection, reader: Reader, keep: _Keeper, destroyed: Destroyed | None
) -> list[p.DocumentLine]:
    zone = Workdays(reader.playbook.terms).zone
    lines = journal.extract(connection, keep.subject_id)
    rows = [_journal_row(reader.playbook, line, zone) for line in lines]
    facts = [
        ("Оператор", reader.playbook.title.ru),
        ("Субъект персональных данных", f"идентификатор {keep.subject_id}"),
        ("Информационная система", _system(connection)),
        ("Составлена", papers.moment(reader.now, zone)),
        ("Записей о субъекте", str(len(rows))),
    ]
    if destroyed:
        facts += [
            ("Причина уничтожения", _GROUNDS.get(destroyed.ground, destroyed.ground)),
            ("Категории уничтоженных данных", "; ".join(destroyed.categories)),
            ("Дата и время уничтожения", papers.moment(destroyed.erased_at, zone)),
        ]
    if len(rows) > _PRINTED:
        facts.append(("Напечатаны", f"последние {_PRINTED}; все записи — в файле CSV"))
    # On paper the item, the device and the details are left to the CSV: they do not fit.
    printed = [(*row[:6], row[8]) for row in rows[-_PRINTED:]]
    paper = Paper(
        title="Выгрузка из журнала регистрации событий",
        subtitle="в информационной системе персональных данных",
        sections=[
            Section(facts=facts),
            Section(
                columns=(*_EXTRACT_COLUMNS[:6], _EXTRACT_COLUMNS[8]),
                rows=printed,
                widths=(17, 12, 15, 13, 16, 21, 6),
            ),
        ],
        made_at=reader.now,
        page="Выгрузка из журнала, лист {page} из {pages}",
    )
    return [
        keep.file("extract", "pdf", papers.pdf(paper)),
        keep.file("extract", "csv", papers.table_csv(_EXTRACT_COLUMNS, rows)),
    ]


def _journal_row(playbook: Playbook, line: JournalLine, zone: Any) -> tuple[str, ...]:
    access = line.access
    role, purpose = playbook.roles.get(access.role), playbook.purposes.get(access.purpose)
    details = " ".join(f"{name}={value}" for name, value in sorted(access.detail.items()))
    return (
        papers.moment(access.at, zone),
        access.who or "система",
        role.title.ru if role else access.role,
        EVENTS.get(access.event, access.event),
        purpose.title.ru if purpose else access.purpose,
        ", ".join(_field(playbook, name) for name in access.fields),
        access.item_id or "",
        access.device,
        "да" if access.offline else "",
        details,
        f"{line.stream}:{line.seq}",
    )


def _field(playbook: Playbook, name: str) -> str:
    """What a field is called, of the "OWNER.FIELD" that the journal has."""
    owner, _, field = name.partition(".")
    known = playbook.fields(owner).get(field)
    return known.title.ru if known else name


def _device_row(device: p.DeviceLine, zone: Any) -> tuple[str, ...]:
    state = _STATES.get(device.state, _WAITING)
    when = papers.moment(device.acked_at, zone) if device.acked_at else ""
    until = papers.moment(device.lease_until, zone) if device.lease_until else "—"
    return device.device_id, device.user, f"{state} {when}".strip(), until


def _person(connection: Connection, user: str | None) -> str:
    """Whoever answers for it, as the act has to name him."""
    if user is None:
        return "администратор системы"
    query = select(t.person.c.name).where(t.person.c.id == user)
    name = connection.execute(query).scalar_one_or_none()
    return f"{name} ({user})" if name else user


def _system(connection: Connection) -> str:
    hub = connection.execute(select(t.hub.c.id)).scalar_one()
    return f"Desk, центральная база данных, {hub}"


#: What the journal tells of, in the words of an extract.
EVENTS = {
    "deliver": "передача на устройство",
    "read": "просмотр",
    "reveal": "раскрытие",
    "call": "звонок",
    "find": "поиск по базе",
    "search": "поиск на устройстве",
    "export": "выгрузка",
    "print": "печать",
    "copy": "копирование",
    "screenshot": "снимок экрана",
    "rights": "изменение прав",
    "consent": "согласие",
    "request": "запрос субъекта",
    "erase": "уничтожение",
    "incident": "инцидент",
    "sign_in": "вход",
    "lease": "продление доступа",
    "wipe": "очистка устройства",
}
