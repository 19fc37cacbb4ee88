"""A person is erased: nothing of him stays here.

In the transaction that lands the hub's word his row, look-ups and all that was typed or kept about
him go. What is left to do after that is noted in the table ``erasure``, by person: "cleared" until
the wrapping key is changed, "sealing" meanwhile (``rotation``), "destroyed" until the hub was told.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, delete, select, update

from desk.domain.operations import (
    CloseTask,
    Comment,
    Create,
    EditFields,
    EditSubject,
    GiveConsent,
    Intent,
    Move,
    RequestErasure,
    WithdrawConsent,
)
from desk.schema.desk_tables import draft, erasure, inbox
from desk.schema.desk_tables import queue as queue_table
from desk.schema.desk_tables import sent as sent_table
from desk.services import queue, shadow
from desk.services.rows import ITEMS, SUBJECTS

_replace = msgspec.structs.replace


def begin(connection: Connection, subjects: Iterable[str]) -> None:
    """Remove everything here about these people, and note what is left to do."""
    for subject_id in sorted(set(subjects)):
        SUBJECTS.delete(connection, [subject_id])
        if shadow.exists(connection):
            shadow.SUBJECTS.delete(connection, [subject_id])
        base = "DELETE FROM base_row WHERE kind = 'subject' AND id = ?"
        connection.exec_driver_sql(base, (subject_id,))
        items = [item.id for item in ITEMS.where(connection, "subject_id", [subject_id])]
        _forget_typed(connection, items)
        note = "INSERT OR IGNORE INTO erasure (subject_id, state) VALUES (?, 'cleared')"
        connection.exec_driver_sql(note, (subject_id,))


def in_state(connection: Connection, state: str) -> list[str]:
    """The people with whom this desk is so far."""
    query = select(erasure.c.subject_id).where(erasure.c.state == state)
    return list(connection.execute(query.order_by(erasure.c.subject_id)).scalars())


def _forget_typed(connection: Connection, items: list[str]) -> None:
    """Of what a person did with these items and typed, drop what may speak of the one erased.

    The operations stay in their places, empty: the hub counts their numbers.
    """
    connection.execute(delete(draft).where(draft.c.item_id.in_(items)))
    connection.execute(delete(sent_table).where(sent_table.c.item_id.in_(items)))
    for table in (queue_table, inbox):
        query = select(table.c.id, table.c.body).where(table.c.item_id.in_(items))
        for row in connection.execute(query).all():
            operation = queue.decode(row.body)
            body = queue.encode(_replace(operation, intent=emptied(operation.intent)))
            values = {"body": body}
            if table is inbox:
                values |= {"args": "{}", "base": "{}", "theirs": "{}", "changed": "{}"}
            connection.execute(update(table).where(table.c.id == row.id).values(values))


def emptied(intent: Intent) -> Intent:
    """The intent without any value that a person typed or saw."""
    match intent:
        case Create():
            return _replace(intent, title="", fields={}, subject={})
        case Move():
            return _replace(intent, fields={}, comment="")
        case EditFields() | EditSubject():
            return _replace(intent, fields={}, base={}, was={})
        case Comment():
            return _replace(intent, text="")
        case CloseTask():
            return _replace(intent, comment="")
        case GiveConsent() | WithdrawConsent():
            return _replace(intent, evidence="")
        case RequestErasure():
            return _replace(intent, note="")
