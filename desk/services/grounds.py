"""What an operation builds on: earlier ones of this desk that the hub has not answered yet.

If the hub does not carry out one of them, it blocks what builds on it, instead of trying it on
something that the person never saw. Notes build on nothing but the card they are written on.
"""

from __future__ import annotations

from typing import TypeAlias

from sqlalchemy import Connection

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
from desk.services import overlay, queue
from desk.services.rows import ITEMS

_OnItem: TypeAlias = (
    Move
    | EditFields
    | EditSubject
    | Comment
    | CloseTask
    | GiveConsent
    | WithdrawConsent
    | RequestErasure
)


def grounds(connection: Connection, intent: Intent) -> tuple[str, ...]:
    """The ids of the waiting operations that ``intent`` builds on, in order.

    Those alone that it builds on directly: each of them names its own.
    """
    if isinstance(intent, Create):
        return ()
    item = next(iter(ITEMS.get(connection, (intent.item_id,))), None)
    waiting = queue.waiting_around(connection, item.root_id if item else intent.item_id)
    made_here = overlay.hub_item(connection, intent.item_id) is None
    return tuple(one.id for one in waiting if _bears(one, intent, made_here=made_here))


def _bears(earlier: Operation, intent: _OnItem, *, made_here: bool) -> bool:
    """Whether ``intent`` would mean something else without ``earlier``."""
    before = earlier.intent
    if isinstance(before, Create | Move):
        # It made the card, or moved it or its task where the person saw them.
        return made_here or isinstance(intent, Move | CloseTask)
    # What a person said of his consents stands by itself, as a note does.
    if not isinstance(before, EditFields | EditSubject) or before.item_id != intent.item_id:
        return False
    if isinstance(intent, Move):
        # What was filled in may be what the step requires.
        return True
    same_row = isinstance(before, EditFields) == isinstance(intent, EditFields)
    if not isinstance(intent, EditFields | EditSubject) or not same_row:
        return False
    return not before.fields.keys().isdisjoint(intent.fields)
