"""Finding a card by what a person remembers of it: a word, a phone's digits, the start of an id."""

from __future__ import annotations

from typing import Any

from desk.domain.condition import fold
from desk.schema.desk_tables import item
from desk.services import query
from desk.services.context import Context
from desk.services.views import Row

#: A number is looked for by its digits from this many on.
_FEWEST_DIGITS = 4
_FEWEST_LETTERS = 2


def find(context: Context, text: str, limit: int) -> list[Row]:
    """The newest items whose title, id or subject contain ``text``; nothing for one letter."""
    wanted = fold(text.strip())
    if len(wanted) < _FEWEST_LETTERS:
        return []
    digits = _digits(wanted)
    ids = [
        found[0]
        for found in _everything(context)
        if _matches(wanted, digits if len(digits) >= _FEWEST_DIGITS else "", found)
    ][:limit]
    return by_ids(context, ids)


def by_ids(context: Context, ids: list[str]) -> list[Row]:
    """The rows of ``ids``, in that order."""
    chosen = query.select_rows().where(item.c.id.in_(ids))
    with context.store.read() as connection:
        found = [query.row_of(values) for values in connection.execute(chosen)]
    place = {item_id: number for number, item_id in enumerate(ids)}
    return sorted(found, key=lambda row: place[row.item.id])


def _everything(context: Context) -> list[Any]:
    # A subject's values alone are joined: its JSON holds the names of fields, which would match.
    sql = """
        SELECT item.id, item.title,
               (SELECT group_concat(value, char(10)) FROM json_each(subject.fields))
        FROM item LEFT JOIN subject ON subject.id = item.subject_id
        ORDER BY item.created_at DESC, item.id DESC
    """
    with context.store.read() as connection:
        return list(connection.exec_driver_sql(sql))


def _matches(wanted: str, digits: str, found: Any) -> bool:
    item_id, title, personal = found
    if item_id.startswith(wanted) or wanted in fold(title):
        return True
    if not personal:
        return False
    return wanted in fold(personal) or (bool(digits) and _has_number(digits, personal))


def _has_number(digits: str, personal: str) -> bool:
    # People begin a number by 8, the trunk prefix, where +7 is kept.
    other = f"7{digits[1:]}" if digits[0] == "8" else digits
    lines = [_digits(line) for line in personal.split("\n")]
    return any(digits in line or line.startswith(other) for line in lines)


def _digits(text: str) -> str:
    return "".join(mark for mark in text if mark.isdigit())
