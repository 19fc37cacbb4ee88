"""What a board reads: the order of a whole kind without its contents, and the cards in sight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, Text, func, literal_column, select

from desk.schema.conditions import json_field
from desk.schema.desk_tables import item
from desk.services import query
from desk.services.context import Context
from desk.services.views import BoardCard

if TYPE_CHECKING:
    from desk.services.board import Key, Sort

_MANY = 500
#: What has no deadline comes after everything that has.
_NEVER = literal_column(str(2**62))
_NEWEST = -item.c.created_at

_ORDER: dict[str, tuple[ColumnElement[Any], ColumnElement[Any]]] = {
    "urgent": (func.coalesce(item.c.due_at, _NEVER), _NEWEST),
    "new": (_NEWEST, literal_column("0")),
    "old": (item.c.created_at, literal_column("0")),
    "score": (-item.c.score, _NEWEST),
}


def order(
    context: Context, kind: str, sort: Sort, filter_: str | None
) -> Iterator[tuple[str, Key]]:
    """Stage and sort key of every item of the kind, in order."""
    chosen = _keys(context, kind, sort, filter_)
    first, second = _ORDER[sort]
    with context.store.read() as connection:
        for stage, one, two, item_id in connection.execute(
            chosen.order_by(first, second, item.c.id)
        ):
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
            for row in connection.execute(_CARDS, {"ids": list(ids[start : start + _MANY])}):
                found[row[0]] = BoardCard(*row[:7], bool(row[7]), *row[8:])
    return found


def _keys(context: Context, kind: str, sort: Sort, filter_: str | None) -> Select[Any]:
    first, second = _ORDER[sort]
    tests = query.where(context, kind, filter_)
    return select(item.c.stage, first, second, item.c.id).where(*tests)


def _cards() -> Select[Any]:
    from sqlalchemy import bindparam

    return select(
        item.c.id,
        item.c.title,
        json_field(item.c.fields, "source", "text").cast(Text),
        item.c.created_at,
        item.c.score,
        item.c.responsible,
        item.c.due_at,
        query.pending(item.c.id),
        item.c.stage,
        item.c.round,
        item.c.version,
    ).where(item.c.id.in_(bindparam("ids", expanding=True)))


_CARDS = _cards()
