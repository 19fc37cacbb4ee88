"""The journal's chains: what is written holds together, and every tampering is found."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from desk.domain.ids import make_id
from desk.domain.journal import Access, pack, speaks_of, unpack
from desk.hub import administration, changes, journal, journal_chain
from desk.hub.database import Database
from desk.protocol.journal import JournalQuery
from desk.schema import hub_tables as t
from tests.hub.hubs import PEOPLE, START, copy_files

DEVICE = make_id(START, lambda size: b"\x01" * size)
OTHER = make_id(START, lambda size: b"\x02" * size)
#: What a backup of the database holds of the journal.
KEPT = (t.journal, t.journal_head)
Tamper = Callable[[Connection], object]


def an_id(number: int) -> str:
    return make_id(START + number, lambda size: number.to_bytes(size, "big"))


def an_access(number: int, **more: Any) -> Access:
    """A card that was read."""
    given: dict[str, Any] = {
        "at": START + number,
        "who": "marketer1",
        "role": "marketer",
        "device": DEVICE,
        "event": "read",
        "subject_id": an_id(number),
        "fields": ("subject.name", "subject.phone"),
        "detail": {"via": "card"},
    }
    return Access(**{**given, **more})


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with Database(database_url) as opened:
        yield opened


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    copy_files(sqlite_template, tmp_path / "hub.db")
    with Database(f"sqlite:///{tmp_path / 'hub.db'}") as opened:
        yield opened


def write(database: Database, *accesses: Access) -> None:
    with database.write() as connection:
        journal.write(connection, accesses)


def faults(database: Database) -> list[tuple[str, int, int]]:
    """What is found broken in the device's chain: how, from where, to where."""
    found = journal.verify(database)
    return [(one.code, one.seq, one.until) for one in found.faults if one.stream == DEVICE]


def _where(seq: int) -> Any:
    return (t.journal.c.stream == DEVICE) & (t.journal.c.seq == seq)


def _renumber(connection: Connection, seq: int, to: int) -> None:
    connection.execute(update(t.journal).where(_where(seq)).values(seq=to))


def _edit(connection: Connection) -> None:
    connection.execute(update(t.journal).where(_where(5)).values(who="admin"))


def _edit_mac(connection: Connection) -> None:
    connection.execute(update(t.journal).where(_where(5)).values(mac=b"\x00" * 32))


def _edit_bounds(connection: Connection) -> None:
    connection.execute(update(t.journal).where(_where(5)).values(first_subject=an_id(1)))


def _remove(connection: Connection) -> None:
    connection.execute(delete(t.journal).where(_where(5)))


def _remove_first(connection: Connection) -> None:
    connection.execute(delete(t.journal).where(_where(1)))


def _remove_and_close_up(connection: Connection) -> None:
    connection.execute(delete(t.journal).where(_where(5)))
    for seq in range(6, 11):
        _renumber(connection, seq, seq - 1)


def _swap(connection: Connection) -> None:
    _renumber(connection, 5, 100)
    _renumber(connection, 6, 5)
    _renumber(connection, 100, 6)


def _insert(connection: Connection, seq: int = 5, **forged: Any) -> None:
    row = connection.execute(select(t.journal).where(_where(seq))).mappings().one()
    for number in range(10, seq - 1, -1):
        _renumber(connection, number, number + 1)
    values = {**row, "id": an_id(99), "seq": seq, **forged}
    connection.execute(insert(t.journal).values(values))


def _set_head(connection: Connection, seq: int) -> None:
    mac = connection.execute(select(t.journal.c.mac).where(_where(seq))).scalar_one()
    moved = update(t.journal_head).where(t.journal_head.c.stream == DEVICE)
    connection.execute(moved.values(seq=seq, mac=mac))


def _insert_and_move_head(connection: Connection) -> None:
    _insert(connection, mac=b"\x07" * 32)
    _set_head(connection, 11)


def _copy(connection: Connection) -> None:
    _insert(connection)
    _set_head(connection, 11)


def _append(connection: Connection) -> None:
    row = connection.execute(select(t.journal).where(_where(10))).mappings().one()
    values = {**row, "id": an_id(99), "seq": 11, "mac": b"\x07" * 32}
    connection.execute(insert(t.journal).values(values))


def _truncate(connection: Connection) -> None:
    connection.execute(
        delete(t.journal).where((t.journal.c.stream == DEVICE) & (t.journal.c.seq > 7))
    )


def _truncate_with_head(connection: Connection) -> None:
    _truncate(connection)
    _set_head(connection, 7)


