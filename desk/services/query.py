"""Reading items: lists, counts, and one card with all that belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, func, select, type_coerce

from desk.domain.condition import ConditionError, FieldType, parse
from desk.domain.refusals import Refusal
from desk.domain.rights import COLUMN_TYPES, hidden, item_types
from desk.schema.conditions import json_field, to_sql
from desk.schema.desk_tables import base_row, item, queue
from desk.services import overlay
from desk.services.context import Context
from desk.services.errors import BadCondition, Refused, UnknownColumn, UnknownKind
from desk.services.rows import ENTRIES, ITEMS, SUBJECTS, TASKS
from desk.services.views import Card, Row

_JSON = frozenset(("fields", "field_versions", "undo"))
_ITEM_COLUMNS = [item.c[name] for name in ITEMS.columns]


def pending(item_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether something done with the item is not covered by a pull yet."""
    laid = select(base_row.c.id).where(base_row.c.kind == "item", base_row.c.id == item_id)
    queued = select(queue.c.id).where(queue.c.item_id == item_id)
    return laid.exists() | queued.exists()


def rows(
    context: Context, kind: str | None, filter_: str | None, sort: str | None, limit: int | None
) -> list[Row]:
    """Items of ``kind`` that meet ``filter_``, sorted, at most ``limit``."""
    query = select_rows().where(*where(context, kind, filter_))
    query = query.order_by(*_order(context, kind, sort))
    if limit is not None:
        query = query.limit(max(limit, 0))
    with context.store.read() as connection:
        return [row_of(found) for found in connection.execute(query)]


def count(context: Context, kind: str | None, filter_: str | None) -> int:
    """How many there are."""
    query = select(func.count()).select_from(item).where(*where(context, kind, filter_))
    with context.store.read() as connection:
        return connection.execute(query).scalar_one()


def count_by(context: Context, by: str, kind: str | None, filter_: str | None) -> dict[str, int]:
    """How many there are for each value of ``by``, the most frequent first."""
    value = _shown_column(context, kind, by)
    number = func.count().label("number")
    query = (
        select(value, number)
        .where(*where(context, kind, filter_))
        .group_by(value)
        .order_by(number.desc(), value)
    )
    with context.store.read() as connection:
        found = connection.execute(query).all()
    counts: dict[str, int] = {}
    for key, many in found:
        name = _name(key)
        counts[name] = counts.get(name, 0) + many
    return counts


def card(context: Context, item_id: str) -> Card:
    """An item, its subject, tasks, timeline, family, and what can be done with it."""
    from desk.domain.transitions import possible

    rulebook = context.rulebook
    with context.store.read() as connection, connection.begin():
        scene = overlay.scene_of(connection, item_id)
        shown = scene.item
        if shown is None:
            raise Refused(Refusal("no_item"))
        tasks = TASKS.where(connection, "item_id", (item_id,))
        entries = ENTRIES.where(connection, "item_id", (item_id,))
        subjects = SUBJECTS.get(connection, [shown.subject_id] if shown.subject_id else [])
        waiting = _is_pending(connection, item_id)
    return Card(
        item=shown,
        subject=subjects[0] if subjects else None,
        tasks=tuple(sorted(tasks, key=lambda task: (task.closed_at or 0, task.due_at, task.id))),
        entries=tuple(sorted(entries, key=lambda entry: (entry.at, entry.id))),
        linked=tuple(one for one in scene.items if one.id != item_id),
        pending=waiting,
        possible=possible(scene, rulebook.actor, rulebook.playbook, context.clock()),
    )


def where(context: Context, kind: str | None, filter_: str | None) -> list[ColumnElement[bool]]:
    """The tests of a kind and a filter. Raises ``UnknownKind``, ``BadCondition``, ``Refused``."""
    rulebook = context.rulebook
    tests: list[ColumnElement[bool]] = []
    if kind is not None:
        if kind not in rulebook.playbook.kinds:
            raise UnknownKind(kind=kind, known=", ".join(rulebook.playbook.kinds))
        tests.append(item.c.kind == kind)
    if filter_ and filter_.strip():
        try:
            condition = parse(filter_, item_types(rulebook.playbook, kind))
        except ConditionError as error:
            raise BadCondition(error) from None
        _refuse_hidden(context, kind, condition.names())
        columns = columns_of(context, kind)
        tests.append(to_sql(condition, columns, me=rulebook.actor.id, now=context.clock()))
    return tests


def columns_of(context: Context, kind: str | None) -> Callable[[str], ColumnElement[Any]]:
    """The expression of each column and field. Raises ``UnknownColumn`` when it is asked."""
    types = item_types(context.rulebook.playbook, kind)

    def column(name: str) -> ColumnElement[Any]:
        type_: FieldType | None = types.get(name)
        if type_ is None:
            raise UnknownColumn(field=name, known=", ".join(sorted(types)))
        return item.c[name] if name in COLUMN_TYPES else json_field(item.c.fields, name, type_)

    return column


def row_of(values: Any) -> Row:
    """The row that ``select_rows`` gave."""
    return Row(ITEMS.decode(values[:-1]), bool(values[-1]))


def select_rows() -> Select[Any]:
    """All of an item, and whether it is pending."""
    # JSON comes as its text: msgspec decodes it into the right types at once.
    columns = (type_coerce(one, Text) if one.name in _JSON else one for one in _ITEM_COLUMNS)
    return select(*columns, pending(item.c.id))


def _order(context: Context, kind: str | None, sort: str | None) -> list[ColumnElement[Any]]:
    if not sort:
        return [item.c.created_at.desc(), item.c.id.desc()]
    down = sort.startswith("-")
    column = _shown_column(context, kind, sort.removeprefix("-"))
    return [(column.desc() if down else column).nulls_last(), item.c.id.desc()]


def _shown_column(context: Context, kind: str | None, name: str) -> ColumnElement[Any]:
    column = columns_of(context, kind)(name)
    _refuse_hidden(context, kind, (name,))
    return column


def _refuse_hidden(context: Context, kind: str | None, names: Iterable[str]) -> None:
    """What stands in a field must not show in how many cards there are, or in their order."""
    rulebook = context.rulebook
    found = hidden(rulebook.playbook, rulebook.actor.role, kind, names)
    if found:
        raise Refused(Refusal("field_hidden", {"fields": ", ".join(found)}))


def _is_pending(connection: Connection, item_id: str) -> bool:
    query = select(pending(item.c.id)).where(item.c.id == item_id)
    return bool(connection.execute(query).scalar_one_or_none())


def _name(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
