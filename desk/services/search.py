"""Finding a card by what a person remembers of it: a word, a phone's digits, the start of an id."""

from __future__ import annotations

import msgspec

from desk.schema.desk_tables import item
from desk.services import query
from desk.services.context import Context
from desk.services.views import Row

#: A number is looked for by its digits from this many on.
_FEWEST_DIGITS = 4
_FEWEST_LETTERS = 2

_decode = msgspec.json.Decoder(dict[str, object]).decode


def find(context: Context, text: str, limit: int) -> list[Row]:
    """The newest items whose title, id or subject contain ``text``; nothing for one letter."""
    wanted = text.strip().casefold()
    if len(wanted) < _FEWEST_LETTERS:
        return []
    numbers = _numbers(wanted)
    sql = """
        SELECT item.created_at, item.id, item.title, subject.fields
        FROM item LEFT JOIN subject ON subject.id = item.subject_id
    """
    found: list[tuple[int, str]] = []
    with context.store.read() as connection:
        for created_at, item_id, title, personal in connection.exec_driver_sql(sql):
            if (
                item_id.startswith(wanted)
                or wanted in title.casefold()
                or (personal and _speaks_of(wanted, numbers, personal))
            ):
                found.append((created_at, item_id))
    found.sort(reverse=True)
    return by_ids(context, [item_id for _, item_id in found[:limit]])


def by_ids(context: Context, ids: list[str]) -> list[Row]:
    """The rows of ``ids``, in that order."""
    chosen = query.select_rows().where(item.c.id.in_(ids))
    with context.store.read() as connection:
        found = [query.row_of(values) for values in connection.execute(chosen)]
    place = {item_id: number for number, item_id in enumerate(ids)}
    return sorted(found, key=lambda row: place[row.item.id])


def _speaks_of(wanted: str, numbers: tuple[str, ...], personal: str) -> bool:
    # The text of the JSON first: to decode every row costs ten times as much. A phone is kept as
    # its digits alone, so they are found in it.
    raw = personal.casefold()
    if wanted not in raw and not any(number in raw for number in numbers):
        return False
    values = [str(value).casefold() for value in _decode(personal).values()]
    return any(wanted in value or any(number in value for number in numbers) for value in values)


def _numbers(wanted: str) -> tuple[str, ...]:
    """What is typed as a number, as it may be kept: people begin it by 8 where +7 is kept."""
    if any(mark.isalpha() for mark in wanted):
        return ()
    digits = "".join(mark for mark in wanted if mark.isdecimal())
    if len(digits) < _FEWEST_DIGITS:
        return ()
    return (digits, f"+7{digits[1:]}") if digits[0] == "8" else (digits,)
