"""Operations on their way to the hub, in the order of their numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from desk.domain.operations import Create, Operation
from desk.protocol.messages import Numbered
from desk.schema.desk_tables import queue
from desk.services import settings

#: "pending" until the hub answered, "accepted" until a pull covers what it did.
State: TypeAlias = Literal["pending", "accepted"]

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


def accept(connection: Connection, ids: Iterable[str]) -> None:
    """The hub did these; they stay until a pull covers them."""
    connection.execute(update(queue).where(queue.c.id.in_(list(ids))).values(state="accepted"))


def remove(connection: Connection, ids: Iterable[str]) -> None:
    """Take operations out of the queue."""
    connection.execute(delete(queue).where(queue.c.id.in_(list(ids))))


def drop_covered(connection: Connection, last_op: int) -> None:
    """Take out what the hub did and the rows now show."""
    covered = (queue.c.state == "accepted") & (queue.c.number <= last_op)
    connection.execute(delete(queue).where(covered))


def is_covered(connection: Connection, last_op: int) -> bool:
    """Whether something the hub did waits only to be taken out."""
    covered = (queue.c.state == "accepted") & (queue.c.number <= last_op)
    return connection.execute(select(queue.c.id).where(covered).limit(1)).first() is not None


def renumber(connection: Connection, first: int) -> None:
    """Send everything again from the number ``first``: the hub was restored from a backup."""
    bodies = [
        (row.id, row.number)
        for row in connection.execute(select(queue.c.id, queue.c.number).order_by(queue.c.number))
    ]
    # In two steps through negative numbers, because a number is unique at every moment.
    for offset, (identifier, _) in enumerate(bodies):
        values = {"number": -(first + offset), "state": "pending"}
        connection.execute(update(queue).where(queue.c.id == identifier).values(values))
    connection.execute(update(queue).values(number=-queue.c.number))
    settings.put(connection, settings.LAST_OP, str(first - 1))
