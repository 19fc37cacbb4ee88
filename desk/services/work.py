"""What the person does: applied here at once and queued for the hub, in one transaction."""

from __future__ import annotations

from contextlib import suppress

import msgspec
from sqlalchemy import Connection

from desk.domain.effects import Outcome
from desk.domain.model import Item, Subject
from desk.domain.operations import Create, EditFields, EditSubject, Intent, Move, Operation
from desk.services import inbox, overlay, queue
from desk.services.context import Context
from desk.services.errors import Refused
from desk.services.grounds import grounds
from desk.services.rows import ITEMS, SUBJECTS
from desk.services.views import Done, StatusChanged

_replace = msgspec.structs.replace


def do(context: Context, intent: Intent) -> Done:
    """Apply and queue an intent. Raises ``Refused``; nothing is changed then."""
    with context.store.write(durable=True) as connection:
        done = _perform(context, connection, intent)
    _tell(context, done)
    return done


def retry(context: Context, entry_id: str) -> Done:
    """Ask anew for what waits in the inbox, on top of what stands now; the entry is answered.

    What was blocked because it builds on it is asked for, too, in order, as far as the rules
    allow it here; the rest stays in the inbox.
    """
    with context.store.write(durable=True) as connection:
        done = _again(context, connection, entry_id, {})
    _tell(context, done)
    return done


def _again(context: Context, connection: Connection, entry_id: str, remade: dict[str, str]) -> Done:
    """``remade`` maps items that were never made to those that are made now in their place."""
    operation = inbox.operation(connection, entry_id)
    intent = inbox.afresh(operation.intent)
    if not isinstance(intent, Create) and intent.item_id in remade:
        intent = _replace(intent, item_id=remade[intent.item_id])
    done = _perform(context, connection, intent)
    inbox.remove(connection, entry_id)
    if isinstance(intent, Create):
        remade[operation.id] = done.operation_id
    ids = list(done.item_ids)
    for blocked in inbox.blocked_by(connection, entry_id):
        with suppress(Refused):
            ids += _again(context, connection, blocked, remade).item_ids
    return Done(done.operation_id, tuple(dict.fromkeys(ids)))


def _perform(context: Context, connection: Connection, intent: Intent) -> Done:
    based = _based(connection, intent)
    operation = Operation(
        id=context.new_id(),
        at=context.clock(),
        intent=based,
        after=grounds(connection, based),
    )
    outcome = overlay.apply(connection, context.rulebook, operation)
    if not isinstance(outcome, Outcome):
        raise Refused(outcome)
    queue.add(connection, operation)
    ids = [queue.item_of(operation), *overlay.touched_items(outcome)]
    return Done(operation.id, tuple(dict.fromkeys(ids)))


def _tell(context: Context, done: Done) -> None:
    context.rows_changed(done.item_ids)
    context.events.emit(StatusChanged())


def _based(connection: Connection, intent: Intent) -> Intent:
    """The intent with what the person saw, where the caller has not said it.

    A base is a version of the hub's row, never of the overlay over it: the hub may use the same
    number for somebody else's change.
    """
    if isinstance(intent, Create):
        return intent
    item = next(iter(ITEMS.get(connection, (intent.item_id,))), None)
    if item is None:
        return intent
    if isinstance(intent, Move):
        return intent if intent.seen_stage else _replace(intent, seen_stage=item.stage)
    if isinstance(intent, EditFields):
        return _seen(intent, item, overlay.hub_item(connection, item.id))
    if isinstance(intent, EditSubject) and item.subject_id:
        subject = next(iter(SUBJECTS.get(connection, (item.subject_id,))), None)
        if subject is not None:
            return _seen(intent, subject, overlay.hub_subject(connection, subject.id))
    return intent


def _seen(
    intent: EditFields | EditSubject, shown: Item | Subject, theirs: Item | Subject | None
) -> EditFields | EditSubject:
    version = theirs.version if theirs is not None else shown.version
    base = {name: min(intent.base.get(name, version), version) for name in intent.fields}
    was = {name: intent.was.get(name, shown.fields.get(name)) for name in intent.fields}
    return _replace(intent, base=base, was=was)
