"""The vault: people written, looked up and searched, and a board behind a passphrase."""

from __future__ import annotations

import os
import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Self

import msgspec

from bench.figures import Aim, Fact, Line, Series, Took, timed
from bench.plan import Plan
from bench.world import World
from desk.domain.ids import make_id
from desk.domain.model import Subject
from desk.services import lookup, search, vault_state
from desk.services.board import Board
from desk.services.rows import SUBJECTS
from desk.services.store import Store

_PAGE = 500
_BEGAN = 1_790_000_000_000


def measure(plan: Plan, world: World) -> list[Line | Fact]:
    """People beside plain ``sqlite3`` with the same look-ups; then a desk that is opened."""
    place = world.place(plan.usual)
    with place.open() as desk:
        keys = desk.context.store.keys
    people = list(_people(plan.bootstrap))
    written: list[Took] = []
    plain: list[Took] = []
    for run in range(plan.syncs):
        plain.append(_plain(world.folder / f"people{run}.plain", people))
        path = world.folder / f"people{run}.db"
        store = Store.open(path, keys)
        store.sealer.overview = frozenset(("name",))
        written.append(timed(lambda store=store: _write(store, people)))
        if run + 1 < plan.syncs:
            store.close()
    lines: list[Line | Fact] = [
        Line(
            Series("people written, pages of 500", written),
            len(people),
            Series("plain sqlite3, the same look-ups", plain),
            Aim("ratio", 5),
        )
    ]
    with closing(store):
        lines += _found(plan, store, people)
    lines += _opened(plan, world)
    return lines


def _opened(plan: Plan, world: World) -> list[Line | Fact]:
    place = world.place(plan.usual)

    def unlock() -> None:
        with place.open() as desk:
            Board(desk, "lead").load()

    boards = [timed(unlock) for _ in range(plan.starts)]
    with place.open() as desk:
        ids = [row.item.id for row in desk.rows(kind="lead", limit=plan.keys)]
        cards = [timed(lambda one=one: desk.card(one)) for one in ids]
    return [
        Line(Series("unlocked to board, Argon2id included", boards), plan.usual, aim=Aim("p95", 1)),
        Line(Series("card with its person opened", cards), plan.usual, aim=Aim("p95", 0.016)),
    ]


def _found(plan: Plan, store: Store, people: Sequence[Subject]) -> list[Line | Fact]:
    random = Random(2)
    looked: list[Took] = []
    for _ in range(1000):
        person = random.choice(people)
        looked.append(timed(lambda person=person: _look_up(store, str(person.fields["phone"]))))
    scanned: list[Took] = []
    waited: list[float] = []
    for _ in range(plan.loads):
        with _Ticks() as ticks:
            scanned.append(timed(lambda: _scan(store)))
        waited += ticks.late
    checked = [timed(lambda: vault_state.is_sound(store)) for _ in range(3)]
    p99 = sorted(run.seconds for run in looked)[int(len(looked) * 0.99) - 1]
    return [
        Line(Series("phone looked up", looked), len(people)),
        Fact("phone looked up, p99", f"{p99 * 1000:.2f} ms", len(looked), aim="< 1 ms"),
        Line(Series("found by a part of a name", scanned), len(people), aim=Aim("p95", 0.4)),
        Fact(
            "another thread held up by that, worst",
            f"{max(waited) * 1000:.1f} ms",
            len(waited),
            "median",
            f"{statistics.median(waited) * 1000:.1f} ms",
        ),
        Line(Series("all rows looked through for old ones", checked), len(people)),
    ]


def _look_up(store: Store, phone: str) -> None:
    with store.read() as connection:
        assert lookup.find(connection, store.sealer, [phone])


def _scan(store: Store) -> None:
    with store.read() as connection:
        search.people_of(connection, "пётр 777", (), details=False)


class _Ticks:
    """A thread that wants to run every 2 ms, as a key would; how late it is each time."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            began = time.perf_counter()
            time.sleep(0.002)
            self.late.append(time.perf_counter() - began - 0.002)


def _people(count: int) -> Iterator[Subject]:
    random = Random(1)
    for number in range(count):
        fields = {
            "name": f"Иванов Пётр {number}",
            "phone": f"+79{random.randrange(10**9):09d}",
            "email": f"p{random.randrange(10**9)}@example.com",
            "position": "логист",
            "notes": "Просил перезвонить после обеда, говорит тихо." * 2,
        }
        yield Subject(
            id=make_id(_BEGAN + number, os.urandom),
            fields=dict(fields),
            field_versions=dict.fromkeys(fields, 1),
        )


def _write(store: Store, people: Sequence[Subject]) -> None:
    for start in range(0, len(people), _PAGE):
        with store.write() as connection:
            SUBJECTS.put(connection, people[start : start + _PAGE])


def _plain(path: Path, people: Sequence[Subject]) -> Took:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(
            "CREATE TABLE subject (id TEXT PRIMARY KEY, version INTEGER, fields TEXT,"
            " field_versions TEXT)"
        )
        connection.execute(
            "CREATE TABLE found (value TEXT, subject_id TEXT, PRIMARY KEY (value, subject_id))"
            " WITHOUT ROWID"
        )
        return timed(lambda: _write_plain(connection, people))


def _write_plain(connection: sqlite3.Connection, people: Sequence[Subject]) -> None:
    encode = msgspec.json.encode
    for start in range(0, len(people), _PAGE):
        some = people[start : start + _PAGE]
        with connection:
            connection.executemany(
                "INSERT INTO subject VALUES (?, ?, ?, ?)",
                [
                    (one.id, one.version, encode(one.fields), encode(one.field_versions))
                    for one in some
                ],
            )
            connection.executemany(
                "INSERT OR IGNORE INTO found VALUES (?, ?)",
                [(one.fields[name], one.id) for one in some for name in ("phone", "email")],
            )
