"""Desks for tests: one furnished by hand without a hub, and one that speaks with a real one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import msgspec

from desk.domain.model import Entry, Item, Person, Subject, Task
from desk.protocol.messages import Page
from desk.resources import playbooks_dir
from desk.services import arrivals, settings
from desk.services.context import Account
from desk.services.desk import Desk
from desk.services.rows import ROWS

PASSPHRASE = "correct horse"
NOW = 1_790_000_000_000
FREIGHT = (playbooks_dir() / "freight.toml").read_text(encoding="utf-8")
COLLEAGUES = [
    Person(id=name, name=name.capitalize(), role=role, present=True)
    for name, role in (
        ("operator1", "operator"),
        ("marketer1", "marketer"),
        ("marketer2", "marketer"),
        ("sales1", "sales"),
        ("head", "head"),
    )
]


def ticking(start: int = NOW) -> Callable[[], int]:
    """A clock that goes on by one second each time it is read."""
    seconds = count()
    return lambda: start + 1000 * next(seconds)


def counted_random() -> Callable[[int], bytes]:
    """Randomness that is the same in every run."""
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


def an_id(number: int) -> str:
    """A well-formed id; a greater number is a later one."""
    return f"019f0000-0000-7000-8000-{number:012d}"


def a_lead(number: int, **values: object) -> Item:
    """A lead of the freight playbook as the hub would send it."""
    moment = NOW - 1_000_000 + number
    lead = Item(
        id=an_id(number),
        kind="lead",
        stage="in_work",
        title=f"Lead {number}",
        created_at=moment,
        updated_at=moment,
        stage_since=moment,
        responsible="marketer1",
        owner="marketer1",
        subject_id=an_id(10_000 + number),
        fields={"source": "site"},
        field_versions={"source": 1},
    )
    return msgspec.structs.replace(lead, **values)


def a_qualification(number: int, lead: Item, **values: object) -> Item:
    """The qualification of a lead."""
    made = Item(
        id=an_id(number),
        kind="qualification",
        stage="in_work",
        title=lead.title,
        created_at=lead.created_at,
        updated_at=lead.updated_at,
        stage_since=lead.stage_since,
        responsible="marketer1",
        owner="marketer1",
        parent_id=lead.id,
        subject_id=lead.subject_id,
        fields={"source": "site"},
        field_versions={"source": 1},
    )
    return msgspec.structs.replace(made, **values)


def a_subject(lead: Item, **fields: str) -> Subject:
    """The subject of a lead."""
    assert lead.subject_id
    given = fields or {"name": f"Name of {lead.title}"}
    return Subject(id=lead.subject_id, fields=dict(given), field_versions=dict.fromkeys(given, 1))


def furnish(desk: Desk, page: Page | None = None, user: str = "marketer1") -> None:
    """Make ``user`` work at a desk that has not seen a hub, with the rows of ``page``."""
    person = next(one for one in COLLEAGUES if one.id == user)
    account = Account(hub="http://127.0.0.1:9", hub_id="hub", company="Test", person=person)
    with desk.context.store.write() as connection:
        settings.put(connection, settings.ACCOUNT, msgspec.json.encode(account).decode())
        settings.put(connection, settings.TOKEN, "token")
        settings.put(connection, settings.PLAYBOOK, FREIGHT)
        settings.put(connection, settings.PLAYBOOK_VERSION, "1")
        settings.put(connection, settings.CURSOR, "epoch:1")
        arrivals.land(connection, [a_page(people=COLLEAGUES), page or a_page()])
    desk.context.reload()


def a_page(
    *,
    items: list[Item] | None = None,
    tasks: list[Task] | None = None,
    entries: list[Entry] | None = None,
    subjects: list[Subject] | None = None,
    people: list[Person] | None = None,
    cursor: str = "epoch:1",
    last_op: int = 0,
) -> Page:
    """Rows from the hub."""
    return Page(
        cursor=cursor,
        last_op=last_op,
        playbook_version=1,
        items=items or [],
        tasks=tasks or [],
        entries=entries or [],
        subjects=subjects or [],
        people=people or [],
    )


def open_desk(
    folder: Path,
    *,
    clock: Callable[[], int] | None = None,
    transport: httpx.BaseTransport | None = None,
) -> Desk:
    """The desk in ``folder``; without a clock it goes by the wall, as a real hub does."""
    if clock is None:
        return Desk.open(folder, PASSPHRASE, transport=transport)
    return Desk.open(folder, PASSPHRASE, clock=clock, random=counted_random(), transport=transport)


def mirrored(desk: Desk) -> dict[str, list[Any]]:
    """Every mirrored row of a desk, by kind, in the order of ids."""
    with desk.context.store.read() as connection:
        return {
            kind: sorted(rows.all(connection), key=lambda row: row.id)
            for kind, rows in ROWS.items()
        }
