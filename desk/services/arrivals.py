"""Pages from the hub: staged as they came, and landed in the mirrored tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from desk.protocol.messages import Page
from desk.schema.desk_tables import draft as draft_table
from desk.schema.desk_tables import inbox as inbox_table
from desk.schema.desk_tables import item as item_table
from desk.schema.desk_tables import sent as sent_table
from desk.schema.desk_tables import staged as staged_table
from desk.services import drafts, erasure, inbox, queue
from desk.services.rows import ENTRIES, ITEMS, ROWS, SUBJECTS, TASKS, Rows

_decoder = msgspec.json.Decoder(Page)


@dataclass(slots=True)
class Arrived:
    """How many rows an exchange brought and took."""

    pulled: int = 0
    forgotten: int = 0
    cursor: str = ""


def place(cursor: str) -> str:
    """The epoch, the rules and the rights that a cursor is of."""
    return cursor.rpartition(":")[0]


def size(page: Page) -> int:
    """How many rows a page brings."""
    parts = (page.items, page.tasks, page.entries, page.subjects, page.people)
    return sum(len(part) for part in parts)


def stage(connection: Connection, page: Page) -> None:
    """Keep a page until its last one has come."""
    last = connection.execute(select(func.max(staged_table.c.number))).scalar_one_or_none() or 0
    body = msgspec.json.encode(page).decode()
    connection.execute(insert(staged_table).values(number=last + 1, body=body))


def staged(connection: Connection) -> Iterator[Page]:
    """The pages that wait, in order; one at a time is in memory."""
    numbers = select(staged_table.c.number).order_by(staged_table.c.number)
    for number in connection.execute(numbers).scalars().all():
        body = select(staged_table.c.body).where(staged_table.c.number == number)
        yield _decoder.decode(connection.execute(body).scalar_one())


def last_staged(connection: Connection) -> Page | None:
    """The last of the pages that wait."""
    query = select(staged_table.c.body).order_by(staged_table.c.number.desc()).limit(1)
    body = connection.execute(query).scalar_one_or_none()
    return _decoder.decode(body) if body is not None else None


def unstage(connection: Connection) -> None:
    """Drop the pages that wait."""
    connection.execute(delete(staged_table))


def put(connection: Connection, page: Page, into: Mapping[str, Rows[Any]] = ROWS) -> None:
    """Write a page's rows over what stands there; of who is erased, nothing else stays."""
    erased = [subject.id for subject in page.subjects if subject.stage == "erased"]
    if erased:
        erasure.begin(connection, SUBJECTS.without_stage(connection, erased, "erased"))
    into["item"].put(connection, page.items)
    into["task"].put(connection, page.tasks)
    into["entry"].put(connection, page.entries)
    into["subject"].put(connection, page.subjects)
    into["person"].put(connection, page.people)


def land(connection: Connection, pages: Iterable[Page]) -> set[str]:
    """Write pages' rows and remove what they say left sight. Gives the items they touch."""
    touched: set[str] = set()
    came_alone: set[str] = set()
    for page in pages:
        put(connection, page)
        touched.update(item.id for item in page.items)
        touched.update(row.item_id for row in (*page.tasks, *page.entries))
        carried = {item.subject_id for item in page.items}
        alone = [subject.id for subject in page.subjects if subject.id not in carried]
        touched.update(item.id for item in ITEMS.where(connection, "subject_id", alone))
        came_alone.update(alone)
        touched.update(_forget(connection, page))
    # The item that was to follow may have left sight between two pages.
    _drop_unspoken_of(connection, came_alone)
    return touched


def forget_missing(connection: Connection) -> None:
    """Drop what inbox and drafts hold of the hub's values of items that are not here any more."""
    here = select(item_table.c.id)
    inbox.forget_values(connection, inbox_table.c.item_id.not_in(here))
    drafts.forget_seen(connection, draft_table.c.item_id.not_in(here))
    queue.forget_sent(connection, sent_table.c.item_id.not_in(here))


def _forget(connection: Connection, page: Page) -> list[str]:
    """Remove rows that left sight; an item takes its tasks, its entries and, if no other item
    speaks of the same person, his personal data with it."""
    items = [row.id for row in page.forget if row.kind == "item"]
    subjects = {item.subject_id for item in ITEMS.get(connection, items) if item.subject_id}
    ITEMS.delete(connection, items)
    TASKS.delete(connection, items, "item_id")
    ENTRIES.delete(connection, items, "item_id")
    _drop_unspoken_of(connection, subjects)
    inbox.forget_values(connection, inbox_table.c.item_id.in_(items))
    drafts.forget_seen(connection, draft_table.c.item_id.in_(items))
    queue.forget_sent(connection, sent_table.c.item_id.in_(items))
    # A person is said to be gone only where he was erased.
    erasure.begin(connection, [row.id for row in page.forget if row.kind == "subject"])
    for kind, rows in ROWS.items():
        if kind not in ("item", "subject"):
            rows.delete(connection, [row.id for row in page.forget if row.kind == kind])
    return items


def _drop_unspoken_of(connection: Connection, subjects: set[str]) -> None:
    still = {item.subject_id for item in ITEMS.where(connection, "subject_id", subjects)}
    SUBJECTS.delete(connection, subjects - still)
