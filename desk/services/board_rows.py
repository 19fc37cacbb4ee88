"""What a board reads: the order of a whole kind without its contents, and the cards in sight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    Select,
    bindparam,
    func,
    literal_column,
    select,
)

from desk.schema.conditions import json_field
from desk.schema.desk_tables import item
from desk.services import query
from desk.services.context import Context
from desk.services.views import BoardCard

if TYPE_CHECKING:
    from desk.services.board import Key, Sort

_MANY = 500
#: What has no deadline comes after everything that has.
_NEVER: ColumnElement[int] = literal_column(str(2**62), BigInteger())
_NEWEST = -item.c.created_at

_ORDER: dict[str, tuple[ColumnElement[Any], ColumnElement[Any]]] = {
    "urgent": (func.coalesce(item.c.due_at, _NEVER), _NEWEST),
    "new": (_NEWEST, _NEWEST),
    "old": (item.c.created_at, item.c.created_at),
    "score": (-item.c.score, _NEWEST),
}


def order(
    context: Context, kind: str, sort: Sort, filter_: str | None
) -> Iterator[tuple[str, Key]]:
    """Stage and sort key of every item of the kind, in order."""
    chosen = _keys(context, kind, sort, filter_)
    first, second = _ORDER[sort]
    with context.store.read() as connection:
        found = connection.execute(chosen.order_by(first, second, item.c.id)).all()
    for stage, one, two, item_id in found:
        yield stage, (one, two, item_id)


def places(
    context: Context, kind: str, sort: Sort, filter_: str | None, ids: Sequence[str]
) -> Iterator[tuple[str, tuple[str, Key]]]:
    """Stage and sort key of those of ``ids`` that belong on the board, by id."""
    chosen = _keys(context, kind, sort, filter_)
    with context.store.read() as connection:
        for start in range(0, len(ids), _MANY):
            part = item.c.id.in_(ids[start : start + _MANY])
            for stage, one, two, item_id in connection.execute(chosen.where(part)):
                yield item_id, (stage, (one, two, item_id))


def cards(context: Context, ids: Sequence[str]) -> dict[str, BoardCard]:
    """The cards of ``ids`` that are there, by id."""
    found: dict[str, BoardCard] = {}
    with context.store.read() as connection:
        for start in range(0, len(ids), _MANY):
            part = {"ids": list(ids[start : start + _MANY])}
            for row in connection.execute(_CARDS, part).mappings():
                values: dict[str, Any] = {**row, "pending": bool(row["pending"])}
                found[row["id"]] = BoardCard(**values)
    return found


def _keys(
    context: Context, kind: str, sort: Sort, filter_: str | None
) -> Select[Any, Any, Any, Any]:
    first, second = _ORDER[sort]
    tests = query.where(context, kind, filter_)
    return select(item.c.stage, first, second, item.c.id).where(*tests)


def _cards() -> Executable:
    return select(
        item.c.id,
        item.c.title,
        json_field(item.c.fields, "source", "text").label("source"),
        item.c.created_at,
        item.c.score,
        item.c.responsible,
        item.c.due_at,
        query.pending(item.c.id).label("pending"),
        item.c.stage,
        item.c.round,
        item.c.version,
    ).where(item.c.id.in_(bindparam("ids", expanding=True)))


_CARDS = _cards()
