"""The chains that entries of the journal stand in, and finding out whether one was tampered with.

Each entry carries an HMAC over the one before it and itself, under a key that the database does
not hold. Where a chain ends is kept in the database and, from time to time, beside the keys: there
whoever writes to the database alone cannot take it back.
"""

from __future__ import annotations

import hmac
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

import msgspec
from sqlalchemy import Connection, Row, select

from desk.domain import journal as domain
from desk.domain.journal import Access
from desk.hub.keystore import JournalHead
from desk.schema.hub_tables import journal, journal_head

#: The stream of what no device did.
HUB = "hub"
#: The end of a chain without entries.
NO_ENTRY = JournalHead(0, b"")
#: Entries are read so many at a time.
_PIECE = 1000
#: So far around a broken entry it is looked for where it may have stood.
_AROUND = 64

#: ``removed``: entries are missing; ``edited``: an entry is not what was written; ``inserted``: an
#: entry was not written by a hub; ``reordered``: it stood elsewhere; ``truncated``: the end is
#: missing; ``replaced``: other entries stand where the keys' side knows of one; ``missing``: the
#: whole chain is gone; ``head``: the end that is kept is not the chain's.
Code: TypeAlias = Literal[
    "removed", "edited", "inserted", "reordered", "truncated", "replaced", "missing", "head"
]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Where a chain is broken: from the entry ``seq`` to the entry ``until``."""

    stream: str
    code: Code
    seq: int
    until: int


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What `verify` looked through, and what it found broken."""

    streams: int
    entries: int
    faults: list[Fault]


def first_link(key: bytes, stream: str) -> bytes:
    """What stands for the MAC before a chain's first entry."""
    return hmac.digest(key, b"desk/journal/first\0" + stream.encode(), "sha256")


def link(key: bytes, before: bytes, access: Access) -> bytes:
    """The MAC of an entry that follows the one with the MAC ``before``."""
    return hmac.digest(key, before + domain.encoded(access), "sha256")


def access_of(row: Row[Any]) -> Access:
    """The entry of a whole row of the journal."""
    return Access(
        id=row.id,
        at=row.at,
        received_at=row.received_at,
        who=row.who,
        role=row.role,
        device=row.device,
        event=row.event,
        purpose=row.purpose,
        subject_id=row.subject_id,
        item_id=row.item_id,
        fields=tuple(row.fields),
        offline=row.offline,
        # As an attribute it would be the row's own method.
        count=row._mapping["count"],  # pyright: ignore[reportPrivateUsage]
        subjects=bytes(row.subjects),
        detail=row.detail,
    )


def bounds(access: Access) -> tuple[str | None, str | None]:
    """The first and the last of an entry's packed subjects."""
    ends = access.subjects[:16] + access.subjects[-16:]
    if not ends:
        return None, None
    first, last = domain.unpack(ends)
    return first, last


def heads(connection: Connection) -> dict[str, JournalHead]:
    """Where the chains end, as the database says."""
    rows = connection.execute(select(journal_head))
    return {row.stream: JournalHead(row.seq, bytes(row.mac)) for row in rows}


def verify(connection: Connection, key: bytes, anchored: Mapping[str, JournalHead]) -> Verified:
    """Look through every chain; ``anchored`` are the ends kept beside the keys."""
    kept = heads(connection)
    there = set(connection.execute(select(journal.c.stream).distinct()).scalars())
    streams = sorted(there | kept.keys() | anchored.keys())
    faults: list[Fault] = []
    entries = 0
    for stream in streams:
        walk = _Walk(connection, key, stream, anchored.get(stream))
        walk.run()
        entries += walk.entries
        at_the_end = list(walk.of_the_end(kept.get(stream)))
        faults += _grouped([*walk.faults, *at_the_end])
    return Verified(streams=len(streams), entries=entries, faults=faults)


def holds(connection: Connection, stream: str, anchor: JournalHead) -> bool:
    """Whether the chain still has the entry that is kept beside the keys."""
    if anchor == NO_ENTRY:
        return True
    query = select(journal.c.mac).where(journal.c.stream == stream, journal.c.seq == anchor.seq)
    mac = connection.execute(query).scalar_one_or_none()
    return mac is not None and hmac.compare_digest(bytes(mac), anchor.mac)