def _drop_stream(connection: Connection) -> None:
    connection.execute(delete(t.journal).where(t.journal.c.stream == DEVICE))
    connection.execute(delete(t.journal_head).where(t.journal_head.c.stream == DEVICE))


def _forge_head(connection: Connection) -> None:
    connection.execute(update(t.journal_head).values(mac=b"\x07" * 32))


def _drop_head(connection: Connection) -> None:
    connection.execute(delete(t.journal_head).where(t.journal_head.c.stream == DEVICE))


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (_edit, [("edited", 5, 5)]),
        (_edit_mac, [("edited", 5, 5)]),
        (_edit_bounds, [("edited", 5, 5)]),
        (_remove, [("removed", 5, 5)]),
        (_remove_first, [("removed", 1, 1)]),
        (_remove_and_close_up, [("edited", 5, 5), ("truncated", 10, 10)]),
        (_swap, [("reordered", 5, 5)]),
        (_insert_and_move_head, [("inserted", 5, 5), ("replaced", 10, 10)]),
        (_copy, [("inserted", 5, 5), ("replaced", 10, 10)]),
        (_append, [("inserted", 11, 11)]),
        (_truncate, [("truncated", 8, 10)]),
        (_truncate_with_head, [("truncated", 8, 10)]),
        (_drop_stream, [("missing", 1, 10)]),
        (_forge_head, [("head", 10, 10)]),
        (_drop_head, [("inserted", 1, 10)]),
    ],
    ids=lambda value: getattr(value, "__name__", "").strip("_"),
)
def test_every_tampering_is_found_and_said_where(
    sqlite_database: Database, tamper: Tamper, found: list[tuple[str, int, int]]
) -> None:
    database = sqlite_database
    write(database, *(an_access(number) for number in range(10)))
    journal.anchor(database)
    assert faults(database) == []
    with database.write() as connection:
        tamper(connection)
    assert faults(database) == found


def test_a_chain_that_was_cut_and_goes_on_still_shows_it(database: Database) -> None:
    """What is kept beside the keys is not moved past the place where it does not fit."""
    write(database, *(an_access(number) for number in range(10)))
    journal.anchor(database)
    with database.write() as connection:
        _truncate_with_head(connection)
    write(database, *(an_access(number) for number in range(20, 30)))
    assert journal.anchor(database) == {DEVICE: 10}
    assert faults(database) == [("replaced", 10, 10)]


def test_a_restored_backup_is_an_entry_and_the_journal_is_whole_from_then_on(
    sqlite_database: Database, tmp_path: Path
) -> None:
    database = sqlite_database
    write(database, *(an_access(number) for number in range(3)))
    with database.read() as connection:
        backup = [connection.execute(select(table)).mappings().all() for table in KEPT]
    write(database, *(an_access(number) for number in range(3, 6)), an_access(7, device=OTHER))
    journal.anchor(database)
    with database.write() as connection:
        for table, rows in zip(KEPT, backup, strict=True):
            connection.execute(delete(table))
            connection.execute(insert(table), [dict(row) for row in rows])
    assert {one.code for one in journal.verify(database).faults} == {"truncated", "missing"}
    administration.new_epoch(database, START + 50)
    assert journal.verify(database).faults == []
    with database.read() as connection:
        told = journal.page(connection, JournalQuery(event="journal_broken")).lines
    assert [line.access.detail for line in told] == [
        {"code": "restored", "stream": OTHER, "lost": "1"},
        {"code": "restored", "stream": DEVICE, "lost": "6"},
    ]
    write(database, an_access(8), an_access(9, device=OTHER))
    assert journal.anchor(database) == {}
    assert journal.verify(database).faults == []


def test_a_chain_put_in_the_place_of_another_is_found(database: Database) -> None:
    write(database, an_access(1), an_access(2, device=OTHER))
    journal.anchor(database)
    with database.write() as connection:
        for table in (t.journal, t.journal_head):
            connection.execute(delete(table).where(table.c.stream == DEVICE))
            moved = update(table).where(table.c.stream == OTHER)
            connection.execute(moved.values(stream=DEVICE))
    assert [(fault.stream, fault.code) for fault in journal.verify(database).faults] == [
        (DEVICE, "edited"),
        (DEVICE, "replaced"),
        (OTHER, "missing"),
    ]


