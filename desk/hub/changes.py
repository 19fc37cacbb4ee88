"""The change log: one order for everybody, and no personal data in it.

`write` bumps the counter row as the last lock of its transaction, so of two transactions the one
with the lower numbers is always visible first, and a cursor never runs past a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from desk.domain.model import Item, Value
from desk.domain.rights import scope
from desk.schema.hub_tables import change, sync_head

#: Where PostgreSQL tells the other hub processes that the log has grown.
CHANNEL = "desk_changes"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One row's difference. Scopes are those columns of an item that decide who sees it."""

    kind: str
    id: str
    row_version: int
    op: str
    item_id: str | None = None
    before_scope: Mapping[str, Value] | None = None
    after_scope: Mapping[str, Value] | None = None


class Head(msgspec.Struct, frozen=True):
    """Where the log ends. A restored backup starts a new epoch."""

    epoch: str
    seq: int


def of_item(before: Item | None, after: Item) -> Change:
    """An item was created (nothing ``before``) or changed."""
    return Change(
        kind="item",
        id=after.id,
        row_version=after.version,
        op="update" if before else "insert",
        item_id=after.id,
        before_scope=scope(before) if before else None,
        after_scope=scope(after),
    )


def of_row(kind: str, identifier: str, version: int, item_id: str | None, *, new: bool) -> Change:
    """A task, entry or subject was created or changed."""
    return Change(
        kind=kind,
        id=identifier,
        row_version=version,
        op="insert" if new else "update",
        item_id=item_id,
    )


def of_person(user: str, version: int) -> Change:
    """A user was added or changed."""
    return Change(kind="person", id=user, row_version=version, op="update")


def write(connection: Connection, changes: Sequence[Change]) -> int:
    """Append to the log and return its new end. Call it last: it takes the lock of all writers."""
    # The word to other processes goes out with the commit and costs no round trip of its own.
    told = [func.pg_notify(CHANNEL, "")] if connection.dialect.name == "postgresql" else []
    bumped = (
        update(sync_head)
        .values(seq=sync_head.c.seq + len(changes))
        .returning(sync_head.c.seq, *told)
    )
    end = connection.execute(bumped).scalar_one()
    if changes:
        connection.execute(insert(change), list(_rows(changes, end - len(changes) + 1)))
    return end


def head(connection: Connection) -> Head:
    """Where the log ends in this transaction's view."""
    row = connection.execute(select(sync_head.c.epoch, sync_head.c.seq)).one()
    return Head(row.epoch, row.seq)


def start_epoch(connection: Connection, epoch: str) -> None:
    """Begin numbering anew: every desk will take a snapshot."""
    started = update(sync_head).values(epoch=epoch, seq=sync_head.c.seq)
    if not connection.execute(started).rowcount:
        connection.execute(insert(sync_head).values(one=1, epoch=epoch, seq=0))


def _rows(changes: Iterable[Change], first: int) -> Iterable[dict[str, object]]:
    for seq, one in enumerate(changes, first):
        yield {"seq": seq, **msgspec.structs.asdict(one)}