class _Walk:
    """One chain from its first entry to its last."""

    def __init__(
        self, connection: Connection, key: bytes, stream: str, anchor: JournalHead | None
    ) -> None:
        self._connection = connection
        self._key = key
        self._stream = stream
        self._anchor = anchor
        self.faults: list[Fault] = []
        self.entries = 0
        self._last = JournalHead(0, first_link(key, stream))
        self._anchored = b""
        #: MACs that an entry may follow where the one right before it is not sound.
        self._others: deque[bytes] = deque(maxlen=_AROUND)
        #: Broken entries since the last sound one, and its MAC.
        self._broken: list[tuple[int, Code | None]] = []
        self._sound = self._last.mac

    def run(self) -> None:
        for row in self._rows():
            self.entries += 1
            self._step(row)
            if self._anchor is not None and row.seq == self._anchor.seq:
                self._anchored = bytes(row.mac)
        self._judge(skipped=False)

    def of_the_end(self, head: JournalHead | None) -> Iterator[Fault]:
        """What the kept ends say of this chain."""
        last, anchor = self._last, self._anchor
        expected = max((end.seq for end in (head, anchor) if end), default=0)
        if not self.entries:
            if expected:
                yield self._fault("missing", 1, expected)
            return
        if last.seq < expected:
            yield self._fault("truncated", last.seq + 1, expected)
        elif head is None or head.seq < last.seq:
            end = head.seq if head else 0
            # That an entry that no hub has written is not sound says nothing more.
            self.faults = [fault for fault in self.faults if fault.seq <= end]
            yield self._fault("inserted", end + 1, last.seq)
        elif not hmac.compare_digest(head.mac, last.mac):
            yield self._fault("head", last.seq, last.seq)
        if anchor and anchor.seq <= last.seq and self._anchored != anchor.mac:
            yield self._fault("replaced", anchor.seq, anchor.seq)

    def _step(self, row: Row[Any]) -> None:
        access, mac = _readable(row), bytes(row.mac)
        if row.seq != self._last.seq + 1:
            self._judge(skipped=False)
            self.faults.append(self._fault("removed", self._last.seq + 1, row.seq - 1))
            # What it follows is not there, so that nothing more can be said of it.
            self._sound = mac
        elif self._follows(access, mac, self._last.mac):
            self._sound_again(mac, skipped=False)
        elif self._broken and self._follows(access, mac, self._sound):
            self._sound_again(mac, skipped=True)
        elif any(self._follows(access, mac, one) for one in self._others):
            self._sound_again(mac, skipped=False)
        else:
            self._broken.append((row.seq, self._shown(row, access)))
            self._others.append(mac)
            if access is not None:
                self._others.append(link(self._key, self._last.mac, access))
        self._last = JournalHead(row.seq, mac)

    def _sound_again(self, mac: bytes, *, skipped: bool) -> None:
        self._judge(skipped=skipped)
        self._sound = mac

    def _judge(self, *, skipped: bool) -> None:
        """Say what the broken entries are; a sound one that follows as if they were not there
        tells that they were put in."""
        for seq, shown in self._broken:
            code: Code = shown or ("inserted" if skipped else "edited")
            self.faults.append(self._fault(code, seq, seq))
        self._broken.clear()

    def _shown(self, row: Row[Any], access: Access | None) -> Code | None:
        """What a broken entry itself shows: that it is the copy of one, or stood after another."""
        near = journal.c.seq.between(row.seq - _AROUND, row.seq + _AROUND)
        others = select(journal.c.mac).where(
            journal.c.stream == self._stream, near, journal.c.seq != row.seq
        )
        macs = [bytes(mac) for mac in self._connection.execute(others).scalars()]
        mac = bytes(row.mac)
        if mac in macs:
            return "inserted"
        macs.append(first_link(self._key, self._stream))
        return "reordered" if any(self._follows(access, mac, one) for one in macs) else None

    def _follows(self, access: Access | None, mac: bytes, before: bytes) -> bool:
        if access is None:
            return False
        return hmac.compare_digest(link(self._key, before, access), mac)

    def _rows(self) -> Iterator[Row[Any]]:
        mine = select(journal).where(journal.c.stream == self._stream).order_by(journal.c.seq)
        after: int | None = None
        while True:
            query = mine if after is None else mine.where(journal.c.seq > after)
            rows = self._connection.execute(query.limit(_PIECE)).all()
            yield from rows
            if len(rows) < _PIECE:
                return
            after = rows[-1].seq

    def _fault(self, code: Code, seq: int, until: int) -> Fault:
        return Fault(stream=self._stream, code=code, seq=seq, until=until)


def _readable(row: Row[Any]) -> Access | None:
    """The entry of a row; None where a hub cannot have written the row so."""
    try:
        access = access_of(row)
        is_sound = bounds(access) == (row.first_subject, row.last_subject)
    except (TypeError, ValueError):
        return None
    return access if is_sound else None


def _grouped(faults: list[Fault]) -> list[Fault]:
    """Neighbours that are broken alike as one."""
    grouped: list[Fault] = []
    for fault in faults:
        before = grouped[-1] if grouped else None
        if before and before.code == fault.code and before.until + 1 == fault.seq:
            grouped[-1] = msgspec.structs.replace(before, until=fault.until)
        else:
            grouped.append(fault)
    return grouped
