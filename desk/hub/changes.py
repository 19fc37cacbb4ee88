"""The change log: one order for everybody, and no personal data in it.

`write` bumps the counter row as the last lock of its transaction, so of two transactions the one
with the lower numbers is always visible first, and a cursor never runs past a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from desk.domain.model import Item, Value
from desk.domain.rights import scope
from desk.protocol.messages import Changed
from desk.schema.hub_tables import change, sync_head

#: For so long the log is kept, ms: a desk that was away longer compares its rows instead.
RETENTION = 30 * 24 * 3_600_000
#: How many changes are forgotten in one transaction.
PRUNED_AT_ONCE = 5000
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
    """Where the log ends, and after which number it is still kept.

    A restored backup starts a new epoch.
    """

    epoch: str
    seq: int
    floor: int = 0


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


_BUMPED = update(sync_head).values(seq=sync_head.c.seq + bindparam("more"))
_BUMP = _BUMPED.returning(sync_head.c.seq)
_BUMP_AND_TELL = _BUMPED.returning(sync_head.c.seq, func.pg_notify(CHANNEL, ""))
_APPEND = insert(change)


def write(
    connection: Connection, changes: Sequence[Change], *, at: int, who: str | None = None
) -> int:
    """Append what ``who`` did at the moment ``at`` (ms) to the log and return its new end.

    Call it last: it takes the lock of all writers.
    """
    # The word to other processes goes out with the commit and costs no round trip of its own.
    bump = _BUMP_AND_TELL if connection.dialect.name == "postgresql" else _BUMP
    end = connection.execute(bump, {"more": len(changes)}).scalar_one()
    if changes:
        did = {"who": who, "at": at}
        rows = [{**row, **did} for row in _rows(changes, end - len(changes) + 1)]
        connection.execute(_APPEND, rows)
    return end


def head(connection: Connection) -> Head:
    """Where the log ends in this transaction's view."""
    row = connection.execute(select(sync_head.c.epoch, sync_head.c.seq, sync_head.c.floor)).one()
    return Head(row.epoch, row.seq, row.floor)


def start_epoch(connection: Connection, epoch: str) -> None:
    """Make every cursor given so far void: each desk will compare its rows and mend them."""
    started = update(sync_head).values(epoch=epoch)
    if not connection.execute(started).rowcount:
        connection.execute(insert(sync_head).values(one=1, epoch=epoch, seq=0, floor=0))


def prune(connection: Connection, before: int) -> int:
    """Forget the oldest changes that were made before the moment ``before``; return how many.

    At most ``PRUNED_AT_ONCE`` a call, so that writers do not wait long; call it until it gives 0.
    """
    oldest = select(change.c.seq, change.c.at).order_by(change.c.seq).limit(PRUNED_AT_ONCE)
    old = 0
    floor = 0
    for row in connection.execute(oldest):
        if row.at >= before:
            break
        old, floor = old + 1, row.seq
    if old:
        # The counter's row is the lock of all writers here as in ``write``.
        raised = update(sync_head).where(sync_head.c.floor < floor).values(floor=floor)
        connection.execute(raised)
        connection.execute(delete(change).where(change.c.seq <= floor))
    return old


def last_changed(
    connection: Connection, kind: str, identifier: str, versions: Mapping[str, int]
) -> dict[str, Changed]:
    """Who made the version ``versions[name]`` of a row, and when; for each name the log knows."""
    query = select(change.c.row_version, change.c.who, change.c.at).where(
        change.c.kind == kind,
        change.c.id == identifier,
        change.c.row_version.in_(set(versions.values())),
    )
    made = {row.row_version: Changed(row.who, row.at) for row in connection.execute(query)}
    return {name: made[version] for name, version in versions.items() if version in made}


def last_moved(connection: Connection, item_id: str) -> Changed | None:
    """Who moved an item to the stage it stands at, and when, if the log still knows."""
    query = (
        select(change.c.before_scope, change.c.after_scope, change.c.who, change.c.at)
        .where(change.c.kind == "item", change.c.id == item_id)
        .order_by(change.c.seq.desc())
    )
    for row in connection.execute(query):
        if _stage(row.before_scope) != _stage(row.after_scope):
            return Changed(row.who, row.at)
    return None


def _stage(scope: Mapping[str, Value] | None) -> Value:
    return scope["stage"] if scope else None


def _rows(changes: Iterable[Change], first: int) -> Iterable[dict[str, object]]:
    for seq, one in enumerate(changes, first):
        yield {"seq": seq, **msgspec.structs.asdict(one)}
