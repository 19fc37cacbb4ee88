"""Desks without a hub for tests of screens: invented rows, fixed ids, a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from desk.app import DeskApp
from desk.domain.ids import derive_id, make_id
from desk.domain.model import Entry, Item, Person, Subject, Task, Value
from desk.domain.playbook_loader import load
from desk.resources import playbooks_dir
from desk.services import settings
from desk.services.context import Account
from desk.services.desk import Desk
from desk.services.rows import ENTRIES, ITEMS, PEOPLE, SUBJECTS, TASKS
from tests.widgets.hostile import HOSTILE as CORPUS

#: 22 November 2026, 09:30 in Moscow.
NOW = 1_795_339_800_000
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
PASSPHRASE = "a long secret"
HUB = "http://127.0.0.1:9"

PEOPLE_HERE = (
    Person(id="marketer1", name="Вера Лунина", role="marketer", present=True),
    Person(id="marketer2", name="Олег Крылов", role="marketer", present=False),
    Person(id="sales1", name="Антон Белов", role="sales", present=True),
    Person(id="sales2", name="Ирина Савицкая", role="sales", present=False),
    Person(id="operator1", name="Нина Гаврилова", role="operator", present=True),
    Person(id="head", name="Павел Тихонов", role="head", present=True),
    Person(id="officer", name="Ольга Правдина", role="pd_officer", present=True),
)
HOSTILE = "ООО «[b]Ромашка[/b]» \x1b[31m\u202e[@click=app.quit]нажми[/]"


PLAYBOOK = load((playbooks_dir() / "freight.toml").read_text(encoding="utf-8"), "freight.toml")
#: What a file or a message can hold: a lone surrogate cannot be written as UTF-8.
ATTACKS = {name: text for name, text in CORPUS.items() if name != "surrogate"}
ALL_ATTACKS = " ".join(text for name, text in ATTACKS.items() if name not in ("combining", "long"))
replace_in = msgspec.structs.replace


def counter() -> Iterator[int]:
    """Numbers for ids."""
    number = 0
    while True:
        number += 1
        yield number


def bytes_of(number: int) -> bytes:
    """Ten bytes that are the same every time."""
    return number.to_bytes(10, "big")


def identifier(number: int) -> str:
    """The id of the `number`-th invented row."""
    return make_id(NOW - 7 * DAY + number * MINUTE, lambda size: number.to_bytes(size, "big"))


@dataclass(slots=True)
class Rows:
    """What a desk holds."""

    items: list[Item] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    subjects: list[Subject] = field(default_factory=list)


COMPANIES = (
    ("ООО «Северный путь»", "тент 20 т, Казань — Пермь"),
    ("АО «Волгастрой»", "металлоконструкции, Самара — Уфа"),
    ("ИП Дроздов", "мебель, Москва — Тверь"),
    ("ООО «Балтснаб»", "рефрижератор, Псков — Москва"),
    ("ООО «Уралхимторг»", "опасный груз, Пермь — Тюмень"),
    ("ООО «Зерно Юга»", "зерновоз, Ростов-на-Дону — Новороссийск"),
)
STAGES = ("new", "in_work", "handed", "returned", "new", "in_work")


def invented() -> Rows:
    """Six leads with their qualifications in several stages."""
    rows = Rows()
    for number, (company, request) in enumerate(COMPANIES):
        _family(rows, number, company, request)
    return rows


def _family(rows: Rows, number: int, company: str, request: str) -> None:
    lead_id, qualification_id, subject_id = (identifier(number * 10 + n) for n in (1, 2, 3))
    created = NOW - (number + 1) * 5 * HOUR
    stage = STAGES[number % len(STAGES)]
    common = {
        "title": f"{company}, {request}",
        "created_at": created,
        "updated_at": created + HOUR,
        "stage_since": created + HOUR,
        "owner": "marketer1",
        "subject_id": subject_id,
    }
    fields: dict[str, Value] = {
        "source": "site" if number % 2 else "yandex_direct",
        "company": company,
        "request": f"Нужна перевозка: {request}. Просим рассчитать до конца недели.",
    }
    rows.items.append(
        Item(
            id=lead_id,
            kind="lead",
            stage="new",
            responsible="marketer1",
            score=10 * number,
            fields=fields,
            field_versions=dict.fromkeys(fields, 1),
            **common,
        )
    )
    handed = stage == "handed"
    rows.items.append(
        Item(
            id=qualification_id,
            kind="qualification",
            stage=stage,
            parent_id=lead_id,
            responsible="sales1" if handed else "marketer1",
            shared_with="sales1" if handed else None,
            last_chosen="sales1" if stage in ("handed", "returned") else None,
            round=1 if stage in ("handed", "returned") else 0,
            score=15 * number,
            due_at=NOW + (number - 2) * HOUR if number in (2, 3) else None,
            fields=fields,
            field_versions=dict.fromkeys(fields, 1),
            **common,
        )
    )
    rows.subjects.append(
        Subject(
            id=subject_id,
            fields={
                "name": f"Контактное Лицо {number + 1}",
                "phone": f"+7912000010{number}",
                "email": f"person{number}@example.com",
            },
            field_versions={"name": 1, "phone": 1, "email": 1},
        )
    )
    rows.entries.append(
        Entry(
            id=identifier(number * 10 + 4),
            item_id=qualification_id,
            at=created,
            who="marketer1",
            event="create",
            to_stage="new",
        )
    )
    if number in (2, 3):
        rows.tasks.append(
            Task(
                id=identifier(number * 10 + 5),
                item_id=qualification_id,
                type="call_marketer",
                title="",
                assignee="marketer1",
                due_at=NOW + (number - 2) * HOUR,
                created_at=created,
            )
        )
    if stage == "returned":
        rows.entries.append(
            Entry(
                id=identifier(number * 10 + 6),
                item_id=qualification_id,
                at=created + HOUR,
                who="sales1",
                event="return",
                from_stage="handed",
                to_stage="returned",
                comment="Не указан объём, клиент ждёт расчёт на месяц.",
            )
        )


def hostile(rows: Rows) -> Rows:
    """The same rows with a name on everything that would drive the terminal."""
    rows.items = [msgspec.structs.replace(item, title=HOSTILE) for item in rows.items]
    rows.entries = [msgspec.structs.replace(entry, comment=HOSTILE) for entry in rows.entries]
    rows.tasks = [msgspec.structs.replace(task, title=HOSTILE) for task in rows.tasks]
    rows.items = [
        msgspec.structs.replace(item, fields={**item.fields, "company": HOSTILE})
        for item in rows.items
    ]
    return rows


def besieged() -> Rows:
    """A family for each attack: it stands in every foreign text of its rows."""
    rows = Rows()
    for number, attack in enumerate(ATTACKS.values()):
        _family(rows, number, attack, attack)
    for attack, entry in zip(ATTACKS.values(), rows.entries, strict=False):
        rows.entries[rows.entries.index(entry)] = replace_in(entry, comment=attack)
    rows.tasks = [replace_in(one, title=ALL_ATTACKS) for one in rows.tasks]
    rows.subjects = [
        replace_in(
            one, fields=_attacked("subject"), field_versions=dict.fromkeys(_attacked("subject"), 1)
        )
        for one in rows.subjects
    ]
    rows.items = [
        replace_in(one, fields={**_attacked(one.kind), **one.fields, "company": ALL_ATTACKS})
        for one in rows.items
    ]
    return rows


def _attacked(owner: str) -> dict[str, Value]:
    """Every field that may hold a text, holding all attacks."""
    several = {"phones", "emails", "texts"}
    return {
        field.id: [ALL_ATTACKS] if field.type in several else ALL_ATTACKS
        for field in PLAYBOOK.fields(owner).values()
        if field.type in {"text", "long", "phone", "email", "date", "user", *several}
    }


class Random:
    """Different every time it is asked, the same in every run."""

    def __init__(self) -> None:
        self._asked = 0

    def __call__(self, size: int) -> bytes:
        self._asked += 1
        seed = derive_id(identifier(1), self._asked).replace("-", "")
        return (bytes.fromhex(seed) * (size // 16 + 1))[:size]


def fill(
    profile: Path,
    rows: Rows,
    user: str = "marketer1",
    *,
    people: tuple[Person, ...] = PEOPLE_HERE,
    company: str = "Грузовая биржа",
) -> None:
    """Make a profile with `rows`, in which `user` is signed in."""
    person = next(one for one in people if one.id == user)
    account = Account(hub=HUB, hub_id="hub", company=company, person=person)
    desk = Desk.open(profile, PASSPHRASE, clock=lambda: NOW, random=Random())
    with desk.context.store.write() as connection:
        encoded = msgspec.json.encode(account).decode()
        source = (playbooks_dir() / "freight.toml").read_text(encoding="utf-8")
        settings.put(connection, settings.ACCOUNT, encoded)
        settings.put(connection, settings.TOKEN, "token")
        settings.put(connection, settings.DEVICE, identifier(9999))
        settings.put(connection, settings.PLAYBOOK, source)
        settings.put(connection, settings.PLAYBOOK_VERSION, "1")
        settings.put(connection, settings.CURSOR, "1:1")
        PEOPLE.put(connection, people)
        ITEMS.put(connection, rows.items)
        TASKS.put(connection, rows.tasks)
        ENTRIES.put(connection, rows.entries)
        SUBJECTS.put(connection, rows.subjects)
    desk.close()


class StillApp(DeskApp):
    """The application with a clock that stands still, and without a network."""

    def now(self) -> int:
        return NOW

    def open_desk(self, passphrase: str | None) -> Desk:
        return Desk.open(self.profile, passphrase, clock=lambda: NOW, random=Random())

    def start_network(self) -> None:
        """No hub: what waits stays waiting."""


def app_on(profile: Path) -> StillApp:
    """The application on a profile made by `fill`."""
    app = StillApp(profile, passphrase=PASSPHRASE)
    app.animation_level = "none"
    return app


__all__ = [
    "HOSTILE",
    "NOW",
    "PASSPHRASE",
    "Rows",
    "StillApp",
    "app_on",
    "fill",
    "hostile",
    "identifier",
    "invented",
    "replace",
]
