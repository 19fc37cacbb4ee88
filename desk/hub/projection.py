"""The one place of rights on the hub: which rows a reader gets, and how much of each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, String, and_, exists, false, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from desk.domain import rights
from desk.domain.model import Actor, Entry, Item, Subject, Value
from desk.domain.playbook import Playbook
from desk.hub.changes import Head
from desk.schema.conditions import to_sql
from desk.schema.hub_tables import entry, item, subject, task


class _Unindexed(FunctionElement[str]):
    """A column whose index SQLite is not to use.

    By the index of kinds it would fetch and sort everything visible for each page of a snapshot,
    where it can walk along the ids until the page is full. PostgreSQL finds that by itself.
    """

    inherit_cache = True
    type = String()


@compiles(_Unindexed)
def _plain(element: _Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(_Unindexed, "sqlite")
def _unindexed(element: _Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


class Reader(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Somebody who reads, under the playbook in force, at the moment ``now`` (ms)."""

    actor: Actor
    playbook: Playbook
    playbook_version: int
    policy_version: int
    now: int

    def cursor(self, epoch: str, seq: int) -> str:
        """A place in the log, valid while the epoch and the reader's rights stay as they are."""
        return f"{epoch}.{self.playbook_version}.{self.policy_version}:{seq}"

    def position(self, cursor: str, head: Head) -> int | None:
        """The number in a cursor that can still be gone on from, given where the log is.

        None where another epoch or other rights gave it, or the log is not kept so far back.
        """
        prefix = self.cursor(head.epoch, 0)[:-1]
        seq = cursor[len(prefix) :]
        if not cursor.startswith(prefix) or not (seq.isascii() and seq.isdigit()):
            return None
        number = int(seq[:19])
        return number if head.floor <= number <= head.seq else None

    @cached_property
    def items(self) -> ColumnElement[bool]:
        """The rows of ``item`` that the reader sees."""
        kinds = [
            and_(
                _Unindexed(item.c.kind) == kind,
                to_sql(
                    self.playbook.sees(self.actor.role, kind),
                    _column,
                    me=self.actor.id,
                    now=self.now,
                ),
            )
            for kind in self.playbook.kinds
        ]
        return or_(false(), *kinds)

    @cached_property
    def tasks(self) -> ColumnElement[bool]:
        """The rows of ``task`` that the reader sees: those of his items."""
        return exists().where(item.c.id == task.c.item_id, self.items)

    @cached_property
    def entries(self) -> ColumnElement[bool]:
        """The rows of ``entry`` that the reader sees: those of his items."""
        return exists().where(item.c.id == entry.c.item_id, self.items)

    @cached_property
    def subjects(self) -> ColumnElement[bool]:
        """The rows of ``subject`` that the reader sees: those his items speak of."""
        return exists().where(item.c.subject_id == subject.c.id, self.items)

    def sees(self, one: Item) -> bool:
        """Whether the reader sees this item."""
        return self.saw(rights.scope(one))

    def saw(self, scope: Mapping[str, Value] | None) -> bool:
        """Whether the reader saw the item when it had this scope; nobody saw it before it was."""
        return scope is not None and rights.sees(self.playbook, self.actor, scope, self.now)

    def item(self, one: Item) -> Item:
        """The item as this reader may read it."""
        return rights.mask_item(self.playbook, self.actor.role, one)

    @cached_property
    def hides_comments(self) -> bool:
        """Whether there are comments that the reader may not read, so that entries are looked at
        one by one."""
        role = self.actor.role
        return any(rights.hides_comments(self.playbook, role, kind) for kind in self.playbook.kinds)

    def entry(self, kind: str, one: Entry) -> Entry:
        """A line of the timeline of an item of ``kind`` as this reader may read it."""
        return rights.mask_entry(self.playbook, self.actor.role, kind, one)

    def subject(self, one: Subject) -> Subject:
        """The subject as this reader may read it."""
        return rights.mask_subject(self.playbook, self.actor.role, one)


def _column(name: str) -> ColumnElement[Any]:
    return item.c[name]
