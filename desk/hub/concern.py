"""Whom a piece of the change log concerns: only those desks are hinted at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, or_, select

from desk.domain import rights
from desk.domain.model import Value
from desk.hub import store
from desk.hub.changes import Head
from desk.hub.projection import Reader
from desk.schema import hub_tables as t

#: More lines than this concern everybody: to hint is cheaper than to find out.
MOST_LINES = 100
_KINDS = frozenset({"item", "task", "entry", "subject", "person"})


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """What was written between two ends of the log, as far as it decides who is concerned."""

    #: What an item must look like, before or after, to be in somebody's sight.
    scopes: Sequence[Mapping[str, Value]] = ()
    #: Users who were themselves changed: their rights may be others.
    people: frozenset[str] = frozenset()
    #: Whether it is too much, or of an unknown kind, to say whom it concerns.
    everybody: bool = False

    def concerns(self, reader: Reader) -> bool:
        """Whether a pull of the reader would bring something that he waits for.

        That a colleague came or went is nothing to hurry for: it comes with the next pull.
        """
        return (
            self.everybody
            or reader.actor.id in self.people
            or any(reader.saw(scope) for scope in self.scopes)
        )


def between(connection: Connection, known: Head, head: Head) -> Piece:
    """The piece of the log from where it ended before to where it ends now."""
    if known.epoch != head.epoch or head.seq < known.seq:
        return Piece(everybody=True)
    new = (t.change.c.seq > known.seq, t.change.c.seq <= head.seq)
    if head.seq - known.seq > MOST_LINES:
        query = select(t.change.c.id).where(*new, t.change.c.kind == "person")
        return Piece(everybody=True, people=frozenset(connection.execute(query).scalars()))
    log = connection.execute(select(t.change).where(*new)).all()
    scopes = [scope for row in log for scope in (row.before_scope, row.after_scope) if scope]
    return Piece(
        scopes=_distinct([*scopes, *_scopes_of_rows(connection, log)]),
        people=frozenset(row.id for row in log if row.kind == "person"),
        everybody=any(row.kind not in _KINDS for row in log),
    )


def _scopes_of_rows(connection: Connection, log: Iterable[Row[Any]]) -> list[dict[str, Value]]:
    """The items, as they stand, of rows that changed without their item.

    Who sees the item sees the row. A new subject always comes with an item that is changed too.
    """
    changed = {row.id for row in log if row.kind == "item"}
    lines = [row for row in log if row.kind != "item"]
    items = {row.item_id for row in lines if row.item_id} - changed
    subjects = {row.id for row in lines if row.kind == "subject" and row.op != "insert"}
    if not items and not subjects:
        return []
    query = select(t.item).where(or_(t.item.c.id.in_(items), t.item.c.subject_id.in_(subjects)))
    return [rights.scope(store.bare_item_of(row)) for row in connection.execute(query)]


def _distinct(scopes: Iterable[Mapping[str, Value]]) -> list[Mapping[str, Value]]:
    """Each scope once: a person is asked about it for every open stream."""
    return list({tuple(sorted(scope.items(), key=_name)): scope for scope in scopes}.values())


def _name(pair: tuple[str, Value]) -> str:
    return pair[0]
