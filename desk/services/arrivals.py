"""Pages from the hub: staged as they came, and landed in the mirrored tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from desk.domain.model import Actor
from desk.protocol.messages import Page
from desk.schema.desk_tables import draft as draft_table
from desk.schema.desk_tables import inbox as inbox_table
from desk.schema.desk_tables import item as item_table
from desk.schema.desk_tables import staged as staged_table
from desk.services import drafts, inbox, settings
from desk.services.context import Account
from desk.services.rows import ENTRIES, ITEMS, PEOPLE, ROWS, SUBJECTS, TASKS

_decoder = msgspec.json.Decoder(Page)


def size(page: Page) -> int:
    """How many rows a page brings."""
    parts = (page.items, page.tasks, page.entries, page.subjects, page.people)
    return sum(len(part) for part in parts)


def stage(connection: Connection, page: Page) -> None:
    """Keep a page until its last one has come."""
    last = connection.execute(select(func.max(staged_table.c.number))).scalar_one_or_none() or 0
    body = msgspec.json.encode(page).decode()
    connection.execute(insert(staged_table).values(number=last + 1, body=body))


def staged(connection: Connection) -> list[Page]:
    """The pages that wait, in order."""
    query = select(staged_table.c.body).order_by(staged_table.c.number)
    return [_decoder.decode(row.body) for row in connection.execute(query)]


def unstage(connection: Connection) -> None:
    """Drop the pages that wait."""
    connection.execute(delete(staged_table))


def count_items(connection: Connection, *, staged: bool) -> int:
    """How many items of a snapshot have come."""
    sql = (
        "SELECT coalesce(sum(json_array_length(body, '$.items')), 0) FROM staged"
        if staged
        else "SELECT count(*) FROM item"
    )
    return int(connection.exec_driver_sql(sql).scalar_one())


def clear(connection: Connection) -> None:
    """Remove every mirrored row: a snapshot that replaces them all is about to land."""
    for kind in ROWS:
        connection.exec_driver_sql(f"DELETE FROM {kind}")  # noqa: S608 - names of our own tables


def put(connection: Connection, page: Page) -> None:
    """Write a page's rows over what stands there."""
    ITEMS.put(connection, page.items)
    TASKS.put(connection, page.tasks)
    ENTRIES.put(connection, page.entries)
    SUBJECTS.put(connection, page.subjects)
    PEOPLE.put(connection, page.people)


def land(connection: Connection, pages: Iterable[Page]) -> set[str]:
    """Write pages' rows and remove what they say left sight. Gives the items they touch."""
    touched: set[str] = set()
    for page in pages:
        put(connection, page)
        touched.update(item.id for item in page.items)
        touched.update(row.item_id for row in (*page.tasks, *page.entries))
        carried = {item.subject_id for item in page.items}
        alone = [subject.id for subject in page.subjects if subject.id not in carried]
        touched.update(item.id for item in ITEMS.where(connection, "subject_id", alone))
        touched.update(_forget(connection, page))
    return touched


def new_actor(connection: Connection, actor: Actor, pages: Sequence[Page]) -> Actor:
    """Who works here, after pages that may give him another name or role."""
    for page in pages:
        me = next((person for person in page.people if person.id == actor.id), None)
        raw = settings.get(connection, settings.ACCOUNT)
        if me is not None and raw is not None:
            account = msgspec.json.decode(raw, type=Account)
            account = msgspec.structs.replace(account, person=me)
            settings.put(connection, settings.ACCOUNT, msgspec.json.encode(account).decode())
            actor = Actor(me.id, me.role)
    return actor


def forget_missing(connection: Connection) -> None:
    """Drop what inbox and drafts hold of the hub's values of items that are not here any more."""
    here = select(item_table.c.id)
    inbox.forget_values(connection, inbox_table.c.item_id.not_in(here))
    drafts.forget_seen(connection, draft_table.c.item_id.not_in(here))


def _forget(connection: Connection, page: Page) -> list[str]:
    """Remove rows that left sight; an item takes its tasks, its entries and, if no other item
    speaks of the same person, his personal data with it."""
    items = [row.id for row in page.forget if row.kind == "item"]
    subjects = {item.subject_id for item in ITEMS.get(connection, items) if item.subject_id}
    ITEMS.delete(connection, items)
    TASKS.delete(connection, items, "item_id")
    ENTRIES.delete(connection, items, "item_id")
    still = {item.subject_id for item in ITEMS.where(connection, "subject_id", subjects)}
    SUBJECTS.delete(connection, subjects - still)
    inbox.forget_values(connection, inbox_table.c.item_id.in_(items))
    drafts.forget_seen(connection, draft_table.c.item_id.in_(items))
    for kind, rows in ROWS.items():
        if kind != "item":
            rows.delete(connection, [row.id for row in page.forget if row.kind == kind])
    return items
