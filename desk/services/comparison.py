"""Which ranges of items differ between this desk and the hub, found out by digests.

The rows here are those of the hub, under the overlay. Ranges that differ are split and compared
again, so that little is fetched where little differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Connection

from desk.domain.model import Item, Task
from desk.protocol.digests import Stamp, digest
from desk.protocol.messages import Compare, Compared, Digest, Range
from desk.services import arrivals
from desk.services.context import Context
from desk.services.hub_client import HubClient
from desk.services.subjects import version_of

#: Items of a range that is compared as a whole, at first.
WINDOW = 500
#: A range that differs is split into so many parts, unless it has no more items than that.
_PARTS = 8
#: How many ranges one request compares; each costs the hub a look at all their rows.
_AT_ONCE = 16
_KEY = 16


class RightsChanged(Exception):
    """The epoch, the rules or the rights became others on the way: begin anew."""


@dataclass(slots=True)
class Differing:
    """Ranges that differ; ``cursor`` is from before they were looked at.

    ``moved`` are ranges of which nothing can be said: something in them has changed since.
    """

    cursor: str = ""
    ranges: list[Range] = field(default_factory=list[Range])
    moved: list[Range] = field(default_factory=list[Range])
    compared: int = 0


class Comparison:
    """Compares what is here with the hub; ``masks`` are those under which the rows came, and
    ``place`` is of which epoch and rights the answers must be (``arrivals.place``)."""

    def __init__(
        self, context: Context, client: HubClient, masks: Mapping[str, str], place: str
    ) -> None:
        self._context = context
        self._client = client
        self._masks = masks
        self._place = place
        self._key = context.random(_KEY)

    def windows(self) -> list[Range]:
        """Ranges of ``WINDOW`` items each that cover all ids there may be."""
        with self._context.store.read() as connection:
            return list(_split(item_ids(connection, Range()), Range(), WINDOW))

    def window_from(self, low: str) -> Range:
        """The range of ``WINDOW`` items whose ids are not below ``low``."""
        with self._context.store.read() as connection:
            ids = item_ids(connection, Range(low=low), WINDOW + 1)
        return Range(low, ids[WINDOW] if len(ids) > WINDOW else "")

    def differing(
        self,
        ranges: Iterable[Range],
        *,
        cursor: str = "",
        tell: Callable[[int], None] = lambda _: None,
    ) -> Differing:
        """Those of the ranges that differ, as narrow as it is worth while. They are in order and
        do not overlap. Raises ``RightsChanged``.

        With a ``cursor`` rows that changed after it count as ``moved``, not as different. ``tell``
        hears how many ranges were looked at, and may raise to stop.
        """
        found = Differing()
        todo = list(ranges)
        while todo:
            found.compared += len(todo)
            wider = self._look(todo, found, cursor)
            tell(found.compared)
            todo = self._narrowed(wider, found, cursor)
        return found

    def _look(self, ranges: Sequence[Range], found: Differing, cursor: str) -> list[Range]:
        """The ranges that differ."""
        differ: list[Range] = []
        for start in range(0, len(ranges), _AT_ONCE):
            part = ranges[start : start + _AT_ONCE]
            asked = Compare(key=self._key, ranges=list(part), cursor=cursor)
            answer = self._client.digests(asked)
            if arrivals.place(answer.cursor) != self._place:
                raise RightsChanged
            found.cursor = found.cursor or answer.cursor
            differ += self._compared(part, answer, found, cursor)
        return differ

    def _compared(
        self, ranges: Sequence[Range], answer: Compared, found: Differing, cursor: str
    ) -> Iterator[Range]:
        if answer.moved and len(ranges) > 1:
            # One of them changed; the others can be told apart from it.
            for one in ranges:
                yield from self._look([one], found, cursor)
        elif answer.moved:
            found.moved += ranges
        else:
            with self._context.store.read() as connection:
                for one, theirs in zip(ranges, answer.digests, strict=True):
                    if digests(connection, self._masks, self._key, one) != theirs:
                        yield one

    def _narrowed(self, wider: Iterable[Range], found: Differing, cursor: str) -> list[Range]:
        """The parts of differing ranges that are still to be split.

        A range whose parts nearly all differ is fetched whole.
        """
        todo: list[Range] = []
        for one in wider:
            with self._context.store.read() as connection:
                ids = item_ids(connection, one)
            if len(ids) <= _PARTS:
                found.ranges.append(one)
                continue
            parts = list(_split(ids, one, -(-len(ids) // _PARTS)))
            differ = self._look(parts, found, cursor)
            if len(differ) > _PARTS // 2:
                found.ranges.append(one)
            else:
                todo += differ
        return todo


def item_ids(connection: Connection, one: Range, limit: int = -1) -> list[str]:
    """The ids of the items here in a range, in order."""
    sql = "SELECT id FROM item WHERE id >= ? AND (? = '' OR id < ?) ORDER BY id LIMIT ?"
    rows = connection.exec_driver_sql(sql, (one.low, one.high, one.high, limit))
    return [row[0] for row in rows]


def digests(
    connection: Connection, masks: Mapping[str, str], key: bytes, one: Range
) -> dict[str, Digest]:
    """The digests of the hub's rows here, by kind."""
    within = (one.low, one.high, one.high)
    items = _items(connection, masks, within)
    subjects = {subject for _, subject in items if subject}
    stamps: dict[str, Iterable[Stamp]] = {
        "item": [stamp for stamp, _ in items],
        "task": _tasks(connection, within),
        "entry": _entries(connection, within),
        "subject": _subjects(connection, masks.get("subject", ""), subjects),
    }
    return {kind: digest(key, kind, rows) for kind, rows in stamps.items()}


