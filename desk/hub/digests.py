"""The digests of what a reader may see, by ranges of item ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from desk.domain import rights
from desk.domain.ids import is_id
from desk.hub import changes
from desk.hub.errors import HubProblem
from desk.hub.projection import Reader
from desk.protocol.digests import KEY_SIZES, Stamp, digest
from desk.protocol.messages import Compare, Compared, Digest, Range
from desk.schema import hub_tables as t

#: The most ranges of one request.
_MOST = 64


def compare(connection: Connection, reader: Reader, asked: Compare) -> Compared:
    """The digests asked for, in one view of the database; raises `HubProblem` ``bad_request``."""
    _check(asked)
    head = changes.head(connection)
    if asked.cursor:
        start = reader.position(asked.cursor, head)
        if start is None or _moved(connection, start, asked.ranges):
            return Compared(cursor=reader.cursor(head.epoch, head.seq), moved=True)
    return Compared(
        cursor=reader.cursor(head.epoch, head.seq),
        digests=[_digests(connection, reader, asked.key, one) for one in asked.ranges],
    )


def within(column: ColumnElement[Any], one: Range) -> ColumnElement[bool]:
    """Whether an item's id is in the range."""
    low = [column >= one.low] if one.low else []
    high = [column < one.high] if one.high else []
    return and_(True, *low, *high)


def _check(asked: Compare) -> None:
    bounds = [bound for one in asked.ranges for bound in (one.low, one.high) if bound]
    sound = len(asked.key) in KEY_SIZES and len(asked.ranges) <= _MOST
    # Each row is looked at once at most: a request must not cost more than the whole desk.
    apart = all(one.high and one.high <= other.low for one, other in pairwise(asked.ranges))
    if not (sound and apart and all(is_id(bound) for bound in bounds)):
        raise HubProblem(400, "bad_request")


def _moved(connection: Connection, start: int, ranges: Sequence[Range]) -> bool:
    """Whether anything in the ranges changed since; a subject may belong to any of them."""
    touched = or_(t.change.c.kind == "subject", *(within(t.change.c.item_id, r) for r in ranges))
    since = select(func.count()).select_from(t.change).where(t.change.c.seq > start, touched)
    return connection.execute(since).scalar_one() > 0


def _digests(connection: Connection, reader: Reader, key: bytes, one: Range) -> dict[str, Digest]:
    subject_mask = _mask(reader, "subject")
    masks = {kind: _mask(reader, kind) for kind in reader.playbook.kinds}
    items = select(t.item.c.id, t.item.c.version, t.item.c.updated_at, t.item.c.kind).where(
        within(t.item.c.id, one), reader.items
    )
    tasks = select(t.task.c.id, t.task.c.version, t.task.c.closed_at).where(
        within(t.task.c.item_id, one), reader.tasks
    )
    entries = select(t.entry.c.id, t.entry.c.version).where(
        within(t.entry.c.item_id, one), reader.entries
    )
    spoken_of = select(t.item.c.subject_id).where(within(t.item.c.id, one), reader.items)
    subjects = select(t.subject.c.id, t.subject.c.version).where(
        t.subject.c.id.in_(spoken_of), t.subject.c.stage != "erased"
    )
    stamps: dict[str, Iterable[Stamp]] = {
        "item": ((r[0], r[1], r[2], masks[r[3]]) for r in connection.execute(items)),
        "task": ((r[0], r[1], r[2] or 0, "") for r in connection.execute(tasks)),
        "entry": ((r[0], r[1], 0, "") for r in connection.execute(entries)),
        "subject": ((r[0], r[1], 0, subject_mask) for r in connection.execute(subjects)),
    }
    return {kind: digest(key, kind, rows) for kind, rows in stamps.items()}


def _mask(reader: Reader, owner: str) -> str:
    return rights.mask_print(reader.playbook, reader.actor.role, owner)
