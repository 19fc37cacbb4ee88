"""Many new rows at once: how an import and the demo's history enter the hub."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, insert, select

from desk.domain.model import Entry, Item, Subject, Tally, Task
from desk.domain.playbook import Playbook
from desk.hub import changes, lookup
from desk.hub.changes import Change
from desk.hub.database import Database
from desk.hub.setup import milliseconds
from desk.hub.store import Sealed
from desk.schema import hub_tables as t


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """New rows that belong together; their values are checked and cleaned already."""

    items: Sequence[Item] = ()
    subjects: Sequence[Subject] = ()
    tasks: Sequence[Task] = ()
    entries: Sequence[Entry] = ()
    tallies: Sequence[Tally] = ()


class Intake:
    """Writes batches with their change log, so that desks that run already get the rows too."""

    def __init__(
        self, database: Database, playbook: Playbook, clock: Callable[[], int] = milliseconds
    ) -> None:
        """``playbook`` is the one in force: every item must stand at one of its stages."""
        self._database = database
        self._clock = clock
        self._stages = {
            (kind.id, stage.id) for kind in playbook.kinds.values() for stage in kind.stages
        }

    def insert(self, batch: Batch) -> int:
        """Write the batch in one transaction and return the number of rows.

        Raises `ValueError` for an item at no stage of the playbook, and
        `sqlalchemy.exc.IntegrityError` for an id that is there already; then nothing is written.
        """
        for item in batch.items:
            if (item.kind, item.stage) not in self._stages:
                raise ValueError(f"the playbook has no stage {item.stage} of {item.kind}")
        with self._database.write() as connection:
            sealed = Sealed(connection)
            whose = _whose(connection, batch)
            lookup.write(connection, sealed.playbook, batch.subjects, new=True)
            rows = sum(
                _insert(connection, table, sealed.rows(values, whose))
                for table, values in (
                    (t.subject, batch.subjects),
                    (t.item, batch.items),
                    (t.task, batch.tasks),
                    (t.entry, batch.entries),
                    (t.tally, batch.tallies),
                )
            )
            changes.write(connection, _log(batch), at=self._clock())
        return rows


def _insert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    if rows:
        connection.execute(insert(table), rows)
    return len(rows)


def _whose(connection: Connection, batch: Batch) -> Callable[[str], str]:
    """Whom the items of the entries speak of; an entry may be of an item that was there."""
    subjects = {item.id: item.subject_id for item in batch.items}
    missing = {one.item_id for one in batch.entries if one.comment} - subjects.keys()
    if missing:
        query = select(t.item.c.id, t.item.c.subject_id).where(t.item.c.id.in_(missing))
        subjects.update(row.tuple() for row in connection.execute(query))
    return lambda item_id: subjects.get(item_id) or item_id


def _log(batch: Batch) -> list[Change]:
    """A new item brings its subject, tasks and entries with it, so those need no line."""
    new = {item.id for item in batch.items}
    brought = {item.subject_id for item in batch.items}
    log = [changes.of_item(None, item) for item in batch.items]
    log += (
        changes.of_row("subject", one.id, one.version, None, new=True)
        for one in batch.subjects
        if one.id not in brought
    )
    log += _lines("task", batch.tasks, new)
    log += _lines("entry", batch.entries, new)
    return log


def _lines(kind: str, rows: Iterable[Task | Entry], new: set[str]) -> Iterable[Change]:
    for row in rows:
        if row.item_id not in new:
            yield changes.of_row(kind, row.id, row.version, row.item_id, new=True)