_Within = tuple[str, str, str]


def _items(
    connection: Connection, masks: Mapping[str, str], within: _Within
) -> list[tuple[Stamp, str | None]]:
    laid = _laid(connection, "item")
    found: list[tuple[Stamp, str | None]] = []
    sql = (
        "SELECT id, version, updated_at, kind, subject_id FROM item"
        " WHERE id >= ? AND (? = '' OR id < ?)"
    )
    for row in connection.exec_driver_sql(sql, within):
        item_id, version, moment, kind, subject = row
        if item_id in laid:
            body = laid[item_id]
            if body is None:
                continue
            base = msgspec.json.decode(body, type=Item)
            version, moment, subject = base.version, base.updated_at, base.subject_id
        found.append(((item_id, version, moment, masks.get(kind, "")), subject))
    return found


def _tasks(connection: Connection, within: _Within) -> Iterator[Stamp]:
    laid = _laid(connection, "task")
    sql = "SELECT id, version, closed_at FROM task WHERE item_id >= ? AND (? = '' OR item_id < ?)"
    for task_id, version, closed_at in connection.exec_driver_sql(sql, within):
        if task_id not in laid:
            yield task_id, version, closed_at or 0, ""
        elif (body := laid[task_id]) is not None:
            base = msgspec.json.decode(body, type=Task)
            yield task_id, base.version, base.closed_at or 0, ""


def _entries(connection: Connection, within: _Within) -> Iterator[Stamp]:
    # Entries are only ever added: one that the overlay laid has no row of the hub under it.
    laid = _laid(connection, "entry")
    sql = "SELECT id, version FROM entry WHERE item_id >= ? AND (? = '' OR item_id < ?)"
    for entry_id, version in connection.exec_driver_sql(sql, within):
        if entry_id not in laid or laid[entry_id] is not None:
            yield entry_id, version, 0, ""


def _subjects(connection: Connection, mask: str, ids: Iterable[str]) -> Iterator[Stamp]:
    laid = _laid(connection, "subject")
    wanted = sorted(ids)
    for start in range(0, len(wanted), WINDOW):
        part = tuple(wanted[start : start + WINDOW])
        marks = ", ".join("?" * len(part))
        sql = f"SELECT id, version FROM subject WHERE id IN ({marks})"  # noqa: S608 - marks alone
        for subject_id, version in connection.exec_driver_sql(sql, part):
            if subject_id not in laid:
                yield subject_id, version, 0, mask
            elif (body := laid[subject_id]) is not None:
                yield subject_id, version_of(body), 0, mask


def _laid(connection: Connection, kind: str) -> dict[str, str | None]:
    """The hub's rows under the overlay, by id; None where the hub has none."""
    rows = connection.exec_driver_sql("SELECT id, body FROM base_row WHERE kind = ?", (kind,))
    return {row[0]: row[1] for row in rows}


def _split(ids: Sequence[str], one: Range, size: int) -> Iterator[Range]:
    """Parts of a range with ``size`` of its items each."""
    low = one.low
    for start in range(size, len(ids), size):
        yield Range(low, ids[start])
        low = ids[start]
    yield Range(low, one.high)