def test_entries_go_to_the_chain_of_their_device_and_others_to_the_hubs(
    database: Database,
) -> None:
    write(database, an_access(1), an_access(2, device=""), an_access(3))
    with database.read() as connection:
        heads = journal_chain.heads(connection)
        entries = journal.page(connection, JournalQuery(until=START + 100, since=START)).lines
    before = len(PEOPLE)
    assert {stream: head.seq for stream, head in heads.items()} == {DEVICE: 2, "hub": before + 1}
    assert [(one.stream, one.seq) for one in entries] == [
        (DEVICE, 2),
        ("hub", before + 1),
        (DEVICE, 1),
    ]
    assert len({one.access.id for one in entries}) == 3


def test_what_was_written_is_undone_with_its_transaction(database: Database) -> None:
    write(database, an_access(1))
    with suppress(RuntimeError), database.write() as connection:
        journal.write(connection, [an_access(2)])
        raise RuntimeError
    write(database, an_access(3))
    with database.read() as connection:
        entries = journal.page(connection, JournalQuery(until=START + 100, since=START)).lines
    assert [one.access.at - START for one in entries] == [3, 1]
    assert faults(database) == []


def test_a_page_sent_to_a_desk_is_found_by_each_of_its_subjects(database: Database) -> None:
    ids = [an_id(number) for number in range(5, 50, 5)]
    sent = an_access(7, event="deliver", subject_id=None, subjects=pack(ids), count=len(ids))
    write(database, an_access(10), sent, an_access(12))
    with database.read() as connection:
        about = journal.extract(connection, an_id(10))
        about_nobody = journal.extract(connection, an_id(11))
    assert [one.access.event for one in about] == ["deliver", "read"]
    assert about_nobody == []
    assert list(unpack(about[0].access.subjects)) == ids
    assert all(speaks_of(about[0].access, one) for one in ids)
    assert not speaks_of(about[0].access, an_id(6))


def test_a_page_of_the_journal_goes_on_where_the_one_before_ended(database: Database) -> None:
    write(database, *(an_access(n, who=("head", "sales1")[n % 2]) for n in range(9)))
    found: list[int] = []
    after = ""
    with database.read() as connection:
        while True:
            page = journal.page(connection, JournalQuery(who="head", after=after, limit=2))
            found += [line.access.at - START for line in page.lines]
            after = page.more
            if not after:
                break
    assert found == [8, 6, 4, 2, 0]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (JournalQuery(since=START + 2, until=START + 4), [3, 2]),
        (JournalQuery(event="copy"), [4]),
        (JournalQuery(device=OTHER), [5]),
        (JournalQuery(offline=True), [4]),
        (JournalQuery(item_id=an_id(77)), [3]),
        (JournalQuery(subject_id=an_id(2)), [2]),
    ],
)
def test_the_journal_is_filtered(
    sqlite_database: Database, asked: JournalQuery, found: list[int]
) -> None:
    write(
        sqlite_database,
        *(an_access(number) for number in (1, 2)),
        an_access(3, item_id=an_id(77)),
        an_access(4, event="copy", offline=True),
        an_access(5, device=OTHER),
    )
    with sqlite_database.read() as connection:
        entries = journal.page(connection, asked).lines
    assert [entry.access.at - START for entry in entries] == found


def test_nothing_but_ids_names_and_codes_is_kept(database: Database) -> None:
    secret = "Иван Петров +7 916 123-45-67"
    write(
        database,
        an_access(
            1,
            role=secret,
            purpose=secret,
            subject_id=secret,
            item_id=secret,
            fields=("subject.name", secret),
            detail={"via": "card", "why": secret, secret: "card"},
        ),
    )
    with database.read() as connection:
        entries = journal.page(connection, JournalQuery(until=START + 100, since=START)).lines
    (entry,) = entries
    assert entry.access.fields == ("subject.name",)
    assert entry.access.detail == {"via": "card"}
    assert "916" not in repr(entry)
    assert faults(database) == []


def test_processes_that_write_at_once_wait_for_each_other_and_lose_nothing(
    database: Database,
) -> None:
    """Two hubs over one database, both writing both chains and the change log, in either order."""
    start = threading.Barrier(4)

    def work(number: int) -> None:
        with Database(str(database.url.render_as_string(hide_password=False))) as process:
            start.wait()
            for turn in range(10):
                accesses = [an_access(number), an_access(turn, device=OTHER)]
                with process.write() as connection:
                    journal.write(connection, accesses[:: 1 if number % 2 else -1])
                    changes.write(connection, [], at=START)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    with database.read() as connection:
        heads = journal_chain.heads(connection)
    assert (heads[DEVICE].seq, heads[OTHER].seq) == (40, 40)
    assert faults(database) == []
