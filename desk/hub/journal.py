"""The hub's journal: written in the transaction of what it tells of, read by the PD officer.

Locks: a chain's head is taken after every row of the company's and before the counter of the
change log (`desk.hub.changes`), which stays the last lock of a transaction. Chains of several
devices are taken in the order of their names.

Nothing is ever deleted from the journal: acts of destruction refer to it for three years.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from desk.domain import journal as domain
from desk.domain.ids import make_id
from desk.domain.journal import Access
from desk.hub import journal_chain as chain
from desk.hub.database import Database, insert_missing, keys_of
from desk.hub.journal_chain import HUB, NO_ENTRY, Verified
from desk.hub.keystore import JournalHead
from desk.protocol.journal import PAGE_LIMIT, JournalLine, JournalPage, JournalQuery
from desk.schema.hub_tables import journal, journal_head

#: The name of the key that binds the chains, among the hub's secrets.
_CHAINS = "journal"

_mine = journal_head.c.stream == bindparam("chain")
#: Takes the lock of the chain; the MAC is still that of the entry before.
_TAKE = (
    update(journal_head)
    .where(_mine)
    .values(seq=journal_head.c.seq + bindparam("more"))
    .returning(journal_head.c.seq, journal_head.c.mac)
)
_SET = update(journal_head).where(_mine).values(mac=bindparam("end"))
_APPEND = insert(journal)
#: Rows are read so many at a time where some of them may not be about whom is asked for.
_PIECE = 500


def write(connection: Connection, accesses: Sequence[Access]) -> None:
    """Append entries to the chains of their devices, or of the hub where there is no device.

    Call it in the transaction of what they tell of, after every other write but that of the
    change log.
    """
    key = _key(connection)
    streams: dict[str, list[Access]] = {}
    for access in accesses:
        streams.setdefault(access.device or HUB, []).append(domain.cleaned(access))
    for stream in sorted(streams):
        _append(connection, key, stream, streams[stream])


def lock(connection: Connection) -> None:
    """Take the lock of the hub's own chain now, where the change log's must be taken early."""
    _take(connection, HUB, 0)


def extract(connection: Connection, subject_id: str) -> list[JournalLine]:
    """Every entry about a subject, the oldest first."""
    return list(
        reversed(list(_found(connection, JournalQuery(subject_id=subject_id), None, _PIECE)))
    )


def page(connection: Connection, asked: JournalQuery) -> JournalPage:
    """The entries asked for, the newest first."""
    limit = max(1, min(asked.limit, PAGE_LIMIT))
    place = _place(asked.after) if asked.after else None
    lines: list[JournalLine] = []
    for line in _found(connection, asked, place, limit + 1):
        if len(lines) == limit:
            last = lines[-1]
            return JournalPage(lines=lines, more=f"{last.access.at}:{last.stream}:{last.seq}")
        lines.append(line)
    return JournalPage(lines=lines)


def count(connection: Connection, who: str, event: str, since: int) -> int:
    """How often somebody asked the hub for it after the moment ``since``; what his desks did
    without the hub and told it of later is not counted."""
    asked_here = journal.c.received_at.is_(None)
    query = select(func.count()).where(
        journal.c.who == who, journal.c.event == event, journal.c.at > since, asked_here
    )
    return connection.execute(query).scalar_one()


def anchor(database: Database) -> dict[str, int]:
    """Keep the ends of the chains beside the keys.

    A chain that lost what is kept there keeps its old end, so that `verify` goes on to say so;
    the answer has the number of the entry that each such chain lost.
    """
    known = database.keys.read_heads()
    with database.read() as connection:
        ends = chain.heads(connection).items()
        moved = {stream: head for stream, head in ends if head != known.get(stream)}
        lost = _lost(connection, {stream: known[stream] for stream in moved if stream in known})
    sound = {stream: head for stream, head in moved.items() if stream not in lost}
    if sound:
        database.keys.keep_heads(sound)
    return lost


def note_restored(connection: Connection, now: int) -> dict[str, int]:
    """Write down which chains lost entries, and from which on, because a backup was restored.

    `accept` then takes them as they are.
    """
    lost = _lost(connection, keys_of(connection).read_heads())
    broken = [
        Access(
            at=now,
            event="journal_broken",
            detail={"code": "restored", "stream": stream, "lost": str(seq)},
        )
        for stream, seq in sorted(lost.items())
    ]
    write(connection, broken)
    return lost


def accept(database: Database, lost: Iterable[str]) -> None:
    """Keep the ends of chains that lost entries as they are now, beside the keys."""
    with database.read() as connection:
        ends = chain.heads(connection)
    database.keys.keep_heads({stream: ends.get(stream, NO_ENTRY) for stream in lost})


def verify(database: Database) -> Verified:
    """Look whether an entry was removed, edited, put in, moved, or cut off."""
    anchored = database.keys.read_heads()
    with database.read() as connection:
        return chain.verify(connection, _key(connection), anchored)


def _lost(connection: Connection, known: Mapping[str, JournalHead]) -> dict[str, int]:
    """The chains that have not the entry any more that is kept beside the keys, and its number."""
    return {
        stream: head.seq
        for stream, head in known.items()
        if not chain.holds(connection, stream, head)
    }


def _append(connection: Connection, key: bytes, stream: str, accesses: list[Access]) -> None:
    head = _take(connection, stream, len(accesses))
    mac = head.mac or chain.first_link(key, stream)
    rows: list[dict[str, Any]] = []
    for seq, access in enumerate(accesses, head.seq - len(accesses) + 1):
        entry = access if access.id else _named(key, mac, access)
        mac = chain.link(key, mac, entry)
        first, last = chain.bounds(entry)
        rows.append(
            {
                **msgspec.structs.asdict(entry),
                "fields": list(entry.fields),
                "stream": stream,
                "seq": seq,
                "first_subject": first,
                "last_subject": last,
                "mac": mac,
            }
        )
    connection.execute(_APPEND, rows)
    connection.execute(_SET, {"chain": stream, "end": mac})


def _take(connection: Connection, stream: str, more: int) -> Row[int, bytes]:
    asked = {"chain": stream, "more": more}
    head = connection.execute(_TAKE, asked).first()
    if head is None:
        insert_missing(connection, journal_head, {"stream": stream, "seq": 0, "mac": b""})
        head = connection.execute(_TAKE, asked).one()
    return head


def _named(key: bytes, before: bytes, access: Access) -> Access:
    """The entry with an id, which follows from its place and from what it says."""
    digest = chain.link(key, before, access)
    return msgspec.structs.replace(access, id=make_id(access.at, lambda size: digest[:size]))


def _found(
    connection: Connection, asked: JournalQuery, place: tuple[int, str, int] | None, piece: int
) -> Iterator[JournalLine]:
    """The entries asked for, the newest first, after a place."""
    order = (journal.c.at, journal.c.stream, journal.c.seq)
    query: Select[Any] = select(journal).where(*_tests(asked))
    query = query.order_by(*(column.desc() for column in order)).limit(piece)
    while True:
        rest = query if place is None else query.where(tuple_(*order) < place)
        rows = connection.execute(rest).all()
        for row in rows:
            access = chain.access_of(row)
            if asked.subject_id is None or domain.speaks_of(access, asked.subject_id):
                yield JournalLine(stream=row.stream, seq=row.seq, access=access)
        if len(rows) < piece:
            return
        place = (rows[-1].at, rows[-1].stream, rows[-1].seq)


def _tests(asked: JournalQuery) -> list[ColumnElement[bool]]:
    line = journal.c
    tests: list[ColumnElement[bool]] = [
        line[name] == value
        for name in ("who", "item_id", "event", "device", "offline")
        if (value := getattr(asked, name)) is not None
    ]
    if asked.subject_id is not None:
        packed = and_(line.first_subject <= asked.subject_id, line.last_subject >= asked.subject_id)
        tests.append(or_(line.subject_id == asked.subject_id, packed))
    if asked.since is not None:
        tests.append(line.at >= asked.since)
    if asked.until is not None:
        tests.append(line.at < asked.until)
    return tests


def _place(after: str) -> tuple[int, str, int]:
    at, stream, seq = after.split(":")
    return int(at), stream, int(seq)


def _key(connection: Connection) -> bytes:
    return keys_of(connection).secret(_CHAINS)
