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
    GiveConsent,
    Intent,
    Move,
    Operation,
    RequestErasure,
    WithdrawConsent,
)
from desk.protocol.messages import Changed, Result
from desk.schema.desk_tables import inbox
from desk.services import overlay, queue
from desk.services.context import Context, Rulebook
from desk.services.errors import NoSuchEntry
from desk.services.views import InboxEntry, StatusChanged

#: The name under which the stage of a card stands among the fields.
STAGE = "stage"

_values = msgspec.json.Decoder(dict[str, Value])


def entries(context: Context) -> list[InboxEntry]:
    """Every entry, the oldest first."""
    with context.store.read() as connection:
        rows = connection.execute(select(inbox).order_by(inbox.c.answered_at, inbox.c.id)).all()
        return [_entry(connection, context, row) for row in rows]


def operation(connection: Connection, entry_id: str) -> Operation:
    """What an entry asked for. Raises ``NoSuchEntry``."""
    query = select(inbox.c.body).where(inbox.c.id == entry_id)
    body = connection.execute(query).scalar_one_or_none()
    if body is None:
        raise NoSuchEntry
    return queue.decode(body)


def blocked_by(connection: Connection, entry_id: str) -> list[str]:
    """The entries that were blocked because they build on this one, the oldest first."""
    query = (
        select(inbox.c.id, inbox.c.body)
        .where(inbox.c.result == "blocked")
        .order_by(inbox.c.answered_at, inbox.c.id)
    )
    rows = connection.execute(query).all()
    return [row.id for row in rows if entry_id in queue.decode(row.body).after]


def count(connection: Connection) -> int:
    """How many entries wait."""
    return connection.execute(select(func.count()).select_from(inbox)).scalar_one()


def discard(context: Context, entry_id: str) -> None:
    """Drop an entry, because the person said so. Raises ``NoSuchEntry``."""
    with context.store.write(durable=True) as connection:
        operation(connection, entry_id)
        remove(connection, entry_id)
    context.events.emit(StatusChanged())


def remove(connection: Connection, entry_id: str) -> None:
    """Take an entry out."""
    connection.execute(delete(inbox).where(inbox.c.id == entry_id))


def add(connection: Connection, context: Context, operation: Operation, result: Result) -> None:
    """Keep an operation that the hub did not carry out, with what stood there.

    Of the hub's values only those are kept that the person may see now.
    """
    kept = shown(connection, context.rulebook, operation)
    connection.execute(
        insert(inbox).values(
            id=operation.id,
            item_id=queue.item_of(operation),
            body=queue.encode(kept),
            result=result.result,
            code=result.code,
            args=_text(result.args),
            base=_text(_base(connection, kept.intent)),
            theirs=_text(result.theirs),
            changed=_text(result.changed),
            answered_at=context.clock(),
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
            .values(body=queue.encode(kept), base="{}", theirs="{}", changed="{}")
        )


def forget_hidden(connection: Connection, rulebook: Rulebook) -> None:
    """Drop the hub's values of those fields that the person does not see in full any more."""
    for row in connection.execute(select(inbox)).all():
        operation = queue.decode(row.body)
        kept = shown(connection, rulebook, operation)
        owner = _owner(connection, operation.intent)
        connection.execute(
            update(inbox)
            .where(inbox.c.id == row.id)
            .values(
                body=queue.encode(kept),
                base=_text(_full(rulebook, owner, _values.decode(row.base))),
                theirs=_text(_full(rulebook, owner, _values.decode(row.theirs))),
            )
        )


def afresh(intent: Intent) -> Intent:
    """The intent without what the person saw when he asked for it."""
    if isinstance(intent, Move):
        return msgspec.structs.replace(intent, seen_stage=None)
    if isinstance(intent, EditFields | EditSubject):
        return msgspec.structs.replace(intent, base={}, was={})
    return intent


def shown(connection: Connection, rulebook: Rulebook, operation: Operation) -> Operation:
    """The operation without values that the person does not see in full, or any more at all."""
    intent = operation.intent
    if not isinstance(intent, EditFields | EditSubject):
        return operation
    was = _full(rulebook, _owner(connection, intent), intent.was)
    return msgspec.structs.replace(operation, intent=msgspec.structs.replace(intent, was=was))


def _owner(connection: Connection, intent: Intent) -> str | None:
    """Whose fields the intent speaks of; nobody's where the item is not here."""
    if isinstance(intent, Create):
        return intent.kind
    item = overlay.hub_item(connection, intent.item_id)
    if item is None:
        return None
    return "subject" if isinstance(intent, EditSubject) else item.kind


def _full(rulebook: Rulebook, owner: str | None, values: Mapping[str, Value]) -> dict[str, Value]:
    playbook, role = rulebook.playbook, rulebook.actor.role
    return {
        name: value
        for name, value in values.items()
        if owner and (name == STAGE or playbook.mask(role, owner, name) == "full")
    }


def _base(connection: Connection, intent: Intent) -> Mapping[str, Value]:
    match intent:
        case EditFields(fields=fields, was=was) | EditSubject(fields=fields, was=was) if was:
            return {name: was.get(name) for name in fields}
        case Move(fields=fields, item_id=item_id) | EditFields(fields=fields, item_id=item_id):
            row = overlay.hub_item(connection, item_id)
            seen = {STAGE: intent.seen_stage} if isinstance(intent, Move) else {}
            return {**seen, **{name: row.fields.get(name) for name in fields}} if row else {}
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
        case CloseTask(comment=text) | RequestErasure(note=text):
            return {"comment": text} if text else {}
        case GiveConsent(evidence=text) | WithdrawConsent(evidence=text):
            return {"comment": text} if text else {}


def _entry(connection: Connection, context: Context, row: Any) -> InboxEntry:
    operation = queue.decode(row.body)
    mine, base = _mine(operation.intent), _values.decode(row.base)
    theirs = _values.decode(row.theirs)
    if isinstance(operation.intent, Move):
        stage = _target(connection, context, operation.intent) if STAGE in theirs else None
        mine = {STAGE: stage, **mine} if stage else mine
        if STAGE not in theirs:
            base.pop(STAGE, None)
    return InboxEntry(
        id=row.id,
        intent=operation.intent,
        item_id=row.item_id,
        result=row.result,
        code=row.code,
        args=msgspec.json.decode(row.args, type=dict[str, str]),
        mine=mine,
        theirs=theirs,
        base=base,
        at=row.answered_at,
        changed=msgspec.json.decode(row.changed, type=dict[str, Changed]),
        after=_ground(connection, operation) if row.result == "blocked" else None,
    )


def _target(connection: Connection, context: Context, intent: Move) -> str | None:
    """The stage that a move leads to, where the playbook says so by itself."""
    item = overlay.hub_item(connection, intent.item_id)
    kind = context.rulebook.playbook.kind(item.kind) if item else None
    transition = kind.transitions.get(intent.transition) if kind else None
    return transition.target if transition else None


def _ground(connection: Connection, operation: Operation) -> str | None:
    """Of what a blocked operation builds on, the one that waits here; else the first."""
    query = select(inbox.c.id).where(inbox.c.id.in_(operation.after))
    here = set(connection.execute(query).scalars())
    return next((one for one in operation.after if one in here), next(iter(operation.after), None))


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
