"""Desks with invented leads, made for one run of the benches and removed after it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bench import plain
from desk.commands.session import DEMO_MARK, DEMO_SECRET
from desk.domain import rights
from desk.domain.model import Actor, Entry, Item, Person, Subject, Task
from desk.domain.playbook import Playbook
from desk.domain.playbook_loader import load
from desk.hub.demo.build import Parameters, history, staff
from desk.hub.intake import Batch
from desk.protocol.messages import Page
from desk.resources import playbooks_dir
from desk.services import arrivals, settings
from desk.services.context import Account
from desk.services.desk import Desk

USER = "marketer1"
CASE = "freight"
#: A Tuesday afternoon in Moscow, so that every run has the same cards at the same stages.
NOW = 1_794_916_800_000
#: The marketing manager's own board.
BOARD = "qualification"
#: Nobody answers there: what is measured is work on the local copy.
_NO_HUB = "http://127.0.0.1:9"


def playbook_source() -> str:
    """The playbook of the invented company."""
    return (playbooks_dir() / f"{CASE}.toml").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Place:
    """A desk's folder with so many leads in its encrypted file, and the same rows in plain."""

    leads: int
    profile: Path
    plain: Path

    def open(self) -> Desk:
        """The desk in this process; nobody else may have it open."""
        return Desk.open(self.profile, DEMO_SECRET)

    @property
    def command(self) -> list[str]:
        """What starts the application on it, as a person would."""
        return [sys.executable, "-m", "desk", "--profile", str(self.profile), "--lang", "ru"]


@dataclass(slots=True)
class World:
    """Makes each size once, when it is first asked for."""

    folder: Path
    _places: dict[tuple[str, int], Place] = field(default_factory=dict)

    def place(self, leads: int, purpose: str = "") -> Place:
        """The desk with ``leads`` leads; another ``purpose`` has one of its own."""
        key = (purpose, leads)
        if key not in self._places:
            self._places[key] = self._make(leads, f"{purpose}{leads}")
        return self._places[key]

    def _make(self, leads: int, name: str) -> Place:
        say(f"making a desk with {leads:,} leads".replace(",", " "))
        place = Place(leads, self.folder / name, self.folder / f"{name}-plain.db")
        place.profile.mkdir()
        (place.profile / DEMO_MARK).write_text(USER, encoding="utf-8")
        with place.open() as desk:
            _furnish(desk)
            _fill(desk, leads)
            plain.write(place.plain, plain.rows_of(desk, ("item",)))
        return place


def say(text: str) -> None:
    """Tell whoever waits what is being done, beside the table."""
    print(f"… {text}", file=sys.stderr, flush=True)


def _furnish(desk: Desk) -> None:
    people = staff(CASE)
    person = next(one for one in people if one.id == USER)
    account = Account(hub=_NO_HUB, hub_id="bench", company="", person=person)
    with desk.context.store.write() as connection:
        settings.put(connection, settings.ACCOUNT, msgspec.json.encode(account).decode())
        settings.put(connection, settings.TOKEN, "none")
        settings.put(connection, settings.PLAYBOOK, playbook_source())
        settings.put(connection, settings.PLAYBOOK_VERSION, "1")
        settings.put(connection, settings.CURSOR, "bench:1")
        arrivals.put(connection, _page(people=people))
    desk.context.reload()


def _fill(desk: Desk, leads: int) -> None:
    playbook = load(playbook_source(), CASE)
    for batch in history(playbook, Parameters(case=CASE, leads=leads), NOW):
        with desk.context.store.write() as connection:
            arrivals.put(connection, _seen(playbook, desk.me, batch))


def _seen(playbook: Playbook, actor: Actor, batch: Batch) -> Page:
    """What of a batch the hub would send to the actor."""
    items = [
        _given(item)
        for item in batch.items
        if rights.sees(playbook, actor, rights.scope(item), NOW)
    ]
    ids = {item.id for item in items}
    return _page(
        items=items,
        tasks=[task for task in batch.tasks if task.item_id in ids],
        entries=[entry for entry in batch.entries if entry.item_id in ids],
        subjects=batch.subjects,
    )


def _given(item: Item) -> Item:
    """New requests are all the actor's own, so that there are enough to move."""
    if (item.kind, item.stage) != (BOARD, "new"):
        return item
    return msgspec.structs.replace(item, responsible=USER, owner=USER)


def _page(
    *,
    items: list[Item] | None = None,
    tasks: list[Task] | None = None,
    entries: list[Entry] | None = None,
    subjects: Sequence[Subject] = (),
    people: Sequence[Person] = (),
) -> Page:
    return Page(
        cursor="bench:1",
        last_op=0,
        playbook_version=1,
        items=items or [],
        tasks=tasks or [],
        entries=entries or [],
        subjects=list(subjects),
        people=list(people),
    )


def movable(desk: Desk) -> Iterator[str]:
    """The cards of the first column, which the actor may take to work at once."""
    for row in desk.rows(BOARD, 'stage = "new"'):
        yield row.item.id
