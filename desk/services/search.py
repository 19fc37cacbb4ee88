"""Finding a card by what a person remembers of it: a word, a phone's digits, the start of an id.

A whole phone number or e-mail address is looked up without opening anybody's row. Else titles and
overviews are gone through; the other fields only for a part of a number or an address, or where
nothing else was found.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, islice

import msgspec
from sqlalchemy import Connection

from desk.schema.desk_tables import item
from desk.services import lookup, query
from desk.services.context import Context
from desk.services.rows import SUBJECTS
from desk.services.subjects import sealer_of
from desk.services.table_rows import marks, parts
from desk.services.views import Row

#: A number is looked for by its digits from this many on.
_FEWEST_DIGITS = 4
_FEWEST_LETTERS = 2
#: People who are looked at together.
_AT_ONCE = 100
#: Digits of a whole number without the country's.
_NATIONAL = 10

_decode = msgspec.json.Decoder(dict[str, object]).decode


def find(context: Context, text: str, limit: int) -> list[Row]:
    """The newest items whose title, id or subject contain ``text``; nothing for one letter."""
    wanted = text.strip().casefold()
    if len(wanted) < _FEWEST_LETTERS:
        return []
    numbers = _numbers(wanted)
    with context.store.read() as connection, connection.begin():
        people = lookup.find(connection, sealer_of(connection), whole(text))
        found = _items_of(connection, people) or _scanned(connection, wanted, numbers)
    found.sort(reverse=True)
    return by_ids(context, [item_id for _, item_id in found[:limit]])


def by_ids(context: Context, ids: list[str]) -> list[Row]:
    """The rows of ``ids``, in that order."""
    chosen = query.select_rows().where(item.c.id.in_(ids))
    with context.store.read() as connection:
        found = [query.row_of(values) for values in connection.execute(chosen)]
    place = {item_id: number for number, item_id in enumerate(ids)}
    return sorted(found, key=lambda row: place[row.item.id])


def _scanned(
    connection: Connection, wanted: str, numbers: tuple[str, ...]
) -> list[tuple[int, str]]:
    """When the items that speak of what is wanted were made, and their ids."""
    found = _titled(connection, wanted)
    part_of_detail = bool(numbers) or "@" in wanted
    people = people_of(connection, wanted, numbers, details=part_of_detail)
    if not (people or found or part_of_detail):
        people = people_of(connection, wanted, numbers, details=True)
    return list({*found, *_items_of(connection, people)})


def _titled(connection: Connection, wanted: str) -> list[tuple[int, str]]:
    driver = connection.connection.driver_connection
    assert driver is not None
    return [
        (created_at, item_id)
        for created_at, item_id, title in driver.execute("SELECT created_at, id, title FROM item")
        if wanted in title.casefold() or item_id.startswith(wanted)
    ]


def people_of(
    connection: Connection, wanted: str, numbers: tuple[str, ...], *, details: bool
) -> list[str]:
    """The ids of the people whose overview, and with ``details`` whose other fields contain it."""
    # The text of the JSON first: to decode every row costs ten times as much. A phone is kept as
    # its digits alone, so they are found in it.
    speaks = _test(wanted, numbers)
    found: list[str] = []
    scanned = SUBJECTS.scan(connection, details=details)
    while some := list(islice(scanned, _AT_ONCE)):
        # Of many at once first: most have nobody who is wanted.
        raw = b"\n".join(overview + (detail or b"") for _, overview, detail in some)
        if not _is_in(raw, wanted, numbers):
            continue
        found += [
            row_id
            for row_id, overview, detail in some
            if speaks(overview) or (detail is not None and speaks(detail))
        ]
    return found


def _test(wanted: str, numbers: tuple[str, ...]) -> Callable[[bytes], bool]:
    def speaks(packed: bytes) -> bool:
        if not _is_in(packed, wanted, numbers):
            return False
        values = [str(value).casefold() for value in _decode(packed).values()]
        return any(
            wanted in value or any(number in value for number in numbers) for value in values
        )

    return speaks


def _is_in(packed: bytes, wanted: str, numbers: tuple[str, ...]) -> bool:
    raw = packed.decode().casefold()
    return wanted in raw or any(number in raw for number in numbers)


def _items_of(connection: Connection, people: list[str]) -> list[tuple[int, str]]:
    sql = "SELECT created_at, id FROM item WHERE subject_id IN ({})"
    rows = (connection.exec_driver_sql(sql.format(marks(part)), part) for part in parts(people))
    return [(row[0], row[1]) for row in chain.from_iterable(rows)]


def _numbers(wanted: str) -> tuple[str, ...]:
    """What is typed as a number, as it may be kept: people begin it by 8 where +7 is kept."""
    if any(mark.isalpha() for mark in wanted):
        return ()
    digits = "".join(mark for mark in wanted if mark.isdecimal())
    if len(digits) < _FEWEST_DIGITS:
        return ()
    return (digits, f"+7{digits[1:]}") if digits[0] == "8" else (digits,)


def whole(text: str) -> list[str]:
    """The whole phone numbers and addresses that may be meant by what is typed."""
    wanted = text.strip().casefold()
    numbers = _numbers(wanted)
    if not numbers:
        return [wanted]
    found = [number if number.startswith("+") else f"+{number}" for number in numbers]
    if len(numbers[0]) == _NATIONAL:
        found.append(f"+7{numbers[0]}")
    return found
