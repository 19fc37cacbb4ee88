"""Operations on their way to the hub, in the order of their numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, insert, select, update

from desk.domain.operations import Create, Operation
from desk.protocol.messages import Numbered
from desk.schema.desk_tables import item, queue, sent
from desk.services import settings

#: "pending" until the hub answered, "accepted" until a pull covers what it did.
State: TypeAlias = Literal["pending", "accepted"]

#: How long an operation that the hub did is kept, ms: as long as a backup may be old.
KEPT = 7 * 24 * 3_600_000

_decoder = msgspec.json.Decoder(Operation)


def item_of(operation: Operation) -> str:
    """The item an operation is about; of ``create``, the new one."""
    intent = operation.intent
    return operation.id if isinstance(intent, Create) else intent.item_id


def encode(operation: Operation) -> str:
    """An operation as it is kept."""
    return msgspec.json.encode(operation).decode()


def decode(body: str) -> Operation:
    """An operation as it was kept."""
    return _decoder.decode(body)


def add(connection: Connection, operation: Operation) -> int:
    """Queue an operation under the device's next number, and give that number."""
    last = connection.execute(select(func.max(queue.c.number))).scalar_one_or_none() or 0
    number = max(last, settings.number(connection, settings.LAST_OP)) + 1
    connection.execute(
        insert(queue).values(
            number=number,
            id=operation.id,
            item_id=item_of(operation),
            body=encode(operation),
            state="pending",
        )
    )
    return number


def all_operations(connection: Connection) -> list[Operation]:
    """Everything that is not covered by a pull yet, in order."""
    query = select(queue.c.body).order_by(queue.c.number)
    return [decode(row.body) for row in connection.execute(query)]


def unanswered(connection: Connection, limit: int) -> list[Numbered]:
    """The first ``limit`` operations without an answer."""
    query = (
        select(queue.c.number, queue.c.body)
        .where(queue.c.state == "pending")
        .order_by(queue.c.number)
        .limit(limit)
    )
    return [
        Numbered(number=row.number, operation=decode(row.body)) for row in connection.execute(query)
    ]


def count_unanswered(connection: Connection) -> int:
    """How many operations wait for an answer."""
    query = select(func.count()).select_from(queue).where(queue.c.state == "pending")
    return connection.execute(query).scalar_one()


def waiting_around(connection: Connection, root: str) -> list[Operation]:
    """The operations without an answer on the items of one family, in order."""
    query = (
        select(queue.c.body)
        .outerjoin(item, item.c.id == queue.c.item_id)
        .where(queue.c.state == "pending")
        .where((queue.c.item_id == root) | (item.c.parent_id == root))
        .order_by(queue.c.number)
    )
    return [decode(row.body) for row in connection.execute(query)]


def waiting(connection: Connection) -> tuple[tuple[int, ...], int | None]:
    """The numbers of the operations without an answer, and when the oldest was asked for."""
    query = select(queue.c.number).where(queue.c.state == "pending").order_by(queue.c.number)
    numbers = tuple(connection.execute(query).scalars())
    oldest = unanswered(connection, 1)
    return numbers, oldest[0].operation.at if oldest else None


def count_accepted(connection: Connection) -> int:
    """How many operations were carried out and are not covered by a pull yet."""
    query = select(func.count()).select_from(queue).where(queue.c.state == "accepted")
    return connection.execute(query).scalar_one()


def accept(connection: Connection, ids: Iterable[str]) -> None:
    """The hub did these; they stay until a pull covers them."""
    connection.execute(update(queue).where(queue.c.id.in_(list(ids))).values(state="accepted"))


def remove(connection: Connection, ids: Iterable[str]) -> None:
    """Take operations out of the queue."""
    connection.execute(delete(queue).where(queue.c.id.in_(list(ids))))


def cover(connection: Connection, last_op: int, now: int) -> list[Operation]:
    """The rows show what the hub did up to ``last_op``: it waits no more, and is kept a while.

    Gives the operations that are kept now.
    """
    done = (queue.c.state == "accepted") & (queue.c.number <= last_op)
    columns = (queue.c.number, queue.c.id, queue.c.item_id, queue.c.body)
    rows = connection.execute(select(*columns).where(done)).mappings().all()
    if not rows:
        return []
    connection.execute(delete(queue).where(done))
    connection.execute(delete(sent).where(sent.c.covered_at < now - KEPT))
    # A number may have been used before, ahead of a restored backup.
    connection.execute(delete(sent).where(sent.c.number.in_([row["number"] for row in rows])))
    kept = [{**row, "covered_at": now} for row in rows]
    connection.execute(insert(sent), kept)
    return [decode(row["body"]) for row in rows]


def is_covered(connection: Connection, last_op: int) -> bool:
    """Whether something the hub did waits only to be covered."""
    done = (queue.c.state == "accepted") & (queue.c.number <= last_op)
    return connection.execute(select(queue.c.id).where(done).limit(1)).first() is not None


def resend(connection: Connection, last_op: int) -> int:
    """Send everything after the number ``last_op`` again: the hub has forgotten it.

    What was covered and is still kept goes first, then what waits, under numbers without a gap.
    Gives how many will be sent.
    """
    columns = ("number", "id", "item_id", "body")
    lost = select(*(sent.c[name] for name in columns)).where(sent.c.number > last_op)
    waiting = select(*(queue.c[name] for name in columns)).where(queue.c.number > last_op)
    rows = [*connection.execute(lost).mappings(), *connection.execute(waiting).mappings()]
    connection.execute(delete(sent).where(sent.c.number > last_op))
    connection.execute(delete(queue).where(queue.c.number > last_op))
    _queue_anew(connection, rows, last_op)
    settings.put(connection, settings.LAST_OP, str(last_op))
    return len(rows)


def begin_anew(connection: Connection, last_op: int) -> None:
    """Number all that waits from ``last_op`` on: the hub knows this desk as another device.

    What it did already it answers as before, by the operations' ids.
    """
    columns = (queue.c.number, queue.c.id, queue.c.item_id, queue.c.body)
    rows = connection.execute(select(*columns)).mappings().all()
    connection.execute(delete(sent))
    connection.execute(delete(queue))
    _queue_anew(connection, rows, last_op)
    settings.put(connection, settings.LAST_OP, str(last_op))


def _queue_anew(connection: Connection, rows: Iterable[RowMapping], last_op: int) -> None:
    ordered = sorted(rows, key=lambda row: row["number"])
    again = [
        {**row, "number": number, "state": "pending"}
        for number, row in enumerate(ordered, last_op + 1)
    ]
    if again:
        connection.execute(insert(queue), again)


def forget_sent(connection: Connection, gone: ColumnElement[bool] | None = None) -> None:
    """Drop what is kept of sent operations, all of it or the rows ``gone``."""
    connection.execute(delete(sent) if gone is None else delete(sent).where(gone))
