"""Operations that the hub did not carry out: kept until the person has decided about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from desk.domain.model import Value
from desk.domain.operations import (
    CloseTask,
    Comment,
    Create,
    EditFields,
    EditSubject,
    Intent,
    Move,
    Operation,
)
from desk.protocol.messages import Result
from desk.schema.desk_tables import inbox
from desk.services import overlay, queue
from desk.services.context import Context
from desk.services.errors import NoSuchEntry
from desk.services.views import InboxEntry, StatusChanged


def entries(context: Context) -> list[InboxEntry]:
    """Every entry, the oldest first."""
    with context.store.read() as connection:
        rows = connection.execute(select(inbox).order_by(inbox.c.answered_at, inbox.c.id))
        return [_entry(row) for row in rows]


def entry(connection: Connection, entry_id: str) -> InboxEntry:
    """One entry. Raises ``NoSuchEntry``."""
    row = connection.execute(select(inbox).where(inbox.c.id == entry_id)).one_or_none()
    if row is None:
        raise NoSuchEntry
    return _entry(row)


def count(connection: Connection) -> int:
    """How many entries wait."""
    return connection.execute(select(func.count()).select_from(inbox)).scalar_one()


def discard(context: Context, entry_id: str) -> None:
    """Drop an entry, because the person said so. Raises ``NoSuchEntry``."""
    with context.store.write(durable=True) as connection:
        entry(connection, entry_id)
        remove(connection, entry_id)
    context.events.emit(StatusChanged())


def remove(connection: Connection, entry_id: str) -> None:
    """Take an entry out."""
    connection.execute(delete(inbox).where(inbox.c.id == entry_id))


def add(connection: Connection, operation: Operation, result: Result, now: int) -> None:
    """Keep an operation that the hub did not carry out, with what stood there."""
    connection.execute(
        insert(inbox).values(
            id=operation.id,
            item_id=queue.item_of(operation),
            body=queue.encode(operation),
            result=result.result,
            code=result.code,
            args=_text(result.args),
            base=_text(_base(connection, operation.intent)),
            theirs=_text(result.theirs),
            answered_at=now,
        )
    )


def forget_values(connection: Connection, gone: ColumnElement[bool]) -> None:
    """Drop what the entries ``gone`` hold of the hub's values; what the person typed stays."""
    for row in connection.execute(select(inbox.c.id, inbox.c.body).where(gone)).all():
        operation = queue.decode(row.body)
        kept = msgspec.structs.replace(operation, intent=afresh(operation.intent))
        connection.execute(
            update(inbox)
            .where(inbox.c.id == row.id)
            .values(body=queue.encode(kept), base="{}", theirs="{}")
        )


def afresh(intent: Intent) -> Intent:
    """The intent without what the person saw when he asked for it."""
    if isinstance(intent, Move):
        return msgspec.structs.replace(intent, seen_stage=None)
    if isinstance(intent, EditFields | EditSubject):
        return msgspec.structs.replace(intent, base={}, was={})
    return intent


def _base(connection: Connection, intent: Intent) -> Mapping[str, Value]:
    match intent:
        case EditFields(fields=fields, was=was) | EditSubject(fields=fields, was=was) if was:
            return {name: was.get(name) for name in fields}
        case Move(fields=fields, item_id=item_id) | EditFields(fields=fields, item_id=item_id):
            row = overlay.hub_item(connection, item_id)
            return {name: row.fields.get(name) for name in fields} if row else {}
        case _:
            return {}


def _mine(intent: Intent) -> dict[str, Value]:
    match intent:
        case Create(fields=fields, subject=subject):
            return {**fields, **subject}
        case Move(fields=fields, comment=comment):
            return {**fields, "comment": comment} if comment else dict(fields)
        case EditFields(fields=fields) | EditSubject(fields=fields):
            return dict(fields)
        case Comment(text=text):
            return {"comment": text}
        case CloseTask(comment=comment):
            return {"comment": comment} if comment else {}


def _entry(row: Any) -> InboxEntry:
    operation = queue.decode(row.body)
    values = msgspec.json.Decoder(dict[str, Value])
    return InboxEntry(
        id=row.id,
        intent=operation.intent,
        item_id=row.item_id,
        result=row.result,
        code=row.code,
        args=msgspec.json.decode(row.args, type=dict[str, str]),
        mine=_mine(operation.intent),
        theirs=values.decode(row.theirs),
        base=values.decode(row.base),
        at=row.answered_at,
    )


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
