"""What this desk has done and the hub has not shown yet, laid over the hub's rows.

The mirrored tables hold what the operator sees. ``base_row`` keeps the hub's own row under each row
that a waiting operation changed, so the overlay can be lifted and laid anew at any time:
``restore``, change the hub's rows, ``replay``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from desk.domain.decide import settle
from desk.domain.effects import Outcome
from desk.domain.model import Item, Subject
from desk.domain.operations import Create, Operation
from desk.domain.refusals import Conflict, Refusal
from desk.domain.scene import Scene, new_scene
from desk.services import queue
from desk.services.context import Context, Rulebook
from desk.services.rows import (
    ENTRIES,
    ITEMS,
    ROWS,
    SUBJECTS,
    TASKS,
    Rows,
    family,
)


def apply(
    connection: Connection, rulebook: Rulebook, operation: Operation
) -> Outcome | Refusal | Conflict:
    """Lay one operation over the rows; with a refusal nothing is changed.

    It is laid as of the moment it was asked for, so laid anew it gives the same rows.
    """
    scene = _scene(connection, operation)
    outcome = settle(scene, operation, rulebook.actor, rulebook.playbook, operation.at)
    if isinstance(outcome, Outcome):
        _lay(connection, ITEMS, outcome.items)
        _lay(connection, TASKS, outcome.tasks)
        _lay(connection, ENTRIES, outcome.entries)
        _lay(connection, SUBJECTS, outcome.subjects)
    return outcome


def restore(connection: Connection) -> set[str]:
    """Lift the overlay: the tables hold the hub's rows alone. Gives the items it touched."""
    touched: set[str] = set()
    for kind, rows in ROWS.items():
        kept = connection.exec_driver_sql("SELECT id, body FROM base_row WHERE kind = ?", (kind,))
        bases = [(row[0], row[1]) for row in kept]
        if not bases:
            continue
        ids = [identifier for identifier, _ in bases]
        touched.update(_items_of(connection, rows, ids))
        rows.delete(connection, [identifier for identifier, body in bases if body is None])
        bodies = [body for _, body in bases if body is not None]
        rows.put(connection, [rows.unpack(connection, body) for body in bodies])
    connection.exec_driver_sql("DELETE FROM base_row")
    return touched


def replay(connection: Connection, rulebook: Rulebook) -> set[str]:
    """Lay every waiting operation over the hub's rows, in order. Gives the items it touched.

    What the rules refuse on these rows is not shown, but stays queued: the hub decides.
    """
    touched: set[str] = set()
    for operation in queue.all_operations(connection):
        outcome = apply(connection, rulebook, operation)
        if isinstance(outcome, Outcome):
            touched.update(touched_items(outcome))
    return touched


def rebase(connection: Connection, context: Context) -> set[str]:
    """Lay the overlay anew, after the queue changed. Gives the items that may look different."""
    return restore(connection) | replay(connection, context.rulebook)


def touched_items(outcome: Outcome) -> list[str]:
    """The items an outcome changes, the new or changed ones first."""
    ids = [item.id for item in outcome.items]
    ids += [row.item_id for row in (*outcome.tasks, *outcome.entries)]
    return list(dict.fromkeys(ids))


def base_of(connection: Connection, rows: Rows[Any], identifier: str) -> Any:
    """The hub's row under the overlay; ``None`` where the hub has none."""
    sql = "SELECT body FROM base_row WHERE kind = ? AND id = ?"
    kept = connection.exec_driver_sql(sql, (rows.kind, identifier)).one_or_none()
    if kept is not None:
        return rows.unpack(connection, kept[0]) if kept[0] is not None else None
    return next(iter(rows.get(connection, (identifier,))), None)


def hub_item(connection: Connection, identifier: str) -> Item | None:
    """The hub's own item under the overlay."""
    return base_of(connection, ITEMS, identifier)


def hub_subject(connection: Connection, identifier: str) -> Subject | None:
    """The hub's own subject under the overlay."""
    return base_of(connection, SUBJECTS, identifier)


def scene_of(connection: Connection, item_id: str) -> Scene:
    """What rules look at around an item: its family, open tasks, subjects, and the people."""
    people = tuple(Context.people_in(connection).values())
    items = family(connection, item_id)
    if not items:
        return new_scene(item_id, people)
    tasks = TASKS.where(connection, "item_id", [item.id for item in items])
    subjects = {item.subject_id for item in items if item.subject_id}
    return Scene(
        item_id=item_id,
        items=tuple(items),
        tasks=tuple(sorted((t for t in tasks if t.closed_at is None), key=lambda t: t.id)),
        subjects=tuple(SUBJECTS.get(connection, sorted(subjects))),
        people=people,
        judge="desk",
    )


def _scene(connection: Connection, operation: Operation) -> Scene:
    if isinstance(operation.intent, Create):
        # The item is there already when the hub's answer came before the operation was covered.
        return scene_of(connection, operation.id)
    return scene_of(connection, operation.intent.item_id)


def _lay(connection: Connection, rows: Rows[Any], changed: Iterable[Any]) -> None:
    changed = list(changed)
    if not changed:
        return
    before = {row.id: row for row in rows.get(connection, [row.id for row in changed])}
    bases = [
        (rows.kind, row.id, rows.pack(connection, before[row.id]) if row.id in before else None)
        for row in changed
    ]
    # OR IGNORE: the first operation that changed a row has kept the hub's.
    connection.exec_driver_sql(
        "INSERT OR IGNORE INTO base_row (kind, id, body) VALUES (?, ?, ?)", bases
    )
    rows.put(connection, changed)


def _items_of(connection: Connection, rows: Rows[Any], ids: list[str]) -> Iterable[str]:
    if rows is ITEMS:
        return ids
    if rows is TASKS or rows is ENTRIES:
        return [row.item_id for row in rows.get(connection, ids)]
    if rows is SUBJECTS:
        return [item.id for item in ITEMS.where(connection, "subject_id", ids)]
    return ()
